//! `Child<R>`: a process, or a network, that was spawned and goes on by itself.
//!
//! Knows nothing of how it was started.

use super::children::{adopt, forget};
use super::exit_guard::ExitGuard;
use super::failure::{Failure, NetworkError, Outcome};
use super::shape::{Assemble, Shape, assemble};
use super::started::Started;
use crate::alternation::Alternation;
use crate::engine::{ProcessId, now};
use parking_lot::Mutex;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// A spawned process: what [`Spawn!`](crate::Spawn) gives.
///
/// Dropping it lets the process go on; it is joined when the process that spawned it ends. A program that waits at its
/// end for longer than two seconds says on standard error, once, for which processes, and where they were spawned.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     let child = Spawn!(square(5))?;
///     assert_eq!(child.name(), "square");
///     assert_eq!(child.join()?, 25);
///     Ok(())
/// }
/// ```
pub struct Child<R> {
    name: String,
    serial: u64,
    work: Mutex<Option<Work<R>>>,
}

struct Work<R> {
    started: Started,
    shape: Shape,
    assemble: Assemble<R>,
}

impl<R> Child<R> {
    pub(super) fn new(
        started: Started,
        shape: Shape,
        assemble: Assemble<R>,
        spawned_at: &'static Location<'static>,
    ) -> Child<R> {
        let running = started.running();
        let name = running.iter().map(|running| running.name()).collect::<Vec<_>>().join(", ");
        let serial = running.first().map_or(u64::MAX, |running| running.serial());
        for running in started.unattended() {
            adopt(running.clone(), spawned_at);
        }
        Child { name, serial, work: Mutex::new(Some(Work { started, shape, assemble })) }
    }

    /// Waits until it has ended, and gives what it returned.
    ///
    /// # Blocking
    /// Waits for the end of the process, and of every process of a spawned network.
    ///
    /// # Errors
    /// It crashed; or its result was already handed out by [`try_join`](Child::try_join).
    ///
    /// # Examples
    /// See [`Child`].
    #[track_caller]
    pub fn join(self) -> Result<R, NetworkError> {
        let location = Location::caller();
        let work = self.work.lock().take();
        match work {
            Some(work) => work.finish(location),
            None => {
                let process = self.name.clone();
                Err(NetworkError::one(Failure::Joined { process }))
            }
        }
    }

    /// What it returned, if it has ended. The result is handed out once; after that this gives `None`.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// It crashed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn wait_for(input: Reader<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let child = Spawn!(wait_for(c.reader()))?;
    ///     assert!(child.try_join().is_none());
    ///     c.writer().write(1)?;
    ///     assert_eq!(child.join()??, 1);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn try_join(&self) -> Option<Result<R, NetworkError>> {
        let location = Location::caller();
        let mut work = self.work.lock();
        if work.as_ref()?.started.is_over(location) {
            return work.take().map(|work| work.finish(location));
        }
        None
    }

    /// Whether it has ended; of a network, whether all its processes have. Does not wait.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn until_retired(input: Reader<()>) {
    ///     input.into_iter().for_each(drop);
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let w = c.writer();
    ///     let child = Spawn!(until_retired(c.reader()))?;
    ///     assert!(!child.is_finished());
    ///     drop(w);
    ///     child.exit_guard().wait()?;
    ///     assert!(child.is_finished());
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let location = Location::caller();
        self.work.lock().as_ref().is_none_or(|work| work.started.is_over(location))
    }

    /// As [`join`](Child::join), but waits only so long; then the child comes back.
    ///
    /// # Blocking
    /// Until it has ended, or the time is up.
    ///
    /// # Errors
    /// [`StillRunning`] holds the child. Otherwise as [`join`](Child::join).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn stubborn(input: Reader<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let w = c.writer();
    ///     let child = Spawn!(stubborn(c.reader()))?;
    ///     let error = child.join_timeout(Duration::from_millis(10)).unwrap_err();
    ///     assert_eq!(error.to_string(), "`stubborn` has not ended within 10ms");
    ///     let child = error.into_child();
    ///     w.write(7)?;
    ///     assert_eq!(child.join_timeout(Duration::from_secs(60))?.values()?, 7);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn join_timeout(self, patience: Duration) -> Result<Result<R, NetworkError>, StillRunning<R>> {
        if self.ends_within(patience) { Ok(self.join()) } else { Err(StillRunning { child: Box::new(self), patience }) }
    }

    #[track_caller]
    fn ends_within(&self, patience: Duration) -> bool {
        // More than a clock can count is for ever.
        let Some(deadline) = now().checked_add(patience) else { return true };
        let exit = self.exit_guard();
        let mut alternation = Alternation::new();
        alternation.guard(&exit);
        alternation.at(deadline);
        match alternation.pri_select() {
            Ok(fired) => fired.index() == 0,
            // No context can be had for this thread.
            Err(_) => loop {
                if self.is_finished() || now() >= deadline {
                    break self.is_finished();
                }
                std::thread::sleep(Duration::from_millis(1));
            },
        }
    }

    /// A guard that fires when it has ended: with all its processes, if it is a network. After [`join`](Child::join) it
    /// fires at once.
    ///
    /// # Examples
    /// See [`ExitGuard`].
    pub fn exit_guard(&self) -> ExitGuard {
        let work = self.work.lock();
        ExitGuard::over(work.iter().flat_map(|work| work.started.exits()))
    }

    /// Its identity; of a network, that of its first process.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn who() -> csproc::ProcessId {
    ///     csproc::current().id()
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let child = Spawn!(who())?;
    ///     let id = child.id();
    ///     assert_eq!(child.join()?, id);
    ///     Ok(())
    /// }
    /// ```
    pub fn id(&self) -> ProcessId {
        ProcessId(self.serial)
    }

    /// Its name; of a network, the names of all its processes.
    ///
    /// # Examples
    /// See [`Child`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number the operating system gave it; of a process on a thread, that of the program. `None` once it was
    /// joined.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn pid() -> u32 {
    ///     std::process::id()
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let child = Spawn!(pid())?;
    ///     let seen = child.pid();
    ///     assert_eq!(Some(child.join()?), seen);
    ///     Ok(())
    /// }
    /// ```
    pub fn pid(&self) -> Option<u32> {
        self.work.lock().as_ref()?.started.running().first().map(|running| running.pid())
    }

    /// How often it was started again after a crash, by [`OnCrash::Restart`](crate::OnCrash::Restart); of a network,
    /// all its processes together. Zero once it was joined.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn fragile(input: Reader<u32>) {
    ///     while input.read() == Ok(1) {
    ///         std::process::abort();
    ///     }
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let w = c.writer();
    ///     let again = OnCrash::Restart { max: 3, within: Duration::from_secs(10) };
    ///     let child = Spawn!(fragile(c.reader()).on_crash(again))?;
    ///     w.write(1)?;
    ///     w.write(1)?; // read by the second start
    ///     w.write(2)?; // read by the third
    ///     child.exit_guard().wait()?;
    ///     assert_eq!(child.restarts(), 2);
    ///     child.join()?;
    ///     Ok(())
    /// }
    /// ```
    pub fn restarts(&self) -> u32 {
        self.work.lock().as_ref().map_or(0, |work| work.started.restarts())
    }

    /// Asks it to end, by SIGTERM, which ends a process that does not handle it; a network, all its processes. It is
    /// not started again. Does nothing if it has ended.
    ///
    /// One that does not end by it within the time that it is given can be [killed](Child::kill).
    ///
    /// # Errors
    /// It runs on a thread, which cannot be ended from outside; or the process server is gone.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::{Cause, Failure};
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn serve(input: Reader<u8>) {
    ///     input.into_iter().for_each(drop);
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let _w = c.writer();
    ///     let child = Spawn!(serve(c.reader()))?;
    ///     child.terminate()?;
    ///     let result = match child.join_timeout(Duration::from_secs(60)) {
    ///         Ok(result) => result,
    ///         Err(late) => {
    ///             late.child().kill()?;
    ///             late.into_child().join()
    ///         }
    ///     };
    ///     let error = result.unwrap_err();
    ///     assert!(matches!(&error.failures()[0], Failure::Crashed { cause: Cause::Killed { signal: 15 }, .. }));
    ///     Ok(())
    /// }
    /// ```
    pub fn terminate(&self) -> std::io::Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// Ends it at once, by SIGKILL. Its ends go as its [`OnCrash`](crate::OnCrash) says, and it is not started again.
    /// Does nothing if it has ended.
    ///
    /// # Errors
    /// It runs on a thread, which cannot be killed; or the process server is gone.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::{Cause, Failure};
    ///
    /// #[process]
    /// fn stubborn(input: Reader<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let w = c.writer();
    ///     let child = Spawn!(stubborn(c.reader()))?;
    ///     child.kill()?;
    ///     let error = child.join().unwrap_err();
    ///     assert!(matches!(&error.failures()[0], Failure::Crashed { cause: Cause::Killed { signal: 9 }, .. }));
    ///     assert!(w.write(1).unwrap_err().fate.is_lost());
    ///     Ok(())
    /// }
    /// ```
    pub fn kill(&self) -> std::io::Result<()> {
        self.signal(libc::SIGKILL)
    }

    fn signal(&self, signal: i32) -> std::io::Result<()> {
        match self.work.lock().as_ref() {
            Some(work) => work.started.kill(signal),
            None => Ok(()),
        }
    }
}

/// A child that has not ended within the time it was given: what [`Child::join_timeout`] gives back.
///
/// # Examples
/// See [`Child::join_timeout`].
pub struct StillRunning<R> {
    child: Box<Child<R>>,
    patience: Duration,
}

impl<R> StillRunning<R> {
    /// The child.
    ///
    /// # Examples
    /// See [`Child::terminate`].
    pub fn child(&self) -> &Child<R> {
        &self.child
    }

    /// The child.
    ///
    /// # Examples
    /// See [`Child::join_timeout`].
    pub fn into_child(self) -> Child<R> {
        *self.child
    }
}

impl<R> fmt::Display for StillRunning<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has not ended within {:?}", self.child.name, self.patience)
    }
}

impl<R> fmt::Debug for StillRunning<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StillRunning").field("child", &self.child).field("patience", &self.patience).finish()
    }
}

impl<R> std::error::Error for StillRunning<R> {}

impl<R> Work<R> {
    fn finish(self, location: &'static Location<'static>) -> Result<R, NetworkError> {
        for running in self.started.unattended() {
            forget(running);
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        self.started.finish(location, &mut outcomes);
        assemble(self.shape, self.assemble, outcomes)
    }
}

impl<R> Drop for Child<R> {
    fn drop(&mut self) {
        if let Some(work) = self.work.get_mut().take() {
            work.started.abandon();
        }
    }
}

impl<R> fmt::Debug for Child<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("name", &self.name).field("id", &self.serial).finish_non_exhaustive()
    }
}
