//! The second of two equal options is the one that is wrong.

use csproc::prelude::*;

#[process(thread, name = "adder", thread)]
fn sum(input: Reader<u64>) -> u64 {
    input.into_iter().sum()
}

fn main() {
    let c = Channel::<u64>::new();
    let _ = sum(c.reader()).run();
}
