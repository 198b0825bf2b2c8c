//! Guards that are spelled wrong.

use csproc::prelude::*;

fn main() {
    let c = Channel::<u32>::new();
    let (w, r) = (c.writer(), c.reader());
    let _ = AltSelect! {
        v = r.read(1) => v,
        v = r.read::<u32>() => v,
        v = r.read()? => v,
        v = r.try_read() => v,
        v = r.read_timeout(std::time::Duration::from_millis(50)) => v,
        v = r.read_extended(|v| v) => v,
        v = w.write(1) => v,
        w.write() => 0,
        w.write(1, 2) => 0,
        after() => 0,
        at => 0,
        v = after(std::time::Duration::ZERO) => v,
        v = skip => v,
        skip() => 0,
    };
}
