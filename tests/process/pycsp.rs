//! What PyCSP's own test of processes verifies holds here: `autotest.py`, and with it `multiprocesstest.py`.
//!
//! Knows nothing of PyCSP's implementation. Its cases with alternation follow with alternation.

use csproc::prelude::*;

/// `writer`: `cnt` values from 0 on, then retire.
#[process]
fn writer(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for i in 0..count {
        out.write(i)?;
    }
    Ok(())
}

/// `return_msg`: takes one value and returns it.
#[process]
fn return_msg(input: Reader<u64>) -> Option<u64> {
    input.read().ok()
}

#[process]
fn reader(input: Reader<u64>, checker: Writer<u64>) -> csproc::Result<()> {
    loop {
        checker.write(input.read()?)?;
    }
}

#[process]
fn check(input: Reader<u64>) -> Vec<u64> {
    input.into_iter().collect()
}

over_both! {
    fn autotest_sequence(placement) {
        let c = Channel::new();
        let writer = Spawn!(writer(c.writer(), 10).on(placement)).unwrap();
        let values = Sequence!(return_msg(c.reader()).on(placement) * 10).unwrap();
        assert_eq!(values, (0..10).map(Some).collect::<Vec<_>>());
        writer.join().unwrap().unwrap();
    }

    fn autotest_parallel(placement) {
        let c = Channel::new();
        let (sent, values) =
            Parallel!(writer(c.writer(), 10).on(placement), return_msg(c.reader()).on(placement) * 10).unwrap();
        sent.unwrap();
        let mut values: Vec<u64> = values.into_iter().map(|value| value.expect("each reader gets a value")).collect();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..10));
    }

    fn autotest_one2one(placement) {
        let (c, report) = (Channel::new(), Channel::new());
        let (sent, read, values) = Parallel!(
            writer(c.writer(), 10).on(placement),
            reader(c.reader(), report.writer()).on(placement),
            check(report.reader()).on(placement),
        )
        .unwrap();
        sent.unwrap();
        assert!(read.unwrap_err().channel_error().unwrap().is_retired());
        assert!(values.into_iter().eq(0..10));
    }

    fn autotest_any2any(placement) {
        let (c, report) = (Channel::new(), Channel::new());
        let (_, _, mut values) = Parallel!(
            writer(c.writer(), 10).on(placement) * 4,
            reader(c.reader(), report.writer()).on(placement) * 4,
            check(report.reader()).on(placement),
        )
        .unwrap();
        values.sort_unstable();
        assert!(values.into_iter().eq((0..10).flat_map(|value| [value; 4])));
    }

    /// `mult`: PyCSP shares ends that hide in containers between the copies; here they are counted, too.
    fn multiplied_processes_have_ends_of_their_own_in_containers(placement) {
        let c = Channel::new();
        let (sent, values) = Parallel!(
            writers_in_a_list(vec![Some(c.writer())]).on(placement) * 3,
            check(c.reader()).on(placement),
        )
        .unwrap();
        assert_eq!(sent.len(), 3);
        assert_eq!(values, [1, 1, 1]);
    }
}

#[process]
fn writers_in_a_list(out: Vec<Option<Writer<u64>>>) -> csproc::Result<()> {
    for out in out.into_iter().flatten() {
        out.write(1)?;
    }
    Ok(())
}
