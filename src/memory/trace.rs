//! A trace: in which parts of a pool, or of the blocks, somebody may have something.
//!
//! Knows nothing of what is there. Whoever dies may have left something anywhere, and a look everywhere takes as long
//! as there are things of others. So whoever is about to have something says before that in which *chunk* it is, and a
//! burial looks there.
//!
//! A chunk has one of 512 bits, which it shares with each chunk 512 further on: so a look at the chunks of one bit is
//! one at a 512th of all there are, however many these become. A bit that is set stays: the trace may name too many
//! chunks, and never too few. It is a hash filter (Communications of the ACM 13/7, 1970) with a
//! single hash, which keeps chunks apart that lie together.
//!
//! Killed half-way: whoever dies between the bit and what it was set for leaves a bit for nothing.
//!
//! What is kept for each of very many has a smaller trace, of fewer bits.

use super::identity::{Layout, record};
use crate::sys::atomic::{AtomicU64, Ordering};

/// Where somebody may have something; of so many words.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Trace<const WORDS: usize = 8> {
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Default for Trace<WORDS> {
    fn default() -> Self {
        Trace { words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

/// Adds the record of this file to a layout.
pub(super) const fn layout(layout: Layout) -> Layout {
    record!(layout, Trace { words })
}

impl<const WORDS: usize> Trace<WORDS> {
    const BITS: u32 = WORDS as u32 * 64;

    /// From now on something may be in this chunk. To be said before it is.
    #[inline]
    pub(crate) fn add(&self, chunk: u32) {
        let (word, bit) = self.place(chunk);
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::AcqRel);
        }
    }

    /// Whether something may be in this chunk.
    pub(crate) fn has(&self, chunk: u32) -> bool {
        let (word, bit) = self.place(chunk);
        word.load(Ordering::Acquire) & bit != 0
    }

    /// There is nothing anywhere: for somebody who begins, and whom nobody knows yet.
    pub(crate) fn clear(&self) {
        for word in &self.words {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// The chunks below `end` in which something may be, in order.
    pub(crate) fn chunks(&self, end: u32) -> impl Iterator<Item = u32> + use<WORDS> {
        let words: [u64; WORDS] = std::array::from_fn(|place| self.words[place].load(Ordering::Acquire));
        let rounds = if words == [0; WORDS] { 0 } else { end.div_ceil(Self::BITS) };
        let in_round = move |round: u32| {
            let words = (0..).zip(words);
            words.flat_map(move |(place, word)| bits_of(word).map(move |bit| round * Self::BITS + place * 64 + bit))
        };
        (0..rounds).flat_map(in_round).filter(move |chunk| *chunk < end)
    }

    #[inline]
    fn place(&self, chunk: u32) -> (&AtomicU64, u64) {
        let bit = chunk % Self::BITS;
        (&self.words[bit as usize / 64], 1 << (bit % 64))
    }
}

/// The bits that are set, from the low end.
pub(super) fn bits_of(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        (word != 0).then(|| {
            word &= word - 1;
            bit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const BITS: u32 = Trace::<8>::BITS;

    #[test]
    fn a_trace_of_nothing_leads_nowhere() {
        let trace: Trace = Trace::default();
        assert_eq!(trace.chunks(u32::MAX).next(), None);
        trace.add(7);
        trace.clear();
        assert!(!trace.has(7) && trace.chunks(100).next().is_none());
    }

    #[test]
    fn a_chunk_shares_its_bit_with_those_a_whole_round_further_on() {
        let trace: Trace = Trace::default();
        trace.add(3 + 2 * BITS);
        assert_eq!(trace.chunks(4 * BITS).collect::<Vec<_>>(), [0, 1, 2, 3].map(|round| 3 + round * BITS));
        assert_eq!(trace.chunks(3 + BITS).collect::<Vec<_>>(), [3]);
    }

    proptest! {
        #[test]
        fn a_trace_leads_to_all_that_was_said_in_order_and_to_no_other_bit(said in vec(0..5000_u32, 0..40)) {
            let trace: Trace = Trace::default();
            said.iter().for_each(|chunk| trace.add(*chunk));
            let chunks: Vec<u32> = trace.chunks(5000).collect();
            prop_assert!(chunks.is_sorted_by(|one, other| one < other));
            prop_assert!(said.iter().all(|chunk| trace.has(*chunk) && chunks.contains(chunk)));
            let is_meant = |chunk: &u32| said.iter().any(|said| said % BITS == chunk % BITS);
            prop_assert!(chunks.iter().all(is_meant));
        }
    }
}
