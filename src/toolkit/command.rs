//! `Command`: which program is to run, and with what.
//!
//! Knows nothing of channels. It is a value, and starts nothing.

use super::error::CommandError;
use crate::sys::command::die_with_starter;
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A command of the system: a program, its arguments, what its environment has more than this one's, and where it runs.
///
/// It is a value, and a message: [`execute`](super::execute()) and [`run`](Command::run) run it. No shell is in
/// between: arguments are what they are, and `*` and `$HOME` mean nothing. Where a shell is wanted, it is the command:
/// `Command::new("sh").args(["-c", "ls *.rs | wc -l"])`.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::{Command, execute};
///
/// let script = r#"echo "$GREETING, $1, from $(pwd)""#;
/// let command = Command::new("sh").args(["-c", script, "sh", "it's me"]).env("GREETING", "Hello").directory("/");
/// assert_eq!(command.clone().arg("*").to_string().rsplit_once(' ').unwrap().1, "'*'");
///
/// let c = Channel::buffered(Buffer::Unbounded);
/// let r = c.reader();
/// Parallel!(execute(command, None, Some(c.writer()), None)).values()?;
/// assert_eq!(r.iter().collect::<Vec<_>>().concat(), b"Hello, it's me, from /\n");
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[must_use = "a command is a value: `execute` runs it"]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
}

impl Command {
    /// A command without arguments. A program without a path is looked for where `PATH` says.
    ///
    /// # Examples
    /// See [`Command`].
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        let program = program.as_ref().to_owned();
        Command { program, arguments: Vec::new(), environment: Vec::new(), directory: None }
    }

    /// With one more argument.
    ///
    /// # Examples
    /// ```
    /// use csproc::toolkit::Command;
    ///
    /// assert_eq!(Command::new("sort").arg("-n").arg("my file").to_string(), "sort -n 'my file'");
    /// ```
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Command {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// With more arguments.
    ///
    /// # Examples
    /// ```
    /// use csproc::toolkit::Command;
    ///
    /// assert_eq!(Command::new("tr").args(["a-z", "A-Z"]), Command::new("tr").arg("a-z").arg("A-Z"));
    /// ```
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// With a variable in its environment, beside those of the process that runs it.
    ///
    /// # Examples
    /// See [`Command`].
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// In another working directory than that of the process that runs it.
    ///
    /// # Examples
    /// See [`Command`].
    pub fn directory(mut self, path: impl AsRef<Path>) -> Command {
        self.directory = Some(path.as_ref().to_owned());
        self
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Starts it with such standard descriptors. The system kills it when the calling thread ends.
    pub(super) fn start(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, CommandError> {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        die_with_starter(&mut command);
        command.spawn().map_err(|error| self.refusal(&error))
    }

    /// What the system means when it does not start it.
    fn refusal(&self, error: &io::Error) -> CommandError {
        let command = self.name();
        // The system does not say which of the two it did not find.
        let place = self.directory.as_ref().filter(|_| is_of_a_path(error));
        if let Some((directory, error)) = place.and_then(|path| Some((path, error_of_directory(path)?))) {
            return CommandError::Directory { command, directory: directory.clone(), reason: error.to_string() };
        }
        let reason = error.to_string();
        match error.kind() {
            io::ErrorKind::NotFound => CommandError::NotFound { command },
            io::ErrorKind::PermissionDenied => CommandError::NotExecutable { command, reason },
            _ => CommandError::System { command, reason },
        }
    }
}

fn is_of_a_path(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

/// Why nobody can work in this directory.
fn error_of_directory(path: &Path) -> Option<io::Error> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    match path.metadata() {
        Ok(there) if !there.is_dir() => Some(io::ErrorKind::NotADirectory.into()),
        Ok(_) => accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).err().map(io::Error::from),
        Err(error) => Some(error),
    }
}

/// As one would type it into a shell; the environment and the directory are left out.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", quoted(&self.program))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(argument)))
    }
}

/// A word that a shell takes for itself.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
