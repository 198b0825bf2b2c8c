//! A pool of equal slots with generations, shared by all processes, without a lock.
//!
//! Knows nothing of what a slot holds. Free slots form a stack (Treiber, 1986) whose head carries a counter against
//! ABA; a slot that was never used lies above the high-water mark and has never been touched. The generation of a
//! slot is odd while it is taken and even while it is free, so that a stale name is recognised.
//!
//! Killed half-way: a process that dies between popping a slot and marking it taken loses that one slot, nothing
//! else; the stack itself always holds one consistent word.

use super::identity::{Layout, record};
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::marker::PhantomData;

/// The part of every slot that the pool owns.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct SlotState {
    generation: AtomicU32,
    next: AtomicU32,
}

impl SlotState {
    /// The generation of a taken slot, or `None` while it is free.
    #[inline]
    pub(crate) fn taken(&self) -> Option<u32> {
        let generation = self.generation.load(Ordering::Acquire);
        (generation % 2 == 1).then_some(generation)
    }

    /// The generation that a slot which is just being taken will have.
    pub(crate) fn coming(&self) -> u32 {
        self.generation.load(Ordering::Relaxed).wrapping_add(1)
    }

    /// Whoever alone may give the slot back: it is another one's from now on, as if it had been given back and taken.
    /// Whoever knows it by the generation before finds it no more. Gives the generation that it has now.
    #[inline]
    pub(crate) fn renew(&self) -> u32 {
        let generation = self.generation.load(Ordering::Relaxed).wrapping_add(2);
        self.generation.store(generation, Ordering::Release);
        generation
    }

    /// Whether the slot is taken under exactly this generation.
    #[inline]
    pub(crate) fn is(&self, generation: u32) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }
}

/// A type that may lie in memory which other processes write at the same time.
///
/// # Safety
/// The type is `repr(C)`, every bit pattern is a valid value of it, and every field is an atomic.
#[expect(unsafe_code, reason = "a promise about layout that only the implementor can make")]
pub(crate) unsafe trait Shareable: 'static {}

/// A type that lies in a pool.
pub(crate) trait Slot: Shareable {
    fn state(&self) -> &SlotState;
}

/// The shared part of a pool, in the arena's header.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct PoolHeader {
    /// Free stack: counter in the upper half, index plus one in the lower.
    free: AtomicU64,
    /// Slots below this index have been taken at least once.
    high_water: AtomicU32,
}

/// Adds the records of this file to a layout.
pub(super) const fn layout(layout: Layout) -> Layout {
    let layout = record!(layout, SlotState { generation, next });
    record!(layout, PoolHeader { free, high_water })
}

/// A view of one pool.
#[derive(Debug)]
pub(crate) struct Pool<T: Slot> {
    header: &'static PoolHeader,
    slots: *const T,
    capacity: u32,
    marker: PhantomData<&'static T>,
}

impl<T: Slot> Clone for Pool<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Slot> Copy for Pool<T> {}

// SAFETY: it leads to nothing but `T`s, which consist of atomics and are never unmapped.
#[expect(unsafe_code, reason = "the pointer leads to what may be shared")]
unsafe impl<T: Slot> Send for Pool<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the pointer leads to what may be shared")]
unsafe impl<T: Slot> Sync for Pool<T> {}

impl<T: Slot> Pool<T> {
    pub(super) fn new(header: &'static PoolHeader, slots: *const T, capacity: u32) -> Pool<T> {
        Pool { header, slots, capacity, marker: PhantomData }
    }

    pub(crate) fn capacity(self) -> u32 {
        self.capacity
    }

    /// The slot at `index`, or `None` when no pool of this size has one.
    #[inline]
    pub(crate) fn get(self, index: u32) -> Option<&'static T> {
        (index < self.capacity).then(|| super::arena::slot(self.slots, index))
    }

    /// The slot at `index` if it is taken under this generation.
    #[inline]
    pub(crate) fn named(self, index: u32, generation: u32) -> Option<&'static T> {
        self.get(index).filter(|slot| slot.state().is(generation))
    }

    /// Takes a free slot, or `None` when all are taken. `fill` writes what the slot must say from the moment at which
    /// it counts as taken: above all whose it is, for the taker may be killed at once.
    pub(crate) fn take(self, fill: impl FnOnce(&T)) -> Option<(u32, u32, &'static T)> {
        let index = self.pop().or_else(|| self.grow())?;
        let slot = self.get(index)?;
        // Who takes it for the slot of its last owner, and sees in it what `fill` writes, sees at an acquire fence what
        // was done when that owner gave it back.
        fence(Ordering::Release);
        fill(slot);
        let generation = slot.state().coming();
        debug_assert!(generation % 2 == 1, "slot {index} was taken twice");
        slot.state().generation.store(generation, Ordering::Release);
        Some((index, generation, slot))
    }

    /// Gives a slot back that is taken under this generation; under another one it is somebody else's, and stays.
    pub(crate) fn give_back(self, index: u32, generation: u32) {
        let Some(slot) = self.get(index) else { return };
        debug_assert!(generation % 2 == 1, "slot {index} is not taken under an even generation");
        let free = generation.wrapping_add(1);
        let word = &slot.state().generation;
        if word.compare_exchange(generation, free, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let mut head = self.header.free.load(Ordering::Relaxed);
        loop {
            slot.state().next.store(head as u32, Ordering::Relaxed);
            let next = (((head >> 32) + 1) << 32) | u64::from(index + 1);
            match self.header.free.compare_exchange_weak(head, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// All slots that are taken now, in order of index.
    pub(crate) fn taken(self) -> impl Iterator<Item = (u32, u32, &'static T)> {
        self.used().filter_map(|(index, slot)| Some((index, slot.state().taken()?, slot)))
    }

    /// All slots that are taken or have ever been, in order of index.
    pub(crate) fn used(self) -> impl Iterator<Item = (u32, &'static T)> {
        let end = self.header.high_water.load(Ordering::Acquire).min(self.capacity);
        (0..end).filter_map(move |index| Some((index, self.get(index)?)))
    }

    fn pop(self) -> Option<u32> {
        let mut head = self.header.free.load(Ordering::Acquire);
        loop {
            let index = (head as u32).checked_sub(1)?;
            let next = self.get(index)?.state().next.load(Ordering::Relaxed);
            let new = (((head >> 32) + 1) << 32) | u64::from(next);
            match self.header.free.compare_exchange_weak(head, new, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(index),
                Err(seen) => head = seen,
            }
        }
    }

    fn grow(self) -> Option<u32> {
        self.header
            .high_water
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |mark| (mark < self.capacity).then_some(mark + 1))
            .ok()
    }
}
