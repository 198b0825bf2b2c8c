//! A stand: where somebody who is driven says what it does and hears what it is to do; the baton of a driven network is
//! one stand for each of its tasks.
//!
//! Knows nothing of what is said. Only one side at a time may speak: whoever drives gives the word, and waits until the
//! other one stands still again. So each store but that of [`Stand::said`] or [`Stand::told`], which hands the word
//! over, is relaxed.
//!
//! ```text
//!   driver    argument := …; said := RUNS; told := an order, wake     ──►
//!   driven                                    told := NOTHING; obeys; says where it stands, wake   ──►
//! ```
#![expect(unsafe_code, reason = "promises that its records consist of atomics; listed in the architecture page")]

use super::sync::{AtomicU32, AtomicU64, Ordering, Woken, wait, wake_all};
use super::tables::Tables;
use super::word::State;
use crate::engine::{ChannelName, Fate, MemberName};
use crate::memory::{ArenaError, Block, Claimant, Shareable};
use crate::sys::clock::Deadline;
use std::time::Duration;

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::engine) enum Said {
    /// Nobody has come.
    Absent = 0,
    /// It was told something, and has not said what came of it.
    Runs = 1,
    /// It is about to begin.
    Begins = 2,
    /// It is about to make an offer.
    Offers = 3,
    /// Its offer is made, and has come to nothing yet.
    Waits = 4,
    /// Its offer has come to something.
    Fired = 5,
    /// Its offer could not be made.
    Refused = 6,
    /// It has ended, but for what it has to do yet.
    Ends = 7,
    Over = 8,
}

impl Said {
    fn of(number: u32) -> Said {
        const ALL: [Said; 9] = [
            Said::Absent,
            Said::Runs,
            Said::Begins,
            Said::Offers,
            Said::Waits,
            Said::Fired,
            Said::Refused,
            Said::Ends,
            Said::Over,
        ];
        ALL.get(number as usize).copied().unwrap_or(Said::Absent)
    }
}

/// What somebody is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::engine) enum Told {
    Nothing = 0,
    /// To go on with what its offer has come to, or to begin.
    GoOn = 1,
    /// To make its offer, and to look at the guard of this number first if the order is its own.
    Come = 2,
    /// To have the next thing take effect that it has done.
    Settle = 3,
    /// To give its offer up, because a timer is due.
    Withdraw = 4,
    /// To take the guard of this number for one that has fired.
    Answer = 5,
    /// To panic.
    Panic = 6,
    /// To go on without being driven.
    Free = 7,
    /// To come to its end as fast as it can, without being driven.
    End = 8,
}

impl Told {
    fn of(number: u32) -> Told {
        const ALL: [Told; 9] = [
            Told::Nothing,
            Told::GoOn,
            Told::Come,
            Told::Settle,
            Told::Withdraw,
            Told::Answer,
            Told::Panic,
            Told::Free,
            Told::End,
        ];
        ALL.get(number as usize).copied().unwrap_or(Told::Nothing)
    }
}

/// What one of them says.
#[repr(C)]
#[derive(Debug, Default)]
pub(in crate::engine) struct Stand {
    said: AtomicU32,
    told: AtomicU32,
    argument: AtomicU32,
    /// The process that it is or acts for.
    member: AtomicU32,
    generation: AtomicU32,
    /// The context that waits, plus one.
    context: AtomicU32,
    /// What it has done that has not taken effect.
    pub(in crate::engine) effects: AtomicU32,
    /// The guard that has fired.
    pub(in crate::engine) fired: AtomicU32,
    /// What it brought: a block, or a fate.
    pub(in crate::engine) block: AtomicU32,
    fate: AtomicU32,
    /// Of the first one: how many tasks there are, and how many channels.
    tasks: AtomicU32,
    channels: AtomicU32,
    /// Of the first one: whoever begins from now on is only to come to its end.
    is_over: AtomicU32,
    /// Of the first one: the virtual time, in nanoseconds since the beginning.
    elapsed: AtomicU64,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Stand {}

impl Stand {
    pub(in crate::engine) fn said(&self) -> Said {
        Said::of(self.said.load(Ordering::Acquire))
    }

    /// The one who is driven: says where it stands.
    pub(in crate::engine) fn say(&self, said: Said) {
        self.said.store(said as u32, Ordering::Release);
        wake_all(&self.said);
    }

    /// The one who drives: waits until it does not run, or for so long.
    pub(in crate::engine) fn hear(&self, patience: Duration) -> Said {
        let deadline = Deadline::at(crate::sys::clock::Instant::now() + patience);
        loop {
            let said = self.said();
            if !matches!(said, Said::Runs | Said::Absent) || deadline.is_past() {
                return said;
            }
            let _: Woken = wait(&self.said, said as u32, Some(&deadline));
        }
    }

    /// The one who drives: tells it what to do.
    pub(in crate::engine) fn tell(&self, tables: Tables, told: Told, argument: u32) {
        self.argument.store(argument, Ordering::Relaxed);
        self.said.store(Said::Runs as u32, Ordering::Relaxed);
        self.told.store(told as u32, Ordering::Release);
        wake_all(&self.told);
        // One that waits for its offer sleeps elsewhere.
        if let Some(context) = self.context.load(Ordering::Acquire).checked_sub(1)
            && let Some(context) = tables.contexts.get(context)
        {
            context.wake(tables);
        }
    }

    /// The one who is driven: what it is told, if it is.
    pub(in crate::engine) fn is_told(&self) -> Option<(Told, u32)> {
        let told = Told::of(self.told.load(Ordering::Acquire));
        if told == Told::Nothing {
            return None;
        }
        let argument = self.argument.load(Ordering::Relaxed);
        self.told.store(Told::Nothing as u32, Ordering::Relaxed);
        Some((told, argument))
    }

    /// The one who is driven: waits until it is told something.
    pub(in crate::engine) fn listen(&self) -> (Told, u32) {
        loop {
            if let Some(told) = self.is_told() {
                return told;
            }
            wait(&self.told, Told::Nothing as u32, None);
        }
    }

    pub(super) fn waits_with(&self, context: Option<u32>) {
        self.context.store(context.map_or(0, |context| context + 1), Ordering::Release);
    }

    /// Whether its reader has its message, and lets it go when it is done.
    pub(in crate::engine) fn is_held(&self, tables: Tables) -> bool {
        let context = self.context.load(Ordering::Acquire).checked_sub(1);
        let context = context.and_then(|context| tables.contexts.get(context));
        context.is_some_and(|context| context.word.read().state() == State::Extended)
    }

    pub(in crate::engine) fn note_outcome(&self, index: usize, outcome: Result<Block, Fate>) {
        self.fired.store(index as u32, Ordering::Relaxed);
        self.block.store(outcome.unwrap_or(0), Ordering::Relaxed);
        self.fate.store(outcome.map_or_else(|fate| fate.number(), |_| 0), Ordering::Relaxed);
    }

    /// The fate that its guard has met, by its [number](Fate::number); 0 if it has met none.
    pub(in crate::engine) fn fate(&self) -> u32 {
        self.fate.load(Ordering::Relaxed)
    }

    pub(in crate::engine) fn member(&self) -> MemberName {
        let [index, generation] = [&self.member, &self.generation].map(|word| word.load(Ordering::Acquire));
        MemberName { index, generation }
    }
}

impl Fate {
    /// One number for each kind.
    pub(in crate::engine) fn number(self) -> u32 {
        match self {
            Fate::Poisoned => 1,
            Fate::Retired => 2,
            Fate::Lost { .. } => 3,
            Fate::Abandoned { .. } => 4,
        }
    }
}

/// The stands of a driven network: a block, by its number. Behind that of the network there is one for each task, and
/// one for each channel, by which that is found.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Baton {
    tables: Tables,
    block: Block,
}

impl Baton {
    /// One for so many tasks and channels.
    ///
    /// # Errors
    /// The arena is full.
    pub(in crate::engine) fn new(
        tables: Tables,
        tasks: usize,
        channels: usize,
        owner: Claimant<'_>,
    ) -> Result<Baton, ArenaError> {
        let block = tables.arena.take_block((1 + tasks + channels) * size_of::<Stand>(), owner)?;
        tables.arena.clear_block(block);
        let baton = Baton { tables, block };
        baton.header().member.store(tasks as u32, Ordering::Relaxed);
        Ok(baton)
    }

    pub(in crate::engine) fn of(tables: Tables, block: Block) -> Baton {
        Baton { tables, block }
    }

    pub(in crate::engine) fn block(self) -> Block {
        self.block
    }

    pub(in crate::engine) fn tables(self) -> Tables {
        self.tables
    }

    fn stands(self) -> &'static [Stand] {
        self.tables.arena.records(self.block)
    }

    fn header(self) -> &'static Stand {
        &self.stands()[0]
    }

    /// For how many tasks there are stands.
    fn room(self) -> u32 {
        self.header().member.load(Ordering::Relaxed)
    }

    /// The stand of a task.
    pub(in crate::engine) fn stand(self, task: u32) -> Option<&'static Stand> {
        self.stands().get(task as usize + 1).filter(|_| task < self.room())
    }

    /// One more task, which acts for this process: its number. `None` if there is no stand for it.
    pub(in crate::engine) fn enroll(self, member: MemberName) -> Option<u32> {
        let task = self.header().tasks.fetch_add(1, Ordering::AcqRel);
        let stand = self.stand(task)?;
        stand.member.store(member.index, Ordering::Release);
        stand.generation.store(member.generation, Ordering::Release);
        Some(task)
    }

    /// How many tasks there are, with those that have no stand.
    pub(in crate::engine) fn tasks(self) -> u32 {
        self.header().tasks.load(Ordering::Acquire)
    }

    fn stand_of_channel(self, number: u32) -> Option<&'static Stand> {
        self.stands().get(1 + self.room() as usize + number as usize)
    }

    /// One more channel.
    pub(in crate::engine) fn enroll_channel(self, channel: ChannelName) {
        let number = self.header().channels.fetch_add(1, Ordering::AcqRel);
        if let Some(stand) = self.stand_of_channel(number) {
            stand.member.store(channel.index, Ordering::Release);
            stand.generation.store(channel.generation, Ordering::Release);
        }
    }

    /// The channel of this number.
    pub(in crate::engine) fn channel(self, number: u32) -> Option<ChannelName> {
        let MemberName { index, generation } = self.stand_of_channel(number)?.member();
        Some(ChannelName { index, generation })
    }

    /// Nobody drives any more: whoever begins is only to come to its end.
    pub(in crate::engine) fn end(self) {
        self.header().is_over.store(1, Ordering::SeqCst);
    }

    pub(in crate::engine) fn is_over(self) -> bool {
        self.header().is_over.load(Ordering::SeqCst) != 0
    }

    pub(in crate::engine) fn elapsed(self) -> Duration {
        Duration::from_nanos(self.header().elapsed.load(Ordering::Acquire))
    }

    pub(in crate::engine) fn set_elapsed(self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.header().elapsed.store(nanoseconds, Ordering::Release);
    }

    /// Nobody has a stand any more.
    pub(in crate::engine) fn give_back(self) {
        self.tables.free(self.block);
    }
}
