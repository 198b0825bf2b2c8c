//! How processes dawdle between two communications, as in PyCSP's own checks: not at all, always the same time, or at
//! random.
//!
//! Knows nothing of what they do in between.

use serde::{Deserialize, Serialize};
use std::thread::sleep;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Sleeper {
    None,
    Fixed,
    Random,
}

pub(crate) const SLEEPERS: [Sleeper; 3] = [Sleeper::None, Sleeper::Fixed, Sleeper::Random];

impl Sleeper {
    /// Random means: by the seed, up to half a millisecond.
    pub(crate) fn sleep(self, seed: u64) {
        match self {
            Sleeper::None => {}
            Sleeper::Fixed => sleep(Duration::from_micros(200)),
            Sleeper::Random => sleep(Duration::from_micros(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55)),
        }
    }
}

/// Each way for the one side with each way for the other.
pub(crate) fn sleepers() -> impl Iterator<Item = (Sleeper, Sleeper)> {
    SLEEPERS.into_iter().flat_map(|one| SLEEPERS.map(|other| (one, other)))
}
