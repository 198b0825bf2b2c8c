//! A channel where one of its ends is due. The words are the compiler's: no library can add to them.

use csproc::prelude::*;

#[process]
fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
    for i in 0..n {
        out.write(i)?;
    }
    Ok(())
}

fn main() {
    let c = Channel::<u64>::new();
    let _ = source(c, 10).run();
}
