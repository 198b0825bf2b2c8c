//! One guard: the offer to read, to write, or to meet at a barrier, as most are.
//!
//! Knows nothing of alternatives. The steps are those of [`offer`](super::offer), in the same order, for a table of one
//! offer: one channel, whose lock is taken and looked under once, one place, nothing to arrange, and a time limit
//! behind the guard instead of a second one, which asks a clock only when there is something to wait for.

use super::commit::Side;
use super::context::{EXTENDED, OUTPUT, Offer};
use super::local::Local;
use super::offer::Pending;
use super::short::is_short;
use super::sync::Ordering;
use super::wait::{OnThread, Waited};
use super::word::State;
use crate::engine::{ChannelName, ExtendedWriter, Fate, Fired, Guard, Kept, Patience};
use crate::memory::{ArenaError, Block, NONE};
use crate::sys::clock::Deadline;
use std::panic::Location;

/// What the offer of one guard came to: small enough for registers. What is seldom there is left with the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Met {
    /// The communication: the block that came, or a short message, which [`heard`](Local::heard) gives, or nothing.
    Came(Block),
    /// None, for the channel has ended: [`Local::fate`] says how.
    Ended,
    /// None, for nobody came in time.
    Late,
}

/// What is offered.
const READS: u8 = 0;
pub(super) const WRITES: u8 = 1;
const MEETS: u8 = 2;

impl Local {
    /// Waits until the guard fires, which is to take or to give a message, or until the time is up.
    ///
    /// # Errors
    /// No room for the block that a reader gives for a message, or a writer for a short one: then nothing has been
    /// offered.
    #[inline(always)]
    pub(crate) fn communicate(
        &mut self,
        guard: &Guard,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Met, ArenaError> {
        match *guard {
            Guard::Input { channel, extended, reader } => {
                self.reader = reader;
                if self.hand == NONE {
                    self.hand = self.take_spare()?;
                }
                let flags = if extended { EXTENDED } else { 0 };
                Ok(self.alone::<READS>(guard, (channel, self.hand, flags), patience, location))
            }
            Guard::Output { channel, block } => {
                if !is_short(block) {
                    self.claim(block);
                } else if self.hand == NONE {
                    self.hand = self.take_spare()?;
                }
                Ok(self.alone::<WRITES>(guard, (channel, block, OUTPUT), patience, location))
            }
            _ => unreachable!("{guard:?} moves no message"),
        }
    }

    /// Waits until all parties of a barrier are there.
    pub(crate) fn attend(&mut self, channel: ChannelName, location: &'static Location<'static>) -> Met {
        let guard = Guard::Barrier { channel };
        self.alone::<MEETS>(&guard, (channel, NONE, 0), Patience::ForEver, location)
    }

    /// As [`communicate`](Local::communicate), for somebody who takes a message, and wants it in a block. Gives the
    /// writer, too, if it is held.
    ///
    /// # Errors
    /// As for [`communicate`](Local::communicate).
    pub(crate) fn take(
        &mut self,
        guard: &Guard,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(Met, Option<ExtendedWriter>), ArenaError> {
        self.kept = Kept::Nothing;
        let met = self.communicate(guard, patience, location)?;
        let met = match met {
            Met::Came(came) => Met::Came(self.in_a_block(came)),
            other => other,
        };
        let kept = std::mem::replace(&mut self.kept, Kept::Nothing);
        Ok((met, if let Kept::Writer(writer) = kept { Some(writer) } else { None }))
    }

    /// Why the last communication with one guard did not take place.
    pub(crate) fn fate(&self) -> Fate {
        self.fate
    }

    /// Offers this guard, with an entry of the table that says this.
    fn alone<const KIND: u8>(
        &mut self,
        guard: &Guard,
        says: (ChannelName, Block, u32),
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Met {
        if self.is_traced() {
            return self.alone_and_record::<KIND>(guard, says, patience, location);
        }
        self.alone_silently::<KIND>(guard, says, patience, location)
    }

    /// The same, and nobody wants to know.
    #[inline(always)]
    pub(super) fn alone_silently<const KIND: u8>(
        &mut self,
        guard: &Guard,
        (name, giving, flags): (ChannelName, Block, u32),
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Met {
        let Some(channel) = self.tables.channels.get(name.index) else { return self.ended(Fate::Retired) };
        let offer = self.only_offer();
        self.context.set_location(location);
        offer.write(name, giving, flags);
        self.take_lock(name.index, channel);
        let found = match KIND {
            MEETS => self.meet_at_barrier(0, name),
            WRITES => self.meet_at(0, name, channel, giving, Side::Output),
            _ => self.meet_at(0, name, channel, giving, Side::Input { extended: flags & EXTENDED != 0 }),
        };
        if let Some(fired) = found {
            channel.lock.release();
            if self.conclude(&mut OnThread) {
                return self.as_met(&fired);
            }
            let fired = self.wait_on_thread(std::slice::from_ref(guard), Pending::Lent { fired });
            return self.as_met(&fired);
        }
        if matches!(patience, Patience::Not) {
            channel.lock.release();
            return Met::Late;
        }
        self.append_at(channel, 0, offer);
        let timed = matches!(patience, Patience::Until(_));
        self.publish(&mut OnThread, timed);
        channel.lock.release();
        if self.is_traced() {
            self.record_wait(std::slice::from_ref(guard));
        }
        let waited = match patience {
            Patience::Until(instant) => self.wait_until(&Deadline::at(instant)),
            _ => self.wait_until_committed(None),
        };
        let Waited::Committed(now) = waited else {
            self.unlink_rest(None);
            return Met::Late;
        };
        let came = now.block();
        let has_short = is_short(came) || KIND == WRITES && came == NONE;
        if !has_short || now.state() != State::Committed {
            let fired = self.take_over(std::slice::from_ref(guard), now);
            return self.as_met(&fired);
        }
        if KIND != WRITES {
            self.short = offer.beside();
        }
        self.learn_of(offer);
        offer.set_linked(false);
        self.context.word.idle();
        Met::Came(came)
    }

    #[inline]
    fn as_met(&mut self, fired: &Fired) -> Met {
        if fired.kept != Kept::Nothing {
            self.kept = fired.kept;
        }
        match fired.outcome {
            Ok(came) => Met::Came(came),
            Err(fate) => self.ended(fate),
        }
    }

    #[cold]
    fn ended(&mut self, fate: Fate) -> Met {
        self.fate = fate;
        Met::Ended
    }

    /// The table of one offer, of a context that is IDLE.
    #[inline]
    pub(super) fn only_offer(&self) -> &'static Offer {
        let context = self.context;
        if context.length.load(Ordering::Relaxed) != 1 {
            context.length.store(1, Ordering::Release);
        }
        match context.offer(self.tables, 0) {
            Some(offer) => offer,
            None => unreachable!("a table has room for one"),
        }
    }
}
