//! `Bridge`: the end on this side.
//!
//! Knows nothing of what it leads to.

use super::source::Source;
use super::watcher::Watcher;
use crate::channel::{ChannelError, settle};
use std::fmt;
use std::time::{Duration, Instant};

/// Reads from a foreign channel or waits for a descriptor, by itself or as a guard; made by [`ipc`](super::ipc),
/// [`readable`](super::readable), `crossbeam`,
/// `MessageQueue::bridge`, `sysv::Semaphore::bridge` and `toolkit::signal`.
///
/// # Examples
/// ```
/// use csproc::{bridge, prelude::*};
/// use std::time::Duration;
///
/// let (sender, receiver) = ipc_channel::ipc::channel()?;
/// let foreign = bridge::ipc(receiver)?;
/// let mut alt = Alternation::new();
/// let value = alt.guard(&foreign);
/// let timer = alt.after(Duration::from_millis(1));
///
/// assert_eq!(alt.select()?.index(), timer.index());
/// let thread = std::thread::spawn(move || sender.send(5).is_ok());
/// alt.enable(timer, false);
/// assert_eq!(alt.select()?.take(value), 5);
/// assert!(thread.join().unwrap());
/// # Ok::<(), csproc::Error>(())
/// ```
pub struct Bridge<S: Source> {
    // Dropped first: the thread gives up its side of the source.
    pub(super) watcher: Watcher,
    pub(super) source: S,
}

impl<S: Source> Bridge<S> {
    pub(crate) fn to(source: S) -> Bridge<S> {
        Bridge { watcher: Watcher::default(), source }
    }

    /// Takes a value from the other side.
    ///
    /// # Blocking
    /// Waits until there is one.
    ///
    /// # Errors
    /// The other side is gone ([`Retired`](ChannelError::Retired)), or the message is not a value of the type that is
    /// expected ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Examples
    /// See [`bridge`](super).
    pub fn read(&self) -> Result<S::Value, ChannelError> {
        settle();
        self.wait_for(None)
    }

    /// Takes a value from the other side if there is one.
    ///
    /// # Blocking
    /// Never waits for a sender, except for the rest of a message that has come in part; see [`ipc`](super::ipc).
    ///
    /// # Errors
    /// As for [`read`](Bridge::read), and [`WouldBlock`](ChannelError::WouldBlock) when there is nothing.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = ipc_channel::ipc::channel()?;
    /// let foreign = csproc::bridge::ipc(receiver)?;
    /// assert!(foreign.try_read().unwrap_err().is_would_block());
    /// sender.send(1)?;
    /// assert_eq!(foreign.try_read()?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_read(&self) -> Result<S::Value, ChannelError> {
        settle();
        self.source.take()?.ok_or(ChannelError::WouldBlock)
    }

    /// Takes a value from the other side, if one comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until there is a value, at most for `timeout`.
    ///
    /// # Errors
    /// As for [`read`](Bridge::read), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let (_sender, receiver) = ipc_channel::ipc::channel::<u8>()?;
    /// let foreign = csproc::bridge::ipc(receiver)?;
    /// assert!(foreign.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn read_timeout(&self, timeout: Duration) -> Result<S::Value, ChannelError> {
        settle();
        // A time that the clock cannot express is no limit.
        self.wait_for(Instant::now().checked_add(timeout))
    }

    /// Takes a value from the other side, if one comes before `deadline`.
    ///
    /// # Blocking
    /// Waits until there is a value, at most until `deadline`.
    ///
    /// # Errors
    /// As for [`read`](Bridge::read), and [`TimedOut`](ChannelError::TimedOut), never before the deadline.
    ///
    /// # Examples
    /// ```
    /// let (_sender, receiver) = ipc_channel::ipc::channel::<u8>()?;
    /// let foreign = csproc::bridge::ipc(receiver)?;
    /// assert!(foreign.read_deadline(std::time::Instant::now()).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn read_deadline(&self, deadline: Instant) -> Result<S::Value, ChannelError> {
        settle();
        self.wait_for(Some(deadline))
    }

    /// The values that come, until reading fails.
    ///
    /// # Blocking
    /// Each step waits as [`read`](Bridge::read) does.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = ipc_channel::ipc::channel()?;
    /// let foreign = csproc::bridge::ipc(receiver)?;
    /// sender.send(1)?;
    /// sender.send(2)?;
    /// drop(sender);
    /// assert_eq!(foreign.iter().collect::<Vec<u32>>(), [1, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, S> {
        Iter { bridge: self }
    }

    fn wait_for(&self, until: Option<Instant>) -> Result<S::Value, ChannelError> {
        super::watcher::refuse_in_simulation()?;
        self.source.read(until)
    }

    /// What the bridge was made of. No value is lost: none is fetched ahead.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = ipc_channel::ipc::channel()?;
    /// let foreign = csproc::bridge::ipc(receiver)?;
    /// sender.send(1)?;
    /// let receiver = foreign.into_inner();
    /// assert_eq!(receiver.recv()?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn into_inner(self) -> S::Inner {
        let Bridge { watcher, source } = self;
        drop(watcher);
        source.into_inner()
    }
}

/// The values of the other side, by reference to the bridge; see [`Bridge::iter`].
#[derive(Debug)]
pub struct Iter<'a, S: Source> {
    bridge: &'a Bridge<S>,
}

impl<S: Source> Iterator for Iter<'_, S> {
    type Item = S::Value;

    fn next(&mut self) -> Option<S::Value> {
        self.bridge.read().ok()
    }
}

/// The values of the other side, with the bridge; see [`Bridge::iter`].
#[derive(Debug)]
pub struct IntoIter<S: Source> {
    bridge: Bridge<S>,
}

impl<S: Source> Iterator for IntoIter<S> {
    type Item = S::Value;

    fn next(&mut self) -> Option<S::Value> {
        self.bridge.read().ok()
    }
}

impl<S: Source> IntoIterator for Bridge<S> {
    type Item = S::Value;
    type IntoIter = IntoIter<S>;

    fn into_iter(self) -> IntoIter<S> {
        IntoIter { bridge: self }
    }
}

impl<'a, S: Source> IntoIterator for &'a Bridge<S> {
    type Item = S::Value;
    type IntoIter = Iter<'a, S>;

    fn into_iter(self) -> Iter<'a, S> {
        self.iter()
    }
}

impl<S: Source> fmt::Debug for Bridge<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("to", &std::any::type_name::<S>()).finish_non_exhaustive()
    }
}
