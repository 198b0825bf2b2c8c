//! What a pool calls captures nothing: what else it needs comes with the argument, or is the state of the worker.

use csproc::prelude::*;

fn main() -> csproc::Result<()> {
    let pool = Pool::new(2)?;
    let base = 2_u64;
    pool.map(|exponent: u32| base.pow(exponent), 0..4)?;
    pool.submit(move |exponent: u32| base.pow(exponent), 3)?;
    Ok(())
}
