//! `ManagerHandle`: makes objects in the process of a manager, from any process.
//!
//! Knows nothing of how long the manager is there.

use super::dict::Dict;
use super::error::CallError;
use super::list::List;
use super::namespace::{Namespace, Values};
use super::object::object;
use super::proxy::{Managed, ManagedType};
use super::server::Begins;
use super::single::Shared;
use crate::channel::{CallChannel, ImageFn, Message, label};
use crate::shared::array::Array;
use crate::shared::lock::Lock;
use crate::shared::plain::Plain;
use crate::shared::queue::Queue;
use crate::sys::image::Takes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

/// Makes objects in the process of a [`Manager`](crate::shared::Manager), from any process.
///
/// It keeps nothing alive: when the manager is gone, it says [`Shutdown`](CallError::Shutdown).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::{List, ManagerHandle};
///
/// #[process]
/// fn squares(manager: ManagerHandle) -> csproc::Result<List<u64>> {
///     Ok(manager.list((1..=3).map(|number| number * number))?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let list = Parallel!(squares(manager.handle())).values()?;
///     assert_eq!(list.to_vec()?, [1, 4, 9]); // it outlives the process that has made it
///     Ok(())
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct ManagerHandle {
    calls: CallChannel,
}

impl ManagerHandle {
    pub(super) fn new(calls: CallChannel) -> ManagerHandle {
        ManagerHandle { calls }
    }

    /// A list with these items.
    ///
    /// # Blocking
    /// Until the manager has made it.
    ///
    /// # Errors
    /// The manager is gone ([`Shutdown`](CallError::Shutdown), [`Lost`](CallError::Lost)), an item cannot be a
    /// message, or there is no room for one more object or for its thread ([`Invalid`](CallError::Invalid)).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let (full, empty) = (manager.list(0..3)?, manager.list::<String>([])?);
    /// assert_eq!((full.len()?, empty.len()?), (3, 0));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn list<T: Message + 'static>(&self, items: impl IntoIterator<Item = T>) -> Result<List<T>, CallError> {
        let items: Vec<T> = items.into_iter().collect();
        self.make("list", items, |items| items, Location::caller()).map(List::new)
    }

    /// A dictionary with nothing in it.
    ///
    /// # Blocking
    /// Until the manager has made it.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list).
    ///
    /// # Examples
    /// See [`Dict`].
    #[track_caller]
    pub fn dict<K: Message + Ord + 'static, V: Message + 'static>(&self) -> Result<Dict<K, V>, CallError> {
        self.make("dict", (), |()| BTreeMap::new(), Location::caller()).map(Dict::new)
    }

    /// A dictionary with these items; of equal keys, the last one counts.
    ///
    /// # Blocking
    /// Until the manager has made it.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let ages = manager.dict_from([("Ada".to_string(), 36), ("Alan".to_string(), 41)])?;
    /// assert_eq!(ages.get(&"Alan".to_string())?, Some(41));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn dict_from<K: Message + Ord + 'static, V: Message + 'static>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Dict<K, V>, CallError> {
        let items: Vec<(K, V)> = items.into_iter().collect();
        self.make("dict", items, |items| items.into_iter().collect(), Location::caller()).map(Dict::new)
    }

    /// A namespace with nothing in it.
    ///
    /// # Blocking
    /// Until the manager has made it.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list).
    ///
    /// # Examples
    /// See [`Namespace`].
    #[track_caller]
    pub fn namespace(&self) -> Result<Namespace, CallError> {
        self.make("namespace", (), |()| Values::default(), Location::caller()).map(Namespace::new)
    }

    /// One value of any type that can be a message. Numbers and plain data are faster in a
    /// [`Value`](crate::shared::Value), which needs no process.
    ///
    /// # Blocking
    /// Until the manager has it.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list).
    ///
    /// # Examples
    /// See [`Shared`].
    #[track_caller]
    pub fn value<T: Message + 'static>(&self, value: T) -> Result<Shared<T>, CallError> {
        self.make("value", value, |value| value, Location::caller()).map(Shared::new)
    }

    /// A queue. It needs no manager, and outlives this one; it is here because Python has it here.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let queue = manager.queue();
    /// queue.put(1)?;
    /// assert_eq!(queue.get()?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn queue<T>(&self) -> Queue<T> {
        Queue::new()
    }

    /// An array of plain data. It needs no manager, and outlives this one; it is here because Python has it here.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// assert_eq!(manager.array([1, 2, 3]).to_vec(), [1, 2, 3]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn array<T: Plain>(&self, items: impl IntoIterator<Item = T>) -> Array<T> {
        items.into_iter().collect()
    }

    /// A lock. It needs no manager, and outlives this one; it is here because Python has it here.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let lock = manager.lock();
    /// let _held = lock.acquire()?;
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn lock(&self) -> Lock {
        Lock::new()
    }

    /// An object of a type of one's own, which is sent to the manager.
    ///
    /// # Blocking
    /// Until the manager has it.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list).
    ///
    /// # Examples
    /// See [`ManagedType`].
    #[track_caller]
    pub fn create<T: ManagedType + Message>(&self, object: T) -> Result<T::Proxy, CallError> {
        self.make(T::NAME, object, |object| object, Location::caller()).map(T::Proxy::from)
    }

    /// An object of a type of one's own, which is made where it stays: it need not be a message.
    ///
    /// # Blocking
    /// Until `make` has come back there.
    ///
    /// # Errors
    /// As for [`list`](ManagerHandle::list); a panic in `make` is a crash of the object, [`Lost`](CallError::Lost).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::{Managed, ManagedType};
    /// use std::fs::File;
    /// use std::path::PathBuf;
    ///
    /// struct Source(File);
    ///
    /// impl ManagedType for Source {
    ///     type Proxy = Managed<Source>;
    ///     const NAME: &'static str = "Source";
    /// }
    ///
    /// let manager = Manager::new()?;
    /// let path = std::env::current_exe()?;
    /// let source = manager.create_with(path, |path: PathBuf| Source(File::open(path).expect("this program")))?;
    /// assert!(source.look((), |source, ()| source.0.metadata().map_or(0, |data| data.len()))? > 0);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn create_with<T: ManagedType, A: Message>(
        &self,
        arguments: A,
        make: fn(A) -> T,
    ) -> Result<T::Proxy, CallError> {
        self.make(T::NAME, arguments, make, Location::caller()).map(T::Proxy::from)
    }

    /// The manager begins the process of the object, which then makes it.
    fn make<T: 'static, A: Message>(
        &self,
        kind: &str,
        arguments: A,
        make: fn(A) -> T,
        place: &'static Location<'static>,
    ) -> Result<Managed<T>, CallError> {
        let calls = CallChannel::new()?;
        let caller = calls.caller();
        caller.end().made()?;
        let begin = ImageFn::<Begins>(object::<T, A>);
        self.calls.caller().call::<_, _, Result<(), CallError>>(begin, (kind, calls), place)??;
        caller.call::<_, _, ()>(ImageFn::<Takes<A, T>>(make), arguments, place)?;
        Ok(Managed::new(caller))
    }
}

impl fmt::Debug for ManagerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagerHandle").field(&label(self.calls.end().channel())).finish()
    }
}
