//! A type of the standard library that means nothing elsewhere, alone and inside another.

use csproc::prelude::*;
use std::time::Instant;

#[process]
fn wait(until: Instant) {
    while Instant::now() < until {}
}

#[process]
fn wait_for_all(until: Vec<Instant>) {
    drop(until);
}

fn main() {
    let _ = wait(Instant::now()).run();
}
