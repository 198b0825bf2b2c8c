//! What a reader and a writer have in common: one counted end of one channel.
//!
//! Knows nothing of values or of directions beyond passing them on.

use super::error::{ChannelError, MessageError};
use super::process_scope::{failed, settle};
pub(crate) use crate::engine::Patience;
use crate::engine::{
    ChannelName, Closing, Delivered, Direction, EndName, ExtendedWriter, Guard, NAME_LIMIT, Order, Outcome, Packet,
    Short, actor, now,
};
#[cfg(feature = "async")]
use crate::engine::{Fate, Fired};
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Identifies a channel within a program: two ends with equal ids are ends of one channel.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
/// assert_eq!(c.reader().channel_id(), c.writer().channel_id());
/// assert_ne!(c.reader().channel_id(), d.reader().channel_id());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(pub(crate) ChannelName);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.index, self.0.generation)
    }
}

/// The channel of an end that could not be made; every operation says why.
pub(super) const NOWHERE: ChannelName = ChannelName { index: u32::MAX, generation: 0 };
pub(super) const NO_END: EndName = EndName::NONE;

impl Patience {
    pub(crate) fn of(timeout: Duration) -> Patience {
        // A time that the clock cannot express is no limit.
        now().checked_add(timeout).map_or(Patience::ForEver, Patience::Until)
    }
}

/// One end.
#[derive(Debug)]
pub(crate) struct End {
    pub(super) channel: ChannelName,
    name: EndName,
    retired: AtomicBool,
    /// Values travel beside the blocks. It stands here so that no message has to ask.
    carried: bool,
    /// So does this: messages go from a writer to a reader, and into no buffer.
    plain: bool,
    /// The last message that was written with it was short.
    short: AtomicBool,
    /// Why the end could not be made.
    refusal: Option<Box<MessageError>>,
}

impl End {
    /// One more end of a channel, held by the process that the calling thread runs.
    pub(super) fn request(channel: ChannelName, direction: Direction) -> End {
        if channel == NOWHERE {
            return End::new(NOWHERE, NO_END);
        }
        match actor(|actor| actor.request_end(channel, direction)) {
            Ok(name) => End::new(channel, name),
            Err(error) => End::unmade(*error),
        }
    }

    /// One more end of the channel of this one. If this one could not be made, neither can the other. The channel is
    /// asked again what it is: that it counts tasks, say, may have been told since.
    pub(super) fn another(&self, direction: Direction) -> End {
        match &self.refusal {
            Some(refusal) => End::unmade(MessageError::clone(refusal)),
            None => End::request(self.channel, direction),
        }
    }

    /// One more end of this side.
    pub(super) fn one_more(&self, direction: Direction) -> End {
        if self.channel == NOWHERE {
            return self.another(direction);
        }
        match actor(|actor| actor.request_end(self.channel, direction)) {
            Ok(name) => End::over(self.channel, name, self.carried, self.plain),
            Err(error) => End::unmade(*error),
        }
    }

    pub(super) fn new(channel: ChannelName, name: EndName) -> End {
        let facts = channel.facts();
        End::over(channel, name, facts.is_carried(), facts.is_plain())
    }

    /// One of a gate, through which no messages go.
    pub(super) fn of_gate(channel: ChannelName, name: EndName) -> End {
        End::over(channel, name, false, false)
    }

    #[inline]
    fn over(channel: ChannelName, name: EndName, carried: bool, plain: bool) -> End {
        let (retired, short) = (AtomicBool::new(false), AtomicBool::new(plain));
        End { channel, name, retired, carried, plain, short, refusal: None }
    }

    /// An end that could not be made: every operation on it says why.
    #[cold]
    pub(crate) fn unmade(refusal: impl Into<MessageError>) -> End {
        let refusal = Some(Box::new(refusal.into()));
        let [retired, short] = [false; 2].map(AtomicBool::new);
        End { channel: NOWHERE, name: NO_END, retired, carried: false, plain: false, short, refusal }
    }

    #[inline]
    pub(crate) fn channel(&self) -> ChannelName {
        self.channel
    }

    /// Whether values travel beside the blocks.
    #[inline]
    pub(crate) fn is_carried(&self) -> bool {
        self.carried
    }

    /// Why it could not be made, if so.
    pub(crate) fn made(&self) -> Result<(), MessageError> {
        self.refusal.as_deref().map_or(Ok(()), |refusal| Err(refusal.clone()))
    }

    /// Gives its channel a name, before anybody else has an end of it.
    pub(crate) fn call(&self, name: &str) -> Result<(), MessageError> {
        if name.len() > NAME_LIMIT {
            return Err(MessageError::Name { name: name.to_owned(), limit: NAME_LIMIT });
        }
        self.channel.call(name);
        Ok(())
    }

    /// From now on a crash retires the ends of its channel, on both sides, before anybody else has one.
    pub(crate) fn bear_crashes(&self) {
        [Direction::Reader, Direction::Writer].into_iter().for_each(|side| self.bear_crashes_of(side));
    }

    /// The same of one side.
    pub(crate) fn bear_crashes_of(&self, side: Direction) {
        self.channel.bears_crashes_of(side);
    }

    /// From now on whoever reads from its channel serves those who write: as long as he waits there he is at rest, and
    /// no part of a deadlock. To be said before anybody else has an end of it.
    pub(crate) fn is_served(&self) {
        self.channel.is_served();
    }

    /// From now on whoever reads from its channel says when it is done with a message. To be said before anybody else
    /// has an end of it.
    pub(crate) fn counts_tasks(&self) {
        self.channel.counts_tasks();
    }

    /// From now on nobody writes to its channel. What is in the buffer is still read.
    pub(crate) fn end_writing(&self) {
        settle();
        actor(|actor| actor.end_writing(self.channel));
    }

    /// Whether taking a message would come back at once, with a message or with a reason why there is none; waits for
    /// it at most so long. A message that comes meanwhile is put back before all others, so this is for the only reader
    /// of a channel: others would see it go and come.
    pub(crate) fn is_ready_within(&self, timeout: Duration, location: &'static Location<'static>) -> bool {
        debug_assert!(!self.is_carried(), "a value that travels beside its message cannot be put back");
        let facts = self.channel.facts();
        if self.check().is_err() || facts.buffered() > 0 || facts.fate().is_some() {
            return true;
        }
        let patience = if timeout.is_zero() { Patience::Not } else { Patience::of(timeout) };
        match self.take(false, patience, location) {
            Ok((packet, _)) => {
                self.put_back(packet);
                true
            }
            Err(error) => !(error.is_timed_out() || error.is_would_block()),
        }
    }

    /// A message that was taken with this end is in the channel again, before all others.
    pub(crate) fn put_back(&self, packet: Packet) {
        actor(|actor| actor.put_back(self.channel, self.name, packet));
    }

    pub(super) fn len(&self) -> usize {
        self.channel.facts().buffered()
    }

    pub(super) fn retire(&self) {
        self.close(Closing::Retire);
    }

    pub(super) fn close(&self, closing: Closing) {
        if !self.retired.swap(true, Ordering::Relaxed) {
            settle();
            actor(|actor| actor.close_end(self.name, closing));
        }
    }

    pub(super) fn poison(&self, direction: Direction) {
        settle();
        actor(|actor| actor.poison(self.channel, direction));
    }

    /// Whether the end can be used at all.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), ChannelError> {
        settle();
        if self.retired.load(Ordering::Relaxed) {
            return Err(ChannelError::Retired);
        }
        if self.channel == NOWHERE {
            return Err(self.refusal());
        }
        Ok(())
    }

    /// From now on the process of the operating system has it, whichever of its threads was a process by itself.
    pub(super) fn entrust_to_host(&self) {
        actor(|actor| actor.entrust_to_host(self.name));
    }

    /// Whether there is a channel, and this end of it was not given up.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.channel != NOWHERE && !self.retired.load(Ordering::Relaxed)
    }

    /// Why there is no channel. An end without a reason stands for one that has come out of a message before.
    #[cold]
    pub(super) fn refusal(&self) -> ChannelError {
        self.refusal.as_ref().map_or(ChannelError::Retired, |error| ChannelError::Invalid(MessageError::clone(error)))
    }

    /// The guard that takes a message.
    #[inline]
    pub(crate) fn taking(&self, extended: bool) -> Guard {
        Guard::Input { channel: self.channel, extended, reader: self.name }
    }

    /// Waits until every message of its channel, which counts tasks, was read and is done with.
    pub(crate) fn join(&self, patience: Patience, location: &'static Location<'static>) -> Result<(), ChannelError> {
        self.check()?;
        let guard = Guard::Join { queue: self.channel };
        let fired = patience.among(guard, |guards| actor(|actor| actor.offer(guards, Order::Priority, location)))?;
        let joined = settled(fired.alone(drop), patience);
        if joined.is_err() {
            actor(crate::engine::Actor::forget_leaver);
        }
        joined
    }

    /// One message that this process has read from its channel is done with. `false` if none is open.
    pub(crate) fn task_done(&self) -> bool {
        actor(|actor| actor.task_done(self.name))
    }

    /// Offers to take a message. The writer of one that is taken `extended` is held until it is released.
    #[inline]
    pub(super) fn take(
        &self,
        extended: bool,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(Packet, Option<ExtendedWriter>), ChannelError> {
        self.check()?;
        let taken = actor(|actor| actor.take(self.taking(extended), patience, location))?;
        let (packet, writer) = settled(taken, patience)?;
        Ok((packet.ok_or_else(without_message)?, writer))
    }

    /// The same for somebody to whom it does not matter where the message lies.
    #[inline]
    pub(super) fn receive(
        &self,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Delivered, ChannelError> {
        self.check()?;
        let received = actor(|actor| actor.receive(self.taking(false), patience, location))?;
        settled(received, patience)?.ok_or_else(without_message)
    }

    /// What an offer to take a message has come to.
    #[cfg(feature = "async")]
    pub(super) fn took(fired: Fired) -> Result<(Packet, Option<ExtendedWriter>), ChannelError> {
        let packet = fired.packet().map_err(failed)?.ok_or_else(without_message)?;
        Ok((packet, fired.writer()))
    }

    /// What an offer to write a message has come to.
    #[cfg(feature = "async")]
    pub(super) fn gave(settled: Result<(), Fate>) -> Result<(), ChannelError> {
        settled.map_err(failed)
    }

    /// Offers a message. It stays in its slot unless a reader has it.
    #[inline]
    pub(super) fn give(
        &self,
        message: &mut Option<Packet>,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), ChannelError> {
        let guard = message.as_ref().ok_or_else(without_message)?.guard(self.channel);
        settled(actor(|actor| actor.give(message, guard, patience, location))?, patience)
    }

    /// Offers a message that is in nobody's block, where [`takes_short`](End::takes_short) says so.
    #[inline]
    pub(super) fn give_short(
        &self,
        message: &Short,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), ChannelError> {
        self.check()?;
        settled(actor(|actor| actor.give_short(message, self.channel, patience, location))?, patience)
    }

    /// Whether the next message is likely to be short, as the last one was.
    #[inline]
    pub(super) fn expects_short(&self) -> bool {
        self.short.load(Ordering::Relaxed) && actor(crate::engine::Actor::gives_short)
    }

    /// Whether a short message may be in nobody's block. A buffer keeps blocks.
    #[inline]
    pub(super) fn takes_short(&self) -> bool {
        self.plain
    }

    /// A message was short, or was not.
    #[inline]
    pub(super) fn note_short(&self, short: bool) {
        if self.short.load(Ordering::Relaxed) != short {
            self.short.store(short, Ordering::Relaxed);
        }
    }

    /// Offers a message whose reader replies, and waits for the reply. The message stays in its slot unless a reader
    /// has it.
    pub(super) fn ask(
        &self,
        message: &mut Option<Packet>,
        location: &'static Location<'static>,
    ) -> Result<Packet, ChannelError> {
        let guard = message.as_ref().ok_or_else(without_message)?.guard(self.channel);
        let replied = actor(|actor| actor.call(message, guard, location))?;
        settled(replied, Patience::ForEver)?.ok_or_else(without_message)
    }

    /// Whether a write may begin: asked before a value is serialized that may be long.
    #[inline]
    pub(super) fn check_open(&self) -> Result<(), ChannelError> {
        self.check()?;
        match self.channel.facts().fate() {
            None => Ok(()),
            Some(fate) => Err(failed(fate)),
        }
    }
}

/// What an operation came to, to whoever has waited so long.
#[inline]
pub(super) fn settled<T>(settled: Outcome<T>, patience: Patience) -> Result<T, ChannelError> {
    match settled {
        Outcome::Took(came) => Ok(came),
        Outcome::Ended(fate) => Err(failed(fate)),
        Outcome::Late if matches!(patience, Patience::Not) => Err(ChannelError::WouldBlock),
        Outcome::Late => Err(ChannelError::TimedOut),
    }
}

#[cold]
fn without_message() -> ChannelError {
    unreachable!("a write offers a message, and a read that fires has one")
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.retired.load(Ordering::Relaxed) && self.name != NO_END {
            actor(|actor| actor.drop_end(self.name));
        }
    }
}

/// What can be done with either end of a channel; [`poison!`](crate::poison) and [`retire!`](crate::retire) take any.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// fn stop(ends: &[&dyn ChannelEnd]) {
///     for end in ends {
///         end.retire();
///     }
/// }
/// let c = Channel::<u8>::new();
/// let (w, r) = (c.writer(), c.reader());
/// stop(&[&w]);
/// assert!(r.read().unwrap_err().is_retired());
/// ```
pub trait ChannelEnd {
    /// Poisons the channel: every operation on either side fails at once, now and later.
    fn poison(&self);

    /// Gives this end up. When it was the last one of its side, the channel retires.
    fn retire(&self);

    /// The channel this is an end of.
    fn channel_id(&self) -> ChannelId;
}

/// The name of a channel, for people.
pub(crate) fn label(channel: ChannelName) -> String {
    match channel.facts().name() {
        Some(name) if !name.is_empty() => name,
        _ => ChannelId(channel).to_string(),
    }
}
