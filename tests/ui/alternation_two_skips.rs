//! More than one `skip`.

use csproc::prelude::*;

fn main() {
    let r = Channel::<u32>::new().reader();
    let _ = PriSelect! {
        v = r.read() => v,
        skip => 0,
        skip if true => 1,
    };
}
