//! `impl Trait` has no name to send, as an argument or a result, and at any depth.

use csproc::prelude::*;

#[process]
fn consume(values: impl Iterator<Item = u64> + Send) {
    values.for_each(drop);
}

#[process]
fn nested(_out: Writer<u64>, _values: Vec<Option<impl Copy>>) {}

#[process]
fn produce(n: u64) -> impl Iterator<Item = u64> {
    0..n
}

#[process]
fn fallible(n: u64) -> csproc::Result<impl Clone> {
    Ok(n)
}

fn main() {
    let _ = consume(0..4).named("consumer").run();
    let _ = produce(4).named("producer").run();
}
