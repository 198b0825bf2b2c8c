//! `Token`: what stands for a guard of an `Alternation` outside of it.
//!
//! Knows nothing of guards but their numbers. A token says by its type what its guard gives when it fires, and what
//! [`remove`](crate::Alternation::remove) gives back.

use super::arm::Stowed;
use super::entry::Returned;
use crate::channel::ChannelError;
use std::fmt;
use std::marker::PhantomData;

/// What stands for a guard of an [`Alternation`](crate::Alternation): its number, and the types of what it gives.
///
/// A token stays valid whatever guards come and go beside its own. Once its own guard has been removed, it stands for
/// nothing: [`contains`](crate::Alternation::contains) says so, and whatever else it is used for panics.
///
/// # Examples
/// See [`Alternation`](crate::Alternation).
pub trait Token: Copy {
    /// What the guard gives when it fires.
    type Output;

    /// What removing the guard gives back: what the alternation owned, or `()` for what it borrowed.
    type Guard;

    /// The number of the guard in its alternation.
    fn index(&self) -> usize;

    #[doc(hidden)]
    fn place(&self) -> Place;

    #[doc(hidden)]
    fn unpack(&self, fired: FiredValue) -> Result<Self::Output, ChannelError>;

    #[doc(hidden)]
    fn give_back(&self, returned: Returned) -> Self::Guard;
}

/// A guard of one alternation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Place {
    pub(super) alternation: u64,
    pub(super) number: usize,
}

/// A value that was read, and where.
#[derive(Debug)]
#[doc(hidden)]
pub struct FiredValue {
    pub(super) place: Place,
    pub(super) value: Stowed,
}

impl FiredValue {
    /// The value, if it comes from this place.
    #[track_caller]
    fn value_of(self, place: Place) -> Stowed {
        let fired = self.place;
        assert!(
            place == fired,
            "guard {} did not fire, but guard {}{}: ask `fired.is(token)` before `take`",
            place.number,
            fired.number,
            if place.alternation == fired.alternation { "" } else { " of another alternation" },
        );
        self.value
    }
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident<$value:ident, $guard:ident = ()> gives $output:ty;)*) => {$(
        $(#[$doc])*
        pub struct $name<$value, $guard = ()> {
            place: Place,
            unpack: fn(Stowed) -> Result<$output, ChannelError>,
            give_back: fn(Returned) -> $guard,
            values: PhantomData<fn() -> $value>,
        }

        impl<$value, $guard> $name<$value, $guard> {
            pub(super) fn new(
                place: Place,
                unpack: fn(Stowed) -> Result<$output, ChannelError>,
                give_back: fn(Returned) -> $guard,
            ) -> $name<$value, $guard> {
                $name { place, unpack, give_back, values: PhantomData }
            }

            /// The number of the guard in its alternation.
            ///
            /// # Examples
            /// See [`Alternation`](crate::Alternation).
            pub fn index(&self) -> usize {
                self.place.number
            }
        }

        impl<$value, $guard> Token for $name<$value, $guard> {
            type Output = $output;
            type Guard = $guard;

            fn index(&self) -> usize {
                self.place.number
            }

            fn place(&self) -> Place {
                self.place
            }

            #[track_caller]
            fn unpack(&self, fired: FiredValue) -> Result<$output, ChannelError> {
                (self.unpack)(fired.value_of(self.place))
            }

            fn give_back(&self, returned: Returned) -> $guard {
                (self.give_back)(returned)
            }
        }

        impl<$value, $guard> Clone for $name<$value, $guard> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$value, $guard> Copy for $name<$value, $guard> {}

        impl<$value, $guard> fmt::Debug for $name<$value, $guard> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.place.number).finish()
            }
        }
    )*};
}

tokens! {
    /// A guard of an [`Alternation`](crate::Alternation) that gives a value of type `T`; removing it gives back a `G`.
    ///
    /// The token of a reader that the alternation owns is a `Read<T, Reader<T>>`.
    ///
    /// # Examples
    /// See [`Alternation`](crate::Alternation).
    Read<T, G = ()> gives T;
    /// A guard of an [`Alternation`](crate::Alternation) that writes values of type `T`; removing it gives back a `G`.
    ///
    /// The token of a writer that the alternation owns is a `Write<T, Writer<T>>`.
    ///
    /// # Examples
    /// See [`Alternation`](crate::Alternation).
    Write<T, G = ()> gives ();
}

/// A guard of an [`Alternation`](crate::Alternation) that gives nothing: a timer, or `skip`.
///
/// # Examples
/// See [`Alternation`](crate::Alternation).
pub type Event = Read<()>;
