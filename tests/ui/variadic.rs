//! Variadic arguments.

use csproc::prelude::*;

#[process]
unsafe extern "C" fn printf(format: String, _: ...) {
    drop(format);
}

fn main() {
    let _ = printf(String::new()).run();
}
