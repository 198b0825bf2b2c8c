//! A pool of equal slots with generations, shared by all processes, without a lock.
//!
//! Knows nothing of what a slot holds. Free slots form a stack (Treiber, 1986) whose head carries a counter against
//! ABA; a slot that was never used lies above the high-water mark and has never been touched. The generation of a
//! slot is odd while it is taken and even while it is free, so that a stale name is recognised.
//!
//! A pool may have a bit for each slot beside them, set before the slot is taken and cleared once it is free: whoever
//! looks at all that are taken goes by the bits, 64 at a time, so what was taken once and is free again costs nothing
//! to speak of. That is for slots which are looked at again and again; what is made more often than it is looked for
//! has none, and a look asks each slot.
//!
//! Killed half-way: a process that dies between popping a slot and marking it taken loses that one slot, nothing
//! else; the stack itself always holds one consistent word. Its bit stays set, and then the slot itself is asked.

use super::identity::{Layout, record};
use super::trace::{Trace, bits_of};
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

    /// Free for the owner to use while the slot is taken. It says anything at first.
    #[inline]
    pub(crate) fn next(&self) -> &AtomicU32 {
        &self.next
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
    /// Whether its pool has a bit for each slot.
    const MARKED: bool;

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

/// A bit for each of 64 slots.
#[repr(transparent)]
#[derive(Debug, Default)]
pub(super) struct Marks(AtomicU64);

// SAFETY: an atomic, in the layout of it.
#[expect(unsafe_code, reason = "a promise about layout that only the implementor can make")]
unsafe impl Shareable for Marks {}

/// So many slots have their bits in one word; they are a chunk of a [`Trace`].
pub(super) const CHUNK: u32 = u64::BITS;

/// The chunk of a trace in which a slot is.
#[inline]
pub(crate) fn chunk_of_slot(index: u32) -> u32 {
    index / CHUNK
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
    marks: *const Marks,
    capacity: u32,
    marker: PhantomData<&'static T>,
}

impl<T: Slot> Clone for Pool<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Slot> Copy for Pool<T> {}

// SAFETY: it leads to nothing but `T`s and marks, which consist of atomics and are never unmapped.
#[expect(unsafe_code, reason = "the pointer leads to what may be shared")]
unsafe impl<T: Slot> Send for Pool<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the pointer leads to what may be shared")]
unsafe impl<T: Slot> Sync for Pool<T> {}

impl<T: Slot> Pool<T> {
    pub(super) fn new(header: &'static PoolHeader, slots: *const T, marks: *const Marks, capacity: u32) -> Pool<T> {
        Pool { header, slots, marks, capacity, marker: PhantomData }
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
    #[inline]
    pub(crate) fn take(self, fill: impl FnOnce(u32, &T)) -> Option<(u32, u32, &'static T)> {
        let index = self.pop().or_else(|| self.grow())?;
        let slot = self.get(index)?;
        if T::MARKED {
            self.marks(chunk_of_slot(index)).0.fetch_or(1 << (index % CHUNK), Ordering::Relaxed);
        }
        // Who takes it for the slot of its last owner, and sees in it what `fill` writes, sees at an acquire fence what
        // was done when that owner gave it back.
        fence(Ordering::Release);
        fill(index, slot);
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
        if T::MARKED {
            // Before the slot can be taken again, whose taker sets it. With release: whoever passes the slot over sees
            // what was done before it was given back.
            self.marks(chunk_of_slot(index)).0.fetch_and(!(1 << (index % CHUNK)), Ordering::Release);
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
        (0..self.chunks()).flat_map(move |chunk| self.taken_in(chunk))
    }

    /// The same, without those that this trace does not lead to.
    pub(crate) fn traced(self, trace: &Trace) -> impl Iterator<Item = (u32, u32, &'static T)> + use<T> {
        trace.chunks(self.chunks()).into_iter().flat_map(move |chunk| self.taken_in(chunk))
    }

    /// So many chunks have slots that have been taken.
    pub(crate) fn chunks(self) -> u32 {
        self.end().div_ceil(CHUNK)
    }

    /// The slots of one chunk that are taken now, in order of index.
    pub(crate) fn taken_in(self, chunk: u32) -> impl Iterator<Item = (u32, u32, &'static T)> + use<T> {
        let marked = if T::MARKED {
            // With acquire, so that the slot is asked afterwards.
            self.marks(chunk).0.load(Ordering::Acquire)
        } else {
            // Those from the end on have never been touched, and stay so.
            let count = self.end().saturating_sub(chunk * CHUNK).min(CHUNK);
            u64::MAX.checked_shr(CHUNK - count).unwrap_or(0)
        };
        bits_of(marked).filter_map(move |bit| {
            let index = chunk * CHUNK + bit;
            let slot = self.get(index)?;
            Some((index, slot.state().taken()?, slot))
        })
    }

    /// All slots that are taken or have ever been, in order of index.
    pub(crate) fn used(self) -> impl Iterator<Item = (u32, &'static T)> {
        (0..self.end()).filter_map(move |index| Some((index, self.get(index)?)))
    }

    /// The slots from here on have never been taken.
    fn end(self) -> u32 {
        self.header.high_water.load(Ordering::Acquire).min(self.capacity)
    }

    /// The bits of the slots of one chunk.
    fn marks(self, chunk: u32) -> &'static Marks {
        super::arena::slot(self.marks, chunk.min((self.capacity - 1) / CHUNK))
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

#[cfg(test)]
mod tests {
    use super::super::{Arena, Home};
    use super::*;

    #[repr(C)]
    struct Thing<const MARKED: bool> {
        state: SlotState,
        rest: [AtomicU64; 3],
    }

    // SAFETY: `repr(C)` and atomics throughout.
    #[expect(unsafe_code, reason = "a promise about layout that only the implementor can make")]
    unsafe impl<const MARKED: bool> Shareable for Thing<MARKED> {}

    impl<const M: bool> Slot for Thing<M> {
        const MARKED: bool = M;

        fn state(&self) -> &SlotState {
            &self.state
        }
    }

    fn things<const MARKED: bool>() -> Pool<Thing<MARKED>> {
        Arena::private_of(64 << 20, 0).unwrap().pool(Home::Ends)
    }

    fn taken<const MARKED: bool>(pool: Pool<Thing<MARKED>>) -> Vec<u32> {
        pool.taken().map(|(index, ..)| index).collect()
    }

    fn those_given_back_are_not_seen<const MARKED: bool>() {
        let pool = things::<MARKED>();
        let mut named: Vec<(u32, u32)> = (0..200)
            .map(|_| {
                let (index, generation, _) = pool.take(|_, _| ()).unwrap();
                (index, generation)
            })
            .collect();
        assert_eq!(taken(pool), (0..200).collect::<Vec<_>>());
        for (index, generation) in named.drain(10..) {
            pool.give_back(index, generation);
            pool.give_back(index, generation);
        }
        assert_eq!(taken(pool), (0..10).collect::<Vec<_>>());
        // The others are passed over by their bits, if they have some.
        let marked: u32 = (0..4).map(|chunk| pool.marks(chunk).0.load(Ordering::Relaxed).count_ones()).sum();
        assert_eq!(marked, if MARKED { 10 } else { 0 });
        assert_eq!(pool.used().count(), 200);
        let (index, ..) = pool.take(|_, _| ()).unwrap();
        assert!(taken(pool).contains(&index));
        // One that dies before it has written the generation has not taken it.
        pool.marks(2).0.fetch_or(1 << 63, Ordering::Relaxed);
        assert!(!taken(pool).contains(&191));
    }

    #[test]
    fn those_that_are_taken_are_seen_and_those_given_back_are_not() {
        those_given_back_are_not_seen::<true>();
        those_given_back_are_not_seen::<false>();
    }

    #[test]
    fn a_trace_leads_to_a_few_of_many() {
        let (pool, trace) = (things::<false>(), Trace::default());
        for _ in 0..40_000 {
            pool.take(|index, _| {
                if index == 5000 {
                    trace.add(chunk_of_slot(index))
                }
            })
            .unwrap();
        }
        let found: Vec<u32> = pool.traced(&trace).map(|(index, ..)| index).collect();
        assert!(found.contains(&5000) && found.len() == CHUNK as usize, "{found:?}");
    }

    fn the_last_one_is_seen<const MARKED: bool>() {
        let pool = things::<MARKED>();
        let count = (0..).take_while(|_| pool.take(|_, _| ()).is_some()).count();
        assert_eq!((count as u32, taken(pool).len() as u32), (pool.capacity(), pool.capacity()));
    }

    #[test]
    fn the_last_slot_of_a_full_pool_is_seen() {
        the_last_one_is_seen::<true>();
        the_last_one_is_seen::<false>();
    }
}
