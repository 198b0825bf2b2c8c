//! What travels from the clients to the process server.
//!
//! Knows nothing of who sends and who serves. Arguments, results, environments and the ends of processes are not here:
//! they lie in the arena, and a member's slot names them.

use crate::engine::MemberName;
use ipc_channel::ipc::{IpcSender, OpaqueIpcSender};
use serde::{Deserialize, Serialize};

/// A client asks the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Fork one process for each of these members.
    Start { members: Vec<MemberName> },
    /// Send this process a signal that ends it.
    Kill { member: MemberName, signal: i32 },
    /// Whoever asks for it may write into this inbox.
    Publish { client: MemberName, inbox: OpaqueIpcSender },
    /// The inbox of this process, if it has published one and is not gone.
    Fetch { owner: MemberName, answer: IpcSender<Option<OpaqueIpcSender>> },
}
