//! Components that know the time are never early, and lose nothing that they promise to keep.
//!
//! Knows nothing of being late: a busy machine may take as long as it likes.

use crate::stage::stream;
use csproc::plug::*;
use csproc::prelude::*;
use std::time::{Duration, Instant};

over_both! {
    fn a_regulator_has_a_value_for_each_tick(placement) {
        let (a, b) = (Channel::<u64>::new(), Channel::new());
        let r = b.reader();
        let (start, period) = (Instant::now(), Duration::from_millis(3));
        let network = network!(
            numbers(a.writer()).on(placement),
            regulate(period, a.reader(), b.writer()).on(placement),
        ).spawn().unwrap();
        let mut last = 0;
        for tick in 1..=10 {
            let value = r.read().unwrap();
            assert!(start.elapsed() >= period * tick && value >= last, "tick {tick}");
            last = value;
        }
        drop(r);
        network.join().values_or_end().unwrap();
    }

    fn a_regulator_repeats_itself_when_nothing_comes_and_waits_for_no_reader(placement) {
        let (a, b) = (Channel::new(), Channel::new());
        let (w, r) = (a.writer(), b.reader());
        let regulator = Spawn!(regulate(Duration::from_millis(1), a.reader(), b.writer()).on(placement)).unwrap();
        w.write(0).unwrap();
        for round in 1..10 {
            // Nobody reads meanwhile, whatever the time.
            (0..100).try_for_each(|value| w.write(100 * round + value)).unwrap();
            assert!(r.iter().take(3).all(|value| value == 100 * round + 99));
        }
        drop((w, r));
        // It may have had the last value in hand.
        let _ = regulator.join().unwrap();
    }

    fn the_last_value_passes_a_regulator_however_early_the_stream_ends(placement) {
        for count in [0, 1, 2, 100] {
            let start = Instant::now();
            let period = Duration::from_millis(5);
            let passed: Vec<u64> = stream((0..count).collect(), |i, o| regulate(period, i, o).on(placement));
            assert_eq!(passed.last().copied(), count.checked_sub(1));
            assert!(passed.is_sorted() && start.elapsed() >= period * u32::try_from(passed.len()).unwrap());
        }
    }

    fn a_delay_keeps_the_order_and_the_time(placement) {
        let (start, delay) = (Instant::now(), Duration::from_millis(2));
        let passed: Vec<u64> = stream((0..10).collect(), |i, o| fixed_delay(delay, i, o).on(placement));
        assert!(passed.into_iter().eq(0..10) && start.elapsed() >= 10 * delay);
    }
}
