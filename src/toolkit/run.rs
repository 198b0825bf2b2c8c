//! Runs a command: its pipes and its channels in one alternation, until it has ended and all is said.
//!
//! Knows nothing of what the command reads and writes.
//!
//! ```text
//!  stdin: Reader ──► chunk ──► pipe ─────┐               ┌──── pipe ──► chunk ──► stdout: Writer
//!                                        ├── command ──►─┤
//!                                    end ┘               └──── pipe ──► chunk ──► stderr: Writer
//! ```
//! Of each pipe one chunk is in hand at most, so whoever is slow holds up whoever waits for him and nobody else. A pipe
//! with an empty hand is watched, one whose chunk waits for a reader is not: the alternation offers the chunk instead.
//! All that is watched, and the end of the command, is behind one descriptor (`epoll`), which is one guard. The input
//! is always watched for its other end: a command that reads no more is told to whoever writes to it.

use super::command::Command;
use super::error::{CommandError, Failed};
use super::exit::Exit;
use super::watched::{For, Watched};
use crate::alternation::{Alternation, Fired, Read, Write};
use crate::bridge::{Readable, readable};
use crate::channel::{Reader, Writer};
use crate::sys::signal::{keep_what_children_leave, without_broken_pipe};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

/// What a pipe holds on most systems.
const CHUNK: usize = 64 << 10;

/// Numbers of what is watched; an output has that of its place, 0 or 1.
const INPUT: u64 = 2;
const END: u64 = 3;

impl Command {
    /// Runs the command in the calling process, with channels in the place of its standard descriptors, and says how it
    /// ended; [`execute`](super::execute()) does the same as a process of its own.
    ///
    /// What comes from `stdin` is what it reads; without it, it reads nothing. What it writes goes to `stdout` and
    /// `stderr`, in pieces of 64 KiB at most; without one of them, it goes where this process writes to.
    ///
    /// - `stdin` retires: the command is at the end of its input.
    /// - Nobody reads from `stdout` or `stderr` any more: the next write of the command is a broken pipe, of which it
    ///   dies ([`SIGPIPE`](Exit::signal)) unless it handles that.
    /// - The command has closed an output, or has ended: the output retires. It has no more input: `stdin` retires.
    /// - A process that the command has left behind with its output keeps the output open, as it does in a shell.
    ///
    /// The command does not outlive the call: a panic here ends it, and so does the end of this process, however that
    /// comes about. The system forgets to do the latter for a command that changes its user (`sudo`). What the command
    /// has started in its turn is the command's affair. Where the program was started with `SIGCHLD` ignored, that
    /// signal has its default from then on: otherwise the system would not say how the command ended.
    ///
    /// # Blocking
    /// Waits until the command has ended and its outputs are closed. The command waits while it writes more than a
    /// reader takes.
    ///
    /// # Errors
    /// [`CommandError`]: it cannot be started; or a channel is poisoned, or lost with a process that died, and then the
    /// command is killed.
    ///
    /// # Poison and retire
    /// After an error `stdout` and `stderr` are poisoned: nobody is to take what has come for all there is.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::toolkit::Command;
    ///
    /// let (to, from) = [(); 2].map(|()| Channel::buffered(Buffer::Unbounded)).into();
    /// let (text, lines) = (to.writer(), from.reader());
    /// text.write(b"two\none\n".to_vec())?;
    /// drop(text);
    /// let exit = Command::new("sort").run(Some(to.reader()), Some(from.writer()), None)?;
    /// assert!(exit.success());
    /// assert_eq!(lines.iter().collect::<Vec<_>>().concat(), b"one\ntwo\n");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn run(
        &self,
        stdin: Option<Reader<Vec<u8>>>,
        stdout: Option<Writer<Vec<u8>>>,
        stderr: Option<Writer<Vec<u8>>>,
    ) -> Result<Exit, CommandError> {
        let outputs = [stdout, stderr];
        let ended = self.within(stdin.as_ref(), outputs.each_ref().map(Option::as_ref));
        if ended.is_err() {
            outputs.iter().flatten().for_each(Writer::poison);
        }
        ended
    }

    fn within(
        &self,
        stdin: Option<&Reader<Vec<u8>>>,
        outputs: [Option<&Writer<Vec<u8>>>; 2],
    ) -> Result<Exit, CommandError> {
        keep_what_children_leave();
        let pipe = |is_wanted: bool, or: fn() -> Stdio| if is_wanted { Stdio::piped() } else { or() };
        let [stdout, stderr] = outputs.map(|output| pipe(output.is_some(), Stdio::inherit));
        let child = Running(self.start(pipe(stdin.is_some(), Stdio::null), stdout, stderr)?);
        let ended = Run::new(child, stdin, outputs).and_then(Run::complete);
        ended.map_err(|failed| failed.of(self.name()))
    }
}

/// A command at work, which does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has been collected is neither killed nor waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The pipe that the command reads from, and the chunk in hand for it.
struct Input<'a> {
    reader: &'a Reader<Vec<u8>>,
    guard: Read<Vec<u8>>,
    pipe: OwnedFd,
    chunk: Vec<u8>,
    written: usize,
    /// The rest of the chunk waits for room in the pipe.
    is_full: bool,
}

impl Input<'_> {
    fn is_done(&self) -> bool {
        self.written == self.chunk.len()
    }
}

/// A pipe that the command writes to, and the guard that offers its chunk; there is none before the first.
struct Output<'a> {
    writer: &'a Writer<Vec<u8>>,
    guard: Option<Write<Vec<u8>>>,
    pipe: OwnedFd,
}

struct Run<'a> {
    child: Running,
    /// Readable when the command has ended; gone when that is known.
    end: Option<OwnedFd>,
    watched: Watched,
    ready: Read<(), Readable<Watched>>,
    alternation: Alternation<'a>,
    input: Option<Input<'a>>,
    outputs: [Option<Output<'a>>; 2],
    room: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(
        mut child: Running,
        stdin: Option<&'a Reader<Vec<u8>>>,
        outputs: [Option<&'a Writer<Vec<u8>>>; 2],
    ) -> Result<Run<'a>, Failed> {
        let watched = Watched::nothing()?;
        let mut alternation = Alternation::new();
        let ready = alternation.own(readable(watched.clone()));
        let end = pidfd_open(Pid::from_child(&child.0), PidfdFlags::empty())?;
        watched.add(&end, END, For::Reading)?;

        let input = stdin.zip(child.0.stdin.take()).map(|(reader, pipe)| {
            let guard = alternation.read(reader);
            Input { reader, guard, pipe: pipe.into(), chunk: Vec::new(), written: 0, is_full: false }
        });
        if let Some(input) = &input {
            ioctl_fionbio(&input.pipe, true)?;
            watched.add(&input.pipe, INPUT, For::Closing)?;
        }
        let pipes = [child.0.stdout.take().map(OwnedFd::from), child.0.stderr.take().map(OwnedFd::from)];
        let mut pipes = pipes.into_iter();
        let outputs = outputs.map(|writer| {
            let pipe = pipes.next().flatten();
            writer.zip(pipe).map(|(writer, pipe)| Output { writer, guard: None, pipe })
        });
        for (number, output) in (0..).zip(&outputs) {
            if let Some(output) = output {
                ioctl_fionbio(&output.pipe, true)?;
                watched.add(&output.pipe, number, For::Reading)?;
            }
        }
        let end = Some(end);
        Ok(Run { child, end, watched, ready, alternation, input, outputs, room: vec![0; CHUNK] })
    }

    fn complete(mut self) -> Result<Exit, Failed> {
        while self.end.is_some() || self.outputs.iter().any(Option::is_some) {
            match self.alternation.fair_select() {
                Ok(fired) if fired.is(self.ready) => self.attend()?,
                Ok(fired) => self.communicated(fired)?,
                Err(error) if error.is_retired() => self.retired(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Exit::of(self.child.0.wait()?))
    }

    /// Something can be done with what is watched.
    fn attend(&mut self) -> Result<(), Failed> {
        for number in self.watched.ready()? {
            match number {
                // With an empty hand it is watched for its end alone.
                INPUT if self.input.as_ref().is_some_and(Input::is_done) => self.close_input(),
                INPUT => self.write()?,
                END => self.end()?,
                output => self.read(output as usize)?,
            }
        }
        Ok(())
    }

    /// A channel has taken a chunk or brought one.
    fn communicated(&mut self, fired: Fired) -> Result<(), Failed> {
        if let Some(input) = self.input.as_mut().filter(|input| fired.is(input.guard)) {
            input.chunk = fired.try_take(input.guard)?;
            input.written = 0;
            return self.write();
        }
        for (number, output) in self.outputs.iter().enumerate() {
            if let Some(output) = output.as_ref().filter(|output| output.guard.is_some_and(|guard| fired.is(guard))) {
                self.watched.add(&output.pipe, number as u64, For::Reading)?;
            }
        }
        Ok(())
    }

    /// The other side of a channel is gone.
    fn retired(&mut self) {
        if self.input.as_ref().is_some_and(|input| self.alternation.has_failed(input.guard)) {
            return self.close_input();
        }
        for number in 0..self.outputs.len() {
            let guard = self.outputs[number].as_ref().and_then(|output| output.guard);
            if guard.is_some_and(|guard| self.alternation.has_failed(guard)) {
                self.close_output(number);
            }
        }
    }

    /// Writes what is in hand, as far as there is room; until it is written, nothing more is taken.
    fn write(&mut self) -> Result<(), Failed> {
        let Some(input) = &mut self.input else { return Ok(()) };
        let mut is_full = false;
        while !input.is_done() && !is_full {
            let mut written = Ok(0);
            without_broken_pipe(|| written = rustix::io::write(&input.pipe, &input.chunk[input.written..]));
            match written {
                Ok(count) => input.written += count,
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => is_full = true,
                Err(Errno::PIPE) => {
                    self.close_input();
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if is_full != input.is_full {
            input.is_full = is_full;
            self.alternation.enable(input.guard, !is_full);
            self.watched.change(&input.pipe, INPUT, if is_full { For::Writing } else { For::Closing })?;
        }
        Ok(())
    }

    /// Takes a chunk from an output, and offers it; until it is taken there is no other.
    fn read(&mut self, number: usize) -> Result<(), Failed> {
        let Some(output) = self.outputs.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
        let count = match rustix::io::read(&output.pipe, &mut *self.room) {
            Ok(0) => {
                self.close_output(number);
                return Ok(());
            }
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            read => read?,
        };
        self.watched.remove(&output.pipe)?;
        let chunk = self.room[..count].to_vec();
        match output.guard {
            Some(guard) => self.alternation.set(guard, chunk),
            None => output.guard = Some(self.alternation.write(output.writer, chunk)),
        }
        Ok(())
    }

    /// The command has ended: it reads no more, and what it has written is to come.
    fn end(&mut self) -> Result<(), Failed> {
        if let Some(end) = self.end.take() {
            self.watched.remove(&end)?;
        }
        self.close_input();
        Ok(())
    }

    fn close_input(&mut self) {
        if let Some(Input { reader, guard, pipe, .. }) = self.input.take() {
            let _ = self.watched.remove(&pipe);
            self.alternation.remove(guard);
            reader.retire();
        }
    }

    fn close_output(&mut self, number: usize) {
        if let Some(Output { writer, guard, pipe }) = self.outputs[number].take() {
            // It is not watched while its chunk is offered.
            let _ = self.watched.remove(&pipe);
            if let Some(guard) = guard {
                self.alternation.remove(guard);
            }
            writer.retire();
        }
    }
}
