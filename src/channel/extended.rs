//! A message whose writer waits until the reader has finished with it.
//!
//! Knows nothing of how the writer waits. Whatever way the reader leaves, the writer goes on: told that all is well
//! when the reader says so, told that it is not when the value is dropped unfinished (an early return, a panic) or the
//! process dies.

use super::carrier::{self, Arrived};
use super::codec::{Message, decode, decode_part};
use super::end::{End, Patience};
use super::error::{ChannelError, MessageError};
use super::process_scope::notice;
use crate::cause::note_unwinding;
use crate::engine::{ExtendedWriter, Packet, Unfinished, actor, member};
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// The writer's side of it: released when this is finished, or dropped.
#[doc(hidden)]
pub struct Hold {
    /// Kept until the release: by its tag the reaper sees whom the writer waits for. Not there only while a value that
    /// travels beside it is put together.
    packet: Option<Packet>,
    held: Option<ExtendedWriter>,
    /// The value itself, when it does not lie in the block.
    parcel: Option<Arrived>,
    /// The tag names the thread: in another one, that might outlive it, the reaper would not see whom the writer waits
    /// for.
    stays: PhantomData<*const ()>,
}

impl Hold {
    /// Offers to take a message in an extended rendezvous.
    pub(super) fn take(
        end: &End,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Hold, ChannelError> {
        let (packet, held) = end.take(true, patience, location)?;
        Hold::begin(end, packet, held)
    }

    /// A message has come to this end in an extended rendezvous. If its value travels beside it, that is sent now.
    #[inline]
    pub(crate) fn begin(end: &End, packet: Packet, held: Option<ExtendedWriter>) -> Result<Hold, ChannelError> {
        actor(crate::engine::Actor::keeps_message);
        let hold = Hold { packet: Some(packet), held, parcel: None, stays: PhantomData };
        if end.is_carried() { hold.fetch() } else { Ok(hold) }
    }

    #[cold]
    fn fetch(mut self) -> Result<Hold, ChannelError> {
        if let Some(packet) = &self.packet {
            self.parcel = Some(carrier::fetch(packet).inspect_err(notice)?);
        }
        Ok(self)
    }

    /// Lets the writer go on, and keeps the message.
    pub(crate) fn let_go(mut self) -> Hold {
        self.release(None);
        self
    }

    /// Makes the value; once.
    pub(crate) fn open<T: Message>(&mut self) -> Result<T, MessageError> {
        match (self.parcel.take(), &self.packet) {
            (Some(parcel), _) => parcel.open(&mut self.packet),
            (None, Some(packet)) => Ok(decode(packet)?.0),
            (None, None) => unreachable!("a message is opened by one after the other"),
        }
    }

    /// Makes a value of a part of the message, from this place on; and where it ends.
    pub(super) fn look<T: DeserializeOwned>(&self, from: usize) -> Result<(T, usize), MessageError> {
        match &self.packet {
            Some(packet) => decode_part(packet, from),
            None => unreachable!("the message stays until the hold is dropped"),
        }
    }

    /// Lets the writer go on.
    pub fn finish(mut self) {
        self.release(None);
    }

    /// Lets the writer go on with a reply.
    pub(super) fn reply(mut self, reply: Packet) {
        if let Some(held) = self.held.take() {
            actor(|actor| actor.reply(held, reply));
        }
    }

    fn release(&mut self, unfinished: Option<Unfinished>) {
        if let Some(held) = self.held.take() {
            actor(|actor| actor.release(held, unfinished));
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.held.is_some() {
            let (member, crashed) = (member().unwrap_or(0), std::thread::panicking());
            if crashed {
                note_unwinding(member);
            }
            self.release(Some(Unfinished { member, crashed }));
        }
        self.packet = None;
        actor(crate::engine::Actor::keeps_no_more);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("held", &self.held.is_some()).finish_non_exhaustive()
    }
}

/// A value that was read in an extended rendezvous: its writer waits until [`finish`](Extended::finish).
///
/// Dropped without `finish`, it tells the writer so: the write fails with
/// [`Abandoned`](crate::ChannelError::Abandoned), or with [`Lost`](crate::ChannelError::Lost) if the reader panicked or
/// died. The writer of a message from a buffer is not held.
///
/// It stays in the thread that has read it.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::new();
/// let (w, r) = (c.writer(), c.reader());
/// let writer = std::thread::spawn(move || (w.write(3), w.write(4)));
/// let value = r.extended()?;
/// assert_eq!(*value + 1, 4);
/// assert_eq!(value.finish(), 3);
/// drop(r.extended()?); // not finished
/// let (first, second) = writer.join().unwrap();
/// assert!(first.is_ok());
/// assert!(matches!(second.unwrap_err().fate, ChannelError::Abandoned { .. }));
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "the writer waits until this is finished or dropped"]
pub struct Extended<T> {
    value: T,
    hold: Hold,
}

impl<T> Extended<T> {
    pub(crate) fn new(value: T, hold: Hold) -> Extended<T> {
        Extended { value, hold }
    }

    /// Lets the writer go on, and gives the value.
    ///
    /// # Examples
    /// See [`Extended`].
    pub fn finish(self) -> T {
        self.hold.finish();
        self.value
    }

    #[doc(hidden)]
    pub fn split(self) -> (T, Hold) {
        (self.value, self.hold)
    }
}

impl<T> Deref for Extended<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Extended<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Extended<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Extended").field(&self.value).finish()
    }
}
