//! A queue: any number of those who put and of those who get, each with a handle that does both.
//!
//! Knows nothing of how an item travels. A queue is a channel whose two ends are in one value, so it does not end when
//! one side is gone; it ends when it is closed. Whoever crashes has had a handle, and takes nothing along but that and
//! the item in its hand: the channel bears the crashes of both its sides. One that is in another program has ends here
//! that can do nothing, and every operation asks there.

mod elsewhere;
mod iteration;
mod served;
mod session;
mod tasks;

pub use iteration::{GetResults, IntoIter, Iter};
pub(super) use served::Sessions;
pub use tasks::NoOpenTask;

use crate::alternation::{Guard, Input, Output};
use crate::channel::{Buffer, Channel, ChannelEnd, ChannelError, ChannelId, End, Message, MessageError};
use crate::channel::{Patience, Reader, WriteError, Writer, label};
use crate::process::remedy::{Carried, Probe};
use crate::shared::remote::Link;
use elsewhere::Elsewhere;
use serde::ser::SerializeTupleVariant;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A queue for any number of processes: first in, first out.
///
/// A handle puts and gets. A clone, or one that was sent to a process, is one more handle of the same queue; it is in
/// existence as long as there is one, and what is in it goes with the last.
///
/// An item is in shared memory when [`put`](Queue::put) comes back. No thread carries it there, so a process that has
/// put something waits for nobody when it ends, and may be killed. The item that a process has got is its own: killed
/// with it, the item is gone.
///
/// **It ends when it is closed**, by [`close`](Queue::close): then nobody puts any more, and who gets is told
/// [`Retired`](ChannelError::Retired) when the queue is empty. Every handle could put, so a queue does not end with
/// those who did: when all who have handles wait for an item, that is a deadlock, and is reported as one.
///
/// **A crash is not told.** A process that panics or is killed gives up its handle as if it had returned, and the
/// others go on; [`Parallel!`](crate::Parallel!) and `join` tell who crashed. Where a crash is to end a stream, use a
/// [`Channel`], whose ends say so. Poison is told: a process that returns poison through `?` poisons the queues that
/// it was given, as it does with channels.
///
/// **Tasks.** Whoever puts work into a queue learns when it is done, not only got: with [`task_done`](Queue::task_done)
/// consumers say so, and [`join`](Queue::join) waits for it. Who does not care for that need not.
///
/// In an alternation it is a guard on both sides: `item = queue => …` gets, `queue.write(item) => …` puts.
///
/// **In another program.** A queue that a manager [shares](crate::shared::Manager::share) is used by other programs as
/// their own: [`Remote::get`](crate::shared::Remote::get) gives a handle of it, with all methods. Each operation waits
/// there. An item that is taken for a client which goes before it has it goes back, before all others: so an item is
/// got once, by one program, and none is lost with a client that only waited. (A client has gone when its process
/// has, also if a copy of it that a bare `fork` has made lives on; before Linux 5.3, when both have.) What a client's
/// process has got and not done is left behind under its name (`client 4242 of jobs`) when it ends. Two things are
/// different. The program that has the queue may end, which is not the end of the queue, or a connection may break
/// ([`Io`](ChannelError::Io)). And it is no guard of an alternation there ([`Invalid`](ChannelError::Invalid)): to know
/// whether there is an item one has to take it, and an item that goes back may meet others that were behind it. Have a
/// process get from it and write what comes to a channel: `jobs.results()` and `out.write`; it has one item in hand.
/// An item with the end of a channel in it is `Invalid` for a client, and stays in the queue.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(numbers: Queue<u64>, squares: Queue<u64>) -> csproc::Result<()> {
///     for number in &numbers {
///         squares.put(number * number)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (numbers, squares) = (Queue::new(), Queue::new());
///     (1..=100).try_for_each(|number| numbers.put(number))?;
///     numbers.close();
///     Parallel!(for _ in 0..4 => square(numbers.clone(), squares.clone())).values()?;
///     squares.close();
///     assert_eq!(squares.iter().sum::<u64>(), 338_350);
///     Ok(())
/// }
/// ```
#[derive(Deserialize)]
#[serde(bound = "", from = "Arrived<T>")]
pub struct Queue<T> {
    writer: Writer<T>,
    reader: Reader<T>,
    /// It is in another program, and the ends here can do nothing.
    elsewhere: Option<Box<Elsewhere>>,
}

/// What comes out of a message.
#[derive(Deserialize)]
#[serde(bound = "")]
enum Arrived<T> {
    Here(Writer<T>, Reader<T>),
    There(Elsewhere),
}

impl<T> From<Arrived<T>> for Queue<T> {
    fn from(arrived: Arrived<T>) -> Queue<T> {
        match arrived {
            Arrived::Here(writer, reader) => Queue { writer, reader, elsewhere: None },
            Arrived::There(elsewhere) => Queue::at(elsewhere),
        }
    }
}

/// As it is read: see `Arrived`.
impl<T> Serialize for Queue<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAME: &str = "Arrived";
        match &self.elsewhere {
            None => {
                let mut ends = serializer.serialize_tuple_variant(NAME, 0, "Here", 2)?;
                ends.serialize_field(&self.writer)?;
                ends.serialize_field(&self.reader)?;
                ends.end()
            }
            Some(elsewhere) => serializer.serialize_newtype_variant(NAME, 1, "There", elsewhere),
        }
    }
}

/// How long an operation waits in another program.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Wait {
    ForEver,
    For(Duration),
    Not,
}

impl Wait {
    fn of(patience: Patience) -> Wait {
        match patience {
            Patience::ForEver => Wait::ForEver,
            Patience::Until(deadline) => Wait::For(deadline.saturating_duration_since(crate::engine::now())),
            Patience::Not => Wait::Not,
        }
    }
}

impl<T> Queue<T> {
    /// A queue that holds as many items as the arena does.
    ///
    /// When the arena has no room for one more queue, every operation says so; [`try_new`](Queue::try_new) tells at
    /// once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::new();
    /// queue.put("first".to_string())?;
    /// assert_eq!(queue.capacity(), None);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Queue<T> {
        Queue::try_new(Buffer::Unbounded).unwrap_or_else(|error| Queue::unmade(&error))
    }

    /// A queue for so many items: when it is full, whoever puts waits. `bounded(0)` holds nothing: to put and to get
    /// is one step.
    ///
    /// When the arena has no room for one more queue, every operation says so.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::bounded(1);
    /// queue.put(1)?;
    /// assert!(queue.try_put(2).unwrap_err().is_would_block());
    /// assert_eq!(queue.get()?, 1);
    /// queue.put(2)?;
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn bounded(capacity: usize) -> Queue<T> {
        Queue::try_new(Buffer::Fifo(capacity)).unwrap_or_else(|error| Queue::unmade(&error))
    }

    /// A queue that does with items what `buffer` says.
    ///
    /// # Errors
    /// [`Memory`](MessageError::Memory) when the arena has no room for one more queue.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let latest = Queue::try_new(Buffer::OverwriteOldest(1))?;
    /// latest.put(1)?;
    /// latest.put(2)?;
    /// assert_eq!(latest.get()?, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_new(buffer: Buffer) -> Result<Queue<T>, MessageError> {
        let channel = Channel::builder().buffer(buffer).build()?;
        channel.handle().bear_crashes();
        channel.handle().counts_tasks();
        let queue = Queue { writer: channel.writer(), reader: channel.reader(), elsewhere: None };
        queue.writer.end().made()?;
        queue.reader.end().made()?;
        Ok(queue)
    }

    /// One that could not be made: every operation says why.
    fn unmade(error: &MessageError) -> Queue<T> {
        let [writer, reader] = [(); 2].map(|()| End::unmade(error.clone()));
        Queue { writer: Writer::new(writer), reader: Reader::new(reader), elsewhere: None }
    }

    /// One that is in another program, where it has this number and is shared as `name`.
    pub(super) fn elsewhere(link: Link, number: u32, name: String) -> Queue<T> {
        Queue::at(Elsewhere::new(link, number, name))
    }

    fn at(elsewhere: Elsewhere) -> Queue<T> {
        // What an alternation would use.
        let no_guard = |instead: &str| {
            let reason = format!("the queue `{elsewhere}` is in another program, so it is no guard: {instead}");
            End::unmade(MessageError::System { reason })
        };
        let writer = Writer::new(no_guard("have a process read from a channel, and `put` what comes"));
        let reader = Reader::new(no_guard("have a process `get` from it, and write what comes to a channel"));
        Queue { writer, reader, elsewhere: Some(Box::new(elsewhere)) }
    }

    /// How it is called, for people.
    fn label(&self) -> String {
        self.elsewhere.as_ref().map_or_else(|| label(self.reader.end().channel()), |elsewhere| elsewhere.to_string())
    }

    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Gives it a name for reports, before it is used; at most 55 bytes.
    ///
    /// A name that is too long makes a queue that can do nothing: every operation says so. One in another program is
    /// called as it is shared.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::<u8>::new().named("jobs");
    /// assert_eq!(format!("{queue:?}"), r#"Queue("jobs")"#);
    /// let error = Queue::new().named(&"x".repeat(56)).put(1).unwrap_err();
    /// assert!(error.to_string().contains("55 bytes"), "{error}");
    /// ```
    #[must_use = "a name that is too long makes a queue that can do nothing"]
    pub fn named(self, name: &str) -> Queue<T> {
        if self.is_elsewhere() {
            return self;
        }
        match self.writer.end().call(name) {
            Ok(()) => self,
            Err(error) => Queue::unmade(&error),
        }
    }

    /// How many items are in it. It is so at the moment of the look; others may change it at once. In another program
    /// that cannot be asked there are none.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::new();
    /// queue.put(1)?;
    /// queue.put(2)?;
    /// assert_eq!(queue.len(), 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.elsewhere.as_ref().map_or_else(|| self.reader.len(), |elsewhere| elsewhere.len())
    }

    /// Whether no item is in it, at the moment of the look.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Queue::<u8>::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items it is made for; `None` when there is no limit but the arena, or it is in another program that
    /// cannot be asked.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::shared::Queue::<u8>::bounded(8).capacity(), Some(8));
    /// ```
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.capacity(),
            None => self.writer.end().channel().facts().room(),
        }
    }

    /// Nobody puts any more, with any handle: that fails with [`Retired`](ChannelError::Retired), also for those who
    /// wait for room now. What is in the queue is still got; then, and for those who wait for an item now, to get
    /// fails with `Retired`, too. Closing a queue twice is closing it once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::new();
    /// queue.put(1)?;
    /// queue.close();
    /// let error = queue.put(2).unwrap_err();
    /// assert!(error.is_retired() && error.value == 2);
    /// assert_eq!(queue.get(), Ok(1));
    /// assert_eq!(queue.get(), Err(ChannelError::Retired));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn close(&self) {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.close(),
            None => self.writer.end().end_writing(),
        }
    }
}

impl<T: Message> Queue<T> {
    /// Puts an item in, behind all others. It is in shared memory then, whatever becomes of this process.
    ///
    /// # Blocking
    /// Waits while the queue is full, if it is [`bounded`](Queue::bounded).
    ///
    /// # Errors
    /// The item comes back with the reason: the queue is closed ([`Retired`](ChannelError::Retired)) or
    /// [`Poisoned`](ChannelError::Poisoned), or the item is [`Invalid`](ChannelError::Invalid) or has no room in the
    /// arena.
    ///
    /// # Poison and retire
    /// Poison and [`close`](Queue::close) end a waiting put at once. A crash of somebody else does not.
    ///
    /// # Examples
    /// See [`Queue`].
    #[track_caller]
    pub fn put(&self, value: T) -> Result<(), WriteError<T>> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.put(value, Patience::ForEver),
            None => self.writer.write(value),
        }
    }

    /// Puts an item in if there is room now.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`put`](Queue::put), and [`WouldBlock`](ChannelError::WouldBlock) when the queue is full.
    ///
    /// # Examples
    /// See [`bounded`](Queue::bounded).
    #[track_caller]
    pub fn try_put(&self, value: T) -> Result<(), WriteError<T>> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.put(value, Patience::Not),
            None => self.writer.try_write(value),
        }
    }

    /// Puts an item in, if there is room within `timeout`.
    ///
    /// # Blocking
    /// As for [`put`](Queue::put), at most for `timeout`.
    ///
    /// # Errors
    /// As for [`put`](Queue::put), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let queue = Queue::bounded(0);
    /// assert!(queue.put_timeout(1, Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), WriteError<T>> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.put(value, Patience::of(timeout)),
            None => self.writer.write_timeout(value, timeout),
        }
    }

    /// Puts an item in, if there is room before `deadline`.
    ///
    /// # Blocking
    /// As for [`put`](Queue::put), at most until `deadline`.
    ///
    /// # Errors
    /// As for [`put`](Queue::put), and [`TimedOut`](ChannelError::TimedOut), never before the deadline.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::bounded(0);
    /// assert!(queue.put_deadline(1, std::time::Instant::now()).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn put_deadline(&self, value: T, deadline: Instant) -> Result<(), WriteError<T>> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.put(value, Patience::Until(deadline)),
            None => self.writer.write_deadline(value, deadline),
        }
    }

    /// Takes the oldest item out. It is this process's from then on: when the process is killed, the item is gone.
    ///
    /// # Blocking
    /// Waits until there is an item, or the queue is closed.
    ///
    /// # Errors
    /// The queue is closed and empty ([`Retired`](ChannelError::Retired)), or [`Poisoned`](ChannelError::Poisoned); or
    /// the item is no `T` ([`Invalid`](ChannelError::Invalid)), and is gone.
    ///
    /// # Poison and retire
    /// Poison and [`close`](Queue::close) end a waiting get at once. A crash of somebody else does not.
    ///
    /// # Examples
    /// See [`Queue`].
    #[track_caller]
    pub fn get(&self) -> Result<T, ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.get(Patience::ForEver),
            None => self.reader.read(),
        }
    }

    /// Takes the oldest item out if there is one now.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`get`](Queue::get), and [`WouldBlock`](ChannelError::WouldBlock) when the queue is empty.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::<u8>::new();
    /// assert!(queue.try_get().unwrap_err().is_would_block());
    /// ```
    #[track_caller]
    pub fn try_get(&self) -> Result<T, ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.get(Patience::Not),
            None => self.reader.try_read(),
        }
    }

    /// Takes the oldest item out, if one comes within `timeout`.
    ///
    /// # Blocking
    /// As for [`get`](Queue::get), at most for `timeout`.
    ///
    /// # Errors
    /// As for [`get`](Queue::get), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let queue = Queue::<u8>::new();
    /// assert!(queue.get_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.get(Patience::of(timeout)),
            None => self.reader.read_timeout(timeout),
        }
    }

    /// Takes the oldest item out, if one comes before `deadline`.
    ///
    /// # Blocking
    /// As for [`get`](Queue::get), at most until `deadline`.
    ///
    /// # Errors
    /// As for [`get`](Queue::get), and [`TimedOut`](ChannelError::TimedOut), never before the deadline.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::<u8>::new();
    /// assert!(queue.get_deadline(std::time::Instant::now()).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.get(Patience::Until(deadline)),
            None => self.reader.read_deadline(deadline),
        }
    }

    /// A get that the program has asked for at this place.
    #[inline]
    fn get_at(&self, place: &'static Location<'static>) -> Result<T, ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.get(Patience::ForEver),
            None => self.reader.read_at(place),
        }
    }
}
impl<T> ChannelEnd for Queue<T> {
    /// Poisons the queue: what is in it is gone, and every operation with any handle fails.
    fn poison(&self) {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.poison(),
            None => self.reader.poison(),
        }
    }

    /// Gives this handle up, as dropping it does; it cannot be used afterwards. To end the queue for all, there is
    /// [`close`](Queue::close).
    fn retire(&self) {
        self.writer.retire();
        self.reader.retire();
    }

    fn channel_id(&self) -> ChannelId {
        self.reader.channel_id()
    }
}

/// Gets.
impl<T: Message> Guard for Queue<T> {
    type Output = T;
    type Arm<'a>
        = <Reader<T> as Guard>::Arm<'a>
    where
        T: 'a;

    fn arm(&self) -> Self::Arm<'_> {
        self.reader.arm()
    }
}

impl<T: Message> Input for Queue<T> {}

/// Puts.
impl<T: Message> Output<T> for Queue<T> {
    fn writer(&self) -> &Writer<T> {
        &self.writer
    }
}

impl<T> Probe<Queue<T>> {
    /// What it carries.
    #[must_use]
    pub fn carried(&self) -> Carried<T> {
        Carried::new()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<T> Clone for Queue<T> {
    /// One more handle of the same queue.
    fn clone(&self) -> Queue<T> {
        Queue { writer: self.writer.clone(), reader: self.reader.clone(), elsewhere: self.elsewhere.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.label()).finish()
    }
}
