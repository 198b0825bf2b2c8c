//! The program begins with `main`; nobody runs that as a process.

use csproc::prelude::*;

#[process]
fn main() -> csproc::Result<()> {
    Ok(())
}
