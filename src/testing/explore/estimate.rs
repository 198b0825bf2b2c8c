//! `Estimate`: how many schedules there are, before they are explored.
//!
//! Knows nothing of what is left out when they are.

use super::super::plan::Numbers;
use super::super::simulate::decided_by;
use super::{Explore, MOST_EVENTS};
use crate::engine::sim::{Choice, Kind, Purpose, STOP, Scheduler};
use crate::process::Runnable;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// So many runs are made.
const PROBES: u32 = 100;

/// How many schedules a network has, about, if each order of its events counts.
///
/// # Examples
/// See [`Explore::estimate`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// About so many, before those that are equivalent are left out.
    pub schedules: f64,
    /// The events of the longest run that was seen.
    pub events: usize,
    /// How long a run takes.
    pub run: Duration,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { schedules, events, run } = self;
        let time = schedules * run.as_secs_f64();
        write!(f, "about {schedules:.1e} schedules of up to {events} events, {run:.1?} each: ")?;
        match time {
            ..1e4 => write!(f, "at most {time:.1} s"),
            _ => write!(f, "at most {time:.0e} s"),
        }?;
        f.write_str(", and much less if many of them are equivalent")
    }
}

impl Explore {
    /// About how many schedules there are, by the choices that were met in some random runs (Knuth, *Estimating the
    /// efficiency of backtrack programs*, 1975). Those that are equivalent are counted: fewer are explored.
    ///
    /// # Blocking
    /// For a hundred runs.
    ///
    /// # Panics
    /// The closure panics; or no memory is left.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::explore;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> Vec<u8> {
    ///     input.into_iter().collect()
    /// }
    ///
    /// let network = || {
    ///     let c = Channel::new();
    ///     network!(for _ in 0..4 => source(c.writer()), sink(c.reader()))
    /// };
    /// let estimate = explore().estimate(network);
    /// let explored = explore().check(network).unwrap();
    /// assert!(estimate.schedules > explored.executions as f64, "{estimate}, {explored}");
    /// ```
    #[track_caller]
    pub fn estimate<N: Runnable>(&self, mut build: impl FnMut() -> N) -> Estimate {
        let place = Location::caller();
        let most = self.events.unwrap_or(MOST_EVENTS);
        let (mut schedules, mut events, started) = (0.0, 0, Instant::now());
        for number in 1..=PROBES {
            let mut probe = Probe {
                numbers: Numbers::after(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                left: self.faults.clone(),
                schedules: 1.0,
                events: 0,
                most,
            };
            let _ = decided_by(&mut probe, most, Purpose::First, place, &mut build);
            schedules += probe.schedules / f64::from(PROBES);
            events = events.max(probe.events);
        }
        Estimate { schedules, events, run: started.elapsed() / PROBES }
    }
}

/// Goes one way at random, and multiplies how many there were.
#[derive(Debug)]
struct Probe {
    numbers: Numbers,
    left: super::Faults,
    schedules: f64,
    events: usize,
    most: usize,
}

impl Scheduler for Probe {
    fn decide(&mut self, options: &[Choice]) -> usize {
        if self.events == self.most {
            return STOP;
        }
        self.events += 1;
        self.schedules *= options.len() as f64;
        let chosen = self.numbers.below(options.len());
        self.left.take(options[chosen].kind);
        chosen
    }

    fn allows_any(&self) -> bool {
        self.left.are_left()
    }

    fn allows(&self, fault: Kind) -> bool {
        self.left.count(fault) > 0
    }

    fn meets(&self, process: &str) -> bool {
        self.left.meets(process)
    }

    fn is_lossy(&self, channel: &str) -> bool {
        self.left.is_lossy(channel)
    }

    fn is_in_order(&self, channel: &str) -> bool {
        self.left.is_in_order(channel)
    }
}
