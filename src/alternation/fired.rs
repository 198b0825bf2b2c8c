//! `Fired`: the guard of an `Alternation` that fired, with its value.
//!
//! Knows nothing of how it was chosen.

use super::arm::Stowed;
use super::token::{FiredValue, Place, Token};
use crate::channel::ChannelError;

/// The guard that fired, with its value. A value that is not taken is dropped.
///
/// # Examples
/// See [`Alternation`](crate::Alternation).
#[derive(Debug)]
pub struct Fired(FiredValue);

impl Fired {
    pub(super) fn new(place: Place, value: Stowed) -> Fired {
        Fired(FiredValue { place, value })
    }

    /// The number of the guard in its alternation.
    ///
    /// # Examples
    /// See [`Alternation`](crate::Alternation).
    pub fn index(&self) -> usize {
        self.0.place.number
    }

    /// Whether it is this guard that fired.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::{Duration, Instant};
    ///
    /// let mut alt = Alternation::new();
    /// let late = alt.after(Duration::from_secs(60));
    /// let now = alt.at(Instant::now());
    /// let fired = alt.select()?;
    /// assert!(fired.is(now) && !fired.is(late));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn is<K: Token>(&self, token: K) -> bool {
        self.0.place == token.place()
    }

    /// The value of the guard that fired.
    ///
    /// # Panics
    /// `token` is not the guard that fired, or the message is not a value of its type (a broken `Deserialize`);
    /// [`try_take`](Fired::try_take) returns the latter.
    ///
    /// # Examples
    /// See [`Alternation`](crate::Alternation).
    #[track_caller]
    pub fn take<K: Token>(self, token: K) -> K::Output {
        self.try_take(token).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The value of the guard that fired.
    ///
    /// # Errors
    /// The message is not a value of the type that is expected.
    ///
    /// # Panics
    /// `token` is not the guard that fired.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let mut alt = Alternation::new();
    /// let skip = alt.skip();
    /// assert_eq!(alt.select()?.try_take(skip), Ok(()));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn try_take<K: Token>(self, token: K) -> Result<K::Output, ChannelError> {
        token.unpack(self.0)
    }
}
