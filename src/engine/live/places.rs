//! Places: in which chunks of their pool the ends of a channel are.
//!
//! Knows nothing of who holds them. Whoever repairs what a channel says of its ends, or asks who could answer those who
//! wait there, has to find these ends, and a look at all takes as long as there are channels. So whoever makes an end
//! writes down in its channel before that where it is, as in the [`estate`](super::estate) of its holder. None is taken
//! back as long as the channel lives.
//!
//! The ends of most channels are made together, and lie in one chunk or two. A few are kept by their numbers, and all
//! further ones as a trace, in what is left of a cache line: a channel of a thousand writers leads to too many.
//!
//! **Not the units of a gate.** They go from gate to gate, one with each pass, which would have to look here each time.

use super::sync::{AtomicU32, Ordering};
use crate::memory::{Layout, Trace, record};

const FEW: usize = 4;

#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The first ones, plus one.
    few: [AtomicU32; FEW],
    further: Trace<1>,
}

impl Places {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(layout, Places { few, further })
    }

    /// There is nothing yet: for a channel that nobody knows yet.
    pub(super) fn clear(&self) {
        for word in &self.few {
            word.store(0, Ordering::Relaxed);
        }
        self.further.clear();
    }

    /// From now on an end may be in this chunk. To be said before it is.
    pub(super) fn add(&self, chunk: u32) {
        let is_there = self.few.iter().any(|word| {
            let seen = match word.load(Ordering::Relaxed) {
                0 => {
                    word.compare_exchange(0, chunk + 1, Ordering::AcqRel, Ordering::Relaxed).unwrap_or_else(|seen| seen)
                }
                seen => seen,
            };
            seen == 0 || seen == chunk + 1
        });
        if !is_there {
            self.further.add(chunk);
        }
    }

    /// Whether an end may be in this chunk.
    pub(super) fn has(&self, chunk: u32) -> bool {
        self.few.iter().any(|word| word.load(Ordering::Acquire) == chunk + 1) || self.further.has(chunk)
    }

    /// The chunks below `end` in which there may be ends, in any order, some of them twice.
    pub(super) fn chunks(&self, end: u32) -> impl Iterator<Item = u32> {
        let few = self.few.iter().filter_map(|word| word.load(Ordering::Acquire).checked_sub(1));
        few.filter(move |chunk| *chunk < end).chain(self.further.chunks(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn led_to(places: &Places) -> BTreeSet<u32> {
        places.chunks(100_000).collect()
    }

    #[test]
    fn a_few_places_lead_nowhere_else() {
        let places = Places::default();
        assert_eq!(led_to(&places), BTreeSet::new());
        let few = [70_000, 0, 64, 99_999];
        few.into_iter().chain(few).for_each(|chunk| places.add(chunk));
        assert_eq!(led_to(&places), BTreeSet::from(few));
        assert!(places.has(64) && !places.has(128));
        assert_eq!(places.chunks(64).collect::<Vec<_>>(), [0]);
        places.clear();
        assert_eq!(led_to(&places), BTreeSet::new());
    }

    #[test]
    fn many_places_lead_to_all_of_them_and_to_few_others() {
        let places = Places::default();
        let many: Vec<u32> = (0..10).map(|place| place * 1000).collect();
        many.iter().for_each(|chunk| places.add(*chunk));
        let seen = led_to(&places);
        assert!(many.iter().all(|chunk| seen.contains(chunk) && places.has(*chunk)));
        assert!(seen.len() <= 4 + 6 * 100_000_usize.div_ceil(64), "{}", seen.len());
    }
}
