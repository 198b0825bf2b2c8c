//! Law 8: timers are monotonic, never early, and leave nothing behind when they lose.
//!
//! Knows nothing of how late a timer may be: that depends on the machine, so no test has an upper bound.

use crate::harness::cast::announce_and_write;
use crate::harness::system::{descriptors, threads};
use csproc::prelude::*;
use std::time::{Duration, Instant};

#[process]
fn measure(out: Writer<u64>, input: Reader<u64>) {
    for step in 0..40 {
        let wanted = Duration::from_micros(step * step * 10);
        let start = Instant::now();
        assert!(input.read_timeout(wanted).unwrap_err().is_timed_out());
        assert!(start.elapsed() >= wanted, "a read gave up after {:?} of {wanted:?}", start.elapsed());

        let start = Instant::now();
        assert!(out.write_timeout(1, wanted).unwrap_err().is_timed_out());
        assert!(start.elapsed() >= wanted, "a write gave up after {:?} of {wanted:?}", start.elapsed());

        let deadline = Instant::now() + wanted;
        assert!(input.read_deadline(deadline).unwrap_err().is_timed_out());
        assert!(Instant::now() >= deadline);

        let deadline = Instant::now() + wanted;
        assert!(out.write_deadline(1, deadline).unwrap_err().is_timed_out());
        assert!(Instant::now() >= deadline);
    }
}

#[process]
fn source(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for i in 0..count {
        out.write_timeout(i, Duration::from_secs(3600))?;
    }
    Ok(())
}

#[process]
fn drain(input: Reader<u64>) -> u64 {
    let mut count = 0;
    while input.read_timeout(Duration::from_secs(3600)).is_ok() {
        count += 1;
    }
    count
}

over_both! {
    fn law_8_timers_are_never_early(placement) {
        // Two channels, so that the writer and the reader do not meet.
        let (a, b) = (Channel::new(), Channel::new());
        let _others = (a.reader(), b.writer());
        Parallel!(measure(a.writer(), b.reader()).on(placement)).unwrap();
    }

    fn law_8_a_deadline_that_has_passed_still_takes_what_is_ready(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, announced) = (c.reader(), ready.reader());
        let writer = Spawn!(announce_and_write(ready.writer(), c.writer(), 5).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        assert_eq!(r.read_deadline(Instant::now() - Duration::from_millis(1)), Ok(5));
        writer.join().unwrap().unwrap();
    }
}

alone! {
    fn law_8_timers_that_lose_leave_nothing_behind() {
        let before = (descriptors(), threads(&["source", "drain"]));
        let c = Channel::new();
        let (sent, count) = Parallel!(
            source(c.writer(), 5000).on(Placement::Thread),
            drain(c.reader()).on(Placement::Thread),
        )
        .unwrap();
        sent.unwrap();
        assert_eq!(count, 5000);
        assert_eq!((descriptors(), threads(&["source", "drain"])), before);
    }
}

once! {
    fn law_8_a_timeout_beyond_the_clock_is_no_timeout() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let writer = std::thread::spawn(move || w.write_timeout(1_u64, Duration::MAX).is_ok());
        assert_eq!(r.read_timeout(Duration::MAX), Ok(1));
        assert!(writer.join().unwrap());
        assert!(r.read_timeout(Duration::MAX).unwrap_err().is_retired());
    }

    fn law_8_a_timeout_of_zero_takes_what_is_ready() {
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        assert!(r.read_timeout(Duration::ZERO).unwrap_err().is_timed_out());
        assert!(w.write_timeout(1, Duration::ZERO).unwrap_err().is_timed_out());
    }
}
