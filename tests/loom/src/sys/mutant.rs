//! Faults in the protocol: one at a time, chosen by the test that wants it found.
//!
//! Knows nothing of what a fault does.

/// Whether the fault of this name is in place.
macro_rules! mutant {
    ($name:literal) => {
        $crate::fault::is_skipped($name)
    };
}

pub(crate) use mutant;
