//! Programs that must be killed, must exit or must be started in a special way: the test binary itself, executed again.
//!
//! Knows nothing of what the programs do. A program is started as the one test `play_scenario`, which does nothing
//! unless a variable names the scenario to play.

use super::ignored::this_program;
use super::system::everybody;
use super::watchdog::guarded;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const SCENARIO: &str = "CSPROC_TEST_SCENARIO";
pub(crate) const TAG: &str = "CSPROC_TEST_TAG";

/// A scenario and its name.
pub(crate) type Scenario = (&'static str, fn());

/// Plays the scenario that this program was started for, if it was.
pub(crate) fn play(scenarios: &[&[Scenario]]) {
    let Ok(wanted) = std::env::var(SCENARIO) else { return };
    let found = scenarios.iter().copied().flatten().find(|(name, _)| *name == wanted);
    let (name, body) = found.unwrap_or_else(|| panic!("there is no scenario `{wanted}`"));
    guarded(name, body);
}

/// Plays a scenario that the test harness and its watchdog would disturb: their threads wait beside it. It ends with
/// its test.
pub(crate) fn play_undisturbed(scenarios: &[Scenario]) {
    let Ok(wanted) = std::env::var(SCENARIO) else { return };
    if let Some((_, body)) = scenarios.iter().find(|(name, _)| *name == wanted) {
        set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
        body();
        let audit = csproc::audit();
        assert!(audit.is_clean(), "after `{wanted}`: {audit}");
        std::process::exit(0);
    }
}

/// A program of its own.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) tag: String,
    stdout: BufReader<ChildStdout>,
}

/// What is left of a program that has ended.
#[derive(Debug)]
pub(crate) struct Remains {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command that plays a scenario. Its processes can be found by the tag, which is unique.
pub(crate) fn command(scenario: &str) -> (Command, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let tag = format!("{}-{}-{scenario}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut command = this_program();
    command
        .args(["--exact", "play_scenario", "--nocapture", "--test-threads=1"])
        .env(SCENARIO, scenario)
        .env(TAG, &tag)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    (command, tag)
}

/// Plays a scenario to its end.
pub(crate) fn output(mut command: Command) -> Remains {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    Remains {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Plays a scenario to its end, in an arena that is soon full.
pub(crate) fn play_in_small_arena(scenario: &str) {
    let mut program = command(scenario).0;
    program.env("CSPROC_ARENA", "16M");
    let remains = output(program);
    assert!(remains.status.success(), "{scenario}: {remains:?}");
}

impl Program {
    pub(crate) fn start(scenario: &str) -> Program {
        let (mut command, tag) = command(scenario);
        Program::start_as(&mut command, tag)
    }

    pub(crate) fn start_as(command: &mut Command, tag: String) -> Program {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Program { child, tag, stdout }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program prints a line that begins like this; gives the rest of the line.
    pub(crate) fn until(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let count = self.stdout.read_line(&mut line).unwrap();
            assert!(count > 0, "the program ended before it printed `{beginning}`");
            // The harness leaves its own line unfinished.
            if let Some(at) = line.find(beginning) {
                return String::from(line[at + beginning.len()..].trim());
            }
        }
    }

    /// Waits for the program itself, not for its processes.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What the program and its processes print until the last of them is gone.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// The processes of the program that run now, itself and its server among them.
    pub(crate) fn processes(&self) -> Vec<u32> {
        processes_of(&self.tag)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that has failed leaves no program behind; one that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes that carry a tag in their environment. A zombie carries nothing.
pub(crate) fn processes_of(tag: &str) -> Vec<u32> {
    let wanted = format!("{TAG}={tag}");
    everybody()
        .into_iter()
        .map(|process| process.pid)
        .filter(|pid| {
            std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()))
        })
        .collect()
}
