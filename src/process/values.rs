//! `values()`: one `?` for both levels of a network's result, the network's own and that of each process.
//!
//! Knows nothing of how a network ran: it works on what the processes returned.
//!
//! Stable Rust cannot ask whether a type is a `Result`: an implementation for `Result<T, E>` and one for every other
//! `T` overlap. So each implementation is marked by a type of its own, which the compiler infers, and it must find
//! exactly one that holds:
//!
//! | result | marked | holds if |
//! |---|---|---|
//! | any `T`, passed on | `Plain` | `T: UnwindSafe` |
//! | `Result<T, E>` | `Fails` | `E` can become an [`Error`] |
//! | `Vec<T>` | `Each` | `T` holds a `Result` |
//! | a tuple | `Together` | at least one member holds a `Result` |
//!
//! [`Error`] is not `UnwindSafe`, as `std::io::Error` is not, and so nothing that holds one is `Plain`; plain data is.
//! Only for a `Result` with another error two implementations hold, and the compiler asks for the type of the value; it
//! never guesses that an error may be passed on.

use super::error::{Error, Result};
use super::failure::NetworkError;
pub use super::place::Place;
use std::fmt;
use std::marker::PhantomData;
use std::panic::UnwindSafe;

/// One `?` for both levels: whether the network ended well, and what each process returned.
///
/// Implemented for everything that a network gives: the results of [`Parallel!`](crate::Parallel),
/// [`Sequence!`](crate::Sequence), [`Network::run`](crate::Network::run), [`Process::run`](crate::Process::run) and
/// [`Child::join`](crate::Child::join), however tuples, vectors and plain values nest in them.
///
/// A process that returns a [`csproc::Result`](crate::Result), or a value that is none, needs no more. For a result
/// with another error type the compiler asks for the type of the value: `let count: u64 =
/// count(c.reader()).run().values()?`. In a generic function the bound is [`Returned`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
///     for i in 0..n {
///         out.write(i)?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn sum(input: Reader<u64>) -> u64 {
///     input.into_iter().sum()
/// }
///
/// #[process]
/// fn half(n: u64) -> csproc::Result<u64> {
///     match n % 2 {
///         0 => Ok(n / 2),
///         _ => Err(csproc::Error::msg(format!("{n} is odd"))),
///     }
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::new();
///     let ((), total) = Parallel!(source(c.writer(), 10), sum(c.reader())).values()?;
///     assert_eq!(total, 45);
///     assert_eq!(Parallel!(for n in [4, 6] => half(n)).values()?, [2, 3]);
///
///     let error = Parallel!(for n in [4, 6, 7, 9] => half(n)).values().unwrap_err();
///     assert_eq!(error.to_string(), "process `half[2]`: 7 is odd");
///     Ok(())
/// }
/// ```
pub trait Values<R>: Sized {
    /// The values that the processes returned, each `Ok` unpacked.
    ///
    /// # Errors
    /// The network failed, as without this method; or a process returned an error: the first of them, which says the
    /// [process](Error::process) and its place. The end of a channel that a process passed up through `?` is an error,
    /// too.
    ///
    /// # Examples
    /// See [`Values`].
    fn values<Value, By>(self) -> Result<Value>
    where
        R: Returned<All, Value, By>;

    /// As [`values`](Values::values), but each result becomes an `Option`, which is `None` when the process returned
    /// because a channel was retired or poisoned.
    ///
    /// # Errors
    /// The network failed; or a process returned an error that does not stem from the ordinary end of a channel.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn source(out: Writer<u64>) -> csproc::Result<()> {
    ///     for i in 0.. {
    ///         out.write(i)?; // ends when nobody reads any more
    ///     }
    ///     Ok(())
    /// }
    ///
    /// #[process]
    /// fn first(input: Reader<u64>, count: usize) -> Vec<u64> {
    ///     input.into_iter().take(count).collect()
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let (sent, seen) = Parallel!(source(c.writer()), first(c.reader(), 3)).values_or_end()?;
    ///     assert_eq!((sent, seen), (None, vec![0, 1, 2]));
    ///     Ok(())
    /// }
    /// ```
    fn values_or_end<Value, By>(self) -> Result<Value>
    where
        R: Returned<OrEnd, Value, By>;
}

impl<R> Values<R> for std::result::Result<R, NetworkError> {
    #[inline]
    fn values<Value, By>(self) -> Result<Value>
    where
        R: Returned<All, Value, By>,
    {
        self?.take(&Place::Whole)
    }

    #[inline]
    fn values_or_end<Value, By>(self) -> Result<Value>
    where
        R: Returned<OrEnd, Value, By>,
    {
        self?.take(&Place::Whole)
    }
}

/// Every error counts: the mode of [`Values::values`].
#[derive(Clone, Copy, Debug)]
pub enum All {}

/// The ordinary end of a channel is no error: the mode of [`Values::values_or_end`].
#[derive(Clone, Copy, Debug)]
pub enum OrEnd {}

/// What a network returned, as [`Values`] takes it: `V` is left of it when no process returned an error. `By` is
/// inferred.
///
/// No program implements it. It is the bound of a function that is generic over what processes return.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::values::{All, Returned};
///
/// /// Runs it again until it succeeds, at most three times.
/// fn persist<R, V, By>(network: impl Fn() -> Network<R>) -> csproc::Result<V>
/// where
///     R: Returned<All, V, By>,
/// {
///     network().run().values().or_else(|_| network().run().values()).or_else(|_| network().run().values())
/// }
///
/// #[process]
/// fn four() -> csproc::Result<u8> {
///     Ok(4)
/// }
///
/// fn main() -> csproc::Result<()> {
///     assert_eq!(persist(|| network!(four(), four()))?, (4, 4));
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`values()` cannot see whether `{Self}` holds the error of a process",
    label = "not known: `{Self}`",
    note = "a type parameter needs the bound `csproc::values::Returned<All, V, By>`; a type that holds a \
            `csproc::Error` inside is taken apart by hand, after `?`"
)]
pub trait Returned<Mode, V, By> {
    #[doc(hidden)]
    fn take(self, place: &Place<'_>) -> Result<V>;
}

/// A result that holds the `Result` of a process somewhere.
#[doc(hidden)]
pub trait Fallible<Mode, V, By> {
    fn unpack(self, place: &Place<'_>) -> Result<V>;
}

/// A list of pairs, result and value, at least one of which is [`Fallible`].
#[doc(hidden)]
pub trait AnyFallible<Mode, By> {}

/// An error that a process can return.
#[doc(hidden)]
pub trait ProcessError<How> {
    fn told(self) -> Error;
}

macro_rules! marks {
    ($($(#[$attribute:meta])* $mark:ident;)*) => {$(
        $(#[$attribute])*
        #[doc(hidden)]
        pub struct $mark<By = ()>(PhantomData<By>);

        impl<By> fmt::Debug for $mark<By> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($mark))
            }
        }
    )*};
}

marks! {
    /// Passed on.
    Plain;
    /// Unpacked, as the mark inside says.
    Unpacked;
    /// A `Result`; inside, what its error is.
    Fails;
    /// A vector.
    Each;
    /// A tuple.
    Together;
    /// The first of a list.
    Here;
    /// One of the rest of a list.
    There;
    /// The error of this crate.
    Own;
    /// Any other error.
    Foreign;
    /// An error that is a text.
    Text;
}

impl<Mode, T: UnwindSafe> Returned<Mode, T, Plain> for T {
    fn take(self, _: &Place<'_>) -> Result<T> {
        Ok(self)
    }
}

impl<Mode, V, By, T: Fallible<Mode, V, By>> Returned<Mode, V, Unpacked<By>> for T {
    fn take(self, place: &Place<'_>) -> Result<V> {
        self.unpack(place)
    }
}

impl<T, E: ProcessError<How>, How> Fallible<All, T, Fails<How>> for std::result::Result<T, E> {
    fn unpack(self, place: &Place<'_>) -> Result<T> {
        self.map_err(|error| error.told().returned_at(place))
    }
}

impl<T, E: ProcessError<How>, How> Fallible<OrEnd, Option<T>, Fails<How>> for std::result::Result<T, E> {
    fn unpack(self, place: &Place<'_>) -> Result<Option<T>> {
        match self.map_err(E::told) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_end() => Ok(None),
            Err(error) => Err(error.returned_at(place)),
        }
    }
}

impl<Mode, V, By, T: Fallible<Mode, V, By>> Fallible<Mode, Vec<V>, Each<By>> for Vec<T> {
    fn unpack(self, place: &Place<'_>) -> Result<Vec<V>> {
        self.into_iter().enumerate().map(|(index, item)| item.unpack(&Place::Item(place, index))).collect()
    }
}

impl<Mode, T: Fallible<Mode, V, By>, V, By, Rest> AnyFallible<Mode, Here<By>> for ((T, V), Rest) {}
impl<Mode, T: UnwindSafe, Rest: AnyFallible<Mode, By>, By> AnyFallible<Mode, There<By>> for ((T, T), Rest) {}

macro_rules! tuples {
    ([$($done:tt)*] $first:tt $($rest:tt)*) => {
        tuples!(@tuple $($done)* $first);
        tuples!([$($done)* $first] $($rest)*);
    };
    ([$($done:tt)*]) => {};
    // One part gives its result bare: there is no tuple of one.
    (@tuple $one:tt) => {};
    (@tuple $(($part:ident $value:ident $by:ident $place:tt))*) => {
        impl<Mode, $($part, $value, $by,)* Some> Fallible<Mode, ($($value,)*), Together<($($by,)* Some)>>
            for ($($part,)*)
        where
            $($part: Returned<Mode, $value, $by>,)*
            tuples!(@list $($part $value)*): AnyFallible<Mode, Some>,
        {
            fn unpack(self, place: &Place<'_>) -> Result<($($value,)*)> {
                Ok(($(self.$place.take(&Place::Member(place, $place))?,)*))
            }
        }
    };
    (@list) => { () };
    (@list $part:ident $value:ident $($rest:tt)*) => { (($part, $value), tuples!(@list $($rest)*)) };
}

tuples! { [] (A VA BA 0) (B VB BB 1) (C VC BC 2) (D VD BD 3) (E VE BE 4) (F VF BF 5) (G VG BG 6) (H VH BH 7) (I VI BI 8)
(J VJ BJ 9) (K VK BK 10) (L VL BL 11) (M VM BM 12) (N VN BN 13) (O VO BO 14) (P VP BP 15) }

impl ProcessError<Own> for Error {
    fn told(self) -> Error {
        self
    }
}

impl<E: std::error::Error> ProcessError<Foreign> for E {
    fn told(self) -> Error {
        Error::from(self)
    }
}

impl ProcessError<Text> for String {
    fn told(self) -> Error {
        Error::msg(self)
    }
}
