//! All mistakes of one function are reported together.

use csproc::prelude::*;

#[process(thraed)]
async fn greet<'a>(name: &'a str, greetings: impl Iterator<Item = String>) -> &'a str {
    greetings.for_each(drop);
    name
}

fn main() {
    let _ = greet("you", std::iter::empty()).run();
}
