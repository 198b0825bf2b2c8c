//! An atomic is one number of its type, whoever changes it.
//!
//! Knows nothing of locks: there is none.

use csproc::prelude::*;
use csproc::shared::{Atomic, Word};
use proptest::prelude::*;
use std::fmt::Debug;
use std::sync::Mutex;

#[process]
fn add(total: Atomic<u64>, most: Atomic<i32>, turns: Atomic<u8>, times: i32) {
    for i in 0..times {
        total.fetch_add(3);
        total.fetch_sub(1);
        most.fetch_max(i);
        turns.update(|turn| turn.wrapping_add(1));
    }
}

over_both! {
    fn no_change_of_an_atomic_is_lost(placement) {
        let numbers = || (Atomic::new(0).unwrap(), Atomic::new(-1).unwrap(), Atomic::new(0).unwrap());
        let (total, most, turns) = numbers();
        let same = || (total.clone(), most.clone(), turns.clone());
        Parallel!(for _ in 0..4 => {
            let (total, most, turns) = same();
            add(total, most, turns, 1000).on(placement)
        })
        .unwrap();
        assert_eq!((total.load(), most.load(), turns.load()), (8000, 999, (4000 % 256) as u8));
    }
}

type Objects = (Atomic<u64>, Value<u64>, Array<u64>);

/// What a process on a thread has left to the others.
static LEFT: Mutex<Option<Objects>> = Mutex::new(None);

#[process(thread)]
fn leave(atomic: Atomic<u64>, value: Value<u64>) {
    let array = Array::from([7, 7]);
    *LEFT.lock().unwrap() = Some((atomic, value, array));
}

alone! {
    /// They are the program's, which has them still: nobody else is given their memory.
    fn what_a_process_on_a_thread_has_left_stays() {
        let (atomic, value) = (Atomic::new(1).unwrap(), Value::new(2));
        Parallel!(leave(atomic.clone(), value.clone())).unwrap();
        drop((atomic, value));
        let others: Vec<Value<u64>> = (0..100).map(|_| Value::new(0)).collect();
        let (atomic, value, array) = LEFT.lock().unwrap().take().unwrap();
        std::thread::spawn(move || {
            assert_eq!((atomic.fetch_add(10), value.replace(20).unwrap(), array.to_vec()), (1, 2, vec![7, 7]));
            array.set(1, 8).unwrap();
            assert_eq!((atomic.load(), value.get(), array.to_vec()), (11, 20, vec![7, 8]));
        })
        .join()
        .unwrap();
        assert!(others.iter().all(|other| other.get() == 0), "it was somebody else's memory");
    }
}

/// What the operations must give, by the operations of the type itself.
fn behaves<T: Word + Debug>(start: T, other: T, sum: T, difference: T, and: T, or: T) {
    let number = Atomic::new(start).unwrap();
    let becomes = |expected: T| {
        assert_eq!(number.load(), expected);
        number.store(start);
    };
    assert_eq!(number.fetch_add(other), start);
    becomes(sum);
    assert_eq!(number.fetch_sub(other), start);
    becomes(difference);
    assert_eq!(number.fetch_and(other), start);
    becomes(and);
    assert_eq!(number.fetch_or(other), start);
    becomes(or);
    assert_eq!(number.fetch_max(other), start);
    becomes(start.max(other));
    assert_eq!(number.fetch_min(other), start);
    becomes(start.min(other));
    assert_eq!(number.swap(other), start);
    becomes(other);
    // Also when bits above those of the number are set.
    number.fetch_sub(other);
    number.fetch_add(other);
    assert_eq!(number.compare_exchange(start, other), Ok(start));
    assert_eq!(number.compare_exchange(start, start), if start == other { Ok(start) } else { Err(other) });
}

macro_rules! all_behave {
    ($start:ident $other:ident $($number:ty)*) => {
        $({
            let (start, other) = ($start as $number, $other as $number);
            let (sum, difference) = (start.wrapping_add(other), start.wrapping_sub(other));
            behaves(start, other, sum, difference, start & other, start | other);
        })*
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_atomic_computes_as_its_type_does(start: u64, other: u64) {
        all_behave!(start other u8 u16 u32 u64 i8 i16 i32 i64 usize isize);
    }
}

once! {
    fn an_atomic_is_printed_as_its_number() {
        let number = Atomic::new(-3_i16).unwrap();
        assert_eq!((format!("{number:?}"), format!("{number:>4}")), ("Atomic(-3)".into(), "  -3".into()));
    }

    fn an_atomic_goes_through_channels() {
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        let number = Atomic::new(u8::MAX).unwrap();
        w.write(number.clone()).unwrap();
        assert_eq!(r.read().unwrap().fetch_add(2), 255);
        assert_eq!(number.load(), 1);
    }
}
