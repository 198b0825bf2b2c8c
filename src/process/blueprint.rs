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
use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

/// A process without its type.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) role: Role,
    pub(super) arguments: Result<Parcel, MessageError>,
    pub(super) copy: fn(Parcel, usize) -> Result<Vec<Parcel>, MessageError>,
    pub(super) built: Option<Built>,
}

/// Where a process stands in the `for` parts and vectors around it; mostly there is one at most.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    innermost: Option<usize>,
    /// Those around that, from within.
    others: Vec<usize>,
}

/// What a process is, whatever its arguments are.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: Cow<'static, str>,
    pub(super) place: Places,
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
        let Places { innermost: Some(innermost), others } = &self.place else { return Arc::from(&*self.name) };
        if self.is_named {
            return Arc::from(&*self.name);
        }
        match &self.name {
            Cow::Borrowed(name) if others.is_empty() => Named::known(name, *innermost),
            name => named(name, others.iter().rev().chain([innermost])),
        }
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
        match self.place.innermost {
            None => self.place.innermost = Some(index),
            Some(_) => self.place.others.push(index),
        }
    }
}

/// A name that was made on this thread: the same network may be built again and again.
struct Named {
    of: &'static str,
    at: usize,
    name: Arc<str>,
}

impl Named {
    /// The name of what stands at this place.
    fn known(of: &'static str, at: usize) -> Arc<str> {
        const KEPT: usize = 16;
        thread_local! {
            static KNOWN: RefCell<[Option<Named>; KEPT]> = const { RefCell::new([const { None }; KEPT]) };
        }
        KNOWN.with_borrow_mut(|known| match &mut known[at % KEPT] {
            Some(named) if named.at == at && std::ptr::eq(named.of, of) => named.name.clone(),
            place => place.insert(Named { of, at, name: named(of, [&at].into_iter()) }).name.clone(),
        })
    }
}

/// A name with places.
fn named<'a>(name: &str, places: impl Iterator<Item = &'a usize>) -> Arc<str> {
    let mut text = String::from(name);
    for index in places {
        text.push('[');
        push_number(&mut text, *index);
        text.push(']');
    }
    Arc::from(text)
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
