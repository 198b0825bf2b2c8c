//! The result, and what an arm binds, are to be used.

#![deny(warnings)]

use csproc::prelude::*;

fn main() {
    let r = Channel::<u64>::new().reader();
    AltSelect! {
        v = r.read() => (),
        skip => (),
    };
}
