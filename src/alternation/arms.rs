//! The arms of the guards over channels and barriers, and of `skip`.
//!
//! Knows nothing of the other guards of the alternation. An arm holds its end or borrows it; what it has staged (the
//! message to write) and what it has received goes with it.

use super::arm::{Arm, Content, Offered, Outcome, Stowed, Take, Verdict, no_value};
use super::draft::Draft;
#[cfg(feature = "async")]
use crate::channel::Outgoing;
use crate::channel::{
    Barrier, ChannelError, End, Extended, Hold, Loan, Message, Plain, Reader, Writer, decode, failed,
};
use crate::engine::{self, EndName, ExtendedWriter, Packet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// The message that an input arm has received.
#[inline]
pub(super) fn message(Outcome { came, held, .. }: Outcome) -> Result<(Packet, Option<ExtendedWriter>), ChannelError> {
    let packet = came.map_err(failed)?;
    Ok((packet.unwrap_or_else(|| no_value()), held))
}

impl Outcome {
    /// The unit of an arm that has passed a gate; none if it took nothing.
    pub(crate) fn passed(self) -> Result<Option<EndName>, ChannelError> {
        self.came.map_err(failed)?;
        Ok(self.unit)
    }
}

/// An end, borrowed or owned.
pub(super) enum EndRef<'a> {
    Borrowed(&'a End),
    Owned(End),
}

impl Deref for EndRef<'_> {
    type Target = End;

    fn deref(&self) -> &End {
        match self {
            EndRef::Borrowed(end) => end,
            EndRef::Owned(end) => end,
        }
    }
}

/// Reads one message.
pub struct ReadArm<'a, T> {
    end: EndRef<'a>,
    value: Stowed,
    values: PhantomData<fn() -> T>,
}

impl<'a, T> ReadArm<'a, T> {
    pub(super) fn new(reader: &'a Reader<T>) -> ReadArm<'a, T> {
        ReadArm::over(EndRef::Borrowed(reader.end()))
    }

    pub(super) fn over(end: EndRef<'a>) -> ReadArm<'a, T> {
        ReadArm { end, value: Stowed::NOTHING, values: PhantomData }
    }

    pub(super) fn into_end(self) -> EndRef<'a> {
        self.end
    }

    /// Whether its end can be used.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.end.is_open()
    }
}

impl<T> Arm for ReadArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(Some(self.end.taking(self.end.is_carried()))))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let (packet, held) = message(outcome)?;
        self.value = Stowed(if self.end.is_carried() {
            Content::Held(Hold::begin(&self.end, packet, held)?.let_go())
        } else {
            Content::Message(packet)
        });
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        std::mem::replace(&mut self.value, Stowed::NOTHING)
    }
}

impl<T: Message> Take for ReadArm<'_, T> {
    type Output = T;

    fn unpack(mut stowed: Stowed) -> Result<T, ChannelError> {
        match &mut stowed.0 {
            Content::Held(hold) => Ok(hold.open()?),
            Content::Message(packet) => Ok(decode(packet)?.0),
            _ => no_value(),
        }
    }
}

/// Reads one message in an extended rendezvous.
pub struct ExtendedArm<'a, T> {
    end: &'a End,
    value: Stowed,
    values: PhantomData<fn() -> T>,
}

impl<'a, T> ExtendedArm<'a, T> {
    pub(super) fn new(reader: &'a Reader<T>) -> ExtendedArm<'a, T> {
        ExtendedArm { end: reader.end(), value: Stowed::NOTHING, values: PhantomData }
    }
}

impl<T> Arm for ExtendedArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(Some(self.end.taking(true))))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let (packet, held) = message(outcome)?;
        self.value = Stowed(Content::Held(Hold::begin(self.end, packet, held)?));
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        std::mem::replace(&mut self.value, Stowed::NOTHING)
    }
}

impl<T: Message> Take for ExtendedArm<'_, T> {
    type Output = Extended<T>;

    fn unpack(mut stowed: Stowed) -> Result<Extended<T>, ChannelError> {
        match stowed.open() {
            Content::Held(mut hold) => Ok(Extended::new(hold.open()?, hold)),
            _ => no_value(),
        }
    }
}

/// Writes one message.
pub struct WriteArm<'a> {
    end: EndRef<'a>,
    draft: Draft,
}

impl<'a> WriteArm<'a> {
    pub(super) fn new<T: Message>(writer: &'a Writer<T>, value: &T) -> WriteArm<'a> {
        let mut arm = WriteArm::of(writer);
        arm.stage(value);
        arm
    }

    /// Without a message.
    pub(super) fn of<T>(writer: &'a Writer<T>) -> WriteArm<'a> {
        WriteArm::over(EndRef::Borrowed(writer.end()))
    }

    /// Without a message.
    pub(super) fn over(end: EndRef<'a>) -> WriteArm<'a> {
        WriteArm { end, draft: Draft::default() }
    }

    /// Puts another value in place.
    pub(super) fn stage<T: Message>(&mut self, value: &T) {
        self.draft.stage(&self.end, value);
    }

    /// Puts a loan in place.
    pub(super) fn lend<T: Plain>(&mut self, loan: Loan<T>) {
        self.draft.lend(&self.end, loan);
    }

    /// Takes the message back, if nobody has it.
    pub(super) fn take_back(&mut self) -> Option<Packet> {
        self.draft.take_back()
    }

    /// What is left of the message once a reader has its packet.
    #[cfg(feature = "async")]
    pub(super) fn unload(&mut self) -> Option<Outgoing> {
        std::mem::take(&mut self.draft).into_message()
    }

    pub(super) fn into_end(self) -> EndRef<'a> {
        self.end
    }
}

impl Arm for WriteArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(self.draft.guard(self.end.channel())?))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.draft.settle(outcome.came).map_err(failed)?;
        Ok(Verdict::Done)
    }

    fn lose(&mut self) {
        self.draft.withdraw();
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
        outcome.came.map_err(failed)?;
        Ok(Verdict::Done)
    }
}

/// Fires when nothing else is ready.
pub struct SkipArm(());

impl SkipArm {
    pub(super) const fn new() -> SkipArm {
        SkipArm(())
    }
}

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

            fn unpack(_: Stowed) -> Result<(), ChannelError> {
                Ok(())
            }
        }
    )*};
}

give_nothing!(WriteArm<'_>, SyncArm<'_>, SkipArm);

macro_rules! debug_by_name {
    ($($arm:ident $(<$($parameter:tt),*>)?),*) => {$(
        impl$(<$($parameter),*>)? fmt::Debug for $arm$(<$($parameter),*>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($arm))
            }
        }
    )*};
}

debug_by_name!(ReadArm<'a, T>, ExtendedArm<'a, T>, WriteArm<'a>, SyncArm<'a>, SkipArm);
