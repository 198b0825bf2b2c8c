//! Where in the results of a network one of them stands.
//!
//! Knows nothing of what the results are.

use std::fmt;

/// Where in the results of a network a result stands.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Whole,
    Member(&'a Place<'a>, usize),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    /// As one would write it after the value: `.1[2]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::Member(whole, index) => write!(f, "{whole}.{index}"),
            Place::Item(whole, index) => write!(f, "{whole}[{index}]"),
        }
    }
}
