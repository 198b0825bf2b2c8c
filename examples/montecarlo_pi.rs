//! A farm of workers estimates π by throwing darts.
//!
//! # Shows
//! A channel that many readers share: whichever worker is free takes the next job. The results come back as what the workers
//! return, in one `Vec` for the `for` part of `Parallel!`.
//!
//! # Run
//! ```text
//! cargo run --example montecarlo_pi -- [WORKERS] [SAMPLES] [--placement process|thread]
//! ```
//! WORKERS is the number of workers, 4 unless said otherwise; SAMPLES is the number of darts, 1_000_000 unless said otherwise.
//!
//! # Prints
//! ```text
//! 4 workers, 1000000 samples: pi is about 3.14089
//! ```
//! The darts depend on the job and not on who does it, so the same SAMPLES give the same estimate in every run. The estimate
//! is checked to lie within five standard deviations of π.

mod arguments;

use arguments::{Arguments, Size};
use csproc::prelude::*;
use std::f64::consts::PI;

/// Large enough that the work outweighs the hand-over, small enough that no worker is idle for long at the end.
const SAMPLES_PER_JOB: usize = 10_000;

/// So many darts, from a place in the sequence of random numbers that belongs to the job.
#[derive(serde::Serialize, serde::Deserialize)]
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

#[process]
fn farmer(jobs: Writer<Job>, samples: usize) -> csproc::Result<()> {
    for (number, start) in (0..samples).step_by(SAMPLES_PER_JOB).enumerate() {
        jobs.write(Job { number: number as u64, samples: SAMPLES_PER_JOB.min(samples - start) })?;
    }
    Ok(())
}

/// Takes jobs until there are no more; returns how many darts it threw, and how many hit the quarter circle.
#[process]
fn worker(jobs: Reader<Job>) -> (usize, usize) {
    let (mut thrown, mut hits) = (0, 0);
    for Job { number, samples } in jobs {
        let mut random = Random::of_job(number);
        for _ in 0..samples {
            let (x, y) = (random.fraction(), random.fraction());
            hits += usize::from(x * x + y * y < 1.0);
        }
        thrown += samples;
    }
    (thrown, hits)
}

fn main() -> csproc::Result<()> {
    let workers = Size { of: "workers", default: 4, limits: 1..=500 };
    let samples = Size { of: "samples", default: 1_000_000, limits: 1..=1_000_000_000_000 };
    let Arguments { placement, sizes: [workers, samples], flags: [] } =
        Arguments::read(include_str!("montecarlo_pi.rs"), [workers, samples], []);

    let jobs = Channel::new();
    let (handed_out, results) = Parallel!(
        farmer(jobs.writer(), samples).on(placement),
        for number in 0..workers => worker(jobs.reader()).named(format!("worker {number}")).on(placement),
    )?;
    handed_out?;

    let (thrown, hits) = results.iter().fold((0, 0), |sum, result| (sum.0 + result.0, sum.1 + result.1));
    assert_eq!(thrown, samples, "every job is done once");
    let estimate = 4.0 * hits as f64 / thrown as f64;
    let deviation = (PI * (4.0 - PI) / thrown as f64).sqrt();
    assert!((estimate - PI).abs() < 5.0 * deviation, "{estimate} is too far from {PI}");
    println!("{workers} workers, {samples} samples: pi is about {estimate:.5}");
    Ok(())
}
