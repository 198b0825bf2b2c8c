//! System V message queues, semaphores and segments of memory: the kernel's own, which any program of the machine can
//! open.
//!
//! Knows nothing of processes and channels of this crate; a queue and a semaphore meet them as guards, through
//! [`MessageQueue::bridge`] and [`Semaphore::bridge`].
//!
//! Programs that know nothing of each other but a [`Key`] open the same object. It belongs to the system: it outlives
//! the programs that use it, until one of them removes it or the system is started anew. On the other side may be
//! another program of this crate, one in C, or one with Python's `sysv_ipc`; `ipcs` lists all objects, and `ipcrm`
//! removes one that was left behind.
//!
//! | object | what it is | lists, removes |
//! |---|---|---|
//! | [`MessageQueue`] | messages: bytes with a *kind*, by which a receiver may choose | `ipcs -q`, `ipcrm -Q KEY` |
//! | [`Semaphore`] | so many permits, which come back when their holder is killed | `ipcs -s`, `ipcrm -S KEY` |
//! | [`SharedMemory`] | bytes in the memory of every process that attaches them | `ipcs -m`, `ipcrm -M KEY` |
//!
//! Within one program a [`Channel`](crate::Channel), a [`shared::Semaphore`](crate::shared::Semaphore) and an
//! [`Array`](crate::shared::Array) are better in every way but this one: they have types, they end with the last who
//! has them, they say who died, and they take no system call while both sides are awake.
//!
//! # What is sure
//! A message is in the queue or it is not: a process that is killed while it sends or receives leaves no half message,
//! no lock, and nobody who waits for it. A process that is killed with permits gives them back, and has its segments no
//! more; what it has written by then stays. Whoever waits when a queue or a semaphore is removed is told
//! ([`Removed`](SysvError::Removed)), and so is whoever uses it afterwards; a segment stays with those who have it.
//!
//! # What it costs
//! Operations on queues and semaphores are system calls, and the kernel wakes whoever waits; those on the bytes of a
//! segment are none. For a message within a limit of time, and as a guard, the kernel has nothing to wait on: these
//! look again, after 50 microseconds at first and ever less often, up to 5 milliseconds. So they learn of a message or
//! a permit up to 5 milliseconds late, and take up to a hundredth of a processor meanwhile; a guard takes two of them
//! while the queue holds nothing but messages that it does not want.
//!
//! # What waits, and what is told
//! | | until | or is told |
//! |---|---|---|
//! | `send`, `receive`, `acquire`, `wait_zero` | it can be done, without end | [`Removed`](SysvError::Removed) |
//! | those with `_timeout` | the time is up | [`TimedOut`](SysvError::TimedOut), never before |
//! | `try_send`, `try_receive`, `try_acquire` | never waits | [`WouldBlock`](SysvError::WouldBlock), `Removed` |
//! | all operations on a [`SharedMemory`] | never waits | what does not lie in it, or is attached to read |
//! | [`Semaphore::open`], `create` | its maker has given it its value, at most a second | `SysvError::Unfinished` |
//!
//! A signal ends no wait and moves no deadline. Each of them may be told [`Permission`](SysvError::Permission); whoever
//! makes or opens an object also [`NotFound`](SysvError::NotFound), [`AlreadyExists`](SysvError::AlreadyExists), and
//! [`Limit`](SysvError::Limit) with the file of the system in which the limit stands.
//!
//! # What stays in the dark
//! A deadlock over these objects is not found: another program might always send, post or write. What the bytes of a
//! message or a segment mean is up to those who use them.
//!
//! # Examples
//! ```
//! use csproc::sysv::{Key, MessageQueue, Semaphore, SharedMemory};
//!
//! let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
//! queue.send("seven", 7)?;
//! queue.send("two", 2)?;
//! assert_eq!(queue.receive(-5)?, (b"two".to_vec(), 2)); // the lowest kind up to 5
//! assert_eq!(queue.receive(0)?, (b"seven".to_vec(), 7)); // the first
//! assert!(queue.try_receive(0).unwrap_err().is_would_block());
//!
//! let (guard, segment) = (Semaphore::create(Key::PRIVATE, 1)?, SharedMemory::create(Key::PRIVATE, 4096)?);
//! let (guard, segment) = (guard.remove_on_drop(), segment.remove_on_drop());
//! let memory = segment.attach()?;
//! let permit = guard.acquire()?; // nobody else who asks for it writes now
//! memory.write(0, "hello")?;
//! drop(permit);
//! assert_eq!(memory.read(0, 5)?, b"hello");
//! # Ok::<(), csproc::Error>(())
//! ```

mod error;
mod facts;
mod key;
mod limit;
mod lookout;
mod messages;
mod object;
mod opening;
mod options;
mod owned;
mod path;
mod patience;
mod queue;
mod segment;
mod semaphore;
mod status;

pub use error::SysvError;
pub use key::Key;
pub use messages::Messages;
pub use object::Object;
pub use options::Options;
pub use owned::Owned;
pub use queue::MessageQueue;
pub use segment::{Attachment, SegmentStatus, SharedMemory};
pub use semaphore::{Permit, Permits, Semaphore, SemaphoreStatus};
pub use status::Status;
