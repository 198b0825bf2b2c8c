//! References cannot be sent: each says what owned type to write.

use csproc::prelude::*;
use std::borrow::Cow;

#[process]
fn greet(_name: &str) {}

#[process]
fn total(_numbers: &[u64], _out: Writer<u64>) {}

#[process]
fn change(_counter: &mut u64) {}

#[process]
fn all(_names: Vec<&'static str>, _pairs: &[(u8, &str)]) {}

#[process]
fn first(_name: String) -> &'static str {
    "first"
}

#[process]
fn optional(_name: String) -> Option<&'static [u8]> {
    None
}

#[process]
fn borrowed(_name: Cow<'_, str>) {}

fn main() {
    let _ = greet("you").named("greeter").run();
    let _ = first(String::new()).run();
}
