//! Only plain data is shared by a value or an array, and only integers by an atomic.

use csproc::prelude::*;
use csproc::shared::Atomic;

#[process]
fn count(names: Value<String>) {
    drop(names);
}

#[process]
fn mark(_flags: Vec<Array<bool>>, _share: Option<Atomic<f64>>) {}

#[process]
fn fill(_texts: Option<csproc::shared::Region<String>>) {}

#[process]
fn generic<T: Message>(_value: csproc::shared::Value<T>) {}

fn main() {
    let flag = Value::new(true);
    let letters: Array<char> = "letters".chars().collect();
    let half = Atomic::new(0.5);
    drop((flag, letters, half));
}
