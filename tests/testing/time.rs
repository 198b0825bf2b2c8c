//! The laws of timers, in virtual time.
//!
//! Knows nothing of clocks of the system.

use super::cast::{always, sees_all, write_once};
use csproc::prelude::*;
use csproc::testing::{replay, schedule};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

#[process]
fn naps() -> Duration {
    let start = csproc::time::now();
    csproc::time::sleep(HOUR);
    csproc::time::now() - start
}

#[test]
fn hours_pass_at_once_and_exactly() {
    let start = Instant::now();
    let run = replay("csp1:00", naps);
    assert_eq!(run.result(), Some(&HOUR));
    assert!(start.elapsed() < HOUR);
    assert_eq!(run.trace()[0].at(), HOUR);
}

#[process]
fn gives_up(input: Reader<u32>) -> Result<u32, ChannelError> {
    input.read_timeout(HOUR)
}

#[process]
fn writes_after(out: Writer<u32>, wait: Duration) -> Result<(), ChannelError> {
    csproc::time::sleep(wait);
    out.write(1).map_err(ChannelError::from)
}

#[test]
fn a_timeout_fires_only_when_nobody_came_before() {
    let with = |wait| {
        let network = move || {
            let c = Channel::new();
            network!(gives_up(c.reader()), writes_after(c.writer(), wait))
        };
        sees_all(50, &schedule(), network, |run| {
            let (read, _) = run.result().unwrap_or_else(|| panic!("{run}"));
            format!("{read:?}")
        })
    };
    assert_eq!(with(HOUR / 2).into_iter().collect::<Vec<_>>(), ["Ok(1)"]);
    assert_eq!(with(HOUR * 2).into_iter().collect::<Vec<_>>(), ["Err(TimedOut)"]);
    // At the same moment, either.
    assert_eq!(with(HOUR).into_iter().collect::<Vec<_>>(), ["Err(TimedOut)", "Ok(1)"]);
}

#[process]
fn polls_until(input: Reader<u32>) -> Result<(u32, u32), ChannelError> {
    let mut polls = 0;
    loop {
        match input.try_read() {
            Ok(value) => return Ok((value, polls)),
            Err(error) if error.is_would_block() => polls += 1,
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn time_passes_for_others_while_somebody_polls() {
    let network = || {
        let c = Channel::new();
        network!(polls_until(c.reader()), writes_after(c.writer(), HOUR))
    };
    always(50, &schedule(), network, |run| run.completed() && matches!(run.result(), Some((Ok((1, _)), Ok(())))));
}

#[process]
fn ticks() -> Vec<u64> {
    let start = csproc::time::now();
    let tick = tick(Duration::from_secs(10));
    (0..3).filter_map(|_| AltSelect! { _at = tick => (csproc::time::now() - start).as_secs() }.ok()).collect()
}

#[test]
fn a_ticker_strikes_in_virtual_time() {
    assert_eq!(replay("csp1:00", ticks).result().unwrap(), &[10, 20, 30]);
}

#[process]
fn served_in_turn(input: Reader<u32>) -> csproc::Result<Vec<u32>> {
    csproc::time::sleep(HOUR);
    Ok(vec![input.read()?, input.read()?])
}

#[process]
fn comes_late(out: Writer<u32>) -> csproc::Result<()> {
    csproc::time::sleep(HOUR / 2);
    Ok(out.write(2)?)
}

#[test]
fn who_surely_came_before_is_served_before() {
    let network = || {
        let c = Channel::new();
        network!(write_once(c.writer(), 1), comes_late(c.writer()), served_in_turn(c.reader()))
    };
    always(50, &schedule(), network, |run| {
        run.result().is_some_and(|(.., got)| got.as_ref().is_ok_and(|got| *got == [1, 2]))
    });
}
