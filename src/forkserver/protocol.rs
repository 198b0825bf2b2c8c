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
    /// Whoever asks for it may write into this inbox.
    Publish { client: MemberName, inbox: OpaqueIpcSender },
    /// The inbox of this process, if it has published one and is not gone.
    Fetch { owner: MemberName, answer: IpcSender<Option<OpaqueIpcSender>> },
}

/// What is written to the doorbell. It comes in the order in which it was written, which requests do only among
/// themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// A request waits.
    Request,
    /// Fork a process for this member.
    Start(MemberName),
    /// Send this process a signal that ends it.
    Kill { member: MemberName, signal: i32 },
}

/// How many bytes a ring has.
pub(super) const RING: usize = 16;

/// How many rings the system writes into a pipe as a whole or not at all, and so reads as a whole: POSIX promises 512
/// bytes.
pub(super) const CHIME: usize = 512 / RING;

impl Ring {
    pub(super) fn to_bytes(self) -> [u8; RING] {
        let words = match self {
            Ring::Request => [0; 4],
            Ring::Start(member) => [1, member.index, member.generation, 0],
            Ring::Kill { member, signal } => [2, member.index, member.generation, signal.cast_unsigned()],
        };
        let mut bytes = [0; RING];
        bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(bytes, word)| *bytes = word.to_ne_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; RING]) -> Ring {
        let mut words = bytes.as_chunks().0.iter().map(|bytes| u32::from_ne_bytes(*bytes));
        let mut word = || words.next().unwrap_or(0);
        let (kind, member) = (word(), MemberName { index: word(), generation: word() });
        match kind {
            0 => Ring::Request,
            1 => Ring::Start(member),
            _ => Ring::Kill { member, signal: word().cast_signed() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_read_as_it_was_written() {
        let member = MemberName { index: u32::MAX, generation: 7 };
        for ring in [Ring::Request, Ring::Start(member), Ring::Kill { member, signal: libc::SIGKILL }] {
            assert_eq!(Ring::from_bytes(&ring.to_bytes()), ring);
        }
    }
}
