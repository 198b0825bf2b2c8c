//! One guard of one alternation, from the moment it is evaluated to the moment it has fired or lost.
//!
//! Knows nothing of the other guards. An arm is asked what it offers, told what became of it, and gives its value; what it has staged
//! (the block of a message to write) goes with it.

use super::guard::{Extend, Guard, Input, Output, Synced};
use crate::channel::{
    Barrier, ChannelError, End, Extended, Hold, Message, Reader, Staged, Writer, decode, discard, encode, keep, notice,
};
use crate::engine::{self, Fate, Held};
use crate::memory::{Block, NONE};
use crate::sys::clock::Deadline;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// What an arm offers to the engine: nothing when it is absent.
#[derive(Clone, Copy, Debug)]
pub struct Offered(pub(crate) Option<engine::Guard>);

/// What the engine says of an arm that fired.
#[derive(Clone, Copy, Debug)]
pub struct Outcome(pub(crate) Result<Block, Fate>, pub(crate) Option<Held>);

/// Whether an arm that fired stands by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It has fired.
    Done,
    /// The occasion has passed: the alternation looks again.
    Again,
}

/// A value on its way out of an arm, without its type.
#[derive(Debug)]
pub struct Stowed(pub(crate) Content);

/// The kinds of values on their way.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    /// A message that is still serialized.
    Message(Block),
    /// The same, with its writer waiting.
    Held(Hold),
    Value(Box<dyn Any + Send>),
}

impl Stowed {
    pub(crate) const NOTHING: Stowed = Stowed(Content::Nothing);
}

impl Drop for Stowed {
    fn drop(&mut self) {
        if let Content::Message(block) = std::mem::replace(&mut self.0, Content::Nothing) {
            discard(block);
        }
    }
}

/// One guard at work.
pub trait Arm {
    /// A selection begins.
    fn begin(&mut self) {}

    /// What it offers now.
    fn offer(&mut self) -> Result<Offered, ChannelError>;

    /// It fired.
    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError>;

    /// The selection is over; `fired` says whether this was the one.
    fn settle(&mut self, fired: bool) {
        let _ = fired;
    }

    /// Another one fired, and this one is not needed again.
    fn lose(&mut self) {}
}

/// An arm that gives a value when it has fired.
pub trait Take {
    /// The type of the value.
    type Output;

    /// The value without its type.
    fn stow(&mut self) -> Stowed;

    /// The value of an arm of this type.
    fn unpack(stowed: Stowed) -> Result<Self::Output, ChannelError>;

    /// The value.
    fn take(&mut self) -> Result<Self::Output, ChannelError> {
        Self::unpack(self.stow())
    }
}

/// A guard whose precondition was false is absent.
impl<A: Arm> Arm for Option<A> {
    fn begin(&mut self) {
        if let Some(arm) = self {
            arm.begin();
        }
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.as_mut().map_or(Ok(Offered(None)), Arm::offer)
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.as_mut().map_or(Ok(Verdict::Done), |arm| arm.fire(outcome))
    }

    fn settle(&mut self, fired: bool) {
        if let Some(arm) = self {
            arm.settle(fired);
        }
    }

    fn lose(&mut self) {
        if let Some(arm) = self {
            arm.lose();
        }
    }
}

impl<A: Take> Take for Option<A> {
    type Output = A::Output;

    fn stow(&mut self) -> Stowed {
        self.as_mut().map_or(Stowed::NOTHING, Take::stow)
    }

    fn unpack(stowed: Stowed) -> Result<A::Output, ChannelError> {
        A::unpack(stowed)
    }
}

/// The communication that an arm's channel did not come to.
pub(crate) fn failed(fate: Fate) -> ChannelError {
    let error = ChannelError::from(fate);
    notice(&error);
    error
}

/// Reads one message.
pub struct ReadArm<'a, T> {
    end: &'a End,
    block: Block,
    /// In place of the block, when the value travels beside it.
    hold: Option<Hold>,
    values: PhantomData<fn() -> T>,
}

impl<'a, T> ReadArm<'a, T> {
    pub(super) fn new(reader: &'a Reader<T>) -> ReadArm<'a, T> {
        ReadArm { end: reader.end(), block: NONE, hold: None, values: PhantomData }
    }
}

impl<T> Arm for ReadArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(Some(engine::Guard::Input { channel: self.end.channel(), extended: self.end.is_carried() })))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let Outcome(block, held) = outcome;
        let block = block.map_err(failed)?;
        if self.end.is_carried() {
            self.hold = Some(Hold::new(block, held).fetch()?.let_go());
        } else {
            self.block = block;
        }
        Ok(Verdict::Done)
    }
}

impl<T: Message> Take for ReadArm<'_, T> {
    type Output = T;

    fn stow(&mut self) -> Stowed {
        if let Some(hold) = self.hold.take() {
            return Stowed(Content::Held(hold));
        }
        Stowed(Content::Message(std::mem::replace(&mut self.block, NONE)))
    }

    fn unpack(mut stowed: Stowed) -> Result<T, ChannelError> {
        match &mut stowed.0 {
            Content::Held(hold) => Ok(hold.open()?),
            Content::Message(block) if *block != NONE => Ok(decode(*block)?.0),
            _ => Err(ChannelError::NoGuards),
        }
    }
}

impl<T> Drop for ReadArm<'_, T> {
    fn drop(&mut self) {
        discard(self.block);
    }
}

/// Reads one message in an extended rendezvous.
pub struct ExtendedArm<'a, T> {
    end: &'a End,
    hold: Option<Hold>,
    values: PhantomData<fn() -> T>,
}

impl<T> Arm for ExtendedArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(Some(engine::Guard::Input { channel: self.end.channel(), extended: true })))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let Outcome(block, held) = outcome;
        let hold = Hold::new(block.map_err(failed)?, held);
        self.hold = Some(if self.end.is_carried() { hold.fetch()? } else { hold });
        Ok(Verdict::Done)
    }
}

impl<T: Message> Take for ExtendedArm<'_, T> {
    type Output = Extended<T>;

    fn stow(&mut self) -> Stowed {
        Stowed(self.hold.take().map_or(Content::Nothing, Content::Held))
    }

    fn unpack(mut stowed: Stowed) -> Result<Extended<T>, ChannelError> {
        match std::mem::replace(&mut stowed.0, Content::Nothing) {
            Content::Held(mut hold) => Ok(Extended::new(hold.open()?, hold)),
            _ => Err(ChannelError::NoGuards),
        }
    }
}

/// Waits for all parties of a barrier.
pub struct SyncArm<'a>(&'a Barrier);

impl<'a> SyncArm<'a> {
    pub(super) fn new(barrier: &'a Barrier) -> SyncArm<'a> {
        SyncArm(barrier)
    }
}

impl Arm for SyncArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(Offered(Some(engine::Guard::Barrier { channel: self.0.sit()? })))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        outcome.0.map_err(failed)?;
        Ok(Verdict::Done)
    }
}

/// Writes one message.
pub struct WriteArm<'a> {
    end: &'a End,
    staged: Result<Block, ChannelError>,
    /// What the staged block stands for, when the value travels beside it.
    carried: Option<Staged>,
}

impl<'a> WriteArm<'a> {
    pub(super) fn new<T: Message>(writer: &'a Writer<T>, value: &T) -> WriteArm<'a> {
        let mut arm = WriteArm { end: writer.end(), staged: Ok(NONE), carried: None };
        arm.stage(value);
        arm
    }

    /// Puts another value in place.
    pub(super) fn stage<T: Message>(&mut self, value: &T) {
        self.lose();
        self.staged = self.end.check().and_then(|()| {
            if !self.end.is_carried() {
                return Ok(encode(value)?);
            }
            let mut staged = Staged::pack(value)?;
            let block = staged.lend();
            self.carried = Some(staged);
            Ok(block)
        });
    }
}

impl Arm for WriteArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        let block = self.staged.clone()?;
        let guard = engine::Guard::Output { channel: self.end.channel(), block };
        Ok(Offered((block != NONE).then_some(guard)))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        if matches!(outcome.0, Ok(_) | Err(Fate::Abandoned { .. })) {
            // The reader has it.
            self.staged = Ok(NONE);
            self.carried = None;
        }
        let spare = outcome.0.map_err(failed)?;
        keep(spare);
        Ok(Verdict::Done)
    }

    fn lose(&mut self) {
        if let Ok(block) = std::mem::replace(&mut self.staged, Ok(NONE)) {
            discard(block);
        }
        self.carried = None;
    }
}

impl Take for WriteArm<'_> {
    type Output = ();

    fn stow(&mut self) -> Stowed {
        Stowed::NOTHING
    }

    fn unpack(_: Stowed) -> Result<(), ChannelError> {
        Ok(())
    }
}

impl Drop for WriteArm<'_> {
    fn drop(&mut self) {
        self.lose();
    }
}

/// Fires when its time has come.
pub struct TimerArm {
    wait: Wait,
    deadline: Option<Deadline>,
}

enum Wait {
    For(Duration),
    Until(Instant),
}

impl Arm for TimerArm {
    fn begin(&mut self) {
        let instant = match self.wait {
            Wait::For(duration) => Instant::now().checked_add(duration),
            Wait::Until(instant) => Some(instant),
        };
        // A time that the clock cannot express never comes.
        self.deadline = instant.map(Deadline::at);
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        // One that never comes still makes the alternation wait instead of failing.
        let never = || Deadline::at(Instant::now() + Duration::from_secs(1 << 32));
        Ok(Offered(Some(engine::Guard::Timer { deadline: self.deadline.unwrap_or_else(never) })))
    }

    fn fire(&mut self, _: Outcome) -> Result<Verdict, ChannelError> {
        Ok(Verdict::Done)
    }
}

/// Fires when nothing else is ready.
pub struct SkipArm(());

impl Arm for SkipArm {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(Offered(Some(engine::Guard::Skip)))
    }

    fn fire(&mut self, _: Outcome) -> Result<Verdict, ChannelError> {
        Ok(Verdict::Done)
    }
}

macro_rules! give_nothing {
    ($($arm:ty),*) => {$(
        impl Take for $arm {
            type Output = ();

            fn stow(&mut self) -> Stowed {
                Stowed::NOTHING
            }

            fn unpack(_: Stowed) -> Result<(), ChannelError> {
                Ok(())
            }
        }
    )*};
}

give_nothing!(TimerArm, SkipArm, SyncArm<'_>);

/// `end.read()`
pub fn read<G: Input + ?Sized>(end: &G) -> G::Arm<'_> {
    end.arm()
}

/// `end.read_extended()`
pub fn read_extended<'a, T: Message + 'a, G: Extend<T> + ?Sized>(end: &'a G) -> ExtendedArm<'a, T> {
    ExtendedArm { end: end.reader().end(), hold: None, values: PhantomData }
}

/// `barrier.sync()`
pub fn sync<G: Synced + ?Sized>(barrier: &G) -> SyncArm<'_> {
    SyncArm::new(barrier.barrier())
}

/// A value that is a guard.
pub fn guard<G: Guard + ?Sized>(guard: &G) -> G::Arm<'_> {
    guard.arm()
}

/// `end.write(value)`; the value is serialized now.
pub fn write<'a, T: Message + 'a, W: Output<T> + ?Sized>(end: &'a W, value: T) -> WriteArm<'a> {
    WriteArm::new(end.writer(), &value)
}

/// `after(duration)`
pub fn after(duration: Duration) -> TimerArm {
    TimerArm { wait: Wait::For(duration), deadline: None }
}

/// `at(instant)`
pub fn at(instant: Instant) -> TimerArm {
    TimerArm { wait: Wait::Until(instant), deadline: None }
}

/// `skip`
pub fn skip() -> SkipArm {
    SkipArm(())
}

macro_rules! debug_by_name {
    ($($arm:ident $(<$($parameter:tt),*>)?),*) => {$(
        impl$(<$($parameter),*>)? fmt::Debug for $arm$(<$($parameter),*>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($arm))
            }
        }
    )*};
}

debug_by_name!(ReadArm<'a, T>, ExtendedArm<'a, T>, WriteArm<'a>, SyncArm<'a>, TimerArm, SkipArm);
