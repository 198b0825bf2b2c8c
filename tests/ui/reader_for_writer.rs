//! A reader where a writer is due.

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
    let _ = source(c.reader(), 10).run();
}
