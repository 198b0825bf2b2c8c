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
//! cargo run --release --example mandelbrot -- [WORKERS] [WIDTH] [--out FILE.png] [--placement process|thread]
//! ```
//! WORKERS is the number of workers, 4 unless said otherwise; WIDTH is that of the picture in points, 300 unless said
//! otherwise, and the height is two thirds of it. The picture is written to FILE.png if one is given.
//!
//! # Prints
//! ```text
//! 4 workers, 300 x 200 points: 15240 in the set, checksum 3d7ecb1e99f46535
//! ```
//! The picture is the same for any number of workers. It is checked to be its own reflection in the real axis, which
//! nobody made use of.

mod arguments;

use arguments::{Arguments, Size};
use csproc::prelude::*;
use std::fs::File;
use std::io::BufWriter;
use std::process::exit;

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
    for place in jobs {
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
fn write_picture(file: &str, points: &[u8], width: usize, height: usize) -> csproc::Result<()> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(file)?), width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&points.iter().map(|steps| STEPS - steps).collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(())
}

/// Where `--out FILE.png` or `--out=FILE.png` says that the picture goes, after the words that say so.
fn out() -> ([String; 2], Option<String>) {
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let Some(word) = words.find(|word| word == "--out" || word.starts_with("--out=")) else {
        return Default::default();
    };
    let (said, file) = match word.strip_prefix("--out=") {
        Some(file) => ([word.clone(), word.clone()], Some(file.to_owned())),
        None => {
            let file = words.next();
            ([word, file.clone().unwrap_or_default()], file)
        }
    };
    match file {
        Some(file) if file.ends_with(".png") => (said, Some(file)),
        // The rest of the arguments is looked at later; a call for help among them goes first.
        Some(help) if help == "--help" || help == "-h" => (said, None),
        _ => {
            eprintln!("error: `--out` needs a file whose name ends in `.png`; `--help` says what can be written");
            exit(2)
        }
    }
}

fn main() -> csproc::Result<()> {
    let workers = Size { of: "workers", default: 4, limits: 1..=500 };
    let width = Size { of: "points", default: 300, limits: 3..=6000 };
    let (said, file) = out();
    let Arguments { placement, sizes: [workers, width], .. } =
        Arguments::read(include_str!("mandelbrot.rs"), [workers, width], said.each_ref().map(String::as_str));
    let height = width * 2 / 3;

    let (jobs, results) = (Channel::new(), Channel::new());
    let (picture, worked) = Parallel!(
        manager(jobs.writer(), results.reader(), height).on(placement),
        for number in 0..workers => {
            worker(jobs.reader(), results.writer(), width, height).named(format!("worker {number}")).on(placement)
        },
    )?;
    worked.into_iter().collect::<csproc::Result<()>>()?;
    let picture = picture?;

    assert!(picture.iter().eq(picture.iter().rev()), "a point and its conjugate take the same steps");
    let points = picture.concat();
    assert_eq!(points.len(), width * height);
    let inside = points.iter().filter(|steps| **steps == STEPS).count();
    let checksum = checksum(&points);
    println!("{workers} workers, {width} x {height} points: {inside} in the set, checksum {checksum:016x}");
    if let Some(file) = file {
        write_picture(&file, &points, width, height)?;
        println!("written to {file}");
    }
    Ok(())
}
