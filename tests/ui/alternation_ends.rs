//! What is no guard, ends of the wrong kind, and a value of the wrong type.

use csproc::prelude::*;

fn main() {
    let c = Channel::<u64>::new();
    let (w, r) = (c.writer(), c.reader());
    let _ = AltSelect! {
        v = 5 => v,
        v = w.read() => v,
        r.write(1) => 0,
        w.write("one") => 0,
        w.write(String::new()) if true => 0,
        v = w.read() if true => v,
        after(50) => 0,
    };
}
