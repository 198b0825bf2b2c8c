//! A pattern that not every value matches.

use csproc::prelude::*;

fn main() {
    let r = Channel::<Option<u64>>::new().reader();
    let _ = AltSelect! {
        Some(v) = r.read() => v,
        skip => 0,
    };
}
