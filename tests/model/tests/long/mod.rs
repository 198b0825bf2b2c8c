//! Whether the long versions were asked for.
//!
//! Knows nothing of what is tested.

/// `CSPROC_LONG=1`, as for the other tests of the workspace.
pub(crate) fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some_and(|value| value == "1")
}
