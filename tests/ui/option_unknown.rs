//! An unknown option is named, the valid ones are listed, and the process is there all the same.

use csproc::prelude::*;

#[process(nmae = "adder")]
fn sum(input: Reader<u64>) -> u64 {
    input.into_iter().sum()
}

#[process(thread, detached, "adder")]
fn double(n: u64) -> u64 {
    2 * n
}

fn main() {
    let c = Channel::<u64>::new();
    let _ = sum(c.reader()).named("adder").run();
    let _ = double(4).run();
}
