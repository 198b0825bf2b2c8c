//! A composition whose result is dropped.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

#[deny(unused_must_use)]
fn main() {
    Parallel!(worker(1));
    network!(worker(1));
}
