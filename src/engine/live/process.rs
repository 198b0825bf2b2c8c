//! A process as the layers above see it: they describe it, take over what it hands on, and note how it ended.
//!
//! Knows nothing of why, nor of what arguments, results and records say. Each method is one store or one look; the slot
//! itself, its references and its end are in `member`.
#![expect(unsafe_code, reason = "reads records, which are immutable once published; listed in the architecture page")]

use super::local::Local;
use super::member::{Member, Phase, Role};
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{
    ArenaError, ChannelKind, ChannelName, Closing, Direction, EndName, Holder, MemberName, Owner, Packet,
};
#[cfg(feature = "testing")]
use crate::memory::Block;
use crate::memory::NONE;

/// The functions of a process, each as the words of an [`AnyFn`](crate::sys::image::AnyFn).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Functions {
    /// Runs the process.
    pub(crate) entry: [u64; 2],
    /// What the user wrote.
    pub(crate) body: [u64; 2],
    /// Says in which way it ended.
    pub(crate) ending: [u64; 2],
}

/// A process that was described and not started yet.
#[derive(Debug)]
pub(crate) struct NewProcess {
    pub(crate) name: MemberName,
    pub(crate) member: &'static Member,
    /// The channel that retires when it is gone.
    pub(crate) exit: ChannelName,
    /// Who is about to start it.
    pub(crate) parent: u32,
}

/// A serialized value that a slot keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    /// What the process needs to start.
    Launch,
    /// Why it died; or the report of a deadlock.
    Obituary,
}

impl Member {
    /// A number that no other process of this program has had.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.load(Ordering::Acquire)
    }

    /// The member that is the operating-system process it runs in.
    pub(crate) fn host(&self) -> u32 {
        self.host.load(Ordering::Acquire)
    }

    /// The member that started it.
    pub(crate) fn parent(&self) -> u32 {
        self.parent.load(Ordering::Acquire)
    }

    /// The number that the operating system has given to its process; 0 while it has none.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Acquire)
    }

    /// It has a process or a thread now, in the operating-system process of this number.
    pub(crate) fn set_pid(&self, pid: u32) {
        self.pid.store(pid, Ordering::Release);
    }

    /// Whether it holds any end.
    pub(crate) fn holds_ends(&self) -> bool {
        [&self.ends, &self.has_held_units].iter().any(|word| word.load(Ordering::Acquire) != 0)
    }

    /// Whether a crash retires its ends instead of poisoning them.
    pub(crate) fn retires_on_crash(&self) -> bool {
        self.retires_on_crash.load(Ordering::Acquire) != 0
    }

    /// What is to be done about a deadlock that it is in, as the layer above numbers it.
    pub(crate) fn on_deadlock(&self) -> u32 {
        self.on_deadlock.load(Ordering::Acquire)
    }

    /// What becomes of its channels when it crashes, and what is to be done about a deadlock.
    pub(crate) fn set_policies(&self, retires_on_crash: bool, on_deadlock: u32) {
        self.on_deadlock.store(on_deadlock, Ordering::Release);
        self.retires_on_crash.store(u32::from(retires_on_crash), Ordering::Release);
    }

    /// What it runs.
    pub(crate) fn functions(&self) -> Functions {
        let [entry, body, ending] = [&self.entry, &self.body, &self.ending]
            .map(|words| words.each_ref().map(|word| word.load(Ordering::Acquire)));
        Functions { entry, body, ending }
    }

    /// What it will run.
    pub(crate) fn set_functions(&self, functions: Functions) {
        let Functions { entry, body, ending } = functions;
        for (words, function) in [(&self.entry, entry), (&self.body, body), (&self.ending, ending)] {
            words.iter().zip(function).for_each(|(word, value)| word.store(value, Ordering::Release));
        }
    }

    /// It is gone, and whoever waits for its end was told.
    #[cfg(feature = "testing")]
    pub(in crate::engine) fn is_left(&self) -> bool {
        !self.is_to_be_buried()
    }

    /// It is driven from its beginning: with the block of the stands, and the number of its own.
    #[cfg(feature = "testing")]
    pub(in crate::engine) fn drive(&self, baton: Block, stand: u32) {
        self.baton.store(baton, Ordering::Release);
        self.stand.store(stand + 1, Ordering::Release);
    }

    /// Whether it is driven, or was, as long as it is there.
    #[cfg(feature = "testing")]
    pub(crate) fn is_driven(&self) -> bool {
        self.stand.load(Ordering::Acquire) != 0
    }

    /// As [`drive`](Member::drive) was told, if it is driven.
    #[cfg(feature = "testing")]
    pub(in crate::engine) fn driven(&self) -> Option<(Block, u32)> {
        let stand = self.stand.load(Ordering::Acquire).checked_sub(1)?;
        Some((self.baton.load(Ordering::Acquire), stand))
    }

    /// Its arguments lie here from now on.
    pub(crate) fn keep_arguments(&self, arguments: Packet) {
        self.arguments.store(arguments.into_raw(), Ordering::Release);
    }

    /// Takes its arguments; once.
    pub(crate) fn take_arguments(&self) -> Option<Packet> {
        Packet::from_raw(self.arguments.swap(NONE, Ordering::AcqRel))
    }

    /// Its result lies here from now on.
    pub(crate) fn keep_result(&self, result: Packet) {
        self.result.store(result.into_raw(), Ordering::Release);
    }

    /// Takes its result, for this member; once.
    pub(crate) fn take_result(&self, heir: Option<u32>) -> Option<Packet> {
        let result = Packet::from_raw(self.result.load(Ordering::Acquire))?;
        // The heir's by its tag before the slot forgets it:
        //     slot.result := NONE ── killed ── tag := heir's   the tag of a process that is gone,
        //                                                      and nobody who names the block
        if let Some(heir) = heir {
            result.hand_to(Owner::Member(heir));
        }
        self.result.store(NONE, Ordering::Release);
        Some(result)
    }

    /// What was noted of its end, as the layer above numbers it; 0 is nothing.
    pub(crate) fn ending_note(&self) -> u32 {
        self.code.load(Ordering::Acquire)
    }

    /// Notes how it ended, unless that was noted before: what came first is the reason. May be called in a signal
    /// handler.
    pub(crate) fn note_ending(&self, note: u32) {
        let _ = self.code.compare_exchange(0, note, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Notes that it could not start.
    pub(crate) fn note_failed_start(&self, note: u32) {
        self.code.store(note, Ordering::Release);
    }

    fn record_word(&self, record: Record) -> &super::sync::AtomicU32 {
        match record {
            Record::Launch => &self.launch,
            Record::Obituary => &self.obituary,
        }
    }

    /// Whether it is the program itself.
    pub(crate) fn is_program(&self) -> bool {
        self.role() == Role::Program
    }

    /// Whether it is a process that another one has started.
    pub(crate) fn is_process(&self) -> bool {
        self.role() == Role::Process
    }
}

impl Tables {
    /// Looks at a record of a member; `None` if there is none.
    pub(crate) fn record<R>(self, member: &Member, record: Record, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let block = member.record_word(record).load(Ordering::Acquire);
        if block == NONE {
            return None;
        }
        // SAFETY: a record is complete before its block is named in a slot and is not written again while the slot
        // names it; the reader holds a reference to the slot, and `look` cannot keep the slice.
        Some(look(unsafe { self.arena.bytes(block) }))
    }

    /// Keeps a record of a member in place of the one that was there. `index` is its slot's.
    ///
    /// # Errors
    /// There is no memory for it; the one that was there stays.
    pub(crate) fn keep_record(
        self,
        index: u32,
        member: &Member,
        record: Record,
        bytes: &[u8],
    ) -> Result<(), ArenaError> {
        let block = self.arena.take_block(bytes.len(), self.claimant(Owner::Member(index)))?;
        // SAFETY: just taken; nobody else knows it, and the slice does not outlive this function.
        let room = unsafe { self.arena.bytes_mut(block) };
        room[..bytes.len()].copy_from_slice(bytes);
        self.arena.block(block).set_length(bytes.len());
        self.free(member.record_word(record).swap(block, Ordering::AcqRel));
        Ok(())
    }

    /// The channel that retires when a member is gone; `None` for what no process has started.
    pub(crate) fn exit_of(self, member: &Member) -> Option<ChannelName> {
        self.end(member.exit_reader()).map(|(channel, _)| channel)
    }
}

impl Local {
    /// A new process that `parent` is about to start, with the record of what it needs and the channel that retires
    /// when it is gone. On a thread, it runs in the process of its parent.
    pub(crate) fn create_process(
        &mut self,
        parent: u32,
        on_thread: bool,
        launch: &[u8],
    ) -> Result<NewProcess, ArenaError> {
        let tables = self.tables();
        let (name, member) =
            if on_thread { tables.create_member_beside(parent)? } else { tables.create_member(parent)? };
        if self.is_traced() {
            self.note_spawn(member);
        }
        member.number.store(self.context.number(), Ordering::Relaxed);
        let equipped = tables
            .keep_record(name.index, member, Record::Launch, launch)
            .and_then(|()| self.create_exit(name.index, parent))
            .map(|(exit, reader, writer)| {
                member.set_exit(reader, writer);
                exit
            });
        match equipped {
            Ok(exit) => Ok(NewProcess { name, member, exit, parent }),
            Err(error) => {
                member.enter(Phase::Failed);
                self.leave(name.index, member);
                self.disown(name);
                Err(error)
            }
        }
    }

    pub(super) fn create_exit(
        &mut self,
        index: u32,
        parent: u32,
    ) -> Result<(ChannelName, EndName, EndName), ArenaError> {
        let (exit, handle) = self.create_channel("", ChannelKind::End, Holder::Member(parent))?;
        let reader = self.request_end(exit, Direction::Reader, Holder::Exit(index));
        let writer = self.request_end(exit, Direction::Writer, Holder::Exit(index));
        self.close_end(handle, Closing::Retire);
        match (reader, writer) {
            (Ok(reader), Ok(writer)) => Ok((exit, reader, writer)),
            (Ok(only), Err(error)) | (Err(error), Ok(only)) => {
                // The slot does not name it, so nobody else closes it before the starter dies.
                self.close_end(only, Closing::Retire);
                Err(error)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }
}
