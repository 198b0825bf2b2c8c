//! Several descriptors behind one that is readable while something can be done with any of them.
//!
//! Knows nothing of what they are. So one guard, with one thread of its bridge, stands for them all, and what is
//! watched may change while that thread sleeps.

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Result;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What a descriptor is watched for.
#[derive(Clone, Copy, Debug)]
pub(super) enum For {
    /// Reading would not wait.
    Reading,
    /// Writing would not wait.
    Writing,
    /// The other end is closed; the two above are told of that, too.
    Closing,
}

impl From<For> for epoll::EventFlags {
    fn from(what: For) -> epoll::EventFlags {
        match what {
            For::Reading => epoll::EventFlags::IN,
            For::Writing => epoll::EventFlags::OUT,
            For::Closing => epoll::EventFlags::empty(),
        }
    }
}

/// A set of descriptors, each with a number. A clone is the same set.
#[derive(Clone, Debug)]
pub(super) struct Watched(Arc<OwnedFd>);

impl Watched {
    pub(super) fn nothing() -> Result<Watched> {
        Ok(Watched(Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC)?)))
    }

    pub(super) fn add(&self, file: impl AsFd, number: u64, what: For) -> Result<()> {
        epoll::add(&self.0, file, epoll::EventData::new_u64(number), what.into())
    }

    pub(super) fn change(&self, file: impl AsFd, number: u64, what: For) -> Result<()> {
        epoll::modify(&self.0, file, epoll::EventData::new_u64(number), what.into())
    }

    /// To be said before the descriptor is closed: a copy that somebody else has would be watched on.
    pub(super) fn remove(&self, file: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, file)
    }

    /// The numbers of those with which something can be done now.
    pub(super) fn ready(&self) -> Result<Vec<u64>> {
        let mut events = Vec::with_capacity(4);
        epoll::wait(&self.0, spare_capacity(&mut events), Some(&Timespec::default()))?;
        Ok(events.iter().map(|event: &epoll::Event| { event.data }.u64()).collect())
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
