//! The ends of channels, each counted once, whoever holds it and wherever it travels.
//!
//! Knows nothing of `Reader` and `Writer` types. An end is held by a member (a process) or by a block (it travels in a
//! message or waits in the arguments of a process). So whatever dies, the reaper finds the ends that died with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::sync::{AtomicU32, AtomicU64, Ordering};
use crate::engine::{ChannelName, Direction, Holder};
use crate::memory::{Layout, Shareable, Slot, SlotState, record};

impl Direction {
    fn of(raw: u32) -> Direction {
        match raw {
            0 => Direction::Reader,
            1 => Direction::Writer,
            3 => Direction::Party,
            4 => Direction::Unit,
            _ => Direction::Handle,
        }
    }
}

/// The word that says who has an end: its holder, or, while the end is being made or closed, the context that does so.
///
/// Layout, from the low end: number of the holder or of the context (32 bits), kind of holder (2), generation of the
/// end (30). A change of the word names the generation that it means, in one compare-and-swap with the rest:
///
/// ```text
///     closes end 5 (generation 1)          closes it, too                 requests an end
///     finds the record
///                                          its channel is free, 5 is free
///                                                                         is given 5 (generation 3)
///     takes the holder of 5 away  ✗
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keeping(pub(super) u64);

impl Keeping {
    const KIND: u32 = 32;
    const GENERATION: u32 = 34;

    pub(super) fn held(holder: Holder, generation: u32) -> Keeping {
        let (kind, number) = match holder {
            Holder::Member(index) => (1, index),
            Holder::Block(block) => (2, block),
            Holder::Exit(index) => (3, index),
        };
        Keeping(u64::from(generation) << Keeping::GENERATION | kind << Keeping::KIND | u64::from(number))
    }

    /// In the hands of a context, which makes or closes the end.
    pub(super) fn in_hand(context: u32, generation: u32) -> Keeping {
        Keeping(u64::from(generation) << Keeping::GENERATION | u64::from(context))
    }

    pub(super) fn is_of(self, generation: u32) -> bool {
        self.is_like(Keeping(u64::from(generation) << Keeping::GENERATION))
    }

    /// Whether it is of the same generation.
    fn is_like(self, other: Keeping) -> bool {
        self.0 >> Keeping::GENERATION == other.0 >> Keeping::GENERATION
    }

    pub(super) fn holder(self) -> Option<Holder> {
        match self.0 >> Keeping::KIND & 3 {
            1 => Some(Holder::Member(self.0 as u32)),
            2 => Some(Holder::Block(self.0 as u32)),
            3 => Some(Holder::Exit(self.0 as u32)),
            _ => None,
        }
    }

    /// The context that makes or closes the end.
    pub(super) fn hand(self) -> Option<u32> {
        self.holder().is_none().then_some(self.0 as u32)
    }
}

/// An end that is taken: its slot, the generation of that, and the record.
pub(super) type Taken = (u32, u32, &'static End);

#[repr(C)]
#[derive(Debug)]
pub(super) struct End {
    pub(super) state: SlotState,
    pub(super) keeping: AtomicU64,
    pub(super) channel: AtomicU32,
    pub(super) generation: AtomicU32,
    pub(super) direction: AtomicU32,
    /// Of a unit: how many permits it is. Of a reader: how many tasks are open that were read with it.
    pub(super) weight: AtomicU32,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for End {}

impl Slot for End {
    const MARKED: bool = false;

    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl End {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(layout, End { state, keeping, channel, generation, direction, weight })
    }

    pub(super) fn channel(&self) -> ChannelName {
        ChannelName { index: self.channel.load(Ordering::Relaxed), generation: self.generation.load(Ordering::Relaxed) }
    }

    pub(super) fn direction(&self) -> Direction {
        Direction::of(self.direction.load(Ordering::Relaxed))
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Who holds the end of this generation.
    pub(super) fn holder(&self, generation: u32) -> Option<Holder> {
        let keeping = Keeping(self.keeping.load(Ordering::Acquire));
        keeping.is_of(generation).then(|| keeping.holder()).flatten()
    }

    /// Whether it is a unit that nobody holds.
    pub(super) fn is_unit_in_hand(&self) -> bool {
        self.direction() == Direction::Unit && Keeping(self.keeping.load(Ordering::Acquire)).hand().is_some()
    }

    /// Takes an end from its holder into the hands of a context, which is about to close it; `hand` says whose hands
    /// these are, and which generation is meant. From here on the reaper finds the record by that context.
    pub(super) fn take_in_hand(&self, hand: Keeping) -> Option<Holder> {
        let mut now = Keeping(self.keeping.load(Ordering::Acquire));
        loop {
            let holder = now.is_like(hand).then(|| now.holder()).flatten()?;
            match self.keeping.compare_exchange(now.0, hand.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(holder),
                Err(seen) => now = Keeping(seen),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: Holder = Holder::Member(7);

    fn end(keeping: Keeping) -> End {
        End {
            state: SlotState::default(),
            keeping: AtomicU64::new(keeping.0),
            channel: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            direction: AtomicU32::new(0),
            weight: AtomicU32::new(0),
        }
    }

    #[test]
    fn closing_an_end_spares_the_one_that_has_its_slot_by_now() {
        let stranger = end(Keeping::held(MEMBER, 3));
        assert_eq!(stranger.take_in_hand(Keeping::in_hand(1, 1)), None, "it was closed by the name of the end before");
        assert_eq!(stranger.holder(3), Some(MEMBER));
        assert_eq!(stranger.holder(1), None);
        assert_eq!(stranger.take_in_hand(Keeping::in_hand(1, 3)), Some(MEMBER));
        assert_eq!(stranger.take_in_hand(Keeping::in_hand(2, 3)), None, "it was closed twice");
    }

    #[test]
    fn an_end_is_in_the_hands_of_the_context_that_closes_it_not_of_its_maker() {
        let made = end(Keeping::in_hand(1, 5));
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), Some(1));
        made.keeping.store(Keeping::held(MEMBER, 5).0, Ordering::Relaxed);
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), None);
        assert_eq!(made.take_in_hand(Keeping::in_hand(2, 5)), Some(MEMBER));
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), Some(2));
    }

    #[test]
    fn the_word_of_an_end_keeps_its_parts_apart() {
        for holder in [Holder::Member(u32::MAX), Holder::Block(9), Holder::Exit(0)] {
            for generation in [1, 3, u32::MAX] {
                let keeping = Keeping::held(holder, generation);
                assert!(keeping.is_of(generation) && !keeping.is_of(generation.wrapping_add(2)));
                assert_eq!((keeping.holder(), keeping.hand()), (Some(holder), None));
            }
        }
    }
}
