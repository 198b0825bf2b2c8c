//! Holds what the alternation macros expand to, as tokens, and where the grammar ends.
//!
//! Does not know how the errors look to a reader: `tests/ui` of the library holds that.
