//! Commands of the system, files, lines, time and signals as parts of a network.
//!
//! Knows nothing of networks: each is a process, or a guard, and is put together with others like any.
//!
//! | part | is |
//! |---|---|
//! | [`execute`](execute()) | a [`Command`] of the system, with channels in the place of its standard descriptors |
//! | [`runner`](runner()) | the commands that come through a channel, one after the other |
//!
//! # Examples
//! See [`execute`](execute()).

mod command;
mod error;
mod execute;
mod exit;
mod run;
mod watched;

pub use command::Command;
pub use error::CommandError;
pub use execute::{Job, execute, runner};
pub use exit::Exit;
