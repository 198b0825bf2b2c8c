//! Sixteen arguments are the most; the seventeenth is where the error stands.

use csproc::prelude::*;

#[process]
fn wide(
    _a0: u8,
    _a1: u8,
    _a2: u8,
    _a3: u8,
    _a4: u8,
    _a5: u8,
    _a6: u8,
    _a7: u8,
    _a8: u8,
    _a9: u8,
    _a10: u8,
    _a11: u8,
    _a12: u8,
    _a13: u8,
    _a14: u8,
    _a15: u8,
    _a16: Vec<u8>,
) {
}

fn main() {
    let _ = wide(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, vec![]).run();
}
