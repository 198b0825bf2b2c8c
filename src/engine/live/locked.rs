//! A channel under its lock, for anything but an offer.
//!
//! Knows nothing of what is done there. However the work ends, the lock is released first, and then everything is done
//! that had to wait for it: wake-ups, members let go, messages freed.

use super::channel::Channel;
use super::local::Local;
use crate::engine::ChannelName;
use std::ops::Deref;

/// A channel whose lock this context holds.
pub(super) struct Locked<'l> {
    pub(super) local: &'l mut Local,
    pub(super) channel: &'static Channel,
}

impl Local {
    /// Takes the lock of a channel. `None` when the channel no longer exists.
    pub(super) fn lock(&mut self, name: ChannelName) -> Option<Locked<'_>> {
        let channel = self.tables.channels.get(name.index)?;
        self.about_to_lock(name.index);
        if self.is_reaper {
            self.take_lock_as_reaper(name.index, channel);
        } else {
            self.take_lock(name.index, channel);
        }
        #[cfg(debug_assertions)]
        {
            assert!(self.is_reaper || !self.has_lock, "a death here would leave the lock before this one");
            self.has_lock = true;
        }
        let locked = Locked { local: self, channel };
        locked.local.tables.channel(name).is_some().then_some(locked)
    }

    /// As somebody who is killed with the lock, or stopped.
    #[cfg(test)]
    pub(super) fn lock_and_stay(&mut self, name: ChannelName) -> &'static Channel {
        let Some(locked) = self.lock(name) else { unreachable!("the channel is there") };
        let mut locked = std::mem::ManuallyDrop::new(locked);
        locked.forget();
        locked.channel
    }
}

impl Locked<'_> {
    /// Releases the lock, and leaves what had to wait for it to somebody who says [`Local::after_unlock`].
    pub(super) fn release_owing(self) {
        std::mem::ManuallyDrop::new(self).release();
    }

    fn release(&mut self) {
        self.forget();
        self.channel.lock.release();
    }

    fn forget(&mut self) {
        #[cfg(debug_assertions)]
        {
            self.local.has_lock = false;
        }
    }
}

impl Deref for Locked<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.release();
        self.local.after_unlock();
    }
}
