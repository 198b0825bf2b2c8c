//! Whom the program waits for at its end: said once, when the wait has become long.
//!
//! Knows nothing of how the program waits. The thread that looks after the program speaks, for the one that waits must
//! not wake up for that: a wait with an end would hide a deadlock from those who look for one.

use super::attempt::Current;
use super::running::Running;
use super::untold::say;
use parking_lot::Mutex;
use std::fmt::Write;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A program whose processes end within this time has nothing to explain.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many processes are named.
const NAMED: usize = 8;

/// Somebody whom the program waits for.
pub(super) enum Awaited {
    Process { running: Arc<Running>, spawned_at: &'static Location<'static> },
    Driven(DrivenPart),
}

/// What a thread of the program drives: a sequence, or a process that is started again.
pub(super) struct DrivenPart {
    pub(super) names: Vec<String>,
    /// The process that is kept alive.
    pub(super) current: Option<Current>,
    /// Gone with the thread.
    pub(super) at_work: Weak<()>,
    pub(super) started_at: &'static Location<'static>,
}

/// The wait at the end of the program.
struct Wait {
    since: Instant,
    by: Vec<Awaited>,
}

/// The records of processes are given up by the thread that waits, not by the one that speaks: both would have to be
/// known to the engine then.
static WAIT: Mutex<Option<Wait>> = Mutex::new(None);

/// As long as this lives, the program waits at its end.
pub(super) struct Waiting(());

impl Waiting {
    pub(super) fn for_all(awaited: Vec<Awaited>) -> Waiting {
        *WAIT.lock() = Some(Wait { since: Instant::now(), by: awaited });
        Waiting(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let wait = WAIT.lock().take();
        drop(wait);
    }
}

/// Says whom the program waits for, if it has waited for long and that was not said.
pub(super) fn review(said: &mut bool) {
    if *said {
        return;
    }
    // No lock is held while standard error is written to: whoever reads it may be slow.
    let complaint = match &*WAIT.lock() {
        Some(wait) if wait.since.elapsed() >= PATIENCE => complaint(&wait.by),
        _ => return,
    };
    *said = true;
    if let Some(complaint) = complaint {
        say(format_args!("{complaint}"));
    }
}

impl Awaited {
    fn is_gone(&self) -> bool {
        match self {
            Awaited::Process { running, .. } => running.is_gone(),
            Awaited::Driven(part) => part.at_work.strong_count() == 0,
        }
    }

    fn describe(&self) -> String {
        match self {
            Awaited::Process { running, spawned_at } => {
                format!("`{}` ({}spawned at {spawned_at})", running.name(), which(running.pid()))
            }
            Awaited::Driven(DrivenPart { names, current, started_at, .. }) => {
                let pid = current.as_ref().and_then(Current::pid_now).unwrap_or(0);
                format!("`{}` ({}spawned at {started_at})", names.join("`, `"), which(pid))
            }
        }
    }
}

/// A process of the operating system, if it is one by itself.
fn which(pid: u32) -> String {
    match pid {
        0 => String::new(),
        pid if pid == std::process::id() => String::from("on a thread, "),
        pid => format!("pid {pid}, "),
    }
}

/// One line; `None` when they are all about to be gone.
fn complaint(awaited: &[Awaited]) -> Option<String> {
    let left: Vec<&Awaited> = awaited.iter().filter(|awaited| !awaited.is_gone()).collect();
    if left.is_empty() {
        return None;
    }
    let mut line = String::from("the program is at its end and waits for what it spawned and nobody has joined: ");
    for (number, awaited) in left.iter().take(NAMED).enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(line, "{comma}{}", awaited.describe());
    }
    if left.len() > NAMED {
        let _ = write!(line, " and {} more", left.len() - NAMED);
    }
    line.push_str(
        "; where that is not meant, end it by `Child::terminate`, `Child::kill` or the end of its channels; ",
    );
    line.push_str("where it is, say so by `Child::join`");
    Some(line)
}
