//! `Manager`: a process that has objects, for all others to use.
//!
//! Knows nothing of the objects. It is alive as long as its value is: the process ends with the last caller that may
//! stay, which is here.

mod connected;
mod dict;
mod distant;
mod error;
mod handle;
mod list;
mod methods;
mod namespace;
mod object;
mod proxy;
mod queue;
mod server;
mod shape;
mod shares;
mod single;

pub use connected::Remote;
pub use dict::Dict;
#[doc(hidden)]
pub use distant::Distant;
pub use error::CallError;
pub use handle::ManagerHandle;
pub use list::List;
pub use methods::Proxy;
#[doc(hidden)]
pub use methods::{Method, Methods};
pub use namespace::Namespace;
pub use proxy::{Managed, ManagedType, Visible};
pub use single::Shared;

use super::remote::{Gateway, ServeError, refuse_in_simulation};
use crate::channel::{CallChannel, Caller};
use crate::process::{Child, NetworkError, Spawn};
use parking_lot::Mutex;
use shares::Shares;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

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
    /// What other programs can ask for.
    shares: Arc<Shares>,
    /// Where they do.
    gateways: Mutex<Vec<Gateway>>,
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
        let handle = ManagerHandle::new(channel);
        Ok(Manager { handle, calls, server: Some(server), shares: Arc::default(), gateways: Mutex::default() })
    }

    /// What makes objects in this manager from other processes.
    ///
    /// # Examples
    /// See [`ManagerHandle`].
    #[must_use]
    pub fn handle(&self) -> ManagerHandle {
        self.handle.clone()
    }

    /// From now on other programs that [connect](Manager::connect) find this object by this name. The manager keeps it
    /// for as long as it is there itself.
    ///
    /// A name that was given before leads to the new object. Who has asked for the old one goes on with that.
    ///
    /// # Errors
    /// The name has more than 255 bytes, or the object is a queue of another program
    /// ([`Invalid`](CallError::Invalid)).
    ///
    /// # Examples
    /// A queue, from which each item goes to one program; for other objects see [`serve`](Manager::serve).
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (manager, jobs) = (Manager::new()?, Queue::new());
    /// manager.share("jobs", &jobs)?;
    /// let path = std::env::temp_dir().join(format!("csproc-jobs-{}/socket", std::process::id()));
    /// manager.serve(&path, b"a secret")?;
    ///
    /// // In another program:
    /// let there: Queue<String> = Manager::connect(&path, b"a secret")?.get("jobs")?;
    /// there.put("sweep".to_string())?;
    /// jobs.put("dust".to_string())?;
    /// assert_eq!(there.get()?, "sweep");
    /// there.task_done()?;
    ///
    /// assert_eq!(jobs.get()?, "dust");
    /// jobs.task_done()?;
    /// jobs.join()?; // nothing is left to be done, here or there
    /// manager.shutdown()?;
    /// assert!(matches!(there.get(), Err(ChannelError::Io { .. })));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn share<P: Proxy>(&self, name: &str, object: &P) -> Result<(), CallError> {
        self.shares.insert(name, object.clone())
    }

    /// Lets other programs in that run as the same user and have the same key, by a socket at `path`. They find there
    /// what is [shared](Manager::share), before or afterwards.
    ///
    /// The socket is gone when the manager is. It lies in a directory that only its user may enter, which is made if it
    /// does not exist, and is made for the user alone. Beside it lies `path.lock`: what a program that was killed has
    /// left at the path is taken over, and a path that another program serves is not. A program that is ended by a
    /// signal, or by `exit`, leaves both, so one that is to leave nothing ends by itself when the signal comes:
    /// [`toolkit::signal`](fn@crate::toolkit::signal) tells it.
    ///
    /// Each client is served by a thread of this process, one call after the other: up to 256 connections, of which a
    /// client has one for each call that it has under way. What goes over a connection at once is at most 64 MiB.
    /// Who says anything else than a client does is cut off. A manager can be served at several paths.
    ///
    /// The kernel says who is at the other end, so another user is sent away before a key is asked for. The key, at
    /// most 4096 bytes, keeps apart what belongs to one user; it goes over the socket as it is, which nobody but that
    /// user and the kernel can read. A call that was recorded lets nobody in.
    ///
    /// Whoever has the key can call what is shared, with whatever arguments, and is trusted as a part of this program
    /// is.
    ///
    /// (Python: `BaseManager(address, authkey).get_server()`. There, who connects can run any code in the server.)
    ///
    /// # Errors
    /// See [`ServeError`].
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::{CallError, List};
    ///
    /// let manager = Manager::new()?;
    /// let words = manager.list(["one".to_string()])?;
    /// manager.share("words", &words)?;
    /// let directory = std::env::temp_dir().join(format!("csproc-{}", std::process::id()));
    /// manager.serve(directory.join("socket"), b"a secret")?;
    ///
    /// // In another program:
    /// let remote = Manager::connect(directory.join("socket"), b"a secret")?;
    /// let there: List<String> = remote.get("words")?;
    /// there.push("two".to_string())?;
    /// assert_eq!(there.to_vec()?, ["one", "two"]);
    /// // A function of this program is not one of that.
    /// assert_eq!(there.with((), |words, ()| words.clear()), Err(CallError::Elsewhere));
    ///
    /// assert_eq!(words.len()?, 2);
    /// manager.shutdown()?;
    /// assert_eq!(there.len(), Err(CallError::Shutdown));
    /// assert!(!directory.exists());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn serve(&self, path: impl AsRef<Path>, key: &[u8]) -> Result<(), ServeError> {
        refuse_in_simulation(path.as_ref())?;
        let gateway = Gateway::open(path.as_ref(), key, self.shares.clone())?;
        self.gateways.lock().push(gateway);
        Ok(())
    }

    /// The manager that another program of this user [serves](Manager::serve) at `path` with this key.
    ///
    /// # Blocking
    /// Until the other program has answered, ten seconds at most.
    ///
    /// # Errors
    /// See [`ServeError`].
    ///
    /// # Examples
    /// See [`serve`](Manager::serve).
    pub fn connect(path: impl AsRef<Path>, key: &[u8]) -> Result<Remote, ServeError> {
        refuse_in_simulation(path.as_ref())?;
        Remote::connect(path.as_ref(), key)
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
        // Other programs are told as all are: what they have begun is finished, and nothing else is begun.
        self.gateways.get_mut().iter().for_each(Gateway::close);
        self.calls.end().end_writing();
        let ended = server.join();
        self.gateways.get_mut().clear();
        ended
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
