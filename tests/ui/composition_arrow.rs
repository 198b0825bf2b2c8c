//! A `for` part without `=>`, or with another arrow.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(for i in 0..4 -> worker(i));
    let _ = Parallel!(worker(0), for i in 0..4 worker(i));
    let _ = Parallel!(for i in vec![1, 2] -> worker(i), worker(0));
    let _ = Parallel!(for i in 0..4, worker(1));
    let _ = Parallel!(for i in 0..4);
    let _ = Parallel!(for i in 0..4 =>);
}
