//! `Short`: a message of a few bytes, in nobody's block.
//!
//! Knows nothing of what is in it, nor of how it travels.

use super::Packet;
use crate::memory::Block;

/// A message that needs no block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    bytes: [u8; Short::MOST],
    length: usize,
}

impl Short {
    /// How many bytes fit.
    pub(crate) const MOST: usize = size_of::<[u64; 3]>();

    /// The first bytes of these.
    #[inline]
    pub(crate) fn of(bytes: [u8; Short::MOST], length: usize) -> Short {
        Short { bytes, length: length.min(Short::MOST) }
    }

    /// The same, as they travel.
    #[inline]
    pub(crate) fn of_words(words: [u64; 3], length: usize) -> Short {
        let [first, second, third] = words.map(u64::to_ne_bytes);
        let mut bytes = [0; Short::MOST];
        bytes[..8].copy_from_slice(&first);
        bytes[8..16].copy_from_slice(&second);
        bytes[16..].copy_from_slice(&third);
        Short::of(bytes, length)
    }

    #[inline]
    pub(crate) fn words(&self) -> [u64; 3] {
        let word = |from: usize| u64::from_ne_bytes(std::array::from_fn(|place| self.bytes[from + place]));
        [word(0), word(8), word(16)]
    }

    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length.min(Short::MOST)]
    }
}

/// A message that has come.
#[derive(Debug)]
#[must_use]
pub(crate) enum Delivered {
    Packet(Packet),
    Short(Short),
}

impl Delivered {
    /// What came in this block, which nobody else names.
    #[inline]
    pub(crate) fn of(block: Block) -> Option<Delivered> {
        Packet::from_raw(block).map(Delivered::Packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_is_as_long_as_it_was_said_to_be_and_no_longer_than_there_is_room() {
        let bytes: [u8; Short::MOST] = std::array::from_fn(|place| place as u8);
        for length in 0..=Short::MOST {
            assert_eq!(Short::of(bytes, length).bytes(), &bytes[..length]);
        }
        let longer = Short::of(bytes, Short::MOST + 1);
        assert_eq!((longer.length(), longer.bytes()), (Short::MOST, &bytes[..]));
        assert_eq!(Short::of_words(longer.words(), 5).bytes(), &bytes[..5]);
    }
}
