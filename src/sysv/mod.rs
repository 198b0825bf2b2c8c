//! System V message queues: the kernel's own, which any program of the machine can open.
//!
//! Knows nothing of processes and channels of this crate; a queue meets them as a guard, through
//! [`bridge`](MessageQueue::bridge).
//!
//! Programs that know nothing of each other but a [`Key`] open the same [`MessageQueue`]. A message is a run of bytes
//! with a *kind*, a number from 1, by which a receiver may choose. The queue belongs to the system: it outlives the
//! programs that use it, until one of them [removes](MessageQueue::remove) it or the system is started anew. On the
//! other side may be another program of this crate, one in C, or one with Python's `sysv_ipc`; `ipcs -q` lists all
//! queues, and `ipcrm -Q KEY` removes one that was left behind.
//!
//! Within one program a [`Channel`](crate::Channel) is better in every way but this one: it has types, it ends with its
//! ends, it says who died, and it takes no system call while both sides are awake.
//!
//! # What is sure
//! A message is in the queue or it is not: a process that is killed while it sends or receives leaves no half message,
//! no lock, and nobody who waits for it. Whoever waits when the queue is removed is told
//! ([`Removed`](SysvError::Removed)), and so is whoever uses it afterwards.
//!
//! # What it costs
//! A [`send`](MessageQueue::send) and a [`receive`](MessageQueue::receive) are system calls, and the kernel wakes
//! whoever waits. With a limit of time, or as a guard, the kernel has nothing to wait on: these look again, after 50
//! microseconds at first and ever less often, up to 5 milliseconds. So they learn of a message up to 5 milliseconds
//! late, and take up to a hundredth of a processor meanwhile; a guard takes two of them while the queue holds nothing
//! but messages that it does not want.
//!
//! # What stays in the dark
//! A deadlock over queues is not found: another program might always send. The bytes of a message are what they are;
//! what they mean is up to those who use the queue.
//!
//! # Examples
//! ```
//! use csproc::sysv::{Key, MessageQueue};
//!
//! let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
//! queue.send("seven", 7)?;
//! queue.send("two", 2)?;
//! assert_eq!(queue.receive(-5)?, (b"two".to_vec(), 2)); // the lowest kind up to 5
//! assert_eq!(queue.receive(0)?, (b"seven".to_vec(), 7)); // the first
//! assert!(queue.try_receive(0).unwrap_err().is_would_block());
//! # Ok::<(), csproc::Error>(())
//! ```

mod error;
mod key;
mod limit;
mod messages;
mod opening;
mod owned;
mod path;
mod patience;
mod queue;
mod status;

pub use error::SysvError;
pub use key::Key;
pub use messages::Messages;
pub use opening::Options;
pub use owned::Owned;
pub use queue::MessageQueue;
pub use status::Status;
