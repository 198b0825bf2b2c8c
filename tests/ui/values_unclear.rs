//! What `.values()` cannot tell apart is an error that says what to write.

use csproc::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Failures {
    all: Vec<csproc::Error>,
}

#[process]
fn collect() -> Failures {
    Failures { all: Vec::new() }
}

#[process]
fn parse(text: String) -> Result<u8, String> {
    text.parse().map_err(|_| text)
}

fn holds_an_error_inside() -> csproc::Result<()> {
    collect().run().values()?;
    Ok(())
}

fn of_any_type<R: Message>(process: Process<R>) -> csproc::Result<()> {
    process.run().values()?;
    Ok(())
}

fn with_another_error() -> csproc::Result<()> {
    let (a, b) = Parallel!(parse(String::from("1")), parse(String::from("2"))).values()?;
    Ok(())
}

fn main() {}
