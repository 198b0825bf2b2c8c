//! A cell: plain bytes that some read while another one writes them, and that change as a whole or not at all.
//!
//! Knows nothing of what the bytes mean, nor of the lock that lets one writer in at a time: whoever writes has it.
//! Readers have no lock. They never wait for a writer, who may be stopped or dead.
//!
//! Bytes are copied by atomic words between the cell and memory of the caller's own; no reference ever points at them.
//! A cell of at most one word is that word, and one store changes it. A larger one has two copies and a *version*:
//! ```text
//!     version   which of the copies counts (bit 0); whether some words of the other copy count in place
//!               of its own (bit 1); and a number that is new with every change
//!     from, to  which words these are
//!     copy 0, copy 1
//! ```
//! Every change is committed by **one store of the version**, and nothing is written where readers of the version that
//! stands would read it, but for a single word:
//!
//! - *all of it*: into the copy that does not count; the version that makes it count.
//! - *a part*: into the same place of the copy that does not count; from and to; the version that makes this part
//!   count. Then the part is copied to the copy that counts, where nobody reads it any more, and a third version says
//!   that this copy has everything.
//! - *within one word*: a new version; then the word itself, by one store, which is the commit.
//!
//! Whoever is killed before the commit has changed nothing. Whoever is killed after the commit of a part leaves it for
//! the next writer to copy ([`Cell::settle`]); to do that twice is to do it once, and readers do not notice.
//!
//! A reader reads the version, copies what counts by it, and reads the version again: if it is another one, the bytes
//! may be of two changes, and it begins anew. That is so only if somebody has committed meanwhile. What would go wrong
//! without the second look, or if words could pass each other:
//! ```text
//!     reader                       writers
//!     version 4: copy 0 counts
//!     word 0 of copy 0
//!                                  all of it into copy 1; version 9: copy 1 counts
//!                                  word 0, word 1 of copy 0, for the change after that
//!     word 1 of copy 0  ✗          (not committed yet, perhaps never)
//! ```
//! **Orderings.** A version is stored with release and read first with acquire: so whoever sees it sees all words that
//! were written before it. A writer puts a release fence between the version that stands and the first word that it
//! writes over, and a reader an acquire fence between the last word and the second look: so whoever has seen one of
//! these words sees, at the second look, the version that came before the word, and begins anew. What one writer has
//! done the next one sees by the lock; of a dead one, by the kernel, which says that it is dead.
//!
//! With "within one word", a reader may see the word of the version that it has read, or the one before: between two
//! versions only one word changes, so either is a state that the cell was in. The version comes before the word;
//! behind it, a writer that is killed in between would leave the number to two words.
#![expect(unsafe_code, reason = "promises that a word is an atomic; listed in the architecture page")]

use super::Shareable;
use super::sync::{AtomicU64, Ordering, fence, spin_loop};
use std::ops::Range;

/// One word.
#[repr(transparent)]
#[derive(Debug, Default)]
pub(crate) struct Word(AtomicU64);

// SAFETY: an atomic, in the layout of it.
unsafe impl Shareable for Word {}

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

const VERSION: usize = 0;
const FROM: usize = 1;
const TO: usize = 2;
/// Words before the copies.
pub(super) const HEADER: usize = 3;

/// So often a reader looks before it gives up, if it is not to look for ever.
const GLANCES: usize = 64;

/// How many words a cell of so many bytes has.
pub(crate) const fn words(bytes: usize) -> usize {
    if bytes <= WORD { 1 } else { bytes.div_ceil(WORD).saturating_mul(2).saturating_add(HEADER) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u64);

impl Version {
    const OTHER: u64 = 1;
    const PART: u64 = 2;
    const NUMBER: u64 = 4;

    /// Which copy counts.
    fn copy(self) -> usize {
        (self.0 & Version::OTHER) as usize
    }

    /// Whether a part of the other copy counts.
    fn has_part(self) -> bool {
        self.0 & Version::PART != 0
    }

    fn next(self) -> Version {
        Version(self.0.wrapping_add(Version::NUMBER))
    }

    fn with_the_other_copy(self) -> Version {
        Version(self.next().0 ^ Version::OTHER)
    }

    fn with_a_part(self) -> Version {
        Version(self.next().0 | Version::PART)
    }

    fn without_a_part(self) -> Version {
        Version(self.next().0 & !Version::PART)
    }
}

/// The words of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a>(&'a [Word]);

impl<'a> Cell<'a> {
    /// A cell of these words, whose number is one that [`words`] gives.
    pub(crate) fn of(words: &'a [Word]) -> Cell<'a> {
        Cell(words)
    }

    /// The one word of a cell that has no more.
    #[inline]
    pub(crate) fn word(self) -> Option<&'a Word> {
        if let [word] = self.0 { Some(word) } else { None }
    }

    /// By whoever makes it, before anybody else knows it: these are its bytes.
    pub(crate) fn begin(self, bytes: &[u8]) {
        self.clear_words(HEADER);
        put(if self.word().is_some() { self.0 } else { self.copy(0) }, 0, bytes, None);
    }

    /// As [`Cell::begin`]: all its bytes are zero.
    pub(crate) fn clear(self) {
        // What the other copy has counts for nothing until it is written.
        self.clear_words(HEADER + (self.0.len().saturating_sub(HEADER)) / 2);
    }

    fn clear_words(self, most: usize) {
        self.0.iter().take(most).for_each(|word| word.0.store(0, Ordering::Relaxed));
    }

    /// Reads the bytes from `at` on. Never waits for a writer.
    #[inline]
    pub(crate) fn read(self, at: usize, into: &mut [u8]) {
        match self.word() {
            Some(word) => word.read(at, into),
            None => self.read_words(at, into),
        }
    }

    fn read_words(self, at: usize, into: &mut [u8]) {
        while !self.try_read(at, into) {
            spin_loop();
        }
    }

    /// As [`Cell::read`], but gives up when others keep changing it: `false`, and the bytes mean nothing.
    pub(crate) fn glance(self, at: usize, into: &mut [u8]) -> bool {
        (0..GLANCES).any(|_| self.try_read(at, into))
    }

    fn try_read(self, at: usize, into: &mut [u8]) -> bool {
        if let Some(word) = self.word() {
            word.read(at, into);
            return true;
        }
        let version = Version(self.0[VERSION].0.load(Ordering::Acquire));
        let (own, other) = (self.copy(version.copy()), self.copy(1 - version.copy()));
        let part = if version.has_part() { self.part() } else { 0..0 };
        let mut place = at;
        let mut rest = into;
        // Before the part, in it, and behind it.
        for (copy, end) in [(own, part.start), (other, part.end), (own, own.len())] {
            let length = (end * WORD).saturating_sub(place).min(rest.len());
            let (now, later) = rest.split_at_mut(length);
            get(copy, place, now);
            place += length;
            rest = later;
        }
        fence(Ordering::Acquire);
        self.0[VERSION].0.load(Ordering::Relaxed) == version.0
    }

    /// With the lock: changes the bytes from `at` on, all of them or, killed on the way, perhaps none.
    #[inline]
    pub(crate) fn write(self, at: usize, bytes: &[u8]) {
        match self.word() {
            Some(word) => word.write(at, bytes),
            None => self.write_words(at, bytes),
        }
    }

    fn write_words(self, at: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let version = self.settle();
        let (own, other) = (self.copy(version.copy()), self.copy(1 - version.copy()));
        let span = at / WORD..(at + bytes.len()).div_ceil(WORD);
        if span.len() == 1 {
            self.stand(version.next());
            fence(Ordering::Release);
            put(own, at, bytes, Some(own));
        } else if span == (0..own.len()) {
            fence(Ordering::Release);
            put(other, at, bytes, Some(own));
            self.stand(version.with_the_other_copy());
        } else {
            fence(Ordering::Release);
            put(other, at, bytes, Some(own));
            self.0[FROM].0.store(span.start as u64, Ordering::Relaxed);
            self.0[TO].0.store(span.end as u64, Ordering::Relaxed);
            self.stand(version.with_a_part());
            self.settle();
        }
    }

    /// With the lock: finishes what the writer before has committed. The copy that counts has everything then.
    fn settle(self) -> Version {
        let version = Version(self.0[VERSION].0.load(Ordering::Relaxed));
        if !version.has_part() {
            return version;
        }
        let (own, other) = (self.copy(version.copy()), self.copy(1 - version.copy()));
        fence(Ordering::Release);
        for place in self.part() {
            own[place].0.store(other[place].0.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let settled = version.without_a_part();
        self.stand(settled);
        settled
    }

    fn stand(self, version: Version) {
        self.0[VERSION].0.store(version.0, Ordering::Release);
    }

    /// Which words of the other copy count. A reader may see those of another version; they are of this cell anyway.
    fn part(self) -> Range<usize> {
        let [from, to] = [FROM, TO].map(|word| self.0[word].0.load(Ordering::Relaxed) as usize);
        let length = self.copy(0).len();
        from.min(length)..to.min(length)
    }

    fn copy(self, number: usize) -> &'a [Word] {
        let length = (self.0.len() - HEADER) / 2;
        &self.0[HEADER + number * length..][..length]
    }
}

/// Copies the bytes from `at` on out of words.
fn get(words: &[Word], at: usize, into: &mut [u8]) {
    if into.is_empty() {
        return;
    }
    let mut words = words[at / WORD..].iter();
    let mut take = |bytes: &mut [u8], skip: usize| {
        if let Some(word) = words.next() {
            bytes.copy_from_slice(&word.0.load(Ordering::Relaxed).to_ne_bytes()[skip..skip + bytes.len()]);
        }
    };
    let (first, rest) = into.split_at_mut(to_the_next_word(at).min(into.len()));
    if !first.is_empty() {
        take(first, at % WORD);
    }
    rest.chunks_mut(WORD).for_each(|bytes| take(bytes, 0));
}

/// Copies bytes from `at` on into words. What else is in the first and in the last of these words is as in `around`.
fn put(words: &[Word], at: usize, bytes: &[u8], around: Option<&[Word]>) {
    let mut place = at / WORD;
    let mut give = |bytes: &[u8], skip: usize| {
        let mut word = match around {
            Some(around) if bytes.len() < WORD => around[place].0.load(Ordering::Relaxed).to_ne_bytes(),
            _ => [0; WORD],
        };
        word[skip..skip + bytes.len()].copy_from_slice(bytes);
        words[place].0.store(u64::from_ne_bytes(word), Ordering::Relaxed);
        place += 1;
    };
    let (first, rest) = bytes.split_at(to_the_next_word(at).min(bytes.len()));
    if !first.is_empty() {
        give(first, at % WORD);
    }
    rest.chunks(WORD).for_each(|bytes| give(bytes, 0));
}

/// How many bytes before the next word begins; none if one begins here.
fn to_the_next_word(at: usize) -> usize {
    at.next_multiple_of(WORD) - at
}

/// The word of a cell that has no more.
impl Word {
    #[inline]
    fn read(&self, at: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.0.load(Ordering::Acquire).to_ne_bytes()[at..at + into.len()]);
    }

    /// With the lock.
    #[inline]
    fn write(&self, at: usize, bytes: &[u8]) {
        let mut word = self.0.load(Ordering::Relaxed).to_ne_bytes();
        word[at..at + bytes.len()].copy_from_slice(bytes);
        self.0.store(u64::from_ne_bytes(word), Ordering::Release);
    }
}

/// A word by itself, in one order that all agree on.
impl Word {
    #[inline]
    pub(crate) fn load(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn store(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }

    /// Gives the value before.
    pub(crate) fn swap(&self, value: u64) -> u64 {
        self.0.swap(value, Ordering::SeqCst)
    }

    /// Adds, modulo 2⁶⁴; gives the value before.
    #[inline]
    pub(crate) fn add(&self, value: u64) -> u64 {
        self.0.fetch_add(value, Ordering::SeqCst)
    }

    /// Gives the value before, or the one that was there in place of `current`.
    pub(crate) fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        self.0.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
    }
}
