//! A `skip` that other guards follow: a warning, made an error here.

#![deny(warnings)]

use csproc::prelude::*;

fn main() {
    let r = Channel::<u32>::new().reader();
    let _ = PriSelect! {
        skip => 0,
        v = r.read() => v,
    };
    let _ = AltSelect! {
        skip => 0,
        v = r.read() => v,
    };
    let _ = PriSelect! {
        v = r.read() => v,
        skip if true => 0,
    };
}
