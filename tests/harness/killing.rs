//! Processes that are killed in the middle of what they do, at moments that the number of the kill chooses.
//!
//! Knows nothing of what they do.

use csproc::{Message, Process};
use std::time::{Duration, Instant};

/// A thousand times: starts four of these, kills them at a random moment, and looks at what they have left.
pub(crate) fn kill_a_thousand<R: Message>(victim: impl Fn() -> Process<R>, look: impl Fn()) {
    let start = Instant::now();
    let mut kills = 0_u64;
    // On a machine that others keep busy, fewer times.
    while kills < 1000 && start.elapsed() < Duration::from_secs(30) {
        let victims = csproc::Spawn!(for _ in 0..4 => victim()).unwrap();
        std::thread::sleep(Duration::from_micros(kills.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53));
        victims.kill().unwrap();
        assert!(victims.join().is_err());
        look();
        kills += 4;
    }
    assert!(kills > 100, "{kills}");
}
