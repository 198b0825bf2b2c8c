//! Commands of the system, files, lines, time and signals as parts of a network.
//!
//! Knows nothing of networks: each is a process, or a guard, and is put together with others like any.
//!
//! | part | is |
//! |---|---|
//! | [`execute`](execute()) | a [`Command`] of the system, with channels in the place of its standard descriptors |
//! | [`runner`](runner()) | the commands that come through a channel, one after the other |
//! | [`file_reader`](file_reader()), [`file_chunks`](file_chunks()) | a file, by lines or by bytes |
//! | [`file_writer`](file_writer()) | a file that is made of what comes |
//! | [`line_splitter`](line_splitter()) | lines of text out of bytes in pieces |
//! | [`timer`](timer()) | how many periods have passed, once in every period |
//! | [`signal`](signal()) | Ctrl-C and other signals, as a guard |
//!
//! All but [`line_splitter`](line_splitter()) and [`timer`](timer()) are processes of the operating system unless
//! `.on(Placement::Thread)` says otherwise: a file or a command may keep them waiting.
//!
//! # Examples
//! See [`execute`](execute()).

mod command;
mod error;
mod execute;
mod exit;
mod files;
mod lines;
mod run;
mod signal;
mod timer;
mod watched;
mod whole;

pub use command::Command;
pub use error::CommandError;
pub use execute::{Job, execute, runner};
pub use exit::Exit;
pub use files::{file_chunks, file_reader, file_writer};
pub use lines::line_splitter;
pub use signal::{Signal, Signals, signal};
pub use timer::timer;
