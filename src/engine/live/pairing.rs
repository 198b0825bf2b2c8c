//! Two offers become one communication, or an offer and a message that lies in a buffer.
//!
//! Knows nothing of how an offer comes to wait. Everything here happens under the lock of the channel.

use super::buffer::Stored;
use super::channel::{Channel, NO_READERS, POISONED, Queue};
use super::commit::{Committed, Exchange, Side};
use super::local::Local;
use super::short::is_short;
use super::sync::Ordering;
use crate::engine::{ChannelName, Fate, Fired, Kept};
use crate::memory::{Block, NONE, Slot};

impl Local {
    /// Looks for a message in the buffer, or for a partner on one channel, and commits to the first that still waits;
    /// if that one sleeps, it is in `partner` then.
    pub(super) fn meet(&mut self, number: usize, name: ChannelName, giving: Block, side: Side) -> Option<Fired> {
        match self.tables().channels.get(name.index) {
            Some(channel) => self.meet_at(number, name, channel, giving, side),
            None => Some(Fired::ended(number, Fate::Retired)),
        }
    }

    /// The same, where the slot of the channel is at hand.
    #[inline(always)]
    pub(super) fn meet_at(
        &mut self,
        number: usize,
        name: ChannelName,
        channel: &'static Channel,
        giving: Block,
        side: Side,
    ) -> Option<Fired> {
        if !channel.state().is(name.generation) {
            return Some(Fired::ended(number, Fate::Retired));
        }
        let output = side == Side::Output;
        // Before the fate: what a writer that is gone has left is read first.
        if !output && channel.head.load(Ordering::Relaxed) != NONE {
            return self.take_stored(name.index, channel).map(|block| Fired::with(number, block));
        }
        if let Some(fate) = channel.fate() {
            self.count(channel);
            return Some(Fired::ended(number, fate));
        }
        let opposite = channel.queue(!output);
        let buffered = channel.is_buffered();
        // Most who come to a buffer find nobody there.
        if !opposite.is_empty() {
            let takes_task = !output && channel.counts_tasks();
            if takes_task {
                self.context.task_at.store(Some(name.index), Ordering::Release);
            }
            let exchange = Exchange::Messages { giving, side, buffered };
            if let Some(partner) = self.commit_first(channel, opposite, exchange) {
                self.notes.meet(partner.number);
                if channel.counts_tasks() {
                    self.task_was_met(channel, output);
                }
                self.received(partner.taking);
                let mut fired = Fired::with(number, partner.taking);
                if !output && !is_short(partner.taking) {
                    self.hand = NONE;
                }
                if side == (Side::Input { extended: true }) {
                    let writer = self.held_by_commit(partner.number, partner.context);
                    fired.kept = writer.map_or(Kept::Nothing, Kept::Writer);
                }
                // A writer that is held sleeps on.
                self.partner = (partner.parked && fired.kept == Kept::Nothing).then_some(partner.context);
                return Some(fired);
            }
            if takes_task {
                self.context.task_at.store(None, Ordering::Release);
            }
        }
        if output && buffered {
            // Before the message is there: killed in between, it leaves none that is read below its number.
            self.count(channel);
            if self.store(name.index, channel, giving) == Stored::Yes {
                self.owes |= !self.doomed.is_empty();
                return Some(Fired::bare(number));
            }
        }
        None
    }

    /// Under the lock: tells every waiting offer of a channel its fate. [`Local::after_unlock`] is owed afterwards.
    ///
    /// An offer that was committed before is not waiting any more, so a completed communication is never poisoned.
    pub(super) fn resolve(&mut self, channel: &Channel) {
        if channel.fate().is_some() && !channel.is_gate() {
            self.tell_all(channel);
        }
    }

    /// The same without asking whether it has met a fate.
    pub(super) fn tell_all(&mut self, channel: &Channel) {
        self.tell(channel, &channel.inputs);
        self.tell(channel, &channel.outputs);
        // What is in a queue that nobody writes to any more is still to be done.
        if channel.flags.load(Ordering::Relaxed) & (POISONED | NO_READERS) != 0 {
            self.tell(channel, &channel.joins);
        }
    }

    /// The same to one side of it.
    pub(super) fn tell(&mut self, channel: &Channel, queue: &Queue) {
        // Most who end a channel find nobody there.
        while !queue.is_empty()
            && let Some(told) = self.commit_first(channel, queue, Exchange::Fate)
        {
            self.wake_later(told);
        }
    }

    /// It is woken once no lock is held.
    pub(super) fn wake_later(&mut self, committed: Committed) {
        if committed.parked {
            self.wakes.push(committed.number);
        }
    }
}
