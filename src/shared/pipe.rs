//! A pipe: two ends, each of which sends to the other and receives from it.
//!
//! Knows nothing of how a message travels. A pipe is two channels, one for each direction; an end is the writer of one
//! and the reader of the other. It is the only one of its side, so what it sees of the channels is true until it acts
//! itself.

use crate::alternation::{Guard, Input, Output};
use crate::channel::{Buffer, Channel, ChannelEnd, ChannelError, ChannelId, End, Message, MessageError};
use crate::channel::{Reader, WriteError, Writer, label};
use crate::process::remedy::{Carried, Probe};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// One end of a [`pipe`]: sends `A`s to the other end, and receives `B`s from it.
///
/// It cannot be cloned: there are two ends, and each is in one place. As an argument of a process, or in a message, it
/// moves. Dropped, [closed](PipeEnd::close) or given up by the end of its process, it ends the pipe: the other end
/// still receives what was sent, and then [`Retired`](ChannelError::Retired), where Python raises `EOFError`; what it
/// sends fails. If the process crashes that has it, the error is [`Lost`](ChannelError::Lost), and names it.
///
/// In an alternation it is a guard on both sides: `b = end => …` receives, `end.write(a) => …` sends.
///
/// Several threads of one process may use it at once, and each message goes to one of them. But while one of them
/// [polls](PipeEnd::poll), another one may receive a message that was sent after the one that is polled.
///
/// # Poison and retire
/// Poison goes to both directions. Whoever sends or receives on either end is told at once.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// let (asker, answerer) = pipe::<String, usize>();
/// asker.send("one".to_string())?;
/// asker.send("three".to_string())?;
/// answerer.send(answerer.recv()?.len())?;
///
/// let other = std::thread::spawn(move || AltSelect! {
///     text = answerer => text.len(),
///     after(Duration::from_secs(60)) => 0,
/// });
/// assert_eq!(other.join().unwrap()?, 5);
/// assert_eq!(asker.recv()?, 3); // sent before the other end was dropped
/// assert!(asker.recv().unwrap_err().is_retired());
/// # Ok::<(), csproc::Error>(())
/// ```
/// There is one of each end:
/// ```compile_fail,E0599
/// let (a, _b) = csproc::shared::pipe::<u8, u8>();
/// let again = a.clone();
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct PipeEnd<A, B> {
    output: Writer<A>,
    input: Reader<B>,
}

/// A pipe: two ends, each of which sends what the other receives.
///
/// It keeps as many messages as the arena holds, so a sender never waits, and may have ended before it is heard. When
/// the arena is full, a send fails with [`Invalid`](ChannelError::Invalid) and gives the value back; so does
/// every operation on a pipe for which there was no room, where [`pipe_with`] tells at once.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn f(conn: PipeEnd<(i32, Option<()>, String), ()>) -> csproc::Result<()> {
///     conn.send((42, None, "hello".to_string()))?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (parent, child) = pipe();
///     Parallel!(f(child)).values()?; // has ended before anybody reads
///     assert_eq!(parent.recv()?, (42, None, "hello".to_string()));
///     Ok(())
/// }
/// ```
#[must_use]
pub fn pipe<A, B>() -> (PipeEnd<A, B>, PipeEnd<B, A>) {
    // All of it or nothing: there is no pipe of one direction.
    pipe_with(Buffer::Unbounded).unwrap_or_else(|error| (PipeEnd::unmade(&error), PipeEnd::unmade(&error)))
}

/// A pipe that keeps what `buffer` says, in each direction: `Buffer::Fifo(n)` makes senders wait that are n messages
/// ahead, `Buffer::Fifo(0)` makes each send wait until it is received.
///
/// # Errors
/// [`Memory`](MessageError::Memory) when the arena has no room for two more channels and their ends.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::pipe_with;
///
/// let (a, b) = pipe_with::<u32, u32>(Buffer::Fifo(1))?;
/// a.send(1)?;
/// assert!(a.try_send(2).unwrap_err().is_would_block());
/// assert_eq!(b.recv()?, 1);
/// a.send(2)?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[expect(clippy::type_complexity, reason = "two ends, each with the types of the other the other way round")]
pub fn pipe_with<A, B>(buffer: Buffer) -> Result<(PipeEnd<A, B>, PipeEnd<B, A>), MessageError> {
    let there = Channel::builder().buffer(buffer).build()?;
    let back = Channel::builder().buffer(buffer).build()?;
    let one = PipeEnd { output: there.writer(), input: back.reader() };
    let other = PipeEnd { output: back.writer(), input: there.reader() };
    for end in [one.output.end(), one.input.end(), other.output.end(), other.input.end()] {
        end.made()?;
    }
    Ok((one, other))
}

/// A pipe of one direction, which keeps any number of messages: the two ends of a channel. Python's
/// `Pipe(duplex=False)` gives the receiving end first.
///
/// # Examples
/// ```
/// use csproc::shared::simplex;
///
/// let (w, r) = simplex();
/// w.write(1)?;
/// w.write(2)?;
/// drop(w);
/// assert_eq!(r.read_all()?, [1, 2]);
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use]
pub fn simplex<T>() -> (Writer<T>, Reader<T>) {
    let channel = Channel::buffered(Buffer::Unbounded);
    (channel.writer(), channel.reader())
}

impl<A: Message, B: Message> PipeEnd<A, B> {
    /// Sends a value to the other end. It is in shared memory then, and stays whatever becomes of this process.
    ///
    /// # Blocking
    /// Does not wait, unless the pipe was made with a limit ([`pipe_with`]): then until there is room.
    ///
    /// # Errors
    /// The value comes back with the reason: the other end is closed ([`Retired`](ChannelError::Retired)), its process
    /// has crashed ([`Lost`](ChannelError::Lost)), the pipe is [`Poisoned`](ChannelError::Poisoned), or the value is
    /// [`Invalid`](ChannelError::Invalid) or has no room in the arena.
    ///
    /// # Poison and retire
    /// Both end a waiting send at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (a, b) = pipe::<u8, ()>();
    /// a.send(1)?;
    /// b.close();
    /// let error = a.send(2).unwrap_err();
    /// assert!(error.is_retired());
    /// assert_eq!(error.value, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send(&self, value: A) -> Result<(), WriteError<A>> {
        self.output.write(value)
    }

    /// Sends a value if there is room now.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`send`](PipeEnd::send), and [`WouldBlock`](ChannelError::WouldBlock) when the pipe is full.
    ///
    /// # Examples
    /// See [`pipe_with`].
    #[track_caller]
    pub fn try_send(&self, value: A) -> Result<(), WriteError<A>> {
        self.output.try_write(value)
    }

    /// Sends a value, if there is room within `timeout`.
    ///
    /// # Blocking
    /// As for [`send`](PipeEnd::send), at most for `timeout`.
    ///
    /// # Errors
    /// As for [`send`](PipeEnd::send), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::pipe_with;
    /// use std::time::Duration;
    ///
    /// let (a, _b) = pipe_with::<u32, u32>(Buffer::Fifo(0))?;
    /// assert!(a.send_timeout(1, Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send_timeout(&self, value: A, timeout: Duration) -> Result<(), WriteError<A>> {
        self.output.write_timeout(value, timeout)
    }

    /// Receives the oldest value that the other end has sent.
    ///
    /// # Blocking
    /// Waits until there is one, or the other end has ended.
    ///
    /// # Errors
    /// When everything that was sent is received: [`Retired`](ChannelError::Retired) if the other end is closed (where
    /// Python raises `EOFError`), [`Lost`](ChannelError::Lost) if its process has crashed. At once:
    /// [`Poisoned`](ChannelError::Poisoned), if this end poisons the pipe; and [`Invalid`](ChannelError::Invalid) for a
    /// message that is no `B`.
    ///
    /// # Poison and retire
    /// Both end a waiting receive at once.
    ///
    /// # Examples
    /// See [`pipe`].
    #[track_caller]
    pub fn recv(&self) -> Result<B, ChannelError> {
        self.input.read()
    }

    /// Receives a value if there is one now.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`recv`](PipeEnd::recv), and [`WouldBlock`](ChannelError::WouldBlock) when there is none.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (a, b) = pipe::<u8, ()>();
    /// assert!(b.try_recv().unwrap_err().is_would_block());
    /// a.send(7)?;
    /// assert_eq!(b.try_recv(), Ok(7));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn try_recv(&self) -> Result<B, ChannelError> {
        self.input.try_read()
    }

    /// Receives a value, if one comes within `timeout`.
    ///
    /// # Blocking
    /// As for [`recv`](PipeEnd::recv), at most for `timeout`.
    ///
    /// # Errors
    /// As for [`recv`](PipeEnd::recv), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let (_a, b) = pipe::<u8, ()>();
    /// assert!(b.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<B, ChannelError> {
        self.input.read_timeout(timeout)
    }
}

impl<A, B> PipeEnd<A, B> {
    /// Whether [`recv`](PipeEnd::recv) would come back at once: with a value, or because the other end has ended.
    ///
    /// The value stays first in line: the next `recv` gives it, or the next guard, also in another process if the end
    /// is sent there in between. In a pipe without room ([`pipe_with`] of `Buffer::Fifo(0)`) it counts as received when
    /// `poll` has seen it: its sender goes on.
    ///
    /// # Blocking
    /// Waits for either, at most for `timeout`; `Duration::ZERO` does not wait.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let (a, b) = pipe::<u8, ()>();
    /// assert!(!b.poll(Duration::ZERO));
    /// a.send(7)?;
    /// assert!(b.poll(Duration::ZERO));
    /// assert_eq!(b.recv(), Ok(7));
    /// a.close();
    /// assert!(b.poll(Duration::MAX), "the end does not make it wait");
    /// assert!(b.recv().unwrap_err().is_retired());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn poll(&self, timeout: Duration) -> bool {
        self.input.end().is_ready_within(timeout, Location::caller())
    }

    /// Closes the pipe from this end, as dropping the end does. What was sent is still received.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (a, b) = pipe::<u8, u8>();
    /// a.send(7)?;
    /// a.close();
    /// assert_eq!(b.recv(), Ok(7));
    /// assert!(b.recv().unwrap_err().is_retired());
    /// assert!(b.send(1).unwrap_err().is_retired());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn close(self) {
        self.retire();
    }

    /// Gives the pipe a name for reports, before it is used; at most 55 bytes. It is that of both directions.
    ///
    /// A name that is too long makes an end that can do nothing: every operation says so.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (a, b) = pipe::<u8, u8>();
    /// let a = a.named("questions");
    /// assert_eq!(format!("{a:?} {b:?}"), r#"PipeEnd("questions") PipeEnd("questions")"#);
    ///
    /// let (a, _b) = pipe::<u8, u8>();
    /// let error = a.named(&"x".repeat(56)).send(1).unwrap_err();
    /// assert!(error.to_string().contains("55 bytes"), "{error}");
    /// ```
    #[must_use = "a name that is too long makes an end that can do nothing"]
    pub fn named(self, name: &str) -> PipeEnd<A, B> {
        match self.output.end().call(name).and_then(|()| self.input.end().call(name)) {
            Ok(()) => self,
            Err(error) => PipeEnd::unmade(&error),
        }
    }

    /// One that could not be made: every operation says why.
    fn unmade(error: &MessageError) -> PipeEnd<A, B> {
        PipeEnd { output: Writer::new(End::unmade(error.clone())), input: Reader::new(End::unmade(error.clone())) }
    }
}

impl<A, B> ChannelEnd for PipeEnd<A, B> {
    /// Poisons both directions. What the other end has sent is gone; what this one has sent is still received.
    fn poison(&self) {
        self.output.poison();
        self.input.poison();
    }

    /// As [`PipeEnd::close`]; the end cannot be used afterwards.
    fn retire(&self) {
        self.output.retire();
        self.input.retire();
    }

    /// The channel that it receives from.
    fn channel_id(&self) -> ChannelId {
        self.input.channel_id()
    }
}

/// Receives.
impl<A, B: Message> Guard for PipeEnd<A, B> {
    type Output = B;
    type Arm<'a>
        = <Reader<B> as Guard>::Arm<'a>
    where
        A: 'a,
        B: 'a;

    fn arm(&self) -> Self::Arm<'_> {
        self.input.arm()
    }
}

impl<A, B: Message> Input for PipeEnd<A, B> {}

/// Sends.
impl<A: Message, B> Output<A> for PipeEnd<A, B> {
    fn writer(&self) -> &Writer<A> {
        &self.output
    }
}

impl<A, B> Probe<PipeEnd<A, B>> {
    /// What it sends.
    #[must_use]
    pub fn carried(&self) -> Carried<A> {
        Carried::new()
    }

    /// What it receives.
    #[must_use]
    pub fn received(&self) -> Carried<B> {
        Carried::new()
    }
}

impl<A, B> fmt::Debug for PipeEnd<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeEnd").field(&label(self.input.end().channel())).finish()
    }
}
