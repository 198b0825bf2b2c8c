//! What Go measures of the same, in the same run: `peers.go`, built where there is a `go`.
//!
//! Knows nothing of what is measured.

use crate::table::Row;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, built; `None` where there is no Go.
pub(crate) fn go() -> Option<Go> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (directory.join("peers.go"), directory.join("peers"));
    fs::write(&source, include_str!("peers.go")).ok()?;
    let status =
        Command::new("go").args(["build", "-o"]).args([&program, &source]).stdin(Stdio::null()).status().ok()?;
    assert!(status.success(), "{} is not built", source.display());
    Some(Go { program })
}

/// A row of a table, where there is Go.
pub(crate) fn row<'a>(go: Option<&'a Go>, name: &'a str, numbers: &[u64]) -> Option<Row<'a>> {
    let numbers = numbers.to_vec();
    go.map(|go| -> Row<'a> { ("Go, goroutines", Box::new(move || go.measures(name, &numbers)[0])) })
}

pub(crate) struct Go {
    program: PathBuf,
}

impl Go {
    /// What it prints of this benchmark: one figure, or several.
    pub(crate) fn measures(&self, name: &str, numbers: &[u64]) -> Vec<f64> {
        let numbers = numbers.iter().map(u64::to_string);
        let output = Command::new(&self.program).arg(name).args(numbers).stderr(Stdio::inherit()).output();
        let output = output.expect("it was built");
        assert!(output.status.success(), "Go's {name} did not come to its end");
        let printed = String::from_utf8_lossy(&output.stdout);
        printed.split_whitespace().map(|figure| figure.parse().expect("a figure")).collect()
    }
}
