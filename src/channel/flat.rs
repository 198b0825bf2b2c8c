//! `Flat`, `Loan` and `View`: plain data that are written and read where the message lies, without a copy.
//!
//! Knows nothing of channels. A loan is the block of a message before it is sent, a view is the same after it was
//! received; each owns it alone. Such a block belongs to the process of the operating system, and not to the thread
//! that has it, so it may go to another thread and stay when that one ends; only while it is offered does it belong to
//! the context that offers it. Whoever is killed with one leaves it to the reaper, by its tag and its trace, as any
//! block of a message.
#![expect(unsafe_code, reason = "the bytes of a block, for its owner; listed in the architecture page")]

use super::error::{ChannelError, MessageError};
use super::plain::Plain;
use crate::engine::{Area, ArenaError, MARGIN, Packet, is_decided, is_foreign};
use bytemuck::{cast_slice, cast_slice_mut};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The messages of a channel through which slices of [plain data](Plain) pass without a copy: what is written into a
/// [`Loan`] is read in a [`View`], at the same place in shared memory.
///
/// It says what a channel carries, `Channel::<Flat<f64>>`, and has no values of its own. Its ends lend and send
/// ([`Writer::loan`](crate::Writer::loan), [`Writer::send`](crate::Writer::send)) and give what has come
/// ([`Reader::read_loan`](crate::Reader::read_loan)), in the place of `write` and `read`. So a message costs the same
/// whatever its size, where a `Vec` is copied twice. The laws are those of any channel: rendezvous or buffer, order,
/// poison, retirement, alternation (`reader.read()` in the macros, [`guard`](crate::Alternation::guard) in an
/// [`Alternation`](crate::Alternation)).
///
/// A [`Region`](crate::shared::Region) moves without a copy, too, lies anywhere in a message, and can be read by
/// several once it is [frozen](crate::shared::Region::freeze); each costs a gate of its own to make. A channel with
/// [`Carrier::Ipc`](crate::Carrier::Ipc) does not lend.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::Flat;
///
/// #[process]
/// fn double(input: Reader<Flat<f64>>, output: Writer<Flat<f64>>) -> csproc::Result<()> {
///     loop {
///         let mut samples = match input.read_loan() {
///             Err(ChannelError::Retired) => return Ok(()),
///             samples => samples?,
///         };
///         samples.iter_mut().for_each(|sample| *sample *= 2.0);
///         output.send(samples.into_loan())?;
///     }
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (there, back) = (Channel::<Flat<f64>>::new(), Channel::<Flat<f64>>::new());
///     let child = Spawn!(double(there.reader(), back.writer()))?;
///     let (w, r) = (there.writer(), back.reader());
///     let mut samples = w.loan(1_000_000)?;
///     samples[999_999] = 21.0;
///     let place = samples.as_ptr();
///     w.send(samples)?;
///     let samples = r.read_loan()?;
///     assert_eq!((samples[0], samples[999_999], samples.as_ptr()), (0.0, 42.0, place));
///     drop((there, w));
///     child.join()??;
///     Ok(())
/// }
/// ```
///
/// What is no plain data cannot be lent:
/// ```compile_fail
/// let c = csproc::Channel::<csproc::Flat<String>>::new();
/// ```
pub struct Flat<T: Plain> {
    never: Infallible,
    values: PhantomData<T>,
}

impl<T: Plain> fmt::Debug for Flat<T> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = self.values;
        match self.never {}
    }
}

/// Values in shared memory that a writer has lent, to be filled and [sent](crate::Writer::send).
///
/// It is a slice. Any writer of the same type sends it, whichever has lent it, and any thread of the process. Dropped,
/// it is given back, and so it is if the process dies; nobody has seen it then.
///
/// # Panics
/// Looking at it in a copy of the process that the program has made by `fork` itself: the original has it.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::Flat;
///
/// let c = Channel::<Flat<u32>>::buffered(Buffer::Fifo(1));
/// let (w, r) = (c.writer(), c.reader());
/// let mut loan = w.loan(3)?;
/// loan.copy_from_slice(&[1, 2, 3]);
/// std::thread::spawn(move || w.send(loan)).join().unwrap()?;
/// assert_eq!(*r.read_loan()?, [1, 2, 3]);
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "what is lent is to be sent"]
pub struct Loan<T: Plain>(Lent<T>);

/// Values in shared memory that have come with a message, where their writer has written them.
///
/// It is a slice, and of nobody else: the values may be changed, and [sent on](View::into_loan) without a copy.
/// Dropped, its memory is free for others, and so it is if the process dies. As long as it is there it takes that
/// memory from the arena.
///
/// # Panics
/// Looking at it in a copy of the process that the program has made by `fork` itself: the original has it.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::Flat;
///
/// let c = Channel::<Flat<u32>>::buffered(Buffer::Fifo(1));
/// let (w, r) = (c.writer(), c.reader());
/// w.send(w.loan_from(&[1, 2, 3])?)?;
/// let mut view = r.read_loan()?;
/// view[0] = 7;
/// assert_eq!(view.into_vec(), [7, 2, 3]);
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "what has come is lost when it is dropped"]
pub struct View<T: Plain>(Lent<T>);

/// A block of values, which has no other owner.
struct Lent<T> {
    packet: Packet,
    /// Where they are, as long as the packet is there.
    area: Area,
    values: PhantomData<T>,
}

impl<T: Plain> Lent<T> {
    /// The boundary at which an area begins, and no slice of nothing.
    const FITS: () = assert!(
        align_of::<T>() <= 64 && size_of::<T>() > 0,
        "a `Flat` holds values of at least one byte, at a boundary of at most 64 bytes"
    );

    /// Room for so many values, with whatever bytes are there.
    fn take(length: usize) -> Result<Lent<T>, ArenaError> {
        const { Lent::<T>::FITS };
        let bytes = length.saturating_mul(size_of::<T>()).saturating_add(MARGIN);
        let mut packet = Packet::draft(bytes)?;
        // What goes by decisions is compared byte by byte with what it was before: there nothing may be left of others.
        let cleared = if is_decided() { bytes } else { MARGIN };
        packet.bytes_mut()[..cleared].fill(0);
        packet.set_length(bytes);
        Lent::over(packet)
    }

    /// What lies in a packet, which becomes the process's.
    fn over(packet: Packet) -> Result<Lent<T>, ArenaError> {
        packet.entrust_to_host()?;
        Ok(Lent { area: packet.area(), packet, values: PhantomData })
    }

    #[inline]
    fn values(&self) -> &[T] {
        original();
        // SAFETY: the packet has its block alone, and the slice borrows the packet.
        cast_slice(unsafe { self.area.bytes() })
    }

    #[inline]
    fn values_mut(&mut self) -> &mut [T] {
        original();
        // SAFETY: the packet has its block alone, and the slice borrows the packet mutably.
        cast_slice_mut(unsafe { self.area.bytes_mut() })
    }
}

/// Refuses to show a copy of the process what the original has.
#[inline]
fn original() {
    assert!(!is_foreign(), "{}", ArenaError::Foreign);
}

impl<T: Plain> Loan<T> {
    /// So many values, which are whatever was there.
    pub(super) fn as_is(length: usize) -> Result<Loan<T>, ChannelError> {
        Ok(Loan(Lent::take(length)?))
    }

    /// The message. Whoever offers it has it then, and not the process.
    pub(crate) fn into_packet(self) -> Packet {
        self.0.packet
    }

    /// The same message again, which nobody has taken.
    pub(crate) fn returned(packet: Packet) -> Loan<T> {
        // In a copy of the process, nothing is its own.
        let _ = packet.entrust_to_host();
        Loan(Lent { area: packet.area(), packet, values: PhantomData })
    }
}

impl<T: Plain> View<T> {
    /// What has come in a message.
    pub(crate) fn of(packet: Packet) -> Result<View<T>, MessageError> {
        let lent = Lent::<T>::over(packet)?;
        if lent.packet.bytes().len() < MARGIN || !lent.area.length().is_multiple_of(size_of::<T>()) {
            return Err(MessageError::Decode {
                type_name: String::from(std::any::type_name::<Flat<T>>()),
                reason: format!("{} bytes are no values of {}", lent.area.length(), size_of::<T>()),
            });
        }
        Ok(View(lent))
    }

    /// The values in memory of the process alone: one copy.
    ///
    /// # Examples
    /// See [`View`].
    pub fn into_vec(self) -> Vec<T> {
        self.to_vec()
    }

    /// The same values, to be sent on by any writer of their type, without a copy.
    ///
    /// # Examples
    /// See [`Flat`].
    pub fn into_loan(self) -> Loan<T> {
        Loan(self.0)
    }
}

macro_rules! slices {
    ($($lent:ident)*) => {$(
        impl<T: Plain> Deref for $lent<T> {
            type Target = [T];

            #[inline]
            fn deref(&self) -> &[T] {
                self.0.values()
            }
        }

        impl<T: Plain> DerefMut for $lent<T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut [T] {
                self.0.values_mut()
            }
        }

        impl<T: Plain> fmt::Debug for $lent<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($lent)).field("length", &self.len()).finish_non_exhaustive()
            }
        }
    )*};
}

slices! { Loan View }
