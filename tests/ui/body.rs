//! Errors inside the body stand where the user wrote them.

use csproc::prelude::*;

#[process]
fn relay(input: Reader<u64>, out: Writer<String>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

#[process]
fn sum(input: Reader<u64>) -> u64 {
    let total = input.into_iter().sum::<u64>().to_string();
    total
}

fn main() {}
