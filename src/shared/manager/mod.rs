//! `Manager`: a process that has objects, for all others to use.
//!
//! Knows nothing of the objects. It is alive as long as its value is: the process ends with the last caller that may
//! stay, which is here.

mod dict;
mod error;
mod handle;
mod list;
mod namespace;
mod object;
mod proxy;
mod server;
mod single;

pub use dict::Dict;
pub use error::CallError;
pub use handle::ManagerHandle;
pub use list::List;
pub use namespace::Namespace;
pub use proxy::{Managed, ManagedType, Visible};
pub use single::Shared;

use crate::channel::{CallChannel, Caller};
use crate::process::{Child, NetworkError, Spawn};
use std::fmt;
use std::ops::Deref;

/// A process of its own that has objects which others use: lists, dictionaries, namespaces, values, and objects of
/// one's own types.
///
/// It makes objects by the methods of [`ManagerHandle`], which all of them are its own, too: what comes is a proxy,
/// which any number of processes may have. Each object is a process on a thread of the manager, and serves one call
/// after the other. So each call is one step for everybody else, whatever it does with the object; objects do not wait
/// for each other; and one that panics leaves the others alone.
///
/// For a million small things take one [`Dict`], not a million objects: each has a thread and a place among the
/// processes of the program, of which there are some 16,000.
///
/// Dropped, it ends its objects: calls in progress are finished, others fail with
/// [`Shutdown`](CallError::Shutdown), and the process is waited for. It ends in the same way with the process that has
/// it, also when it lies in a `static` or was forgotten; if that is killed, so is the manager, as all that such a
/// process has started. It cannot be sent: for making objects elsewhere there is its [`handle`](Manager::handle).
///
/// (Python: `multiprocessing.Manager`.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::{Dict, List};
///
/// #[process]
/// fn fill(dict: Dict<String, i64>, list: List<i64>) -> csproc::Result<()> {
///     dict.insert("two".to_string(), 2)?;
///     list.reverse()?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let (dict, list) = (manager.dict()?, manager.list(0..10)?);
///     Parallel!(fill(dict.clone(), list.clone())).values()?;
///     assert_eq!(dict.items()?, [("two".to_string(), 2)]);
///     assert_eq!(list.to_vec()?, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
///     Ok(())
/// }
/// ```
pub struct Manager {
    handle: ManagerHandle,
    /// The process ends when this is gone; others come and go with the calls of handles.
    calls: Caller,
    /// Not there any more when it was joined.
    server: Option<Child<()>>,
}

impl Manager {
    /// Starts a manager.
    ///
    /// # Blocking
    /// Until the system has started its process.
    ///
    /// # Errors
    /// The process could not be started.
    ///
    /// # Examples
    /// See [`Manager`].
    #[track_caller]
    pub fn new() -> Result<Manager, NetworkError> {
        Manager::named("manager")
    }

    /// Starts a manager whose process has this name in reports, and its objects begin with it: `name: dict 3`.
    ///
    /// # Blocking
    /// Until the system has started its process.
    ///
    /// # Errors
    /// The process could not be started.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::named("ledger")?;
    /// assert_eq!(format!("{manager:?}"), r#"Manager("ledger")"#);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn named(name: &str) -> Result<Manager, NetworkError> {
        // What could not be made is told by those who use it: the process does not start without its end.
        let channel = CallChannel::new().unwrap_or_else(CallChannel::unmade);
        let calls = channel.caller();
        let server = (server::server(channel.callee()).named(String::from(name)),).spawn()?;
        Ok(Manager { handle: ManagerHandle::new(channel), calls, server: Some(server) })
    }

    /// What makes objects in this manager from other processes.
    ///
    /// # Examples
    /// See [`ManagerHandle`].
    #[must_use]
    pub fn handle(&self) -> ManagerHandle {
        self.handle.clone()
    }

    /// Ends it, as dropping it does, and says how it has ended.
    ///
    /// # Blocking
    /// Until the calls in progress are finished, the objects are dropped and the process has ended.
    ///
    /// # Errors
    /// The process has crashed, now or before.
    ///
    /// # Examples
    /// See [`CallError`].
    #[track_caller]
    pub fn shutdown(mut self) -> Result<(), NetworkError> {
        self.end()
    }

    /// Ends its process at once: calls in progress, and all later ones, fail with [`Lost`](CallError::Lost).
    ///
    /// Where processes are threads (`CSPROC_PLACEMENT=thread`) it can only be [shut down](Manager::shutdown).
    ///
    /// # Blocking
    /// Until the process is gone.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::{Cause, shared::CallError};
    ///
    /// let manager = Manager::new()?;
    /// let list = manager.list([1])?;
    /// manager.kill();
    /// assert!(matches!(list.len(), Err(CallError::Lost { cause: Cause::Killed { signal: 9 }, .. })));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn kill(mut self) {
        // A thread cannot be killed; it is shut down.
        if let Some(server) = self.server.take_if(|server| server.kill().is_ok()) {
            let _ = server.join();
        }
    }

    #[track_caller]
    fn end(&mut self) -> Result<(), NetworkError> {
        let Some(server) = self.server.take() else { return Ok(()) };
        self.calls.end().end_writing();
        server.join()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // Whoever calls is told how it has ended.
        let _ = self.end();
    }
}

impl Deref for Manager {
    type Target = ManagerHandle;

    fn deref(&self) -> &ManagerHandle {
        &self.handle
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Manager").field(&self.server.as_ref().map_or("", |server| server.name())).finish()
    }
}
