//! Bytes and numbers within atomic words: what others change at any time is copied in and out.
//!
//! Knows nothing of where the words lie. Every access is one of a whole word, at its place, so no two of different
//! widths ever meet; a part of a word is changed by exchanging the word, which leaves the other bytes to whoever writes
//! them.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// The parts of words that the bytes of a range are: the index of each word, the bytes in it, and where these lie in
/// the range.
fn parts(start: usize, length: usize) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let end = start + length;
    (start / WORD..end.div_ceil(WORD)).map(move |index| {
        let (from, to) = (start.max(index * WORD), end.min((index + 1) * WORD));
        (index, from - index * WORD..to - index * WORD, from - start..to - start)
    })
}

/// Copies bytes out. What was written before somebody said so, by a semaphore for example, is seen.
pub(super) fn read(words: &[AtomicU64], start: usize, into: &mut [u8]) {
    for (index, inside, place) in parts(start, into.len()) {
        let word = words[index].load(Ordering::Relaxed).to_ne_bytes();
        into[place].copy_from_slice(&word[inside]);
    }
    fence(Ordering::Acquire);
}

/// Copies bytes in, word by word.
pub(super) fn write(words: &[AtomicU64], start: usize, bytes: &[u8]) {
    fence(Ordering::Release);
    for (index, inside, place) in parts(start, bytes.len()) {
        if let Ok(whole) = bytes[place.clone()].try_into() {
            words[index].store(u64::from_ne_bytes(whole), Ordering::Relaxed);
        } else {
            change(&words[index], |word| {
                let mut changed = word.to_ne_bytes();
                changed[inside.clone()].copy_from_slice(&bytes[place.clone()]);
                u64::from_ne_bytes(changed)
            });
        }
    }
}

/// Where a number of so many bytes, which begins at `start`, lies in its word: how far from the low end, and its bits.
pub(super) fn bits(start: usize, bytes: usize) -> (u32, u64) {
    let before = if cfg!(target_endian = "big") { WORD - start % WORD - bytes } else { start % WORD };
    ((before * 8) as u32, u64::MAX >> ((WORD - bytes) * 8))
}

/// The bits of a number.
pub(super) fn load(words: &[AtomicU64], start: usize, bytes: usize) -> u64 {
    let (shift, mask) = bits(start, bytes);
    let word = words[start / WORD].load(Ordering::Relaxed);
    fence(Ordering::SeqCst);
    word >> shift & mask
}

/// Changes the bits of a number in one step, and gives those before.
pub(super) fn update(words: &[AtomicU64], start: usize, bytes: usize, mut new: impl FnMut(u64) -> u64) -> u64 {
    let (shift, mask) = bits(start, bytes);
    let before = change(&words[start / WORD], |word| {
        let number = new(word >> shift & mask) & mask;
        word & !(mask << shift) | number << shift
    });
    before >> shift & mask
}

fn change(word: &AtomicU64, mut new: impl FnMut(u64) -> u64) -> u64 {
    let mut now = word.load(Ordering::Relaxed);
    loop {
        match word.compare_exchange_weak(now, new(now), Ordering::SeqCst, Ordering::Relaxed) {
            Ok(before) => return before,
            Err(other) => now = other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(bytes: &[u8]) -> Vec<AtomicU64> {
        let words = bytes.len().div_ceil(WORD);
        let words: Vec<AtomicU64> = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        write(&words, 0, bytes);
        words
    }

    #[test]
    fn every_range_is_read_and_written_as_a_slice_of_bytes_is() {
        let bytes: Vec<u8> = (1..=26).collect();
        for start in 0..=26 {
            for end in start..=26 {
                let (shared, mut own) = (words(&bytes), bytes.clone());
                let mut seen = vec![0; end - start];
                read(&shared, start, &mut seen);
                assert_eq!(seen, bytes[start..end]);
                let new: Vec<u8> = (start..end).map(|byte| 200 - byte as u8).collect();
                write(&shared, start, &new);
                own[start..end].copy_from_slice(&new);
                let mut all = vec![0; 26];
                read(&shared, 0, &mut all);
                assert_eq!(all, own, "{start}..{end}");
            }
        }
    }

    #[test]
    fn a_number_is_that_of_its_bytes() {
        let bytes: Vec<u8> = (1..=16).collect();
        for start in [0, 4, 8, 12] {
            let shared = words(&bytes);
            let own = u32::from_ne_bytes(bytes[start..start + 4].try_into().unwrap());
            assert_eq!(load(&shared, start, 4), own.into());
            assert_eq!(update(&shared, start, 4, |number| number.wrapping_mul(1 << 31) + 7), own.into());
            let mut seen = [0; 16];
            read(&shared, 0, &mut seen);
            let new = own.wrapping_mul(1 << 31).wrapping_add(7).to_ne_bytes();
            assert_eq!(seen[start..start + 4], new);
            assert_eq!((&seen[..start], &seen[start + 4..]), (&bytes[..start], &bytes[start + 4..]));
        }
    }
}
