//! An argument that cannot be serialized is named, at its type.

use csproc::prelude::*;

struct Job {
    number: u64,
}

#[process]
fn work(out: Writer<u64>, job: Job, n: u64) -> csproc::Result<()> {
    out.write(job.number + n)?;
    Ok(())
}

fn main() {
    let c = Channel::<u64>::new();
    let _ = work(c.writer(), Job { number: 1 }, 2).run();
}
