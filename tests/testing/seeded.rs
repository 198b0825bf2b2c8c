//! A fault of either engine is a difference: copies of the project, each with one, in which random networks are run.
//!
//! Knows nothing of what a fault does. Each takes a build of its own, so this is done with `CSPROC_LONG=1` only; that
//! the text of each is still there is checked always.

use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Fault {
    what: &'static str,
    file: &'static str,
    there: &'static str,
    instead: &'static str,
}

const FAULTS: [Fault; 6] = [
    Fault {
        what: "live: what is in a buffer goes with its writer",
        file: "src/engine/live/pairing.rs",
        there: "if !output && channel.head.load(Ordering::Relaxed) != NONE {",
        instead: "if !output && channel.fate().is_none() && channel.head.load(Ordering::Relaxed) != NONE {",
    },
    Fault {
        what: "live: nobody is told who has left a lock",
        file: "src/engine/live/gate.rs",
        there: "let all = gate.capacity.load(Ordering::Relaxed) == unit.weight();",
        instead: "let all = gate.capacity.load(Ordering::Relaxed) < unit.weight();",
    },
    Fault {
        what: "live: nobody is told who has left a task",
        file: "src/engine/live/tasks.rs",
        there: "if let Holder::Member(member) = holder {\n            self.note_leaver",
        instead: "if let Holder::Member(member) = holder && !crashed {\n            self.note_leaver",
    },
    Fault {
        what: "simulated: one message more than a buffer has room for",
        file: "src/engine/sim/channel.rs",
        there: "self.buffer.len() < capacity as usize",
        instead: "self.buffer.len() <= capacity as usize",
    },
    Fault {
        what: "simulated: poison is retirement",
        file: "src/engine/sim/channel.rs",
        there: "_ if self.is_poisoned => Some(Fate::Poisoned),",
        instead: "_ if self.is_poisoned => Some(Fate::Retired),",
    },
    Fault {
        what: "simulated: nobody is told who has left a lock",
        file: "src/engine/sim/holding.rs",
        there: "&& channel.capacity == weight",
        instead: "&& channel.capacity < weight",
    },
];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let to = to.join(name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// The text of a file with a fault in it.
fn seed(fault: &Fault) -> String {
    let text = fs::read_to_string(project().join(fault.file)).unwrap();
    assert_eq!(text.matches(fault.there).count(), 1, "{}: {:?} in {}", fault.what, fault.there, fault.file);
    text.replace(fault.there, fault.instead)
}

/// Whether random networks differ there, by the first words of the report; the smallest is not waited for.
fn differs(project: &Path, target: &Path) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo)
        .args(["test", "--quiet", "--all-features", "--test", "testing", "what_threads_do", "--", "--nocapture"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let errors = BufReader::new(tests.stderr.take().unwrap());
    let differs = errors.lines().map_while(Result::ok).any(|line| line.starts_with("now the smallest such network"));
    if differs {
        kill_process_group(Pid::from_child(&tests), Signal::KILL).unwrap();
    }
    let ended = tests.wait().unwrap();
    assert!(differs || ended.success(), "it could not be built, or ended otherwise: {ended}");
    differs
}

#[test]
fn seeded_faults_of_either_engine_are_differences() {
    let seeded = FAULTS.each_ref().map(seed);
    if std::env::var_os("CSPROC_LONG").is_none() {
        return;
    }
    let scratch = std::env::temp_dir().join(format!("csproc-seeded-{}", std::process::id()));
    let (copied, target): (PathBuf, PathBuf) = (scratch.join("project"), scratch.join("target"));
    copy(project(), &copied);
    let mut missed = Vec::new();
    for (fault, text) in FAULTS.iter().zip(seeded) {
        fs::write(copied.join(fault.file), text).unwrap();
        if !differs(&copied, &target) {
            missed.push(fault.what);
        }
        fs::copy(project().join(fault.file), copied.join(fault.file)).unwrap();
    }
    fs::remove_dir_all(scratch).unwrap();
    assert!(missed.is_empty(), "not found: {missed:#?}");
}
