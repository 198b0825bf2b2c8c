//! What processes share, as Python's `multiprocessing` has it: queues and pipes, made of channels; locks, semaphores,
//! events and conditions, made of permits that the engine hands on; plain data in shared memory, under a lock; and
//! managers, which have objects of any type in a process of their own.
//!
//! Knows nothing of how processes run, or who notices a death; an object is a [`Message`](crate::Message), and whoever
//! has it uses it.
//!
//! A channel has two sides, and ends with either of them. Here are shapes of it for those who think in other words: a
//! [`Queue`] is a channel with both ends in one handle, which ends when it is closed; a [`pipe`](fn@pipe) is two
//! channels, one for each direction, with an end of both on either side.
//!
//! | Python's `multiprocessing` | here |
//! |---|---|
//! | `Queue`, `SimpleQueue` | [`Queue`] |
//! | `JoinableQueue` | [`Queue`], with [`task_done`](Queue::task_done) and [`join`](Queue::join) |
//! | `Pipe` | [`pipe`](fn@pipe) |
//! | `Lock` | [`Lock`]; whoever has it after a holder that died is told ([`Abandoned`]) |
//! | `RLock` | no: that one has the lock is a `&`[`LockGuard`] to hand on |
//! | `Semaphore` | [`Semaphore::counting`] |
//! | `BoundedSemaphore` | [`Semaphore::new`] |
//! | `Event` | [`Event`] |
//! | `Condition` | [`Condition`] |
//! | `Barrier` | [`Barrier`] |
//! | `Value` | [`Value`]; increments are [`with_lock`](Value::with_lock) |
//! | `Array` | [`Array`] |
//! | `RawValue`; `Value(…, lock=False)` | [`Atomic`] |
//! | `shared_memory.SharedMemory` | [`Region`], which one changes at a time; [`Frozen`], which many read |
//! | `Manager` | [`Manager`]: [`List`], [`Dict`], [`Namespace`], [`Shared`], objects of one's own types |
//! | `BaseManager(address, authkey)`, `get_server()`, `connect()` | [`Manager::serve`], [`Manager::connect`] |
//!
//! # What is sure
//! A message is sent or it is not, whoever is killed at whichever instruction. What was sent is in shared memory: it
//! needs no thread to deliver it, and it outlives its sender. Nobody waits for a process that is dead: it gives back
//! what it had, and the next one learns of it. Processes that wait for each other are reported as a deadlock, whatever
//! they wait for. A value or an array changes as a whole or not at all. Each object but [`Condition`], [`Value`],
//! [`Array`] and [`Atomic`] is a [guard](crate::Guard): it stands in an alternation beside reads and writes; of a value
//! and an array, the lock does. Objects of a manager are none, for a call cannot be withdrawn.
//!
//! # Which of them
//! | you have | take |
//! |---|---|
//! | stages that end one after the other, and are told of a crash | a [`Channel`](crate::Channel) |
//! | many who put and many who get, of whom any may crash without the others | a [`Queue`] |
//! | a conversation between two | a [`pipe`](fn@pipe) |
//! | much data that goes from one to the next, or that many read | a [`Region`], or a [`Frozen`] one |
//! | numbers that many read at any time, and some change | a [`Value`] or an [`Array`]; a counter is an [`Atomic`] |
//! | what grows, or is no plain data: texts, lists, dictionaries, files, connections | an object of a [`Manager`] |
//!
//! # Examples
//! ```
//! use csproc::prelude::*;
//!
//! #[process]
//! fn double(asker: PipeEnd<i32, i32>) -> csproc::Result<()> {
//!     while let Ok(number) = asker.recv() {
//!         asker.send(2 * number)?;
//!     }
//!     Ok(())
//! }
//!
//! fn main() -> csproc::Result<()> {
//!     let (mine, theirs) = pipe::<i32, i32>();
//!     let child = Spawn!(double(theirs))?;
//!     mine.send(21)?;
//!     assert_eq!(mine.recv()?, 42);
//!     mine.close();
//!     child.join()??;
//!     Ok(())
//! }
//! ```

mod array;
mod atomic;
mod condition;
mod event;
mod lock;
mod manager;
mod pass;
mod pipe;
mod plain;
mod queue;
mod region;
mod remote;
mod rwlock;
mod semaphore;
mod slice;
mod value;

pub use crate::channel::Barrier;
pub use crate::pool::Pool;
pub use array::Array;
pub use atomic::{Atomic, Word};
/// Plain data as bytes. A type of one's own derives `Pod` and `Zeroable` of it: see [`Plain`].
pub use bytemuck;
pub use condition::Condition;
pub use csproc_macros::managed;
pub use event::Event;
pub use lock::{Abandoned, Lock, LockError, LockGuard};
pub use manager::{
    CallError, Dict, List, Managed, ManagedType, Manager, ManagerHandle, Namespace, Proxy, Remote, Shared, Visible,
};
#[doc(hidden)]
pub use manager::{Distant, Method, Methods};
#[doc(hidden)]
pub use pass::{PassArm, WaitArm};
pub use pipe::{PipeEnd, pipe, pipe_with, simplex};
pub use plain::Plain;
pub use queue::{GetResults, IntoIter, Iter, NoOpenTask, Queue};
pub use region::{Frozen, Region};
pub use remote::ServeError;
pub use rwlock::{ReadGuard, Reading, RwLock, WriteGuard, Writing};
pub use semaphore::{NotCounting, Permit, Semaphore};
pub use slice::Slice;
pub use value::Value;
