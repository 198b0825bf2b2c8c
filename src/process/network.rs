//! `Network<R>`: processes put together, as a value; running it is a second step.
//!
//! Knows nothing of macros. A network is a tree: its leaves are processes, its branches run side by side or one after
//! the other.

use super::child::Child;
use super::deadlock::Deadlock;
use super::failure::NetworkError;
use super::plan::Plan;
use super::shape::{Assemble, Shape, assemble};
use super::started::{run, start};
use super::structure::Structure;
use std::panic::Location;

/// A network of processes that does not run yet: what [`network!`](crate::network) gives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u32>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// #[process]
/// fn sink(input: Reader<u32>) -> csproc::Result<u32> {
///     Ok(input.read()?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::builder().name("numbers").build()?;
///     let network = network!(source(c.writer()), sink(c.reader()));
///     assert!(network.to_dot().contains("numbers"));
///     let ((), received) = network.run().values()?;
///     assert_eq!(received, 7);
///     Ok(())
/// }
/// ```
#[must_use = "a network does nothing until `run` or `spawn` is called"]
#[derive(Debug)]
pub struct Network<R> {
    pub(super) plan: Plan,
    pub(super) shape: Shape,
    pub(super) assemble: Assemble<R>,
}

impl<R> Network<R> {
    /// Runs the network and waits until all its processes have ended.
    ///
    /// # Blocking
    /// Waits for every process.
    ///
    /// # Errors
    /// At least one process crashed or could not be started. The others have ended, too; their results are in the
    /// error.
    ///
    /// # Examples
    /// See [`Network`].
    #[track_caller]
    pub fn run(self) -> Result<R, NetworkError> {
        let outcomes = run(self.plan, Location::caller());
        assemble(self.shape, self.assemble, outcomes)
    }

    /// Starts the network and comes back at once.
    ///
    /// # Errors
    /// A process could not be started, and the channels of its arguments are poisoned. Those that were started go on
    /// and are joined when the calling process ends.
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
    ///     let child = network!(square(3), square(4)).spawn()?;
    ///     assert_eq!(child.join()?, (9, 16));
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn spawn(self) -> Result<Child<R>, NetworkError> {
        let started = start(self.plan, true, Location::caller());
        match started.refusal() {
            Some(failure) => Err(NetworkError::one(failure)),
            None => Ok(Child::new(started, self.shape, self.assemble, Location::caller())),
        }
    }

    /// Decides what happens when processes of the network, or processes that they start, wait for each other for ever.
    ///
    /// # Examples
    /// See [`Deadlock`].
    pub fn on_deadlock(mut self, on_deadlock: Deadlock) -> Network<R> {
        self.plan.each(&mut |leaf| leaf.role.on_deadlock = Some(on_deadlock));
        self
    }

    /// Its processes and channels, and who holds which end, as the arguments say.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn structure(&self) -> Structure {
        Structure::of(&self.plan)
    }

    /// The network as a graph in the DOT language: [`Structure::to_dot`].
    ///
    /// # Examples
    /// See [`Network`].
    pub fn to_dot(&self) -> String {
        self.structure().to_dot()
    }

    /// The network as a flowchart in the language of Mermaid: [`Structure::to_mermaid`].
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn to_mermaid(&self) -> String {
        self.structure().to_mermaid()
    }
}
