//! Two processes sleep at the same time and say goodbye.
//!
//! # Shows
//! That a call of a `#[process]` function runs nothing, that `Parallel!` runs processes of the operating system side by
//! side and waits for all of them, and that it gives back what they return. Nothing has to be set up in `main`.
//!
//! # Run
//! ```text
//! cargo run --example hello -- [MILLISECONDS] [--placement process|thread]
//! ```
//! MILLISECONDS is how long each process sleeps, 1000 unless said otherwise. Both sleep at once, so the program takes
//! about as long as one of them.
//!
//! # Prints
//! ```text
//! P1 exiting
//! P2 exiting
//! Terminating
//! ```
//! The first two lines come in either order.

mod arguments;

use arguments::{Arguments, Size};
use csproc::prelude::*;
use std::thread::sleep;
use std::time::Duration;

#[process(name = "P1")]
fn first(pause: Duration) -> u32 {
    sleep(pause);
    println!("P1 exiting");
    std::process::id()
}

#[process(name = "P2")]
fn second(pause: Duration) -> u32 {
    sleep(pause);
    println!("P2 exiting");
    std::process::id()
}

fn main() -> csproc::Result<()> {
    let milliseconds = Size { of: "milliseconds", default: 1000, limits: 0..=60_000 };
    let Arguments { placement, sizes: [milliseconds], flags: [] } =
        Arguments::read(include_str!("hello.rs"), [milliseconds], []);
    let pause = Duration::from_millis(milliseconds as u64);

    let (first, second) = Parallel!(first(pause).on(placement), second(pause).on(placement))?;
    println!("Terminating");

    let here = std::process::id();
    match placement {
        Placement::Process => {
            assert!(first != here && second != here && first != second, "three processes, three numbers")
        }
        _ => assert!(first == here && second == here, "threads live in the process that starts them"),
    }
    Ok(())
}
