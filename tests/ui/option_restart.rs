use csproc::prelude::*;

#[process(on_crash = "restart")]
fn fragile() {}

fn main() {
    fragile();
}
