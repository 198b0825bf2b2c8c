//! csproc itself, from copies of its sources in which faults wait to be put in place.
//!
//! Knows nothing of what a fault does.
// The sources bring unit tests of their own, which are not for this place; `--all-targets` would build them here.
#![cfg(not(test))]
#![allow(clippy::all, clippy::allow_attributes, reason = "edited by the build")]
#![expect(macro_expanded_macro_exports_accessed_by_absolute_paths, reason = "the root comes by `include!`")]

/// Which of the faults is in place, in this program and all its processes: the one that the environment names.
mod seeded {
    use std::sync::OnceLock;

    /// The copies of the sources ask this wherever a fault is seeded.
    pub(crate) fn is_in_place(name: &str) -> bool {
        static IN_PLACE: OnceLock<Option<String>> = OnceLock::new();
        IN_PLACE.get_or_init(|| std::env::var("CSPROC_FAULT").ok()).as_deref() == Some(name)
    }
}

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
