//! `Barrier`: several processes, all of which go on together.
//!
//! Knows nothing of how the last one finds the others; the engine sees a barrier as a channel with parties.

use super::end::{ChannelEnd, ChannelId, End, settled};
use super::error::ChannelError;
use super::process_scope::settle;
use super::travel::{arrive, depart};
use crate::engine::{ChannelKind, ChannelName, Closing, Direction, Patience, actor};
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::panic::Location;

/// A barrier: each of its parties waits in [`sync`](Barrier::sync) until all of them do, then all go on.
///
/// In an alternation `barrier.sync()` is a guard beside others: it fires for all parties at once, or for none.
///
/// A barrier is given to processes as an argument, or sent through a channel; a clone is for another party in the same
/// process. Whoever was given a barrier, or has used it, is a party of it until it resigns, drops it, or dies: then the
/// others wait for one party less. The original that only hands out clones is no party.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn worker(barrier: Barrier, log: Writer<u32>) -> csproc::Result<()> {
///     for phase in 0..3 {
///         log.write(phase)?;
///         barrier.sync()?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn collect(log: Reader<u32>) -> Vec<u32> {
///     log.into_iter().collect()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let barrier = Barrier::new(3);
///     let log = Channel::new();
///     let (phases, ..) = Parallel!(
///         collect(log.reader()),
///         for _ in 0..3 => worker(barrier.clone(), log.writer()),
///     )?;
///     assert_eq!(phases, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
///     Ok(())
/// }
/// ```
pub struct Barrier {
    handle: End,
    seat: Mutex<Seat>,
}

/// What the holder of one `Barrier` value is to it.
#[derive(Debug)]
enum Seat {
    /// It has not used it yet.
    Visitor,
    Party(End),
    Resigned,
}

impl Barrier {
    /// A barrier for so many parties.
    ///
    /// When the arena has no room for it, [`sync`](Barrier::sync) says so.
    ///
    /// # Examples
    /// ```
    /// let alone = csproc::Barrier::new(1);
    /// assert!(alone.sync().is_ok());
    /// ```
    #[must_use]
    pub fn new(parties: usize) -> Barrier {
        let kind = ChannelKind::Barrier { parties: u32::try_from(parties).unwrap_or(u32::MAX) };
        let handle = match actor(|actor| actor.create_channel("", kind)) {
            Ok((channel, end)) => End::new(channel, end),
            Err(error) => End::unmade(error),
        };
        Barrier { handle, seat: Mutex::new(Seat::Visitor) }
    }

    /// Waits until all parties are here.
    ///
    /// # Blocking
    /// Until the last party syncs, resigns or dies.
    ///
    /// # Errors
    /// [`Retired`](ChannelError::Retired) after [`resign`](Barrier::resign); [`Poisoned`](ChannelError::Poisoned) when
    /// somebody has [poisoned](Barrier::poison) it; [`Deadlock`](ChannelError::Deadlock) when it was part of one;
    /// [`Invalid`](ChannelError::Invalid) when there is no memory for it.
    ///
    /// # Examples
    /// See [`Barrier`].
    #[track_caller]
    pub fn sync(&self) -> Result<(), ChannelError> {
        let location = Location::caller();
        settle();
        let channel = self.sit()?;
        settled(actor(|actor| actor.attend(channel, location))?, Patience::ForEver)
    }

    /// Poisons the barrier: every [`sync`](Barrier::sync) of any party fails with [`Poisoned`](ChannelError::Poisoned),
    /// those that wait now and all later ones.
    ///
    /// A party that ends or dies leaves, and the others go on without it. Where they must not, because what it did is
    /// missing in theirs, it poisons the barrier first. Returning poison does not do so.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process(thread)]
    /// fn solver(barrier: Barrier, steps: u32) -> csproc::Result<u32> {
    ///     for step in 0.. {
    ///         if step == steps {
    ///             barrier.poison(); // no result without this part
    ///             return Err(csproc::Error::msg(format!("diverges at step {step}")));
    ///         }
    ///         barrier.sync()?;
    ///     }
    ///     Ok(steps)
    /// }
    ///
    /// let barrier = Barrier::new(2);
    /// let (one, other) = Parallel!(solver(barrier.clone(), 100), solver(barrier, 3))?;
    /// assert!(one.unwrap_err().channel_error().unwrap().is_poisoned());
    /// assert_eq!(other.unwrap_err().to_string(), "process `solver`: diverges at step 3");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[doc(alias = "abort")]
    pub fn poison(&self) {
        // As a writer does: nothing is stored in it that could be lost.
        self.handle.poison(Direction::Writer);
    }

    /// One more party, and the holder of this value is one: also after it has resigned.
    ///
    /// # Examples
    /// ```
    /// use csproc::Barrier;
    ///
    /// let barrier = Barrier::new(0);
    /// barrier.enroll();
    /// assert_eq!(barrier.parties(), 1);
    /// assert!(barrier.sync().is_ok());
    /// ```
    pub fn enroll(&self) {
        let mut seat = self.seat.lock();
        // Without a context nothing can be changed, and `sync` will say so.
        actor(|actor| actor.change_parties(self.handle.channel(), 1));
        if !matches!(*seat, Seat::Party(_)) {
            *seat = Seat::Party(self.handle.another(Direction::Party));
        }
    }

    /// One party less: the holder of this value leaves. The others, if all are waiting, go on. Doing it twice is doing
    /// it once.
    ///
    /// # Examples
    /// ```
    /// use csproc::Barrier;
    ///
    /// let (a, b) = (Barrier::new(2), ());
    /// let c = a.clone();
    /// let other = std::thread::spawn(move || c.sync());
    /// a.resign();
    /// assert!(other.join().unwrap().is_ok());
    /// assert!(a.sync().unwrap_err().is_retired());
    /// # let () = b;
    /// ```
    pub fn resign(&self) {
        let mut seat = self.seat.lock();
        match std::mem::replace(&mut *seat, Seat::Resigned) {
            Seat::Party(end) => end.close(Closing::Resign),
            // Without a context nothing can be changed; the reaper does it with this process.
            Seat::Visitor => actor(|actor| actor.change_parties(self.handle.channel(), -1)),
            Seat::Resigned => (),
        }
    }

    /// How many parties there are. Others may change it at once.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::Barrier::new(3).parties(), 3);
    /// ```
    pub fn parties(&self) -> usize {
        self.handle.channel().facts().parties()
    }

    /// Makes the holder a party, and gives the channel.
    pub(crate) fn sit(&self) -> Result<ChannelName, ChannelError> {
        self.handle.check()?;
        let mut seat = self.seat.lock();
        match *seat {
            Seat::Resigned => return Err(ChannelError::Retired),
            Seat::Visitor => {
                let end = self.handle.another(Direction::Party);
                end.check()?;
                *seat = Seat::Party(end);
            }
            Seat::Party(_) => (),
        }
        Ok(self.handle.channel())
    }
}

impl ChannelEnd for Barrier {
    fn poison(&self) {
        Barrier::poison(self);
    }

    /// [Resigns](Barrier::resign).
    fn retire(&self) {
        self.resign();
    }

    fn channel_id(&self) -> ChannelId {
        ChannelId(self.handle.channel())
    }
}

impl Clone for Barrier {
    /// The same barrier, for another party.
    fn clone(&self) -> Barrier {
        Barrier { handle: self.handle.another(Direction::Handle), seat: Mutex::new(Seat::Visitor) }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.parties()).finish_non_exhaustive()
    }
}

impl Serialize for Barrier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        depart(&self.handle, Direction::Party, serializer)
    }
}

impl<'de> Deserialize<'de> for Barrier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Barrier, D::Error> {
        let (channel, end) = arrive(Direction::Party, deserializer)?;
        let handle = End::request(channel, Direction::Handle);
        Ok(Barrier { handle, seat: Mutex::new(Seat::Party(End::new(channel, end))) })
    }
}
