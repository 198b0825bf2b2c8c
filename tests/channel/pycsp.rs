//! What PyCSP's own tests of communication and poison verify holds here: `commtest.py` and `poisontest.py`, case by
//! case.
//!
//! Knows nothing of PyCSP's implementation. The originals run every case with three kinds of readers and writers, which
//! sleep between operations not at all, for a fixed time, or for a random one; the sleeps are the behaviour of the
//! cast, not synchronisation. Cases with alternation follow with alternation.

use crate::harness::cast::collect;
use crate::harness::sleeper::{Sleeper, sleepers};
use csproc::prelude::*;

/// `writer` of commtest: `cnt` values, then retire.
#[process]
fn writer(out: Writer<u64>, id: u64, count: u64, sleeper: Sleeper) -> csproc::Result<()> {
    for i in 0..count {
        sleeper.sleep(id * 1000 + i);
        out.write(id)?;
    }
    out.retire();
    Ok(())
}

/// `reader` of commtest: passes everything to the checker.
#[process]
fn reader(input: Reader<u64>, checker: Writer<u64>, sleeper: Sleeper) -> csproc::Result<()> {
    for i in 0.. {
        sleeper.sleep(i);
        checker.write(input.read()?)?;
    }
    Ok(())
}

/// `writer` of poisontest: `cnt` values, then poison.
#[process]
fn poisonous_writer(out: Writer<u64>, id: u64, count: u64, sleeper: Sleeper) -> csproc::Result<()> {
    for i in 0..count {
        sleeper.sleep(id * 1000 + i);
        out.write(id)?;
    }
    out.poison();
    Ok(())
}

fn count_of(values: &[u64], id: u64) -> usize {
    values.iter().filter(|value| **value == id).count()
}

over_both! {
    fn commtest_one2one(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = ([(); 4].map(|()| Channel::new()), Channel::new());
            let (_, _, values) = Parallel!(
                for i in 0..4 => reader(c[i].reader(), report.writer(), reads).on(placement),
                for i in 0..4 => writer(c[i].writer(), i as u64, 10, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            assert_eq!([0, 1, 2, 3].map(|id| count_of(&values, id)), [10; 4]);
            assert_eq!(values.len(), 40);
        }
    }

    fn commtest_any2one(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = (Channel::new(), Channel::new());
            let (_, _, values) = Parallel!(
                reader(c.reader(), report.writer(), reads).on(placement),
                for i in 0..4 => writer(c.writer(), i, 10, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            assert_eq!([0, 1, 2, 3].map(|id| count_of(&values, id)), [10; 4]);
            assert_eq!(values.len(), 40);
        }
    }

    fn commtest_one2any(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = (Channel::new(), Channel::new());
            let (_, _, values) = Parallel!(
                reader(c.reader(), report.writer(), reads).on(placement) * 4,
                writer(c.writer(), 7, 40, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            assert_eq!(values, [7; 40]);
        }
    }

    fn commtest_any2any(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = (Channel::new(), Channel::new());
            let (_, _, values) = Parallel!(
                reader(c.reader(), report.writer(), reads).on(placement) * 4,
                for i in 0..4 => writer(c.writer(), i, 10, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            assert_eq!([0, 1, 2, 3].map(|id| count_of(&values, id)), [10; 4]);
            assert_eq!(values.len(), 40);
        }
    }

    /// The reader returns poison and so poisons the way to the checker: only what is certain is asked for.
    fn poisontest_one2one(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = (Channel::new(), Channel::new());
            let (got, sent, values) = Parallel!(
                reader(c.reader(), report.writer(), reads).on(placement),
                poisonous_writer(c.writer(), 3, 10, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            sent.unwrap();
            assert!(got.unwrap_err().channel_error().unwrap().is_poisoned());
            assert_eq!(values, [3; 10]);
        }
    }

    /// The first writer that is done ends the whole network: at least its own values arrive.
    fn poisontest_any2any(placement) {
        for (reads, writes) in sleepers() {
            let (c, report) = (Channel::new(), Channel::new());
            let (_, _, values) = Parallel!(
                reader(c.reader(), report.writer(), reads).on(placement) * 4,
                for i in 0..4 => poisonous_writer(c.writer(), i, 10, writes).on(placement),
                collect(report.reader()).on(placement),
            )
            .unwrap();
            // Of the values of that writer, those may be missing that other readers still had in hand.
            assert!((7..=40).contains(&values.len()), "{}", values.len());
            assert!(values.iter().all(|value| *value < 4));
        }
    }
}
