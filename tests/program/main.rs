//! What a program is told whose own main thread takes part: it waits for itself, returns an error, panics, exits, or
//! waits for something else.
//!
//! Knows nothing of the harness of the standard library, whose main thread does nothing but wait for tests. This one
//! runs every scenario as a program of its own: itself, executed again with the name of the scenario in a variable.

mod cases;
#[path = "../harness/ignored.rs"]
mod ignored;
mod scenarios;

use std::process::ExitCode;

fn main() -> csproc::Result<ExitCode> {
    if let Ok(wanted) = std::env::var(cases::SCENARIO) {
        scenarios::play(&wanted)?;
        return Ok(ExitCode::SUCCESS);
    }
    // As much of the harness's command line as `cargo test` and people use.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let chosen: Vec<_> = cases::ALL.iter().filter(|(name, _)| chosen(name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut failed = 0;
    for (name, case) in &chosen {
        let held = std::panic::catch_unwind(case).is_ok();
        println!("test {name} ... {}", if held { "ok" } else { "FAILED" });
        failed += u32::from(!held);
    }
    println!("\ntest result: {} passed; {failed} failed", chosen.len() as u32 - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
