//! A party: one process that runs, what it does, and what it saw.
//!
//! Knows nothing of who else there is. Each method is one operation of the engine, with what must be true of it for
//! whoever does it.

use crate::checker::Checker;
use crate::engine::live::{Bell, Local, Member, Task, Withdrawn};
use crate::engine::{
    ChannelKind, ChannelName, Closing, Direction, EndName, ExtendedWriter, Fate, Fired, Guard, Holder, Kept,
    MemberName, Order, Patience, Short, Store, Unfinished, become_host, tables,
};
use crate::machine::Machine;
use crate::memory::{Block, is_block};
use crate::sys::clock::{Deadline, Instant};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) const LOCATION: &Location<'static> = Location::caller();

/// The number of a process as the operating system would give it.
pub(crate) fn pid(member: u32) -> u32 {
    1000 + member
}

/// What a party saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Read(u64),
    Wrote(u64),
    /// What it has written was answered with this.
    Answered(u64),
    /// A barrier was complete.
    Met(ChannelName),
    /// So many permits were free.
    Passed(u32),
    /// All tasks of a queue were done.
    Joined,
    Ended(Fate),
    TimedOut,
}

/// What became of a party: all that it saw, or `None` when it was killed.
pub(crate) type Part = Option<Vec<Seen>>;

/// A process that runs.
pub(crate) struct Party {
    /// Never dropped when the process is killed.
    pub(crate) local: ManuallyDrop<Local>,
    /// The future of a process that has one.
    pub(crate) task: ManuallyDrop<Option<Task>>,
    /// What it offers.
    suspended: Vec<Arm>,
    guards_of_future: Vec<Guard>,
    pub(crate) member: u32,
    /// The ends that it reads with.
    pub(crate) readers: Vec<(ChannelName, EndName)>,
    pub(crate) seen: Vec<Seen>,
    /// In which order it looks at the guards of a choice.
    order: Order,
}

impl Party {
    /// It has a context from the beginning, which the stage makes: no other thread runs yet.
    pub(crate) fn new(member: u32) -> Party {
        become_host(member);
        let mut local = Local::new(tables()).expect("a context");
        if Checker::SPARES {
            let nowhere = ChannelName { index: u32::MAX, generation: 0 };
            local
                .prepare(&[Guard::Input { channel: nowhere, extended: false, reader: EndName::NONE }])
                .expect("a block");
        }
        Party {
            local: ManuallyDrop::new(local),
            task: ManuallyDrop::new(None),
            suspended: Vec::new(),
            guards_of_future: Vec::new(),
            member,
            readers: Vec::new(),
            seen: Vec::new(),
            order: Order::Priority,
        }
    }

    pub(crate) fn see(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    /// One offer, with a message staged for each output. What it came to is noted, too.
    pub(crate) fn choose(&mut self, arms: &[Arm]) -> Option<ExtendedWriter> {
        if let [Arm::Pass(gate, weight)] = *arms
            && let Some(passed) = self.local.pass_at_once(gate, weight, self.member, LOCATION)
        {
            self.enter(gate, weight, passed.unit());
            self.see(Seen::Passed(weight));
            return None;
        }
        let guards = self.guards(arms);
        let fired = match arms {
            [arm @ (Arm::Extended(_) | Arm::Read(_) | Arm::Write(..) | Arm::Say(..) | Arm::Call(..))] => {
                self.one(*arm, &guards[0], Patience::ForEver)
            }
            _ => self.local.offer(&guards, self.order, LOCATION).expect("room for the offer"),
        };
        self.note(arms, &guards, fired)
    }

    /// As [`Party::choose`], by a policy that begins with this guard.
    pub(crate) fn choose_from(&mut self, first: usize, arms: &[Arm]) -> Option<ExtendedWriter> {
        self.order = Order::From(first);
        let writer = self.choose(arms);
        self.order = Order::Priority;
        writer
    }

    pub(crate) fn guards(&mut self, arms: &[Arm]) -> Vec<Guard> {
        let guards = arms.iter().map(|arm| match *arm {
            Arm::Read(channel) => Guard::Input { channel, extended: false, reader: self.reader_of(channel) },
            Arm::Extended(channel) => Guard::Input { channel, extended: true, reader: self.reader_of(channel) },
            Arm::Write(channel, value) | Arm::Call(channel, value) => {
                Guard::Output { channel, block: self.message(value) }
            }
            Arm::Say(channel, value) => {
                let mut bytes = [0; Short::MOST];
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                Guard::Output { channel, block: self.local.say(&Short::of(bytes, 8)) }
            }
            Arm::Meet(channel) => Guard::Barrier { channel },
            Arm::Pass(gate, weight) => Guard::Pass { gate, weight, holder: Some(Holder::Member(self.member)) },
            Arm::Join(queue) => Guard::Join { queue },
            Arm::Await(gate, weight) => Guard::Pass { gate, weight, holder: None },
            Arm::Wait => Guard::Timer { deadline: Deadline::at(Instant::now() + Duration::from_millis(1)) },
        });
        guards.collect()
    }

    pub(crate) fn note(&mut self, arms: &[Arm], guards: &[Guard], fired: Fired) -> Option<ExtendedWriter> {
        let (Fired { index, outcome, .. }, held, unit) = (fired, fired.writer(), fired.unit());
        for (number, guard) in guards.iter().enumerate() {
            // What was not given away is still ours.
            if let Guard::Output { block, .. } = *guard
                && is_block(block)
                && (number != index || matches!(outcome, Err(fate) if !matches!(fate, Fate::Abandoned { .. })))
            {
                self.own(block);
                self.local.keep_block(block);
            }
        }
        let seen = match (arms[index], outcome) {
            (_, Err(fate)) => Seen::Ended(fate),
            (Arm::Read(_), Ok(came)) => Seen::Read(match self.local.heard(came) {
                Some(short) => u64::from_le_bytes(short.bytes().try_into().expect("eight bytes")),
                None => self.value(came),
            }),
            (Arm::Extended(_), Ok(block)) => {
                let value = self.peek(block);
                self.see(Seen::Read(value));
                if held.is_none() {
                    self.local.keep_block(block);
                    return None;
                }
                // As the program does: the message stays ours until the release.
                self.kept(block);
                return held;
            }
            (Arm::Write(_, value) | Arm::Say(_, value), Ok(spare)) => {
                self.local.keep_block(spare);
                Seen::Wrote(value)
            }
            (Arm::Call(_, value), Ok(answer)) => {
                self.see(Seen::Wrote(value));
                Seen::Answered(self.value(answer))
            }
            (Arm::Meet(channel), Ok(_)) => Seen::Met(channel),
            (Arm::Pass(gate, weight), Ok(_)) => {
                self.enter(gate, weight, unit.expect("who passes has a unit"));
                Seen::Passed(weight)
            }
            (Arm::Await(_, weight), Ok(_)) => Seen::Passed(weight),
            (Arm::Join(_), Ok(_)) => Seen::Joined,
            (Arm::Wait, Ok(_)) => Seen::TimedOut,
        };
        self.see(seen);
        None
    }

    /// An offer of a future, which may be taken back before it has come to anything.
    pub(crate) fn suspend(&mut self, arms: &[Arm]) {
        self.suspended = arms.to_vec();
        self.guards_of_future = self.as_future(|me| me.guards(arms));
        let guards = std::mem::take(&mut self.guards_of_future);
        let fired = self.task().begin(&guards, Order::Priority, LOCATION).expect("room for the offer");
        self.guards_of_future = guards;
        if let Some(fired) = fired {
            self.conclude(fired);
        }
    }

    /// Attends to the bell until the future is ready.
    pub(crate) fn await_future(&mut self) {
        while self.task().is_pending() {
            let fired = self.bell().attend(|| {
                let task = self.task();
                task.look().ok_or_else(|| task.watch().and_then(|watch| watch.deadline()))
            });
            if let Some(fired) = fired {
                self.conclude(fired);
            }
        }
    }

    /// Leaves the future alone until the bell rings, or for a while that nobody knows the length of.
    pub(crate) fn dawdle(&mut self) {
        let later = Deadline::at(Instant::now() + Duration::from_millis(1));
        let _ = self.bell().attend(|| Err::<(), _>(Some(later)));
    }

    /// Drops the future. One that holds a writer stays until the writer is released.
    pub(crate) fn drop_future(&mut self) {
        loop {
            let mut left = None;
            let _ = self.bell().attend(|| match self.task().withdraw() {
                Withdrawn::Held(_) => Err(None),
                withdrawn => {
                    left = Some(withdrawn);
                    Ok(())
                }
            });
            let Some(left) = left else { continue };
            let arms = std::mem::take(&mut self.suspended);
            let guards = std::mem::take(&mut self.guards_of_future);
            for (number, (arm, guard)) in arms.iter().zip(guards).enumerate() {
                match (arm, guard) {
                    (Arm::Write(_, value), _) if left == Withdrawn::Written(number) => self.see(Seen::Wrote(*value)),
                    (_, Guard::Output { block, .. }) => self.as_future(|me| {
                        me.own(block);
                        me.local.keep_block(block);
                    }),
                    _ => (),
                }
            }
            return;
        }
    }

    fn conclude(&mut self, fired: Fired) {
        let arms = std::mem::take(&mut self.suspended);
        let guards = std::mem::take(&mut self.guards_of_future);
        let held = self.as_future(|me| me.note(&arms, &guards, fired));
        assert_eq!(held, None, "no future of a scenario holds a writer");
    }

    fn task(&mut self) -> &mut Task {
        self.task.as_mut().expect("a process with a future")
    }

    fn bell(&self) -> Bell {
        Bell::of(tables(), self.member).expect("the bell of this process")
    }

    /// With the context of the future in the place of its own.
    fn as_future<R>(&mut self, work: impl FnOnce(&mut Party) -> R) -> R {
        let mut other = self.task().local.take().expect("nobody else has it");
        std::mem::swap(&mut *self.local, &mut *other);
        let result = work(self);
        std::mem::swap(&mut *self.local, &mut *other);
        self.task().local = Some(other);
        result
    }

    /// A message that stays with its reader until the release.
    fn kept(&mut self, block: Block) {
        self.own(block);
        KEPT.with(|kept| kept.borrow_mut().push((self.member, block)));
    }

    /// Lets the writer of an extended rendezvous go on.
    pub(crate) fn release(&mut self, held: ExtendedWriter, finished: bool) {
        let unfinished = (!finished).then_some(Unfinished { member: self.member, crashed: false });
        self.local.release(held, unfinished);
        self.keep_no_more();
    }

    /// The same with an answer.
    pub(crate) fn answer(&mut self, held: ExtendedWriter, value: u64) {
        let answer = self.message(value);
        if !self.local.release_with(held, answer) {
            self.own(answer);
            self.local.keep_block(answer);
        }
        self.keep_no_more();
    }

    /// The message of an extended rendezvous that is over.
    fn keep_no_more(&mut self) {
        let block = KEPT.with(|kept| {
            let mut kept = kept.borrow_mut();
            let place = kept.iter().position(|(member, _)| *member == self.member);
            place.map(|place| kept.remove(place).1)
        });
        if let Some(block) = block {
            self.value(block);
        }
    }

    /// The value that it has read last.
    pub(crate) fn last_read(&self) -> u64 {
        let read = |seen: &Seen| if let Seen::Read(value) = seen { Some(*value) } else { None };
        self.seen.iter().rev().find_map(read).expect("it has read")
    }

    pub(crate) fn has_read(&self, value: u64) -> bool {
        self.seen.contains(&Seen::Read(value))
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.seen.iter().any(|seen| matches!(seen, Seen::Ended(_)))
    }

    pub(crate) fn has_timed_out(&self) -> bool {
        self.seen.contains(&Seen::TimedOut)
    }

    pub(crate) fn has_met(&self, barrier: ChannelName) -> bool {
        self.seen.contains(&Seen::Met(barrier))
    }

    pub(crate) fn read(&mut self, channel: ChannelName) {
        self.choose(&[Arm::Read(channel)]);
    }

    pub(crate) fn write(&mut self, channel: ChannelName, value: u64) {
        self.choose(&[Arm::Write(channel, value)]);
    }

    /// Writes a value, and with it the one end of another channel that the process has.
    pub(crate) fn send(&mut self, channel: ChannelName, value: u64, other: ChannelName) {
        let me = Holder::Member(self.member);
        let block = self.message(value);
        let mine = tables().held_by(me).into_iter().find(|end| end.place().is_some_and(|(at, _)| at == other));
        let end = mine.expect("the process has an end of it");
        assert!(self.local.move_end(end, me, Holder::Block(block)), "nobody else has it");
        let (arms, guards) = ([Arm::Write(channel, value)], [Guard::Output { channel, block }]);
        let fired = self.local.offer(&guards, Order::Priority, LOCATION).expect("room for the offer");
        self.note(&arms, &guards, fired);
    }

    pub(crate) fn meet(&mut self, barrier: ChannelName) {
        self.choose(&[Arm::Meet(barrier)]);
    }

    /// Whoever is inside with permits is inside with no more than there are, the dead left out of account.
    fn enter(&mut self, gate: ChannelName, weight: u32, unit: EndName) {
        let permits = Checker::quietly(|| gate.facts().permits().0);
        INSIDE.with(|inside| {
            let mut inside = inside.borrow_mut();
            inside.retain(|(_, member, ..)| !Checker::is_dead(pid(*member)));
            inside.push((gate, self.member, weight, unit));
            let taken: u32 = inside.iter().filter(|(at, ..)| *at == gate).map(|(_, _, weight, _)| weight).sum();
            assert!(taken <= permits, "{taken} of {permits} permits are taken: {inside:?}");
        });
        // What is behind the gate: a number that no block has.
        let protected = Block::MAX - gate.index;
        if weight == permits { Checker::writes(protected) } else { Checker::reads(protected) }
    }

    /// What is in a cell, if it is there.
    pub(crate) fn look<const N: usize>(&self, cell: ChannelName) -> Option<[u64; N]> {
        let mut bytes = vec![0; 8 * N];
        cell.cell(|_, cell| cell.read(0, &mut bytes))?;
        Some(std::array::from_fn(|place| u64::from_ne_bytes(std::array::from_fn(|byte| bytes[8 * place + byte]))))
    }

    /// With the permit of its gate: this is in a cell from now on.
    pub(crate) fn put<const N: usize>(&self, cell: ChannelName, values: [u64; N]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        cell.cell(|_, cell| cell.write(0, &bytes)).expect("whoever has the permit has the cell");
    }

    /// The unit that it has of a gate, if it has one.
    pub(crate) fn unit_of(&self, gate: ChannelName) -> Option<EndName> {
        INSIDE.with(|inside| {
            let inside = inside.borrow();
            inside.iter().find(|(at, member, ..)| (*at, *member) == (gate, self.member)).map(|(.., unit)| *unit)
        })
    }

    /// Does something while it is inside, so that others can come meanwhile.
    pub(crate) fn linger(&self, gate: ChannelName) {
        gate.facts().permits();
    }

    /// Gives back what it has of a gate, if it has something.
    pub(crate) fn give_back(&mut self, gate: ChannelName) {
        let mine = INSIDE.with(|inside| {
            let mut inside = inside.borrow_mut();
            let place = inside.iter().position(|(at, member, ..)| (*at, *member) == (gate, self.member));
            place.map(|place| inside.remove(place).3)
        });
        if let Some(unit) = mine {
            self.local.give_back(unit);
        }
    }

    /// More permits, or the next turn, for everybody.
    pub(crate) fn open(&mut self, gate: ChannelName) {
        self.local.change_permits(gate, |permits| permits.wrapping_add(1));
    }

    /// The next turn for one.
    pub(crate) fn notify(&mut self, gate: ChannelName) {
        self.local.notify(gate);
    }

    pub(crate) fn poison(&mut self, channel: ChannelName, direction: Direction) {
        self.local.poison(channel, direction);
    }

    /// The end that it reads from a channel with, if it has one.
    fn reader_of(&self, channel: ChannelName) -> EndName {
        self.readers.iter().find(|(at, _)| *at == channel).map_or(EndName::NONE, |(_, end)| *end)
    }

    /// What it has read last of a queue is done.
    pub(crate) fn task_done(&mut self, queue: ChannelName) {
        let reader = self.reader_of(queue);
        assert!(self.local.task_done(reader), "whoever has read something has a task");
    }

    /// Nobody writes to a channel any more.
    pub(crate) fn end_writing(&mut self, channel: ChannelName) {
        self.local.end_writing(channel);
    }

    /// Poisons a channel as the one does who looks for deadlocks: beside the reaper, it breaks locks of the dead, too.
    pub(crate) fn poison_as_reaper(&mut self, channel: ChannelName) {
        let mut local = Checker::quietly(|| {
            become_host(self.member);
            ManuallyDrop::new(Local::for_reaper(tables()).expect("a context"))
        });
        local.poison(channel, Direction::Writer);
        Checker::quietly(|| drop(ManuallyDrop::into_inner(local)));
    }

    /// One more end of a channel.
    pub(crate) fn request(&mut self, channel: ChannelName, direction: Direction) {
        self.local.request_end(channel, direction, Holder::Member(self.member)).expect("an end");
    }

    /// A channel of its own.
    pub(crate) fn create(&mut self) {
        let holder = Holder::Member(self.member);
        self.local.create_channel("", ChannelKind::Channel(Store::Fifo(0)), holder).expect("a channel");
    }

    /// Gives up the record of a deadlock by its name, as a starter gives up a process.
    pub(crate) fn disown(&mut self, record: MemberName) {
        self.local.disown(record);
    }

    /// Notes a deadlock for a process, as the one does who has found it, and needs its record no more.
    pub(crate) fn note_deadlock(&mut self, process: MemberName, record: MemberName) {
        self.local.note_deadlock(process, record.index);
        self.local.disown(record);
    }

    /// A gate names the record of a deadlock from now on.
    pub(crate) fn tell_of_deadlock(&mut self, gate: ChannelName, record: MemberName) {
        self.local.poison_all([gate], Some(record.index));
    }

    /// A reaper compares all references with all names.
    pub(crate) fn settle_counts(&mut self) {
        self.local.settle_counts();
    }

    /// Makes another one, which stays until it is given up.
    pub(crate) fn create_record(&mut self) {
        let (name, _) = tables().create_deadlock().expect("room for a record");
        assert!(tables().member(name).is_some(), "somebody else has freed the record");
        assert_eq!(name.slot().and_then(Member::deadlock), None, "another's deadlock is noted here");
        self.local.disown(name);
        assert!(tables().member(name).is_none(), "the record is kept by nobody");
    }

    /// Closes an end by its name, whoever holds it.
    pub(crate) fn close_end(&mut self, end: EndName) {
        self.local.close_end(end, Closing::Retire);
    }

    /// Closes all ends of a channel that the process has.
    pub(crate) fn close_all_of(&mut self, channel: ChannelName) {
        let mine = tables().held_by(Holder::Member(self.member));
        for end in mine.into_iter().filter(|end| end.place().is_some_and(|(at, _)| at == channel)) {
            self.local.close_end(end, Closing::Retire);
        }
    }

    /// Closes all ends of the process.
    pub(crate) fn close(&mut self, closing: Closing) {
        INSIDE.with(|inside| inside.borrow_mut().retain(|(_, member, ..)| *member != self.member));
        self.local.close_held(self.member, closing);
    }

    #[expect(unsafe_code, reason = "fills a block that this process has just taken")]
    pub(crate) fn message(&mut self, value: u64) -> Block {
        let block = self.local.take_block(8).expect("a block");
        self.own(block);
        // SAFETY: this process has just taken the block, and the slice does not outlive the statement.
        let bytes = unsafe { tables().arena.bytes_mut(block) };
        Checker::writes(block);
        bytes[..8].copy_from_slice(&value.to_le_bytes());
        tables().arena.block(block).set_length(8);
        block
    }

    /// Its tag is what makes a block ours.
    pub(crate) fn own(&self, block: Block) {
        if let Some(owner) = Checker::glance(|| tables().arena.block(block).owner()) {
            assert_eq!(owner, self.local.owner(), "block {block} belongs to somebody else");
        }
    }

    #[expect(unsafe_code, reason = "reads a block that this process owns")]
    fn peek(&self, block: Block) -> u64 {
        self.own(block);
        // SAFETY: this process owns the block, and the slice does not outlive the statement.
        let bytes = unsafe { tables().arena.bytes(block) };
        Checker::reads(block);
        u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
    }

    fn value(&mut self, block: Block) -> u64 {
        let value = self.peek(block);
        if Checker::glance(|| tables().arena.block(block).ends().load(Ordering::Relaxed)).is_some_and(|ends| ends > 0) {
            for end in tables().held_by(Holder::Block(block)) {
                let arrived = self.local.move_end(end, Holder::Block(block), Holder::Member(self.member));
                assert!(arrived, "nobody else has it");
            }
        }
        self.local.keep_block(block);
        value
    }
}

/// Who has how many permits of which gate.
pub(crate) type Inside = (ChannelName, u32, u32, EndName);

thread_local! {
    pub(crate) static INSIDE: std::cell::RefCell<Vec<Inside>> = const { std::cell::RefCell::new(Vec::new()) };
    /// Who looks at which area, or writes to it.
    pub(crate) static USING: std::cell::RefCell<Vec<(ChannelName, u32, bool)>> =
        const { std::cell::RefCell::new(Vec::new()) };
    /// Messages that their readers keep until a release.
    pub(crate) static KEPT: std::cell::RefCell<Vec<(u32, Block)>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// One guard of an offer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arm {
    Read(ChannelName),
    Extended(ChannelName),
    Write(ChannelName, u64),
    /// The same beside the offer, and in no block.
    Say(ChannelName, u64),
    /// Writes to a reader that answers.
    Call(ChannelName, u64),
    Meet(ChannelName),
    /// Takes so many permits of a gate.
    Pass(ChannelName, u32),
    /// Waits until so many are free.
    Await(ChannelName, u32),
    /// Waits until all tasks of a queue are done.
    Join(ChannelName),
    /// A timer, for a while that nobody knows the length of.
    Wait,
}
