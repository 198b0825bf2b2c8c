//! A `for` part is no loop with a body.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(for i in 0..3 {
        worker(i)
    });
    let numbers = vec![1, 2];
    let _ = Sequence!(for (_, n) in numbers.into_iter().enumerate() {
        worker(n);
    });
}
