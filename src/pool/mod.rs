//! Pools of workers: functions and their arguments go in, results come out, whoever of the workers is killed.
//!
//! Knows nothing of what the functions do. A worker is a process that reads one channel of work, and a chunk of work
//! carries the channel of its answer; so nobody has to note who works on what. Where work is tried again, the keeper
//! gives each worker its own.
//!
//! # Coming from Python
//! | `multiprocessing`, `concurrent.futures` | here |
//! |---|---|
//! | `Pool(n)`, `ProcessPoolExecutor(n)` | [`Pool::new`] |
//! | `ThreadPool(n)`, `ThreadPoolExecutor(n)` | [`Pool::threads`] |
//! | `initializer`, `initargs` | [`Builder::state`]: a value, and not the worker's globals |
//! | `maxtasksperchild` | [`Builder::max_tasks_per_worker`], counted in tasks and not in chunks |
//! | `map`, `map_async` | [`Pool::map`] |
//! | `starmap` | `map`: a tuple is an argument |
//! | `imap`, `imap_unordered` | [`Pool::imap`], [`Pool::imap_unordered`]: lazy, with a bound |
//! | `chunksize` | [`Job::chunk`] |
//! | `apply` | [`Pool::apply`] |
//! | `apply_async`, `submit` | [`Pool::submit`], which gives a [`Task`] |
//! | `AsyncResult.get`, `Future.result` | [`Task::wait`], [`Task::wait_timeout`] |
//! | `AsyncResult.ready`, `Future.done` | [`Task::try_get`] |
//! | `Future.cancel` | [`Task::cancel`] |
//! | `as_completed`, callbacks | a [`Task`] is a [guard](crate::Guard) of an [`Alternation`](crate::Alternation) |
//! | `close` and `join` | [`Pool::join`] |
//! | `terminate` | [`Pool::terminate`] |
//! | `BrokenProcessPool`, or a `map` that hangs | [`TaskFailure::Lost`], of the tasks of that worker alone |
//! | – | [`Builder::retries`]: they are tried again by another worker |

mod arm;
mod builder;
mod desk;
mod failure;
mod handle;
mod job;
mod keeper;
mod results;
mod retry;
mod state;
mod task;
mod work;
mod worker;

pub use builder::Builder;
pub use failure::{TaskError, TaskFailure};
pub use handle::Pool;
pub use job::Job;
pub use results::{Results, WithIndex};
pub use task::Task;
#[doc(hidden)]
pub use task::TaskArm;
