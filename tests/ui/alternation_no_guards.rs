//! An alternation without arms.

use csproc::prelude::*;

fn main() {
    let _ = AltSelect! {};
    let _ = PriSelect!();
    let _ = FairSelect![];
}
