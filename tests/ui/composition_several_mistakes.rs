//! All mistakes of one composition are reported together, and its value reports nothing.

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> u64 {
    n
}

fn main() -> csproc::Result<()> {
    let (a, b, c) = Parallel!(worker(1); worker(2), for i in 0..3 { worker(i) }, network!(,))?;
    assert_eq!(a + b, c);
    Ok(())
}
