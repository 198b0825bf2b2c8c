//! A type parameter needs the bound that its values are messages.

use csproc::prelude::*;

#[process]
fn keep<T: Clone>(value: T) {
    drop(value);
}

fn main() {
    let _ = keep(1u64).run();
}
