//! A process that does not run yet, without the types of its arguments and its result.
//!
//! Knows nothing of how it is started or of what its result becomes.

use super::built::Built;
use super::deadlock::Deadlock;
use super::policy::{OnCrash, Placement};
use super::start_error::StartError;
use crate::channel::{MessageError, Parcel};
use crate::forkserver::{Code, STACK};
use crate::sys::map::can_map;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A process without its type.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) role: Role,
    pub(super) arguments: Result<Parcel, MessageError>,
    pub(super) copy: fn(Parcel, usize) -> Result<Vec<Parcel>, MessageError>,
    pub(super) built: Option<Built>,
}

/// What a process is, whatever its arguments are.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: Cow<'static, str>,
    /// Where it stands in the `for` parts and vectors around it, the innermost first.
    pub(super) place: Vec<usize>,
    /// Its name was given by hand and tells it apart.
    pub(super) is_named: bool,
    pub(super) placement: Placement,
    /// How many bytes its stack has, if it is said.
    pub(super) stack: Option<usize>,
    pub(super) on_crash: OnCrash,
    /// As the starter's, unless it is said.
    pub(super) on_deadlock: Option<Deadlock>,
    pub(super) code: Code,
    pub(super) result_type: &'static str,
}

impl Role {
    /// Its name, with its place: `worker[2]`.
    pub(super) fn name(&self) -> Arc<str> {
        if self.is_named || self.place.is_empty() {
            return Arc::from(&*self.name);
        }
        let mut name = String::with_capacity(self.name.len() + 8 * self.place.len());
        name.push_str(&self.name);
        for index in self.place.iter().rev() {
            name.push('[');
            push_number(&mut name, *index);
            name.push(']');
        }
        Arc::from(name)
    }

    /// Where it runs.
    pub(super) fn placement(&self) -> Result<Placement, StartError> {
        match Placement::of_everything() {
            Ok(wish) => Ok(wish.unwrap_or(self.placement)),
            Err(reason) => Err(StartError::Unavailable { reason: reason.clone() }),
        }
    }

    /// How many bytes its stack has.
    pub(super) fn stack(&self) -> Result<usize, StartError> {
        static USUAL: OnceLock<usize> = OnceLock::new();
        let Some(bytes) = self.stack else {
            return Ok(*USUAL.get_or_init(|| {
                let wish = std::env::var("RUST_MIN_STACK").ok().and_then(|bytes| bytes.parse().ok());
                wish.unwrap_or(STACK)
            }));
        };
        match can_map(bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(StartError::Stack { bytes, reason: error.to_string() }),
        }
    }

    /// It stands at this place in one more `for` part or vector.
    pub(super) fn stands_at(&mut self, index: usize) {
        self.place.push(index);
    }
}

/// The digits of a number. A network has many processes, and `write!` takes ten times as long.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

impl Blueprint {
    /// The same process so many times, each with ends of its own.
    pub(super) fn times(self, times: usize) -> Vec<Blueprint> {
        let Blueprint { role, arguments, copy, built: _ } = self;
        let with = |arguments| Blueprint { role: role.clone(), arguments, copy, built: None };
        match arguments.and_then(|arguments| copy(arguments, times)) {
            Ok(copies) => copies.into_iter().map(Ok).map(with).collect(),
            Err(error) => (0..times).map(|_| with(Err(error.clone()))).collect(),
        }
    }
}
