//! A stage: processes with channels between them.
//!
//! Knows nothing of schedules, nor of death. One thread is one process. Both checkers use this file, each over a
//! `checker` of its own.

use crate::checker::Checker;
use crate::engine::live::{Local, Phase, Task};
use crate::engine::{
    ChannelKind, ChannelName, Direction, EndName, Guard, Holder, MemberName, Opened, Store, become_host, tables,
};
use crate::machine::{self, Machine};
use crate::party::{Party, Seen, pid};
use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering;

type Body = Box<dyn FnOnce(&mut Party) + Send>;

/// A process that is yet to begin.
pub(crate) struct Role {
    pub(crate) party: Party,
    pub(crate) member: MemberName,
    body: Body,
}

/// Where the processes are prepared, by one that outlives them all.
pub(crate) struct Stage {
    pub(crate) local: ManuallyDrop<Local>,
    pub(crate) root: u32,
    pub(crate) roles: Vec<Role>,
    pub(crate) heir: Option<Heir>,
}

/// What a process does that begins when the dead are buried.
pub(crate) type Heir = Box<dyn FnOnce(&mut Party)>;

pub(crate) fn create_process(parent: u32) -> MemberName {
    let (name, member) = tables().create_member(parent).expect("room for a process");
    member.set_pid(pid(name.index));
    member.enter(Phase::Running);
    name
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let root = create_process(u32::MAX).index;
        become_host(root);
        Stage {
            local: ManuallyDrop::new(Local::new(tables()).expect("a context")),
            root,
            roles: Vec::new(),
            heir: None,
        }
    }

    pub(crate) fn channel(&mut self, store: Store) -> ChannelName {
        self.create(ChannelKind::Channel(store))
    }

    /// A channel of which both sides may crash.
    pub(crate) fn queue(&mut self, store: Store) -> ChannelName {
        let name = self.channel(store);
        [Direction::Reader, Direction::Writer].into_iter().for_each(|side| name.bears_crashes_of(side));
        name
    }

    /// The same, whose readers say when they are done with a message.
    pub(crate) fn tasks(&mut self, store: Store) -> ChannelName {
        let name = self.queue(store);
        name.counts_tasks();
        name
    }

    pub(crate) fn rendezvous(&mut self) -> ChannelName {
        self.channel(Store::Fifo(0))
    }

    pub(crate) fn barrier(&mut self, parties: u32) -> ChannelName {
        self.create(ChannelKind::Barrier { parties })
    }

    pub(crate) fn gate(&mut self, permits: u32, opened: Opened) -> ChannelName {
        self.create(ChannelKind::Gate { permits, opened })
    }

    /// A gate with a cell of so many words, which are zero, and the only handle of it.
    pub(crate) fn cell(&mut self, words: usize) -> (ChannelName, EndName) {
        let holder = Holder::Member(self.root);
        self.local.create_cell(8 * words, |cell| cell.clear(), holder).expect("a cell")
    }

    /// A gate with an area of so many bytes, which are zero, and the only handle of it.
    pub(crate) fn area(&mut self, bytes: usize) -> (ChannelName, EndName) {
        let holder = Holder::Member(self.root);
        self.local.create_area(bytes, None, holder).expect("an area")
    }

    fn create(&mut self, kind: ChannelKind) -> ChannelName {
        let holder = Holder::Member(self.root);
        self.local.create_channel("", kind, holder).expect("a channel").0
    }

    /// An end that is used by others than the process that holds it, which outlives them.
    pub(crate) fn lend(&mut self, channel: ChannelName, direction: Direction) {
        let holder = Holder::Member(self.root);
        self.local.request_end(channel, direction, holder).expect("an end");
    }

    /// A channel of which this process has the only end, and the name of that end.
    pub(crate) fn fleeting(&mut self) -> EndName {
        let holder = Holder::Member(self.root);
        self.local.create_channel("", ChannelKind::Channel(Store::Fifo(0)), holder).expect("a channel").1
    }

    /// The record of a deadlock, which nobody but its maker keeps.
    pub(crate) fn record(&mut self) -> MemberName {
        tables().create_deadlock().expect("room for a record").0
    }

    /// A gate names the record of a deadlock from now on.
    pub(crate) fn tell_of_deadlock(&mut self, gate: ChannelName, record: MemberName) {
        self.local.poison_all([gate], Some(record.index));
    }

    /// A process that begins when the one that was killed is buried: its context has a number of the dead.
    pub(crate) fn heir(&mut self, body: impl FnOnce(&mut Party) + 'static) {
        self.heir = Some(Box::new(body));
    }

    /// A process that holds these ends.
    pub(crate) fn party(&mut self, ends: &[(ChannelName, Direction)], body: impl FnOnce(&mut Party) + Send + 'static) {
        let member = create_process(self.root);
        let mut party = Party::new(member.index);
        for (channel, direction) in ends {
            let holder = Holder::Member(member.index);
            let end = self.local.request_end(*channel, *direction, holder).expect("an end");
            if *direction == Direction::Reader {
                party.readers.push((*channel, end));
            }
        }
        self.roles.push(Role { party, member, body: Box::new(body) });
    }

    /// Somebody has died who counted.
    pub(crate) fn unsettle(&mut self) {
        tables().arena.shared().unsettled.store(1, Ordering::Release);
    }

    /// A process that buries others.
    pub(crate) fn reaper(&mut self, body: impl FnOnce(&mut Party) + Send + 'static) {
        self.party(&[], body);
        let party = &mut self.roles.last_mut().expect("it was just made").party;
        let local = Local::for_reaper(tables()).expect("a context");
        drop(ManuallyDrop::into_inner(std::mem::replace(&mut party.local, ManuallyDrop::new(local))));
    }

    /// A process that holds these ends, and has a future.
    pub(crate) fn future(&mut self, ends: &[(ChannelName, Direction)], body: impl FnOnce(&mut Party) + Send + 'static) {
        self.party(ends, body);
        let party = &mut self.roles.last_mut().expect("it was just made").party;
        // One thread is one process, so it attends to its bell itself.
        let mut task = Task::new(tables(), party.member, 0).expect("a context");
        if Checker::SPARES
            && let Some(local) = &mut task.local
        {
            let nowhere = ChannelName { index: u32::MAX, generation: 0 };
            local
                .prepare(&[Guard::Input { channel: nowhere, extended: false, reader: EndName::NONE }])
                .expect("a block");
        }
        *party.task = Some(task);
    }
}

impl Role {
    /// What the process does, and saw.
    pub(crate) fn act(self) -> Vec<Seen> {
        let mut party = self.party;
        (self.body)(&mut party);
        let Party { local, task, seen, .. } = party;
        // Killed while it gives its context back, a process takes one slot with it, as `memory::pool` says; nobody
        // waits for that.
        machine::pardon();
        Checker::at_last(move || {
            drop(ManuallyDrop::into_inner(task));
            drop(ManuallyDrop::into_inner(local));
            Checker::quietly(|| {
                if let Some(member) = tables().member(self.member) {
                    member.enter(Phase::Returned);
                }
            });
        });
        seen
    }
}
