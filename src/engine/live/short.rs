//! Short messages: bytes that travel beside an offer, and in no block.
//!
//! Knows nothing of what is in them. Two processors that exchange blocks move four cache lines for a message; bytes
//! beside the first offer of a context are in the line of its word, which moves anyway. So there stands, where a block
//! would,
//!
//! ```text
//!     SHORT + length    in an offer or a guard: the message is beside the offer, and as long as that
//!                       in a word: it lies beside the offer that has fired
//!     HELD + context    in the word of a writer that is EXTENDED: its reader, which gave no block for a short message
//! ```
//!
//! **Whose bytes they are.** They belong to the offer, not to the context: an offer is on one channel, whose lock
//! orders all who may touch it.
//! ```text
//!     a writer waits      it writes the bytes before it queues; they are as frozen as the offer. A reader copies them
//!                         before it commits, for the writer may go on at once
//!     a reader waits      a writer that has taken the offer out of the queue writes them beside it, and commits. If
//!                         that fails, they mean nothing: the next one writes its own
//! ```
//! Bytes beside a context would not do: two writers on two channels may be about to commit one alternation, each under
//! its own lock.
//!
//! **No block changes hands**, so nothing is announced, and nothing is left to tag. Killed before the commit, a partner
//! has done nothing; killed after it, the message is with the reader, and if the dead is the reader, with the dead. A
//! short message holds no ends: those are held by a block.
//!
//! A message needs a block where it stays for longer: that of a reader which takes it with others, or extended, is put
//! into the hand of that reader; and that of a writer which meets an extended reader, into the hand of the writer. So
//! both have one. A buffer keeps blocks, and so do those who write into it.

use super::context::Offer;
use super::local::Local;
use super::sync::Ordering;
use super::tables::Tables;
use super::word::Snapshot;
use crate::engine::{Owner, Short};
use crate::memory::{Block, FATE, MARKS, NONE, is_block};

const SHORT: Block = 0xffff_ff00;
const HELD: Block = MARKS;

/// The name of a short message.
pub(super) fn name_of(length: usize) -> Block {
    SHORT + length as Block
}

/// Whether a short message has this name.
#[inline]
pub(super) fn is_short(name: Block) -> bool {
    name >= SHORT && name != FATE
}

/// How long a short message of this name is.
pub(super) fn length_of(name: Block) -> usize {
    (name - SHORT) as usize
}

/// What a writer is held with by this reader, which gave it nothing.
pub(super) fn held_by(reader: u32) -> Block {
    HELD + reader
}

impl Tables {
    /// Who has what a writer is held by, whose word this is: its reader, when that has taken the message over.
    pub(super) fn holder_of(self, word: Snapshot) -> Option<Owner> {
        match word.block() {
            reader @ HELD..SHORT => Some(Owner::Context(reader - HELD)),
            block if is_block(block) => Owner::of(self.arena.block(block).owner()),
            _ => None,
        }
    }
}

impl Offer {
    /// Under the lock of its channel, with the offer out of the queue; or its owner, before it queues.
    #[inline]
    pub(super) fn put_beside(&self, words: [u64; 3]) {
        for (place, word) in self.beside.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
    }

    /// Under the lock of its channel, before the commit; or its owner, after it.
    #[inline]
    pub(super) fn beside(&self) -> [u64; 3] {
        std::array::from_fn(|place| self.beside[place].load(Ordering::Relaxed))
    }
}

impl Local {
    /// Writer: the message that the next offer is to hand over. Gives the name for its guard.
    #[inline]
    pub(crate) fn say(&mut self, short: &Short) -> Block {
        self.short = short.words();
        name_of(short.length())
    }

    /// The message that has this name, if it is a short one: what has come last, or what was said.
    #[inline]
    pub(crate) fn heard(&self, came: Block) -> Option<Short> {
        is_short(came).then(|| Short::of_words(self.short, length_of(came)))
    }

    /// Puts a message into the block in the hand, and gives that: it is in the hand still.
    pub(super) fn stow(&self, name: Block) -> Block {
        debug_assert!(is_block(self.hand), "whoever may have to stow a message has a block in its hand");
        if let Some(short) = self.heard(name) {
            self.tables().arena.write_own(self.hand, short.bytes());
        }
        self.hand
    }

    /// A message that has come to somebody who wants a block.
    #[inline]
    pub(super) fn in_a_block(&mut self, came: Block) -> Block {
        if !is_short(came) {
            return came;
        }
        let block = self.stow(came);
        self.hand = NONE;
        block
    }
}
