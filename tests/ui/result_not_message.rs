//! A result that cannot be serialized is named, at its type.

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
}
