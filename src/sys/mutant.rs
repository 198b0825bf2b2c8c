//! Faults that the models put into the protocol on purpose, to see that they would be found. Here there are none.
//!
//! Knows nothing of what a fault does: the line of the protocol that would be wrong says it.

/// Whether the fault of this name is in place: the constant `false`, of which nothing is left in the program.
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

pub(crate) use mutant;
