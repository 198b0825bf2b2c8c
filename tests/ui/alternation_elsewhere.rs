//! The words for a time limit and for "nothing is ready" in Go and PyCSP lead to those used here.

use csproc::prelude::*;

fn main() -> csproc::Result<()> {
    let r = Channel::<u64>::new().reader();
    AltSelect! {
        v = r.read() => drop(v),
        timeout(5) => {},
        default => {}
    }?;
    Ok(())
}
