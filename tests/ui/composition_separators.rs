//! Parts are separated by single commas.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(worker(1); worker(2));
    let _ = Parallel!(worker(1), worker(2););
    let _ = Parallel!(worker(1),, worker(2));
    let _ = Parallel!(, worker(1));
    let _ = Parallel!(worker(1) worker(2));
    let _ = Parallel!(i in 0..4 => worker(i));
    let _ = Parallel!(worker(1), Sequence!(worker(2); worker(3)));
}
