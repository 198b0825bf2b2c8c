//! Numbers: which communication came before which, without a clock and without a word that all contexts write.
//!
//! Knows nothing of who asks. These are Lamport's numbers (1978). **The law:** if one communication came before
//! another, in the order of one context or through channels, its number is smaller. Every channel and every context
//! keeps the number of what happened last there:
//! ```text
//!     under the channel's lock     number := max(channel, context) + 1; the channel and the context keep it
//!     who waits in the queue       its ticket is such a number, so it is smaller than that of its commit
//!     the commit                   the offer, which is out of the queue, carries the number to its owner
//! ```
//! So the two sides of a rendezvous have the same number, as have all parties of a barrier; the read of a message that
//! lay in a buffer has a larger one than its write, and a write that waited for room a larger one than the read that
//! made it. What else one context hears of another has a number, too:
//! - an end that closes and a poison: whoever is told the fate is above every end that was closed before;
//! - the release of an extended rendezvous: it raises the number of the writer, who is held and does nothing;
//! - a process: its contexts begin above the number at which it was made. What its contexts have done is kept with it
//!   when they end, or is found by the reaper; the end that tells of its death closes above all that.
//!
//! Nobody is killed at a bad moment: a channel has the number before a message is there or a partner is committed.
//!
//! A timer, a look that finds nothing and a pass of a gate that nobody else wants have no number. A future is a context
//! of its own. Threads that meet in other ways than in this library do not tell each other, and two things that have
//! nothing to do with each other may have the same number.
//!
//! No cache line is touched for this that the communication does not touch anyway.

use super::channel::Channel;
use super::context::{Context, Offer};
use super::local::Local;
use super::sync::Ordering;

impl Channel {
    /// Under the lock: the number of what happens here now, to somebody who has seen `seen` last.
    #[inline]
    pub(super) fn next_number(&self, seen: u64) -> u64 {
        let number = self.number.load(Ordering::Relaxed).max(seen) + 1;
        self.number.store(number, Ordering::Relaxed);
        number
    }

    /// What happens here from now on has a larger number than this one. Said without the lock by whoever occupies it,
    /// whom the next one under the lock asks for the number, too: so it does not matter that this one may be just
    /// storing its own.
    #[inline]
    pub(super) fn hear_of(&self, number: u64) {
        if self.number.load(Ordering::Relaxed) < number {
            self.number.fetch_max(number, Ordering::Relaxed);
        }
    }
}

impl Context {
    /// The number of what it did last, or of the last thing that it heard of.
    #[inline]
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Owner: from now on everything has a larger number.
    #[inline]
    pub(super) fn learn(&self, number: u64) {
        self.number.store(number.max(self.number()), Ordering::Relaxed);
    }
}

impl Offer {
    /// Partner, under the lock, with the offer out of its queue: the link is free for the number of the commit. Nobody
    /// follows this link; a reaper that puts the offer back into the queue writes it again.
    #[inline]
    pub(super) fn set_number(&self, number: u64) {
        self.previous.store(number, Ordering::Relaxed);
    }

    /// Owner, of the offer that was committed.
    #[inline]
    pub(super) fn number(&self) -> u64 {
        self.previous.load(Ordering::Relaxed)
    }
}

impl Local {
    /// Under the lock: this context does something at a channel, which gets this number.
    #[inline]
    pub(super) fn count(&mut self, channel: &Channel) -> u64 {
        let number = channel.next_number(self.context.number());
        self.context.number.store(number, Ordering::Relaxed);
        self.notes.event = number;
        number
    }

    /// Owner: a partner has committed this offer.
    #[inline]
    pub(super) fn learn_of(&mut self, offer: &Offer) {
        self.notes.event = offer.number();
        self.context.learn(offer.number());
    }
}
