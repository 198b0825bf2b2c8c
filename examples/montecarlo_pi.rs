//! A farm of workers estimates π by throwing darts.
//!
//! # Shows
//! A channel that many readers share: whichever worker is free takes the next job. The farmer gives jobs out and takes
//! results in, whichever comes first: an alternation with a writing and a reading guard.
//!
//! Kill a worker while it runs: the program ends with an error that names it. With `--restart` it is started again with
//! the ends it had. That alone would lose the job that died with it: the farmer would wait for its result for ever. So
//! the farmer keeps each job until its result has come, and gives it to somebody else; the estimate is the same as
//! ever.
//!
//! # Run
//! ```text
//! cargo run --example montecarlo_pi -- [WORKERS] [SAMPLES] [--restart]
//! ```
//!
//! # Prints
//! ```text
//! 4 workers, 1000000 samples: pi is about 3.14089
//! ```
//! The darts depend on the job and not on who does it, so the same SAMPLES give the same estimate in every run. The
//! estimate is checked to lie within five standard deviations of π.

use clap::Parser;
use csproc::prelude::*;
use std::collections::VecDeque;
use std::f64::consts::PI;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Large enough that the work outweighs the hand-over, small enough that no worker is idle for long at the end.
const SAMPLES_PER_JOB: usize = 10_000;

/// So many darts, from a place in the sequence of random numbers that belongs to the job.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Job {
    number: u64,
    samples: usize,
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and good enough for darts.
struct Random(u64);

impl Random {
    fn of_job(number: u64) -> Random {
        // Consecutive jobs start far from each other.
        Random(Random(number).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, but not including, 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Gives the jobs out and takes the results in; returns how many darts were thrown, and how many hit the quarter
/// circle.
///
/// A worker that crashed has taken a job along. So when all were given out once, those without a result are given out
/// again, to whoever asks; the first result counts.
#[process]
fn farmer(jobs: Writer<Job>, results: Reader<(u64, usize)>, samples: usize) -> csproc::Result<(usize, usize)> {
    let job = |(number, start)| Job { number: number as u64, samples: SAMPLES_PER_JOB.min(samples - start) };
    // Those without a result. The first is the next to be given out, and becomes the last.
    let mut open: VecDeque<Job> = (0..samples).step_by(SAMPLES_PER_JOB).enumerate().map(job).collect();
    let (mut thrown, mut hits) = (0, 0);
    while let Some(next) = open.front().copied() {
        AltSelect! {
            jobs.write(next) => open.rotate_left(1),
            (number, hit) = results.read() => {
                // A job that was given out twice has two results, and the first counts.
                let place = open.iter().rposition(|job| job.number == number);
                if let Some(job) = place.and_then(|place| open.remove(place)) {
                    thrown += job.samples;
                    hits += hit;
                }
            },
        }?;
    }
    Ok((thrown, hits))
}

/// Does jobs until there are no more.
#[process]
fn worker(jobs: Reader<Job>, results: Writer<(u64, usize)>) -> csproc::Result<()> {
    for job in jobs.results() {
        let Job { number, samples } = job?;
        let mut random = Random::of_job(number);
        let mut hits = 0;
        for _ in 0..samples {
            let (x, y) = (random.fraction(), random.fraction());
            hits += usize::from(x * x + y * y < 1.0);
        }
        // Fails when the farmer has all results, this one from somebody else.
        results.write((number, hits))?;
    }
    Ok(())
}

/// Estimates π by throwing darts, with a farm.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: usize,
    /// How many darts are thrown: 1 to 10000000000
    #[arg(default_value_t = 1_000_000, allow_negative_numbers = true, value_parser = within(1..=10_000_000_000))]
    samples: usize,
    /// A worker that crashed is started again
    #[arg(long)]
    restart: bool,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, samples, restart } = Arguments::parse();
    let on_crash = match restart {
        true => OnCrash::Restart { max: 100, within: Duration::from_secs(10) },
        false => OnCrash::Poison,
    };

    let (jobs, results) = (Channel::new(), Channel::new());
    // A worker that has nobody to give its result to has come to its end, not to an error.
    let (sum, _) = Parallel!(
        farmer(jobs.writer(), results.reader(), samples),
        for _ in 0..workers => worker(jobs.reader(), results.writer()).on_crash(on_crash),
    )
    .values_or_end()?;
    let (thrown, hits) = sum.ok_or_else(|| csproc::Error::msg("the workers have ended before the farmer"))?;

    assert_eq!(thrown, samples, "every job is done once");
    let estimate = 4.0 * hits as f64 / thrown as f64;
    let deviation = (PI * (4.0 - PI) / thrown as f64).sqrt();
    assert!((estimate - PI).abs() < 5.0 * deviation, "{estimate} is too far from {PI}");
    println!("{workers} workers, {samples} samples: pi is about {estimate:.5}");
    Ok(())
}
