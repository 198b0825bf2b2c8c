//! `Pages`: many bytes in shared memory, as a slice for whoever has them, and for whoever alone has them to write.
//!
//! Knows nothing of what they mean. What is sent is one more handle of the same bytes, and not the bytes; a handle that
//! arrives is one of its own. So several may have the same bytes, and whoever wants to write asks first.
#![expect(unsafe_code, reason = "bytes that nobody writes, or nobody else has; listed in the architecture page")]

use super::error::MessageError;
use super::gate::Gate;
use crate::engine::{Area, actor, is_foreign};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes, which stay where they are as long as this is there.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Of the process of the operating system, as that of a cell.
    gate: Gate,
    area: Area,
    /// Nobody else has them.
    is_sole: AtomicBool,
}

impl Pages {
    /// So many bytes, all 0.
    pub(crate) fn zeroed(bytes: usize) -> Result<Pages, MessageError> {
        Pages::new(bytes, None)
    }

    /// A copy of these.
    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Pages, MessageError> {
        Pages::new(bytes.len(), Some(bytes))
    }

    fn new(bytes: usize, begin: Option<&[u8]>) -> Result<Pages, MessageError> {
        let gate = Gate::with_area(bytes, begin)?.entrusted();
        let area = gate.channel().area().ok_or_else(gone)?;
        Ok(Pages { gate, area, is_sole: AtomicBool::new(true) })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the gate keeps the block as long as its handle is there, which is as long as `self`. Nobody writes
        // meanwhile: who does has the only end of the gate, and this is one.
        unsafe { self.area.bytes() }
    }

    /// The bytes to write, if nobody else has them.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        if !self.is_sole() {
            return None;
        }
        // SAFETY: as for `bytes`. Nobody else reads or writes: there is no other end of the gate, and none is made but
        // of this one, by `serialize` alone, which borrows `self`.
        Some(unsafe { self.area.bytes_mut() })
    }

    /// Whether nobody else has them, and nobody will as long as `self` is not borrowed. Not for a copy of the program
    /// that it has forked by itself: the original has them.
    #[inline]
    pub(crate) fn is_sole(&mut self) -> bool {
        let is_sole = self.is_sole.get_mut();
        *is_sole = *is_sole || actor(|actor| actor.has_one_end(self.gate.channel()));
        *is_sole && !is_foreign()
    }

    /// Those that have come with a message; none in place of those that have come before, if it is read once more to
    /// learn what is wrong with it.
    pub(crate) fn arrive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pages>, D::Error> {
        use serde::de::Error;
        let gate = Gate::deserialize(deserializer)?.entrusted();
        if gate.is_stand_in() {
            return Ok(None);
        }
        let area = gate.channel().area().ok_or_else(|| D::Error::custom("what it names keeps no bytes"))?;
        Ok(Some(Pages { gate, area, is_sole: AtomicBool::new(false) }))
    }
}

#[cold]
fn gone() -> MessageError {
    MessageError::Memory { reason: String::from("what was just made is gone") }
}

impl Serialize for Pages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.is_sole.store(false, Ordering::Relaxed);
        self.gate.serialize(serializer)
    }
}
