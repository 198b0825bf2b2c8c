//! Alternation: waiting for one of several guards, at either end of channels.
//!
//! Knows nothing of processes, nor of how the engine chooses. The three macros [`AltSelect!`](crate::AltSelect),
//! [`PriSelect!`](crate::PriSelect) and [`FairSelect!`](crate::FairSelect) turn each arm into an [`arm`], ask `select` for the one that fires, and run
//! its body; [`Alternation`] does the same for a set of guards that is known only at run time.

mod arm;
mod dynamic;
mod guard;
mod select;

#[doc(hidden)]
pub use arm::{
    Arm, ExtendedArm, ReadArm, SkipArm, SyncArm, Take, TimerArm, WriteArm, after, at, guard, read, read_extended, skip,
    sync, write,
};
pub(crate) use arm::{Content, Offered, Outcome, Stowed, Verdict};
pub use dynamic::{Alternation, Event, Fired, Read, Token, Write, select_read};
pub use guard::Guard;
#[doc(hidden)]
pub use guard::{Extend, Input, Output, Synced};
pub(crate) use select::wait_for;
#[doc(hidden)]
pub use select::{Turn, alt_select, fair_select, pri_select};
