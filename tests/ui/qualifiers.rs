//! `async`, `unsafe`, `const`, `extern` and variadic functions are no processes.

use csproc::prelude::*;

#[process]
async fn asynchronous(n: u64) -> u64 {
    n
}

#[process]
unsafe fn dangerous(n: u64) -> u64 {
    n
}

#[process]
const fn constant(n: u64) -> u64 {
    n
}

#[process]
extern "C" fn foreign(n: u64) -> u64 {
    n
}

#[process]
pub const unsafe extern "C" fn everything(n: u64) -> u64 {
    n
}

fn main() {
    let _ = Parallel!(
        asynchronous(1),
        dangerous(2),
        constant(3),
        foreign(4),
        everything(5)
    );
}
