//! Two processes sleep at the same time and say goodbye.
//!
//! # Shows
//! That a function marked `#[process]` becomes a process: `Parallel!` runs two of them side by side, as processes of
//! the operating system, and waits for both. Nothing has to be set up.
//!
//! # Run
//! ```text
//! cargo run --example hello
//! ```
//! It takes one second, not two.
//!
//! # Prints
//! ```text
//! P1 exiting
//! P2 exiting
//! Terminating
//! ```
//! The first two lines come in either order.

use csproc::prelude::*;
use std::thread::sleep;
use std::time::Duration;

#[process]
fn p1() {
    sleep(Duration::from_secs(1));
    println!("P1 exiting");
}

#[process]
fn p2() {
    sleep(Duration::from_secs(1));
    println!("P2 exiting");
}

fn main() -> csproc::Result<()> {
    Parallel!(p1(), p2())?;
    println!("Terminating");
    Ok(())
}
