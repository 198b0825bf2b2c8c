//! Sixteen parts are the most; the seventeenth is where the error stands.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(
        worker(0),
        worker(1),
        worker(2),
        worker(3),
        worker(4),
        worker(5),
        worker(6),
        worker(7),
        worker(8),
        worker(9),
        worker(10),
        worker(11),
        worker(12),
        worker(13),
        worker(14),
        worker(15),
        worker(16),
        worker(17),
    );
}
