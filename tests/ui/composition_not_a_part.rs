//! A part that is no process is reported at that part.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn number() -> u64 {
    4
}

fn main() {
    let _ = Parallel!(worker(1), number());
    let _ = Parallel!(worker(1), "worker", worker(2));
    let _ = Parallel!(for i in 0..4 => i);
    let _ = Parallel!(worker(1), worker(2).run());
    let _ = Parallel!(worker);
}
