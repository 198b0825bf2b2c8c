//! How often a process is started again is no option of the attribute.

use csproc::prelude::*;

#[process(on_crash = "restart")]
fn fragile() {}

fn main() {
    fragile();
}
