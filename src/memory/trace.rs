//! A trace: in which parts of a pool, or of the blocks, somebody may have something.
//!
//! Knows nothing of what is there. Whoever dies may have left something anywhere, and a look everywhere takes as long
//! as there are things of others. So whoever is about to have something says before that in which *chunk* it is, and a
//! burial looks there.
//!
//! Most have what they have in a few chunks, and these are kept by their numbers. A further one has one of some hundred
//! bits, which it shares with each chunk as many further on: it leads to a part of all there are, however many these
//! become. What is written stays: the trace may name too many chunks, and never too few. The bits are a hash filter
//! (Communications of the ACM 13/7, 1970) with a single hash, which keeps chunks apart that lie together.
//!
//! Killed half-way: whoever dies between the trace and what it was written for leaves a trace of nothing.
//!
//! What is kept for each of very many has a smaller trace, of fewer bits.

use super::identity::{Layout, record};
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering};

/// Where somebody may have something: so many chunks by their numbers, and so many words of bits.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Trace<const WORDS: usize = 6, const FEW: usize = 4> {
    /// The first ones, plus one.
    few: [AtomicU32; FEW],
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize, const FEW: usize> Default for Trace<WORDS, FEW> {
    fn default() -> Self {
        let few = std::array::from_fn(|_| AtomicU32::new(0));
        Trace { few, words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

/// Adds the record of this file to a layout.
pub(super) const fn layout(layout: Layout) -> Layout {
    record!(layout, Trace { few, words })
}

impl<const WORDS: usize, const FEW: usize> Trace<WORDS, FEW> {
    const BITS: u32 = WORDS as u32 * 64;

    /// From now on something may be in this chunk. To be said before it is.
    #[inline]
    pub(crate) fn add(&self, chunk: u32) {
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
            self.add_further(chunk);
        }
    }

    fn add_further(&self, chunk: u32) {
        let (word, bit) = self.place(chunk);
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::AcqRel);
        }
    }

    /// Whether something may be in this chunk.
    pub(crate) fn has(&self, chunk: u32) -> bool {
        let (word, bit) = self.place(chunk);
        self.few.iter().any(|word| word.load(Ordering::Acquire) == chunk + 1) || word.load(Ordering::Acquire) & bit != 0
    }

    /// There is nothing anywhere: for somebody who begins, and whom nobody knows yet.
    pub(crate) fn clear(&self) {
        self.few.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        self.words.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    }

    /// The chunks below `end` in which something may be, in order.
    pub(crate) fn chunks(&self, end: u32) -> Vec<u32> {
        let few = self.few.iter().filter_map(|word| word.load(Ordering::Acquire).checked_sub(1));
        let further = (0..).zip(&self.words).flat_map(|(place, word)| {
            let bits = bits_of(word.load(Ordering::Acquire)).map(move |bit| place * 64 + bit);
            bits.flat_map(|bit| (bit..end).step_by(Self::BITS as usize))
        });
        let mut chunks: Vec<u32> = few.filter(|chunk| *chunk < end).chain(further).collect();
        chunks.sort_unstable();
        chunks.dedup();
        chunks
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

    const BITS: u32 = Trace::<6>::BITS;

    /// One whose few places are taken.
    fn full() -> Trace {
        let trace = Trace::default();
        (0..4).for_each(|chunk| trace.add(chunk));
        trace
    }

    #[test]
    fn a_trace_of_nothing_leads_nowhere() {
        let trace = full();
        assert_eq!(Trace::<6>::default().chunks(u32::MAX), []);
        trace.add(7);
        trace.clear();
        assert!(!trace.has(7) && !trace.has(0) && trace.chunks(100).is_empty());
    }

    #[test]
    fn a_few_chunks_lead_nowhere_else() {
        let trace: Trace<1> = Trace::default();
        let few = [70_000, 0, 64, 99_999];
        few.into_iter().chain(few).for_each(|chunk| trace.add(chunk));
        assert_eq!(trace.chunks(100_000), [0, 64, 70_000, 99_999]);
        assert!(trace.has(64) && !trace.has(128));
        assert_eq!(trace.chunks(64), [0]);
    }

    #[test]
    fn a_further_chunk_shares_its_bit_with_those_a_whole_round_further_on() {
        let trace = full();
        trace.add(7 + 2 * BITS);
        let all = [0, 1, 2, 3, 7, 7 + BITS, 7 + 2 * BITS, 7 + 3 * BITS];
        assert_eq!(trace.chunks(4 * BITS), all);
        assert_eq!(trace.chunks(8 + BITS), all[..6]);
        // One that is led to twice is there once.
        trace.add(1 + BITS);
        assert_eq!(trace.chunks(8), [0, 1, 2, 3, 7]);
    }

    proptest! {
        #[test]
        fn a_trace_leads_to_all_that_was_said_in_order_and_to_no_other_bit(said in vec(0..5000_u32, 0..40)) {
            let trace = full();
            said.iter().for_each(|chunk| trace.add(*chunk));
            let found = trace.chunks(5000);
            prop_assert!(found.is_sorted_by(|one, next| one < next));
            for chunk in 4..5000 {
                let leads = found.contains(&chunk);
                let shares = said.iter().any(|said| *said >= 4 && said % BITS == chunk % BITS);
                prop_assert_eq!((leads, trace.has(chunk)), (shares, shares), "{}", chunk);
            }
        }
    }
}
