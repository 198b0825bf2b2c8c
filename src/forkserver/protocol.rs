//! What travels between the process server and its clients.
//!
//! Knows nothing of who sends and who serves. Arguments, results and environments are not here: they lie in the arena, and a
//! member's slot names them.

use crate::engine::live::MemberName;
use ipc_channel::ipc::{IpcSender, OpaqueIpcSender};
use serde::{Deserialize, Serialize};

/// Reports that may be on their way to a client without its acknowledgement.
///
/// A Linux socket of the default size holds 278 messages of this kind (measured, November 2026); a receiver in a debugger must
/// not be able to stop the server.
pub(super) const WINDOW: u32 = 128;

/// A client asks the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// From now on, this process wants reports about the processes it starts.
    Register { client: MemberName, reports: IpcSender<Report> },
    /// Fork one process for each of these members.
    Start { client: MemberName, members: Vec<MemberName> },
    /// So many reports have arrived.
    Acknowledge { client: MemberName, count: u32 },
    /// End this process by SIGKILL.
    Kill { member: MemberName },
    /// Whoever asks for it may write into this inbox.
    Publish { client: MemberName, inbox: OpaqueIpcSender },
    /// The inbox of this process, if it has published one and is not gone.
    Fetch { owner: MemberName, answer: IpcSender<Option<OpaqueIpcSender>> },
}

/// The server tells a client that a process it started is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The number that no other process of this program has.
    pub(crate) serial: u64,
    pub(crate) pid: u32,
    /// The exit code, or the negated number of the signal.
    pub(crate) status: i32,
}
