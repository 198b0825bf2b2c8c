//! A set-up returns nothing, or an error that can be displayed.

#[csproc::setup]
fn number() -> u64 {
    7
}

struct Silent;

#[csproc::setup]
fn silent() -> Result<(), Silent> {
    Err(Silent)
}

fn main() {}
