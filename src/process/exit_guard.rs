//! `ExitGuard`: the end of a process as a guard.
//!
//! Knows nothing of how processes end: an end shows as the retirement of a channel that nobody writes to.

use crate::alternation::{Arm, Guard, Offered, Outcome, Stowed, Take, Verdict, wait_for};
use crate::channel::{Channel, ChannelError};
use crate::engine::{self, ChannelName, Closing, Direction, EndName, Member, ProcessId, actor};
use parking_lot::Mutex;
use std::fmt;

/// Fires when a process has ended, in whatever way: what [`Child::exit_guard`](crate::Child::exit_guard) and
/// [`ProcessId::exit_guard`] give.
///
/// It fires again and again, because the process stays dead. `join` tells how it ended. When the guard fires, the ends
/// of the process are closed, and `try_join` gives its outcome.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn once(input: Reader<u32>) -> csproc::Result<u32> {
///     Ok(input.read()?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::new();
///     let w = c.writer();
///     let child = Spawn!(once(c.reader()))?;
///     let gone = child.exit_guard();
///     let mut written = 0;
///     loop {
///         PriSelect! {
///             gone => break,
///             w.write(7) => written += 1,
///         }
///         .or_else(|error| if error.is_retired() { Ok(()) } else { Err(error) })?;
///     }
///     assert_eq!(written, 1);
///     assert_eq!(child.join()??, 7);
///     Ok(())
/// }
/// ```
pub struct ExitGuard {
    exits: Vec<Exit>,
    /// How many of them have ended, from the first on.
    ended: Mutex<usize>,
}

/// The exit channel of one process, kept in existence by an end.
struct Exit {
    channel: ChannelName,
    end: Option<EndName>,
}

impl Exit {
    fn of(channel: ChannelName) -> Exit {
        Exit { channel, end: actor(|actor| actor.request_end(channel, Direction::Handle)).ok() }
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        if let Some(end) = self.end {
            actor(|actor| actor.close_end(end, Closing::Retire));
        }
    }
}

impl ExitGuard {
    /// Fires when every process has ended whose exit channel is given.
    pub(super) fn over(exits: impl IntoIterator<Item = ChannelName>) -> ExitGuard {
        ExitGuard { exits: exits.into_iter().map(Exit::of).collect(), ended: Mutex::new(0) }
    }

    /// Waits until the process has ended.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// There is no memory to wait with.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn brief() {}
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let child = Spawn!(brief())?;
    ///     child.exit_guard().wait()?;
    ///     assert!(child.try_join().is_some());
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn wait(&self) -> Result<(), ChannelError> {
        wait_for(&mut self.arm())
    }
}

impl ProcessId {
    /// A guard that fires when the process has ended: peer death as an event. Of the program itself it never fires; of
    /// a process that is gone already it fires at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::ProcessId;
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn introduce(out: Writer<ProcessId>, stay: Reader<()>) -> csproc::Result<()> {
    ///     out.write(csproc::current().id())?;
    ///     Ok(stay.read()?)
    /// }
    ///
    /// #[process]
    /// fn watch(input: Reader<ProcessId>, stop: Writer<()>) -> csproc::Result<bool> {
    ///     let peer = input.read()?.exit_guard();
    ///     let alive = PriSelect! { peer => false, skip => true }?;
    ///     stop.poison();
    ///     peer.wait()?;
    ///     Ok(alive)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let (c, d) = (Channel::new(), Channel::new());
    ///     let (_, alive) = Parallel!(introduce(c.writer(), d.reader()), watch(c.reader(), d.writer()))?;
    ///     assert!(alive?);
    ///     let program = csproc::current().id().exit_guard();
    ///     assert!(PriSelect! { program => false, skip => true }?);
    ///     Ok(())
    /// }
    /// ```
    pub fn exit_guard(self) -> ExitGuard {
        let found = Member::all().find(|(_, member)| member.serial() == self.0);
        found.map_or_else(|| ExitGuard::over([]), |(_, slot)| self.exit_guard_in(slot))
    }

    /// The guard of the process that had this slot a moment ago. It may be another one's by now: then this process is
    /// gone.
    pub(crate) fn exit_guard_in(self, slot: &Member) -> ExitGuard {
        let (exit, is_program) = (slot.exit(), slot.is_program());
        let same = slot.serial() == self.0;
        if same && is_program {
            // A channel that nobody ever writes to never retires.
            return ExitGuard::over([Channel::<()>::new().id().0]);
        }
        ExitGuard::over(exit.filter(|_| same))
    }
}

impl Guard for ExitGuard {
    type Output = ();
    type Arm<'a> = ExitArm<'a>;

    fn arm(&self) -> ExitArm<'_> {
        ExitArm(self)
    }
}

/// An `ExitGuard` at work.
#[doc(hidden)]
#[derive(Debug)]
pub struct ExitArm<'a>(&'a ExitGuard);

impl Arm for ExitArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        let guard = match self.0.exits.get(*self.0.ended.lock()) {
            Some(exit) => engine::Guard::Input { channel: exit.channel, extended: false, reader: EndName::NONE },
            None => engine::Guard::Timer { deadline: crate::sys::clock::Deadline::at(engine::now()) },
        };
        Ok(Offered(Some(guard)))
    }

    fn fire(&mut self, _: Outcome) -> Result<Verdict, ChannelError> {
        let mut ended = self.0.ended.lock();
        if *ended >= self.0.exits.len() {
            return Ok(Verdict::Done);
        }
        *ended += 1;
        Ok(if *ended == self.0.exits.len() { Verdict::Done } else { Verdict::Again })
    }
}

impl Take for ExitArm<'_> {
    type Output = ();

    fn unpack(_: Stowed) -> Result<(), ChannelError> {
        Ok(())
    }
}

impl fmt::Debug for ExitGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExitGuard").field("processes", &self.exits.len()).finish_non_exhaustive()
    }
}
