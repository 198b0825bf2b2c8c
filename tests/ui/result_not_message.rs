//! A result that cannot be serialized is named, at its type, and nowhere else: not where the process is run.

use csproc::prelude::*;

pub struct Report {
    pub lines: u64,
}

#[process]
fn count(input: Reader<String>) -> Report {
    Report {
        lines: input.into_iter().count() as u64,
    }
}

fn main() {
    let c = Channel::<String>::new();
    let _ = count(c.reader()).run();
    let _ = Parallel!(count(c.reader()), count(c.reader()) * 2, for _ in 0..2 => count(c.reader()));
    let _ = Sequence!(count(c.reader()));
    let _ = network!(count(c.reader())).run();
    let _ = Spawn!(count(c.reader())).unwrap().join();
    let _ = csproc::Supervisor::new(csproc::Strategy::OneForOne).child(count(c.reader()));
}
