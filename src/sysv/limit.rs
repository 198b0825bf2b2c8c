//! The limits of the kernel for queues.
//!
//! Knows nothing of queues.

use std::fs;

/// `msgmax`, the bytes of a message, or `msgmnb`, those of a queue; unknown where `/proc` is not there.
pub(super) fn limit(name: &str) -> Option<usize> {
    fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().parse().ok()
}
