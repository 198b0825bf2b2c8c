//! Bodies of different types, a condition that is not a `bool`, and a pattern of the wrong type.

use csproc::prelude::*;

fn main() {
    let r = Channel::<u64>::new().reader();
    let credit = 1;
    let _ = AltSelect! {
        v = r.read() => v,
        v = r.read() => v.to_string(),
        r.read() => {
            println!("read");
        },
        skip => "nothing",
    };
    let _ = AltSelect! {
        v = r.read_extended() => v,
        v = r.read_extended() => v.to_string(),
    };
    let _ = AltSelect!(v = r.read() if credit => v);
    let _ = AltSelect!((a, b) = r.read() => a);
}
