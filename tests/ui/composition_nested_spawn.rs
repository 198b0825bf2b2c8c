//! `Spawn!` gives a child, which is no part.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(worker(1), Spawn!(worker(2)));
}
