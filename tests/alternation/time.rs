//! Law 8 in alternations: timers are never early, of those that are due the policy chooses,
//! and those that lose leave nothing behind.
//!
//! Knows nothing of how late a timer may be: that depends on the machine, so no test has an upper bound.

use crate::harness::system::{descriptors, threads};
use crate::policy::{POLICIES, Policy};
use csproc::prelude::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

#[process]
fn source(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for i in 0..count {
        PriSelect! {
            after(Duration::from_secs(3600)) => panic!("an hour has passed"),
            out.write(i) => (),
        }?;
    }
    Ok(())
}

#[process]
fn drain(input: Reader<u64>) -> u64 {
    let mut alt = Alternation::new();
    alt.after(Duration::from_secs(3600));
    let token = alt.read(&input);
    alt.at(Instant::now() + Duration::from_secs(3600));
    let mut count = 0;
    while let Ok(fired) = alt.fair_select() {
        assert_eq!(fired.take(token), count);
        count += 1;
    }
    count
}

/// Waits in vain, in every way, between two ends on which nothing happens.
#[process]
fn measure(out: Writer<u64>, input: Reader<u64>, micros: Vec<u64>, policy: Policy) {
    let durations: Vec<Duration> = micros.into_iter().map(Duration::from_micros).collect();
    let mut alt = Alternation::new();
    alt.read(&input);
    alt.write(&out, 1);
    for duration in &durations {
        alt.after(*duration);
    }
    for _ in 0..3 {
        let start = Instant::now();
        let fired = policy.select(&mut alt).unwrap().index() - 2;
        let elapsed = start.elapsed();
        assert!(elapsed >= durations[fired], "a timer for {:?} fired after {elapsed:?}", durations[fired]);
    }
    let shortest = durations.iter().min().copied().unwrap();
    let deadline = Instant::now() + shortest;
    PriSelect! {
        _v = input.read() => panic!("nobody writes"),
        at(deadline) => assert!(Instant::now() >= deadline),
        after(shortest + Duration::from_secs(3600)) => panic!("an hour has passed"),
    }
    .unwrap();
}

over_both! {
    fn timers_in_alternations_are_never_early(placement) {
        let config = ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() };
        let micros = prop::collection::vec(0_u64..4000, 1..5);
        proptest!(config, |(micros in micros, policy in prop::sample::select(&POLICIES[..]))| {
            // Two channels, so that the guards do not meet.
            let (a, b) = (Channel::new(), Channel::new());
            let _others = (a.reader(), b.writer());
            Parallel!(measure(a.writer(), b.reader(), micros, policy).on(placement)).unwrap();
        });
    }
}

once! {
    fn the_earliest_of_several_timers_fires() {
        let now = Instant::now();
        for earliest in 0..4 {
            for policy in POLICIES {
                let mut alt = Alternation::new();
                for place in 0..4 {
                    alt.at(now + Duration::from_secs(if place == earliest { 0 } else { 3600 }));
                }
                assert_eq!(policy.select(&mut alt).unwrap().index(), earliest);
            }
        }
    }

    fn a_timer_that_the_clock_cannot_express_never_fires() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let writer = std::thread::spawn(move || {
            PriSelect! {
                after(Duration::MAX) => false,
                w.write(5_u64) => true,
            }
        });
        let mut alt = Alternation::new();
        alt.after(Duration::MAX);
        let input = alt.read(&r);
        assert_eq!(alt.select().unwrap().take(input), 5);
        assert!(writer.join().unwrap().unwrap());
        // With nothing else to wait for but the end of the channel.
        assert!(alt.select().unwrap_err().is_retired());
    }

    fn a_timer_that_has_passed_has_its_turn_among_what_is_ready() {
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        w.write(1_u64).unwrap();
        let first = PriSelect! {
            at(Instant::now()) => 'a',
            _v = r.read() => 'b',
        };
        assert_eq!(first.unwrap(), 'a');
        let second = PriSelect! {
            _v = r.read() => 'b',
            at(Instant::now()) => 'a',
        };
        assert_eq!(second.unwrap(), 'b');
    }
}

/// Reads from a channel that always has something, and takes the ticks that come between.
fn ticks(count: usize, period: Duration, mut select: impl FnMut(&Reader<u64>) -> Option<Instant>) -> Vec<Instant> {
    let c = Channel::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    let mut ticks = Vec::new();
    w.write(0).unwrap();
    while ticks.len() < count {
        let before = Instant::now();
        match select(&r) {
            None => w.write(0).unwrap(),
            Some(tick) => {
                // Never early, and of several that are due the last.
                assert!(tick <= Instant::now() && tick + period > before, "{tick:?}, {before:?}");
                ticks.push(tick);
            }
        }
    }
    ticks
}

/// Each tick is whole periods after the one before: a late one does not shift those that follow it.
fn assert_in_phase(start: Instant, period: Duration, ticks: &[Instant]) {
    assert!(ticks[0] >= start + period);
    for pair in ticks.windows(2) {
        let between = (pair[1] - pair[0]).as_nanos();
        assert!(between > 0 && between.is_multiple_of(period.as_nanos()), "{between} ns between two ticks");
    }
}

once! {
    fn a_ticker_keeps_its_phase_whatever_else_fires() {
        let period = Duration::from_micros(300);
        let start = Instant::now();
        let ticker = tick(period);
        let fair = ticks(20, period, |r| FairSelect! { t = ticker => Some(t), _v = r.read() => None }.unwrap());
        assert_in_phase(start, period, &fair);
        let pri = ticks(20, period, |r| PriSelect! { t = ticker => Some(t), _v = r.read() => None }.unwrap());
        assert_in_phase(start, period, &pri);
        // From one place to the next, too.
        assert_in_phase(start, period, &[fair[19], pri[0]]);
    }

    fn a_ticker_keeps_its_phase_in_a_set() {
        let period = Duration::from_micros(300);
        for policy in POLICIES {
            let start = Instant::now();
            let mut alt = Alternation::new();
            let own = alt.tick(period);
            let mut reader = None;
            let found = ticks(20, period, |r| {
                let input = *reader.get_or_insert_with(|| alt.own_reader(r.clone()));
                let fired = policy.select(&mut alt).unwrap();
                if fired.is(own) { Some(fired.take(own)) } else { Some(fired.take(input)).and(None) }
            });
            assert_in_phase(start, period, &found);
            // What comes back goes on where it was.
            let ticker = alt.remove(own);
            let mut other = Alternation::new();
            let lent = other.guard(&ticker);
            let next = other.select().unwrap().take(lent);
            assert_in_phase(start, period, &[found[19], next]);
        }
    }

    fn ticks_that_nobody_waited_for_are_one() {
        let period = Duration::from_millis(2);
        let ticker = tick(period);
        let start = Instant::now();
        PriSelect! { at(start + 10 * period) => () }.unwrap();
        let before = Instant::now();
        let last = PriSelect! { t = ticker => t, skip => panic!("a tick is due") }.unwrap();
        assert!(last + period > before && last <= Instant::now());
        // The next one is another period.
        assert_eq!(PriSelect! { t = ticker => t }.unwrap().duration_since(last).as_nanos() % period.as_nanos(), 0);
        ticker.reset();
        let reset = Instant::now();
        assert!(PriSelect! { t = ticker => t }.unwrap() + Duration::from_millis(1) > reset);
    }

    fn a_ticker_of_odd_periods() {
        let always = tick(Duration::ZERO);
        for _ in 0..3 {
            PriSelect! { _t = always => (), skip => panic!("it is always due") }.unwrap();
        }
        let never = tick(Duration::MAX);
        PriSelect! { _t = never => panic!("it never comes"), after(Duration::from_millis(1)) => () }.unwrap();
        never.reset();
        assert_eq!(never.period(), Duration::MAX);
    }

    /// Made in an arm it is a timer of one selection.
    #[expect(deprecated, reason = "warned of")]
    fn a_ticker_that_is_made_in_an_arm_fires() {
        let c = Channel::<u64>::new();
        let (_w, r) = (c.writer(), c.reader());
        let start = Instant::now();
        AltSelect! { _t = tick(Duration::from_millis(1)) => (), _v = r.read() => panic!("nobody writes") }.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(1));
    }
}

alone! {
    fn timers_that_lose_leave_nothing_behind() {
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

/// Both timers become due while the alternation sleeps, again and again; how often each of them fired.
fn fired_together(mut select: impl FnMut(Instant) -> usize) -> [u32; 2] {
    let mut fired = [0; 2];
    for _ in 0..100 {
        fired[select(Instant::now() + Duration::from_millis(1))] += 1;
    }
    fired
}

#[test]
fn of_timers_that_become_due_together_the_policy_chooses() {
    let ordered = fired_together(|due| PriSelect! { at(due) => 0, at(due) => 1 }.unwrap());
    assert_eq!(ordered, [100, 0]);
    let random = fired_together(|due| AltSelect! { at(due) => 0, at(due) => 1 }.unwrap());
    assert!(random.iter().all(|count| *count >= 20), "{random:?}");
    let in_turn = fired_together(|due| FairSelect! { at(due) => 0, at(due) => 1 }.unwrap());
    assert_eq!(in_turn, [50, 50]);
}
