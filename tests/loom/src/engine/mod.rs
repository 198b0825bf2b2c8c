//! The place of the engine.
//!
//! Knows nothing of its other layers.

pub(crate) mod live;
