//! A farm computes the Mandelbrot set, row by row.
//!
//! # Shows
//! A manager that hands out work and takes results in, in one selection: an output guard with a precondition (there is
//! work left) next to an input guard. Handing out first and collecting later would need two processes, or a deadlock: a
//! worker that wants to give its result back takes no work. When the manager returns, the channel of jobs retires, and
//! so the workers know that there are no more.
//!
//! # Run
//! ```text
//! cargo run --release --example mandelbrot -- [WORKERS] [WIDTH] [FILE]
//! ```
//! Most viewers can show the file.
//!
//! # Prints
//! ```text
//! 4 workers, 300 x 200 points: 15240 in the set, checksum 3d7ecb1e99f46535
//! ```
//! The picture is the same for any number of workers. It is checked to be its own reflection in the real axis, which
//! nobody made use of.

use clap::Parser;
use csproc::prelude::*;
use std::fs::File;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// So many steps inside the circle of radius two count as staying there for ever.
const STEPS: u8 = u8::MAX;

/// One row of the picture: its place, and for each point after how many steps it leaves the circle.
#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    place: usize,
    points: Vec<u8>,
}

/// After how many steps of z² + c the point c leaves the circle of radius two.
fn steps(real: f64, imaginary: f64) -> u8 {
    let (mut x, mut y) = (0.0, 0.0);
    for step in 0..STEPS {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > 4.0 {
            return step;
        }
        y = 2.0 * x * y + imaginary;
        x = xx - yy + real;
    }
    STEPS
}

/// Computes the rows it gets the numbers of, from -2 to 1 and from -i to i, until there are no more.
#[process]
fn worker(jobs: Reader<usize>, results: Writer<Row>, width: usize, height: usize) -> csproc::Result<()> {
    // The middle of a point, from -1 to 1. Exact up to the division, so that opposite points differ in their signs
    // only.
    let middle = |place: usize, of: usize| ((2 * place + 1) as f64 - of as f64) / of as f64;
    for place in jobs.results() {
        let place = place?;
        let imaginary = middle(place, height);
        let points = (0..width).map(|column| steps(1.5 * middle(column, width) - 0.5, imaginary)).collect();
        results.write(Row { place, points })?;
    }
    Ok(())
}

/// Hands out the rows and puts the picture together.
#[process]
fn manager(jobs: Writer<usize>, results: Reader<Row>, height: usize) -> csproc::Result<Vec<Vec<u8>>> {
    let mut picture = vec![Vec::new(); height];
    let (mut handed_out, mut done) = (0, 0);
    while done < height {
        AltSelect! {
            jobs.write(handed_out) if handed_out < height => handed_out += 1,
            Row { place, points } = results.read() => {
                assert!(picture[place].is_empty(), "row {place} comes twice");
                picture[place] = points;
                done += 1;
            }
        }?;
    }
    Ok(picture)
}

/// FNV-1a, to compare pictures by.
fn checksum(points: &[u8]) -> u64 {
    let add = |sum: u64, point: &u8| (sum ^ u64::from(*point)).wrapping_mul(0x0100_0000_01b3);
    points.iter().fold(0xcbf2_9ce4_8422_2325, add)
}

/// The set is black, and what leaves the circle at once is white.
fn write_picture(file: &Path, points: &[u8], width: usize, height: usize) -> csproc::Result<()> {
    let mut file = File::create(file)?;
    writeln!(file, "P5 {width} {height} {STEPS}")?;
    file.write_all(&points.iter().map(|steps| STEPS - steps).collect::<Vec<_>>())?;
    Ok(())
}

/// Computes a picture of the Mandelbrot set with a farm.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: usize,
    /// How many points the picture is wide, and half as many again as it is high: 2 to 4000
    #[arg(default_value_t = 300, allow_negative_numbers = true, value_parser = within(2..=4000))]
    width: usize,
    /// A file that the picture is written to, in the format PGM
    file: Option<PathBuf>,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, width, file } = Arguments::parse();
    let height = width * 2 / 3;

    let (jobs, results) = (Channel::new(), Channel::new());
    let (picture, _) = Parallel!(
        manager(jobs.writer(), results.reader(), height),
        for _ in 0..workers => worker(jobs.reader(), results.writer(), width, height),
    )
    .values()?;

    assert!(picture.iter().eq(picture.iter().rev()), "a point and its conjugate take the same steps");
    let points = picture.concat();
    assert_eq!(points.len(), width * height);
    let inside = points.iter().filter(|steps| **steps == STEPS).count();
    let checksum = checksum(&points);
    println!("{workers} workers, {width} x {height} points: {inside} in the set, checksum {checksum:016x}");
    if let Some(file) = file {
        write_picture(&file, &points, width, height)?;
        println!("written to {}", file.display());
    }
    Ok(())
}
