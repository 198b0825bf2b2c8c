//! A lifetime parameter is reported once, where it is declared; what it is used for says its own part.

use csproc::prelude::*;

#[process]
fn longest<'a>(names: Vec<&'a str>) -> u64 {
    names.len() as u64
}

#[process]
fn unused<'a, 'b: 'a, T: Message>(value: T) {
    drop(value);
}

fn main() {
    let _ = longest(vec!["a"]).run();
    let _ = unused(1u64).run();
}
