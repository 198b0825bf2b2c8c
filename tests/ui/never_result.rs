//! The result `!`.

use csproc::prelude::*;

#[process]
fn clock(out: Writer<()>) -> ! {
    loop {
        let _ = out.write(());
    }
}

fn main() {
    let c = Channel::<()>::new();
    let _ = clock(c.writer()).run();
}
