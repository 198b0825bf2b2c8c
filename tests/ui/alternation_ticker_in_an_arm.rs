//! A ticker that is made in an arm: a warning, made an error here.

#![deny(warnings)]

use csproc::prelude::*;
use std::time::Duration;

fn main() {
    let r = Channel::<u32>::new().reader();
    let _ = AltSelect! {
        _t = tick(Duration::from_secs(1)) => 0,
        v = r.read() => v,
    };
    let ticker = tick(Duration::from_secs(1));
    let _ = AltSelect! {
        _t = ticker => 0,
        v = r.read() => v,
    };
}
