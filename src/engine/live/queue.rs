//! Offers where they lie: in the table of their context, and in the queue of their channel.
//!
//! Knows nothing of why somebody looks for one. A queue belongs to the lock of its channel, a table to its owner.

use super::bell::Bell;
use super::channel::Queue;
use super::context::{Context, INLINE, Offer, OfferName};
use super::sync::Ordering;
use super::tables::Tables;
use crate::memory::{ArenaError, Claimant, NONE};

impl Context {
    /// The offers of the table, as far as the table can be believed.
    pub(super) fn offers(&'static self, tables: Tables) -> &'static [Offer] {
        let length = self.length.load(Ordering::Acquire) as usize;
        let block = self.table.load(Ordering::Acquire);
        if block == NONE {
            return &self.offers[..length.min(INLINE)];
        }
        let table = tables.arena.records::<Offer>(block);
        &table[..length.min(table.len())]
    }

    /// The offer at one place of the table.
    #[inline]
    pub(super) fn offer(&'static self, tables: Tables, place: usize) -> Option<&'static Offer> {
        if place == 0 && self.table.load(Ordering::Relaxed) == NONE {
            return Some(&self.offers[0]);
        }
        self.offers(tables).get(place)
    }

    /// Owner, IDLE: makes room for a table of `length` offers.
    pub(super) fn reserve(&'static self, tables: Tables, length: usize, owner: Claimant<'_>) -> Result<(), ArenaError> {
        let block = self.table.load(Ordering::Relaxed);
        let has = match block {
            NONE => INLINE,
            block => tables.arena.records::<Offer>(block).len(),
        };
        if length > has {
            let larger = tables.arena.take_block((length + 1) * size_of::<Offer>(), owner)?;
            tables.arena.clear_block(larger);
            self.length.store(0, Ordering::Release);
            self.table.store(larger, Ordering::Release);
            tables.free(block);
        }
        Ok(())
    }

    /// Partner, after the commit, with no lock held: whoever waits with this context is to look. The one way to wake.
    #[inline]
    pub(super) fn wake(&self, tables: Tables) {
        if cfg!(feature = "async") && self.tolls.load(Ordering::Relaxed) == 1 {
            self.toll(tables);
        } else {
            self.word.wake();
        }
    }

    #[cold]
    fn toll(&self, tables: Tables) {
        let host = self.host.load(Ordering::Acquire);
        if let Some(bell) = host.and_then(|host| Bell::of(tables, host)) {
            bell.ring();
        }
    }
}

impl Queue {
    #[inline]
    pub(super) fn first(&self, tables: Tables) -> Option<(OfferName, &'static Offer)> {
        let first = self.first.load(Ordering::Relaxed);
        if first == 0 {
            return None;
        }
        let name = decode(first);
        Some((name, offer(tables, name)?))
    }

    /// All offers of the queue.
    pub(super) fn names(&self, tables: Tables) -> impl Iterator<Item = (OfferName, &'static Offer)> + use<> {
        let mut next = self.first.load(Ordering::Relaxed);
        std::iter::from_fn(move || {
            let name = (next != 0).then(|| decode(next))?;
            let offer = offer(tables, name)?;
            next = offer.next.load(Ordering::Relaxed);
            Some((name, offer))
        })
    }

    #[inline]
    pub(super) fn push(&self, tables: Tables, name: OfferName, new: &Offer) {
        let last = self.last.load(Ordering::Relaxed);
        new.previous.store(last, Ordering::Relaxed);
        new.next.store(0, Ordering::Relaxed);
        match offer(tables, decode(last)) {
            Some(before) if last != 0 => before.next.store(encode(name), Ordering::Relaxed),
            _ => self.first.store(encode(name), Ordering::Relaxed),
        }
        self.last.store(encode(name), Ordering::Relaxed);
        new.set_linked(true);
    }

    /// Takes an offer out of the queue, but leaves its mark: its owner cannot go on without the channel's lock until
    /// either a commit on this very offer reaches it or the mark is cleared.
    #[inline]
    pub(super) fn remove(&self, tables: Tables, old: &Offer) {
        let (previous, next) = (old.previous.load(Ordering::Relaxed), old.next.load(Ordering::Relaxed));
        match (previous != 0).then(|| offer(tables, decode(previous))).flatten() {
            Some(before) => before.next.store(next, Ordering::Relaxed),
            None => self.first.store(next, Ordering::Relaxed),
        }
        match (next != 0).then(|| offer(tables, decode(next))).flatten() {
            Some(after) => after.previous.store(previous, Ordering::Relaxed),
            None => self.last.store(previous, Ordering::Relaxed),
        }
    }

    /// Takes an offer out of the queue that is no longer wanted.
    pub(super) fn unlink(&self, tables: Tables, old: &Offer) {
        self.remove(tables, old);
        old.set_linked(false);
    }
}

fn encode(name: OfferName) -> u64 {
    name.raw().wrapping_add(1)
}

fn decode(raw: u64) -> OfferName {
    OfferName::from_raw(raw.wrapping_sub(1))
}

#[inline]
fn offer(tables: Tables, name: OfferName) -> Option<&'static Offer> {
    tables.contexts.get(name.context())?.offer(tables, name.place())
}
