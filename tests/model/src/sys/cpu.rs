//! One processor, so that nobody spins; a waiter looks again once before it parks.
//!
//! Knows nothing of why one asks.

pub(crate) const SPINS: u32 = 1;
/// The first wait of a context goes through WAITING to PARKED; when that look was in vain, the next ones begin with
/// PARKED.
pub(crate) const YIELDS: u32 = 1;

pub(crate) fn usable() -> u32 {
    1
}
