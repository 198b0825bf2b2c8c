//! Processes and their composition: what `#[process]`, `Parallel!`, `Sequence!` and `Spawn!` stand for.
//!
//! Knows nothing of shared objects or of testing. A process is a value until it is run; a network is a value that holds
//! processes; running starts them on the process server or on threads, waits for their ends, and puts the results
//! together.

mod attempt;
mod audit;
mod awaited;
mod blueprint;
mod boxed;
mod built;
mod child;
mod children;
mod current;
mod deadlock;
mod definition;
#[cfg(feature = "testing")]
mod driven;
mod driver;
pub mod ending;
mod entry;
mod error;
mod exit;
mod exit_guard;
mod failure;
mod network;
mod part;
mod place;
mod plan;
mod policy;
pub mod remedy;
mod restart;
mod running;
mod shape;
#[cfg(feature = "testing")]
mod simulated;
mod start;
mod start_error;
mod started;
mod structure;
mod supervisor;
pub mod thrown_away;
mod untold;
pub mod values;
mod watch;

pub use audit::{Audit, audit, dump};
pub use child::{Child, StillRunning};
pub use current::{Current, current, stand_aside};
pub use deadlock::{Deadlock, looks};
pub use definition::{Options, Process, process};
#[cfg(feature = "testing")]
pub(crate) use driven::{Driven, drive};
pub use error::{Error, Result};
pub use exit_guard::ExitGuard;
pub use failure::{Failure, NetworkError, Results};
pub use network::Network;
pub use part::{Part, Parts, Spawn, parallel, part, sequence, spawn};
pub use policy::{OnCrash, Placement};
#[cfg(feature = "testing")]
pub use simulated::Runnable;
#[cfg(feature = "testing")]
pub(crate) use simulated::{Body, Simulated, simulate};
pub use start_error::StartError;
pub use structure::{Link, Structure};
pub use supervisor::{Strategy, Supervisor};
