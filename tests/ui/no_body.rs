//! A function of a trait has no body to run.

use csproc::prelude::*;

trait Work {
    #[process]
    fn work(n: u64) -> u64;
}

fn main() {}
