//! A `for` part without `in`.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(for i 0..4 => worker(i));
    let _ = Parallel!(for (i, j) of [(1, 2)] => worker(i + j));
}
