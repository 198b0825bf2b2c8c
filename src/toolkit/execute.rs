//! Commands of the system as processes.
//!
//! Knows nothing of how a command is run.

use super::command::Command;
use super::exit::Exit;
use crate::channel::{Reader, Writer};
use csproc_macros::process;

/// A process that runs a command of the system, with channels in the place of its standard descriptors. Its result is
/// how the command ended; [`Command::run`] says the rest.
///
/// # Blocking
/// The process ends when the command has ended and its outputs are closed.
///
/// # Errors
/// [`CommandError`](super::CommandError), as the text of the error that the process returns.
///
/// # Poison and retire
/// `stdin` retires when the command is at its end or takes no more; `stdout` and `stderr` when it has closed them. If
/// `stdin` retires, the command is at the end of its input; if `stdout` retires, its next write is a broken pipe. If
/// any of them is poisoned, the command is killed, and the others are poisoned; so they are when it cannot be started.
///
/// If the process is killed, the command is, too.
///
/// # Examples
/// `sort | uniq`, whose result is read here:
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::{Command, execute};
///
/// #[process]
/// fn words(out: Writer<Vec<u8>>) -> csproc::Result<()> {
///     for word in ["pear", "apple", "pear"] {
///         out.write(format!("{word}\n").into_bytes())?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn collect(input: Reader<Vec<u8>>) -> csproc::Result<String> {
///     Ok(String::from_utf8(input.results().collect::<Result<Vec<_>, _>>()?.concat())?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let [raw, sorted, unique] = [(); 3].map(|()| Channel::new());
///     let ((), sort, uniq, text) = Parallel!(
///         words(raw.writer()),
///         execute(Command::new("sort"), Some(raw.reader()), Some(sorted.writer()), None),
///         execute(Command::new("uniq"), Some(sorted.reader()), Some(unique.writer()), None),
///         collect(unique.reader()),
///     )
///     .values()?;
///     assert!(sort.success() && uniq.success());
///     assert_eq!(text, "apple\npear\n");
///     Ok(())
/// }
/// ```
#[process(crate = crate)]
pub fn execute(
    command: Command,
    stdin: Option<Reader<Vec<u8>>>,
    stdout: Option<Writer<Vec<u8>>>,
    stderr: Option<Writer<Vec<u8>>>,
) -> crate::Result<Exit> {
    Ok(command.run(stdin, stdout, stderr)?)
}

/// A command for a [`runner`](runner()), and the channels in the place of its standard descriptors: what is read, what
/// is written, and errors.
///
/// # Examples
/// See [`runner`](runner()).
pub type Job = (Command, Option<Reader<Vec<u8>>>, Option<Writer<Vec<u8>>>, Option<Writer<Vec<u8>>>);

/// A process that runs the commands that come, one after the other. Several runners share a channel of jobs.
///
/// How a command ended is not told; a command that must not fail is for [`execute`](execute()).
///
/// # Blocking
/// The process ends when `jobs` retires and the last command has ended.
///
/// # Errors
/// It ends with the first command that cannot be run, or whose channels are poisoned, or lost with a process that died.
/// A command that fails is no error.
///
/// # Poison and retire
/// The channels of a job are treated as those of [`execute`](execute()).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::{Command, Job, runner};
///
/// #[process]
/// fn shout(jobs: Writer<Job>, words: Vec<String>) -> csproc::Result<String> {
///     let mut all = String::new();
///     for word in words {
///         let [text, answer] = [(); 2].map(|()| Channel::<Vec<u8>>::new());
///         let (w, r) = (text.writer(), answer.reader());
///         let upper = Command::new("tr").args(["a-z", "A-Z"]);
///         jobs.write((upper, Some(text.reader()), Some(answer.writer()), None))?;
///         w.write(word.into_bytes())?;
///         w.retire();
///         all += &String::from_utf8(r.iter().collect::<Vec<_>>().concat())?;
///     }
///     Ok(all)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let jobs = Channel::new();
///     let words = ["one ", "two"].map(String::from).to_vec();
///     let (said, _) = Parallel!(shout(jobs.writer(), words), runner(jobs.reader()) * 2).values()?;
///     assert_eq!(said, "ONE TWO");
///     Ok(())
/// }
/// ```
#[process(crate = crate)]
pub fn runner(jobs: Reader<Job>) -> crate::Result<()> {
    for job in jobs.results() {
        let (command, stdin, stdout, stderr) = job?;
        command.run(stdin, stdout, stderr)?;
    }
    Ok(())
}
