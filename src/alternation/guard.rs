//! What can stand in an alternation, and on which side.
//!
//! Knows nothing of how one of them is chosen.

use super::arm::Take;
use super::arms::{ReadArm, SyncArm};
use crate::channel::{Barrier, Message, Reader, Writer};
use std::rc::Rc;
use std::sync::Arc;

/// A value that can be a guard of an alternation.
///
/// [`Reader`]s are guards, and so are the end of a child (`child.exit_guard()`), a [`Barrier`](crate::Barrier), a
/// [`Ticker`](crate::Ticker), what processes [share](crate::shared), and the bridges to other kinds of channels. In the
/// macros such a value stands where `reader.read()` would; an [`Alternation`](crate::Alternation) borrows it with
/// [`guard`](crate::Alternation::guard) and takes it with [`own`](crate::Alternation::own).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::Guard;
///
/// fn first<G: Guard>(guards: &[G]) -> Result<(usize, G::Output), ChannelError> {
///     let mut alt = Alternation::new();
///     let tokens: Vec<_> = guards.iter().map(|g| alt.guard(g)).collect();
///     let fired = alt.pri_select()?;
///     let index = fired.index();
///     Ok((index, fired.take(tokens[index])))
/// }
///
/// let (c, d) = (Channel::new(), Channel::new());
/// let w = d.writer();
/// let writer = std::thread::spawn(move || w.write(7));
/// assert_eq!(first(&[c.reader(), d.reader()])?, (1, 7));
/// assert!(writer.join().unwrap().is_ok());
/// # Ok::<(), csproc::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    label = "not a guard",
    note = "write `reader.read()`, `writer.write(value)`, `after(duration)`, `at(instant)`, `skip`, or a value that is \
            a guard, such as `child.exit_guard()`"
)]
pub trait Guard {
    /// What it gives when it fires.
    type Output;
    #[doc(hidden)]
    type Arm<'a>: Take<Output = Self::Output> + 'a
    where
        Self: 'a;

    /// An arm remembers nothing from its offer to its firing that the guard does not remember: an
    /// [`Alternation`](crate::Alternation) that owns the guard makes a new arm for each of the two.
    #[doc(hidden)]
    fn arm(&self) -> Self::Arm<'_>;
}

/// A guard that can be read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read in an alternation",
    label = "not a reading end",
    note = "an input guard is `reader.read()` with a `Reader`; a `Writer` makes an output guard: `writer.write(value)`"
)]
pub trait Input: Guard {}

/// A guard that `T`s can be written to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to in an alternation",
    label = "not a writing end",
    note = "an output guard is `writer.write(value)` with a `Writer`; a `Reader` makes an input guard: `reader.read()`"
)]
pub trait Output<T> {
    #[doc(hidden)]
    fn writer(&self) -> &Writer<T>;
}

/// A guard that can be read in an extended rendezvous.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read in an extended rendezvous",
    label = "not a `Reader`",
    note = "`reader.read_extended()` needs a `Reader`"
)]
pub trait Extend<T> {
    #[doc(hidden)]
    fn reader(&self) -> &Reader<T>;
}

/// A guard that can be synced with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a barrier",
    label = "not a `Barrier`",
    note = "`barrier.sync()` as a guard needs a `Barrier`"
)]
pub trait Synced {
    #[doc(hidden)]
    fn barrier(&self) -> &Barrier;
}

impl<T: Message> Extend<T> for Reader<T> {
    fn reader(&self) -> &Reader<T> {
        self
    }
}

impl Synced for Barrier {
    fn barrier(&self) -> &Barrier {
        self
    }
}

impl Guard for Barrier {
    type Output = ();
    type Arm<'a> = SyncArm<'a>;

    fn arm(&self) -> SyncArm<'_> {
        SyncArm::new(self)
    }
}

impl<T: Message> Guard for Reader<T> {
    type Output = T;
    type Arm<'a>
        = ReadArm<'a, T>
    where
        T: 'a;

    fn arm(&self) -> ReadArm<'_, T> {
        ReadArm::new(self)
    }
}

impl<T: Message> Input for Reader<T> {}

impl<T: Message> Output<T> for Writer<T> {
    fn writer(&self) -> &Writer<T> {
        self
    }
}

macro_rules! through_pointers {
    ($($target:ident: $pointer:ty),*) => {$(
        impl<$target: Guard + ?Sized> Guard for $pointer {
            type Output = $target::Output;
            type Arm<'a>
                = $target::Arm<'a>
            where
                Self: 'a;

            fn arm(&self) -> $target::Arm<'_> {
                (**self).arm()
            }
        }

        impl<$target: Input + ?Sized> Input for $pointer {}

        impl<T, $target: Extend<T> + ?Sized> Extend<T> for $pointer {
            fn reader(&self) -> &Reader<T> {
                (**self).reader()
            }
        }

        impl<$target: Synced + ?Sized> Synced for $pointer {
            fn barrier(&self) -> &Barrier {
                (**self).barrier()
            }
        }

        impl<T, $target: Output<T> + ?Sized> Output<T> for $pointer {
            fn writer(&self) -> &Writer<T> {
                (**self).writer()
            }
        }
    )*};
}

through_pointers!(G: &G, G: &mut G, G: Box<G>, G: Rc<G>, G: Arc<G>);
