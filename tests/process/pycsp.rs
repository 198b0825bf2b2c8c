//! What PyCSP's own test of processes verifies holds here: `autotest.py`, and with it `multiprocesstest.py`.
//!
//! Knows nothing of PyCSP's implementation. Its cases with alternation follow with alternation. Its `writer` is
//! `source` here, its `reader` is `strict_relay`, `return_msg` is `hear`, and what its checker saw is collected.

use crate::harness::cast::{collect, hear, source, strict_relay};
use csproc::prelude::*;

over_both! {
    fn autotest_sequence(placement) {
        let c = Channel::new();
        let writer = Spawn!(source(c.writer(), 0..10).on(placement)).unwrap();
        let values = Sequence!(hear(c.reader()).on(placement) * 10).unwrap();
        assert_eq!(values, (0..10).map(Some).collect::<Vec<_>>());
        writer.join().unwrap().unwrap();
    }

    fn autotest_parallel(placement) {
        let c = Channel::new();
        let (sent, values) =
            Parallel!(source(c.writer(), 0..10).on(placement), hear(c.reader()).on(placement) * 10).unwrap();
        sent.unwrap();
        let mut values: Vec<u64> = values.into_iter().map(|value| value.expect("each reader gets a value")).collect();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..10));
    }

    fn autotest_one2one(placement) {
        let (c, report) = (Channel::new(), Channel::new());
        let (sent, read, values) = Parallel!(
            source(c.writer(), 0..10).on(placement),
            strict_relay(c.reader(), report.writer()).on(placement),
            collect(report.reader()).on(placement),
        )
        .unwrap();
        sent.unwrap();
        assert!(read.unwrap_err().channel_error().unwrap().is_retired());
        assert!(values.into_iter().eq(0..10));
    }

    fn autotest_any2any(placement) {
        let (c, report) = (Channel::new(), Channel::new());
        let (_, _, mut values) = Parallel!(
            source(c.writer(), 0..10).on(placement) * 4,
            strict_relay(c.reader(), report.writer()).on(placement) * 4,
            collect(report.reader()).on(placement),
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
            collect(c.reader()).on(placement),
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
