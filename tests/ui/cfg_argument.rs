//! An argument that exists in some configurations only.

use csproc::prelude::*;

#[process]
fn log(text: String, #[cfg(unix)] level: u8) {
    let _ = (text, level);
}

fn main() {}
