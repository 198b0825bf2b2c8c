//! A process that is dropped was never run.

#![deny(unused_must_use)]

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
    source(c.writer(), 10);
}
