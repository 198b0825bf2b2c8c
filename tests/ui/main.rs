use csproc::prelude::*;

#[process]
fn main() -> csproc::Result<()> {
    Ok(())
}
