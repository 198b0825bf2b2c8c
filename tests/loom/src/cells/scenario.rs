//! What writers and readers do to a cell, and what may come of it.
//!
//! Knows nothing of how executions are found. The words of a cell are payload and protocol at once: only their own
//! orderings keep a reader from seeing half of a change.

use super::cell::{Cell, Word, words};
use super::mortal::with_stores;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;

/// Something that threads do, with assertions about what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it shows.
    pub name: &'static str,
    run: fn(usize),
    stores: usize,
}

impl Scenario {
    pub(crate) fn run(self) {
        (self.run)(self.stores);
    }

    /// The same with a writer that is killed after so many stores, if it is about one.
    #[must_use]
    pub fn killed_after(self, stores: usize) -> Scenario {
        Scenario { stores, ..self }
    }
}

const NEVER: usize = usize::MAX;

macro_rules! scenarios {
    ($($list:ident { $($name:ident: $run:expr),* $(,)? })*) => {
        $(
            #[expect(missing_docs, reason = "the name says it")]
            pub const $list: &[&Scenario] = &[$(&$name),*];

            $(
                #[expect(missing_docs, reason = "the name says it")]
                pub const $name: Scenario = Scenario { name: stringify!($name), run: $run, stores: NEVER };
            )*
        )*
    };
}

scenarios! {
    ALL {
        ONE_WORD: |_| one_word(),
        ALL_OF_IT: |_| changes(2, 3, |cell, number| write(cell, 0, &[number; 2])),
        A_PART_OF_IT: |_| changes(3, 2, |cell, number| write(cell, 0, &[number; 2])),
        WORD_BY_WORD: |_| word_by_word(),
        A_PART_AFTER_ALL_OF_IT: |_| part_after_all(),
        TWO_WRITERS: |_| two_writers(),
        BYTES_OF_A_WORD: |_| bytes_of_a_word(),
        BEFORE_A_WORD_ALONE: |_| what_came_before(1, |cell| write(cell, 0, &[1])),
        BEFORE_ALL_OF_IT: |_| what_came_before(2, |cell| write(cell, 0, &[1, 1])),
        BEFORE_A_PART_OF_IT: |_| what_came_before(3, |cell| write(cell, 0, &[1, 1])),
        BEFORE_A_WORD: |_| what_came_before(2, |cell| write(cell, 0, &[1])),
    }
    OF_THE_DEAD {
        KILLED_IN_ALL_OF_IT: |stores| death(stores, |cell| write(cell, 0, &[1; 3])),
        KILLED_IN_A_PART: |stores| death(stores, |cell| write(cell, 0, &[1; 2])),
        KILLED_IN_A_WORD: |stores| death(stores, |cell| write(cell, 1, &[1])),
    }
}

/// A cell, and the lock that lets one writer in.
struct Kept {
    words: Vec<Word>,
    lock: Mutex<()>,
    /// Both sides come to it before what they do. It orders nothing. Loom tries another order of two threads only where
    /// one of them changes what the other one has used last; a writer that has read a word before it stores it hides
    /// the reader from loom.
    turn: AtomicU32,
    /// What the writer does before it changes the cell; it orders nothing either.
    before: AtomicU32,
}

impl Kept {
    /// One of so many words, all zero.
    fn new(length: usize) -> Arc<Kept> {
        let kept = Kept {
            words: (0..words(8 * length)).map(|_| Word::default()).collect(),
            lock: Mutex::new(()),
            turn: AtomicU32::new(0),
            before: AtomicU32::new(0),
        };
        kept.cell().clear();
        Arc::new(kept)
    }

    fn cell(&self) -> Cell<'_> {
        Cell::of(&self.words)
    }

    fn change(&self, change: impl FnOnce(Cell<'_>)) {
        let _held = self.lock.lock().expect("nobody panics with it");
        self.turn.fetch_add(1, Ordering::Relaxed);
        change(self.cell());
    }

    fn read<const N: usize>(&self, at: usize) -> [u64; N] {
        self.turn.fetch_add(1, Ordering::Relaxed);
        read(self.cell(), at)
    }
}

fn write(cell: Cell<'_>, at: usize, values: &[u64]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    cell.write(8 * at, &bytes);
}

fn read<const N: usize>(cell: Cell<'_>, at: usize) -> [u64; N] {
    let mut bytes = vec![0; 8 * N];
    cell.read(8 * at, &mut bytes);
    std::array::from_fn(|place| u64::from_ne_bytes(std::array::from_fn(|byte| bytes[8 * place + byte])))
}

fn spawn<T: 'static>(with: &Arc<Kept>, run: impl FnOnce(&Kept) -> T + 'static) -> JoinHandle<T> {
    let kept = Arc::clone(with);
    thread::spawn(move || run(&kept))
}

fn end<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the execution")
}

/// Nobody reads half of the one word, nor an older one later.
fn one_word() {
    let kept = Kept::new(1);
    let writer = spawn(&kept, |kept| (1..=2).for_each(|number| kept.change(|cell| write(cell, 0, &[number]))));
    let [first] = kept.read(0);
    let [second] = kept.read(0);
    assert!(first <= second && second <= 2, "{first}, {second}");
    end(writer);
    assert_eq!(kept.read(0), [2]);
}

/// Two words change together, several times: readers see both of one change, and never an older one later.
fn changes(length: usize, times: u64, change: fn(Cell<'_>, u64)) {
    let kept = Kept::new(length);
    let writer = spawn(&kept, move |kept| (1..=times).for_each(|number| kept.change(|cell| change(cell, number))));
    let [a, b] = kept.read(0);
    assert_eq!(a, b, "half of a change");
    let [c, d] = kept.read(0);
    assert_eq!(c, d, "half of a change");
    assert!(a <= c, "{c} after {a}");
    end(writer);
    assert_eq!(kept.read(0), [times, times]);
}

/// Words change one by one, from the first to the last, and then anew: who reads all of them sees one moment.
fn word_by_word() {
    let kept = Kept::new(2);
    let writer = spawn(&kept, |kept| {
        for number in 1..=2 {
            for place in 0..2 {
                kept.change(|cell| write(cell, place, &[number]));
            }
        }
    });
    let [a, b] = kept.read(0);
    assert!(a == b || a == b + 1, "{a}, {b}");
    end(writer);
    assert_eq!(kept.read(0), [2, 2]);
}

/// What is written in its place is in the other copy, too, and stays when all of it has changed.
fn part_after_all() {
    let kept = Kept::new(3);
    let writer = spawn(&kept, |kept| {
        kept.change(|cell| write(cell, 0, &[1, 1, 1]));
        kept.change(|cell| write(cell, 1, &[2, 2]));
        kept.change(|cell| write(cell, 0, &[3]));
    });
    let seen: [u64; 3] = kept.read(0);
    assert!([[0, 0, 0], [1, 1, 1], [1, 2, 2], [3, 2, 2]].contains(&seen), "{seen:?}");
    end(writer);
    assert_eq!(kept.read(0), [3, 2, 2]);
}

/// Each adds one to all words.
fn two_writers() {
    let kept = Kept::new(2);
    let add = |kept: &Kept| {
        kept.change(|cell| {
            let now: [u64; 2] = read(cell, 0);
            write(cell, 0, &now.map(|number| number + 1));
        });
    };
    let others = [0, 1].map(|_| spawn(&kept, add));
    let [a, b] = kept.read(0);
    assert_eq!(a, b, "half of a change");
    others.into_iter().for_each(end);
    assert_eq!(kept.read(0), [2, 2], "no change is lost");
}

/// Neighbours in one word, and bytes in two words.
fn bytes_of_a_word() {
    let kept = Kept::new(2);
    let writer = spawn(&kept, |kept| {
        kept.change(|cell| cell.write(3, &[7]));
        kept.change(|cell| cell.write(6, &[9; 4]));
    });
    let mut bytes = [0; 16];
    kept.turn.fetch_add(1, Ordering::Relaxed);
    kept.cell().read(0, &mut bytes);
    let last = &bytes[6..10];
    assert!(last == [0; 4] || last == [9; 4] && bytes[3] == 7, "{bytes:?}");
    end(writer);
    kept.cell().read(0, &mut bytes);
    assert_eq!(bytes, [0, 0, 0, 7, 0, 0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0]);
}

/// Whoever sees a change sees what its writer did before it.
fn what_came_before(length: usize, change: fn(Cell<'_>)) {
    let kept = Kept::new(length);
    let writer = spawn(&kept, move |kept| {
        kept.before.store(1, Ordering::Relaxed);
        kept.change(change);
    });
    let [seen] = kept.read(0);
    let before = kept.before.load(Ordering::Relaxed);
    assert!(u64::from(before) >= seen, "the change without what came before");
    end(writer);
}

/// A writer is killed; the next one finds all of its change or nothing of it, and so does whoever reads meanwhile.
fn death(stores: usize, change: fn(Cell<'_>)) {
    let kept = Kept::new(3);
    let expected: [u64; 3] = {
        let after = Kept::new(3);
        change(after.cell());
        read(after.cell(), 0)
    };
    let victim = spawn(&kept, move |kept| with_stores(stores, || change(kept.cell())));
    let heir = spawn(&kept, move |kept| {
        // The word of the kernel, which orders memory.
        let finished = end(victim);
        let found: [u64; 3] = kept.read(0);
        assert!(found == expected || found == [0; 3] && !finished, "{found:?}");
        write(kept.cell(), 1, &[5, 5]);
        let [first, ..] = found;
        assert_eq!(kept.read(0), [first, 5, 5]);
        first
    });
    let seen: [u64; 3] = kept.read(0);
    let first = end(heir);
    let possible = [[0; 3], expected, [first, 5, 5]];
    assert!(possible.contains(&seen), "{seen:?}");
}
