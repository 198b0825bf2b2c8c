//! Alternation: waiting for one of several guards, at either end of channels.
//!
//! Knows nothing of processes, nor of how the engine chooses. The three macros [`AltSelect!`](crate::AltSelect),
//! [`PriSelect!`](crate::PriSelect) and [`FairSelect!`](crate::FairSelect) turn each arm into an [`arm`], ask `select`
//! for the one that fires, and run its body; [`Alternation`] does the same for a set of guards that is known only at
//! run time.

mod arm;
mod arms;
mod draft;
mod dynamic;
mod entry;
mod fired;
#[cfg(feature = "async")]
mod future;
mod guard;
mod lending;
mod select;
mod set;
mod spell;
mod timer;
mod token;

#[doc(hidden)]
pub use arm::{Arm, Take};
pub(crate) use arm::{Content, Offered, Outcome, Stowed, Verdict, no_value};
#[doc(hidden)]
pub use arms::{ExtendedArm, ReadArm, SkipArm, SyncArm, WriteArm};
pub use dynamic::{Alternation, select_read};
pub use fired::Fired;
#[cfg(feature = "async")]
pub use future::SelectAsync;
pub use guard::Guard;
#[doc(hidden)]
pub use guard::{Extend, Input, Output, Synced};
pub(crate) use select::wait_for;
#[doc(hidden)]
pub use select::{Turn, alt_select, fair_select, pri_select};
#[doc(hidden)]
pub use spell::{after, at, guard, read, read_extended, skip, sync, write};
#[doc(hidden)]
pub use timer::{TickArm, TimerArm};
pub use timer::{Ticker, tick};
pub use token::{Event, Read, Token, Write};
