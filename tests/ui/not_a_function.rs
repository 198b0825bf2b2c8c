//! The attribute on what is no function.

use csproc::prelude::*;

#[process]
struct Worker {
    out: Writer<u64>,
}

#[process]
impl Worker {
    fn run(self) {}
}

#[process]
mod workers {}

#[process]
pub enum Kind {
    One,
}

#[process]
static WORKERS: u64 = 4;

fn main() {
    let c = Channel::<u64>::new();
    let worker = Worker { out: c.writer() };
    worker.run();
}
