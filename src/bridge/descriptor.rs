//! Waiting for a file descriptor.
//!
//! Knows nothing of what can be read from it.

use super::end::Bridge;
use super::source::{Lookout, Sealed, Source, refused};
use crate::channel::ChannelError;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A bridge that fires while reading from a descriptor would not wait; made by [`readable`](super::readable).
///
/// # Examples
/// ```
/// use csproc::bridge::{self, Readable};
/// use std::os::unix::net::UnixStream;
///
/// fn is_quiet(line: &Readable<UnixStream>) -> bool {
///     line.try_read().is_err()
/// }
/// let (near, _far) = UnixStream::pair()?;
/// assert!(is_quiet(&bridge::readable(near)));
/// # Ok::<(), csproc::Error>(())
/// ```
pub type Readable<F> = Bridge<Descriptor<F>>;

/// A file descriptor, as the other side of a [`Bridge`].
///
/// # Examples
/// See [`readable`](super::readable).
#[derive(Debug)]
pub struct Descriptor<F> {
    file: F,
}

impl<F> Descriptor<F> {
    pub(super) fn new(file: F) -> Descriptor<F> {
        Descriptor { file }
    }
}

impl<F> Bridge<Descriptor<F>>
where
    Descriptor<F>: Source,
{
    /// What the bridge waits for, to read from.
    ///
    /// # Examples
    /// See [`readable`](super::readable).
    pub fn get_ref(&self) -> &F {
        &self.source.file
    }
}

impl<F> Sealed for Descriptor<F> {}

impl<F: AsFd> Source for Descriptor<F> {
    type Value = ();
    type Inner = F;

    fn is_ready(&self) -> bool {
        is_readable(&self.file)
    }

    fn take(&self) -> Result<Option<()>, ChannelError> {
        Ok(self.is_ready().then_some(()))
    }

    fn read(&self, until: Option<Instant>) -> Result<Self::Value, ChannelError> {
        read_when_readable(self, &self.file, until)
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        // A copy, so that the file may be borrowed, or of any type.
        let copy = self.file.as_fd().try_clone_to_owned();
        lookout(copy.map_err(|error| refused("a bridge cannot copy its descriptor", error))?)
    }

    fn into_inner(self) -> F {
        self.file
    }
}

pub(crate) fn is_readable(file: &impl AsFd) -> bool {
    poll_until(&mut [PollFd::new(file, PollFlags::IN)], Some(Instant::now()))
}

/// Waits until there is something to be read from the file of a source, and takes it.
pub(crate) fn read_when_readable<S: Source>(
    source: &S,
    file: &impl AsFd,
    until: Option<Instant>,
) -> Result<S::Value, ChannelError> {
    loop {
        if let Some(value) = source.take()? {
            return Ok(value);
        }
        if !poll_until(&mut [PollFd::new(file, PollFlags::IN)], until) {
            return Err(ChannelError::TimedOut);
        }
    }
}

/// Waits for a descriptor in another thread.
pub(crate) fn lookout(file: impl AsFd + Send + 'static) -> Result<Lookout, ChannelError> {
    let stop = eventfd(0, EventfdFlags::CLOEXEC);
    let stop = Arc::new(stop.map_err(|error| refused("a bridge cannot open a descriptor to be stopped by", error))?);
    let stopped = stop.clone();
    Ok(Lookout {
        wait: Box::new(move || {
            poll_until(&mut [PollFd::new(&file, PollFlags::IN), PollFd::new(&*stopped, PollFlags::IN)], None);
        }),
        interrupt: Box::new(move || {
            // The counter is zero, so there is room for one.
            let _ = rustix::io::write(&*stop, &1_u64.to_ne_bytes());
        }),
    })
}

/// Whether one of them is ready before the time is up. Signals do not end the waiting.
fn poll_until(descriptors: &mut [PollFd<'_>], until: Option<Instant>) -> bool {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll(descriptors, left.map(timespec).as_ref()) {
            Ok(0) if left.is_some_and(|left| left.is_zero()) => return false,
            Ok(0) | Err(Errno::INTR) => (),
            // What is wrong will show when it is read.
            Ok(_) | Err(_) => return true,
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
