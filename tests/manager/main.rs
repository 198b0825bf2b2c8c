//! Managed objects keep their laws: each call is one step, an object lives as long as somebody has it, and whoever ends
//! or dies in whichever way, the others are told or go on.
//!
//! Knows nothing of how a call travels; that is tested with the channels.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod end;
mod failure;
mod laws;
mod looking;
mod proxies;
mod typed;

use csproc::shared::{Managed, ManagedType};

#[test]
fn play_scenario() {
    harness::scenario::play(&[failure::SCENARIOS, looking::SCENARIOS]);
}

/// An object that may be anything.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: 'static> ManagedType for Object<T> {
    type Proxy = Managed<Object<T>>;
    const NAME: &'static str = "Object";
}
