//! What Python measures of the same, in the same run.
//!
//! Knows nothing of what is measured.

use std::process::{Command, Stdio};

/// What a program of Python prints, given these arguments; `None` where there is no Python, or it has failed.
pub(crate) fn python(program: &str, arguments: &[&str]) -> Option<f64> {
    let mut command = Command::new("python3");
    command.args(["-c", program]).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
