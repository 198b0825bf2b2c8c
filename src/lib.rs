//! Networks of communicating sequential processes.

extern crate self as csproc;

mod channel;
mod engine;
mod forkserver;
mod memory;
mod process;
mod sys;

pub use channel::{
    Builder, Channel, ChannelEnd, ChannelError, ChannelId, IntoIter, Iter, Message, MessageError, Reader, WriteError,
    Writer,
};
pub use csproc_macros::process;
pub use forkserver::Cause;
pub use process::{
    Child, Current, Error, Failure, Network, NetworkError, OnCrash, Placement, Process, ProcessId, Result, Results,
    StartError, current,
};

/// Runs processes side by side.
#[macro_export]
macro_rules! Parallel {
    ($($parts:tt)*) => { $crate::__private::compose! { parallel [$crate] $($parts)* } };
}
/// x
#[macro_export]
macro_rules! Sequence {
    ($($parts:tt)*) => { $crate::__private::compose! { sequence [$crate] $($parts)* } };
}
/// x
#[macro_export]
macro_rules! Spawn {
    ($($parts:tt)*) => { $crate::__private::compose! { spawn [$crate] $($parts)* } };
}
/// x
#[macro_export]
macro_rules! network {
    ($($parts:tt)*) => { $crate::__private::compose! { network [$crate] $($parts)* } };
}
/// x
#[macro_export]
macro_rules! poison {
    ($($end:expr),+ $(,)?) => { $( $crate::ChannelEnd::poison(&$end); )+ };
}
/// x
#[macro_export]
macro_rules! retire {
    ($($end:expr),+ $(,)?) => { $( $crate::ChannelEnd::retire(&$end); )+ };
}

/// Everything that a program with processes needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Channel, ChannelEnd, ChannelError, Child, Message, Network, NetworkError, OnCrash, Parallel, Placement,
        Process, Reader, Sequence, Spawn, WriteError, Writer, network, poison, process, retire,
    };
}

#[doc(hidden)]
pub mod __private {
    pub use crate::process::{Options, Part, Parts, ending, parallel, part, process, sequence, spawn};
    pub use csproc_macros::compose;
}
