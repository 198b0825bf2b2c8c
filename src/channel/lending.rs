//! Lending: what the ends of a channel of [`Flat`] do in the place of reading and writing.
//!
//! Knows nothing of where the values lie. A message is offered and taken as any other; only nothing is serialized.

use super::end::{End, Patience};
use super::error::{ChannelError, MessageError, WriteError};
use super::flat::{Flat, Loan, View};
use super::plain::Plain;
use super::{Reader, Writer, label};
use crate::engine::Packet;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A channel whose values travel beside its messages has nothing to lend.
pub(crate) fn check_lends(end: &End) -> Result<(), ChannelError> {
    if end.is_carried() { Err(carries(end)) } else { Ok(()) }
}

#[cold]
fn carries(end: &End) -> ChannelError {
    let channel = label(end.channel());
    ChannelError::Invalid(MessageError::Carrier {
        reason: format!(
            "channel `{channel}` sends its values by ipc-channel, and lends none: make it without `Carrier::Ipc`"
        ),
    })
}

impl<T: Plain> Writer<Flat<T>> {
    /// Lends room for so many values, all 0, to be filled and [sent](Writer::send).
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// [`Invalid`](ChannelError::Invalid): the arena has no room for so many (`CSPROC_ARENA` makes it larger, and views
    /// that are dropped make room), they are more than a message can hold, or the channel does not lend
    /// ([`Carrier::Ipc`](crate::Carrier::Ipc)). [`Retired`](ChannelError::Retired): this end was given up.
    ///
    /// # Poison and retire
    /// What has become of the channel is told by `send`.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::{Flat, MessageError};
    ///
    /// let w = Channel::<Flat<u64>>::new().writer();
    /// assert_eq!(*w.loan(3)?, [0, 0, 0]);
    /// let error = w.loan(1 << 40).unwrap_err();
    /// assert!(matches!(error, ChannelError::Invalid(MessageError::Memory { .. })), "{error}");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn loan(&self, length: usize) -> Result<Loan<T>, ChannelError> {
        let mut loan = self.loan_as_is(length)?;
        loan.fill(T::zeroed());
        Ok(loan)
    }

    /// The same with these values.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`loan`](Writer::loan).
    ///
    /// # Examples
    /// See [`View`].
    pub fn loan_from(&self, values: &[T]) -> Result<Loan<T>, ChannelError> {
        let mut loan = self.loan_as_is(values.len())?;
        loan.copy_from_slice(values);
        Ok(loan)
    }

    /// As [`loan`](Writer::loan), with whatever values are there, mostly those of an earlier message of the program:
    /// for who writes all of them. It costs the same whatever the length, where `loan` has to fill it. In a simulation
    /// the values are all 0.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`loan`](Writer::loan).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let w = Channel::<Flat<f32>>::new().writer();
    /// let mut loan = w.loan_as_is(1000)?;
    /// (0_u16..).zip(loan.iter_mut()).for_each(|(i, value)| *value = f32::from(i).sqrt());
    /// assert_eq!(loan[900], 30.0);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn loan_as_is(&self, length: usize) -> Result<Loan<T>, ChannelError> {
        self.end().check()?;
        check_lends(self.end())?;
        Loan::as_is(length)
    }

    /// Hands what was lent to a reader, and returns once a reader is committed to take it: as
    /// [`write`](Writer::write), without a copy.
    ///
    /// # Blocking
    /// Waits until a reader takes it, or, where the channel has a buffer, until there is room in that.
    ///
    /// # Errors
    /// The loan comes back with the reason: the channel is [`Poisoned`](ChannelError::Poisoned),
    /// [`Retired`](ChannelError::Retired) or [`Lost`](ChannelError::Lost), or it does not lend
    /// ([`Invalid`](ChannelError::Invalid)). Nobody has seen it.
    ///
    /// # Poison and retire
    /// Both end a waiting send at once. What a reader has taken is sent, whatever happens to the channel then.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let (c, d) = (Channel::<Flat<u8>>::new(), Channel::<Flat<u8>>::buffered(Buffer::Fifo(1)));
    /// let (w, r) = (c.writer(), c.reader());
    /// let loan = w.loan_from(b"twice")?;
    /// drop(r);
    /// let error = w.send(loan).unwrap_err();
    /// assert!(error.is_retired());
    /// // Through another channel, then.
    /// let (w, r) = (d.writer(), d.reader());
    /// w.send(error.into_value())?;
    /// assert_eq!(*r.read_loan()?, *b"twice");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send(&self, loan: Loan<T>) -> Result<(), WriteError<Loan<T>>> {
        self.send_within(loan, Patience::ForEver, Location::caller())
    }

    /// Hands what was lent to a reader that is already waiting.
    ///
    /// # Blocking
    /// Never waits for a reader.
    ///
    /// # Errors
    /// As for [`send`](Writer::send), and [`WouldBlock`](ChannelError::WouldBlock) when no reader waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// let error = w.try_send(w.loan_from(&[7])?).unwrap_err();
    /// assert!(error.is_would_block());
    /// assert_eq!(*error.value, [7]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn try_send(&self, loan: Loan<T>) -> Result<(), WriteError<Loan<T>>> {
        self.send_within(loan, Patience::Not, Location::caller())
    }

    /// Hands what was lent to a reader, if one comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until a reader takes it, at most for `timeout`.
    ///
    /// # Errors
    /// As for [`send`](Writer::send), and [`TimedOut`](ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    /// use std::time::Duration;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// assert!(w.send_timeout(w.loan(1)?, Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send_timeout(&self, loan: Loan<T>, timeout: Duration) -> Result<(), WriteError<Loan<T>>> {
        self.send_within(loan, Patience::of(timeout), Location::caller())
    }

    /// Hands what was lent to a reader, if one comes before `deadline`.
    ///
    /// # Blocking
    /// Waits until a reader takes it, at most until `deadline`.
    ///
    /// # Errors
    /// As for [`send`](Writer::send), and [`TimedOut`](ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// assert!(w.send_deadline(w.loan(1)?, std::time::Instant::now()).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send_deadline(&self, loan: Loan<T>, deadline: Instant) -> Result<(), WriteError<Loan<T>>> {
        self.send_within(loan, Patience::Until(deadline), Location::caller())
    }

    fn send_within(
        &self,
        loan: Loan<T>,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), WriteError<Loan<T>>> {
        if let Err(fate) = check_lends(self.end()).and_then(|()| self.end().check_open()) {
            return Err(WriteError { value: loan, fate });
        }
        let mut offered = Some(loan.into_packet());
        let given = self.end().give(&mut offered, patience, location);
        given.map_err(|fate| WriteError { value: not_taken(offered), fate })
    }
}

/// The loan that no reader has.
pub(super) fn not_taken<T: Plain>(offered: Option<Packet>) -> Loan<T> {
    let Some(packet) = offered else {
        unreachable!("only an extended rendezvous takes a message and fails, and a `Flat` has none")
    };
    Loan::returned(packet)
}

impl<T: Plain> Reader<Flat<T>> {
    /// Takes what a writer has sent, where it lies: as [`read`](Reader::read), without a copy.
    ///
    /// # Blocking
    /// Waits until a writer sends something.
    ///
    /// # Errors
    /// The channel is [`Poisoned`](ChannelError::Poisoned), [`Retired`](ChannelError::Retired) or
    /// [`Lost`](ChannelError::Lost), or it does not lend ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Poison and retire
    /// Both end a waiting read at once. A view that has come stays.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<f64>>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || {
    ///     let loan = w.loan_from(&[0.5; 100])?;
    ///     Ok::<_, csproc::Error>(w.send(loan)?)
    /// });
    /// let view = r.read_loan()?;
    /// assert_eq!(view.iter().sum::<f64>(), 50.0);
    /// writer.join().unwrap()?;
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn read_loan(&self) -> Result<View<T>, ChannelError> {
        self.view_within(Patience::ForEver, Location::caller())
    }

    /// Takes what a writer has sent that is already waiting.
    ///
    /// # Blocking
    /// Never waits for a writer.
    ///
    /// # Errors
    /// As for [`read_loan`](Reader::read_loan), and [`WouldBlock`](ChannelError::WouldBlock) when no writer waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.try_read_loan().unwrap_err().is_would_block());
    /// ```
    #[track_caller]
    pub fn try_read_loan(&self) -> Result<View<T>, ChannelError> {
        self.view_within(Patience::Not, Location::caller())
    }

    /// Takes what a writer has sent, if one comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until a writer sends something, at most for `timeout`.
    ///
    /// # Errors
    /// As for [`read_loan`](Reader::read_loan), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    /// use std::time::Duration;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.read_loan_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn read_loan_timeout(&self, timeout: Duration) -> Result<View<T>, ChannelError> {
        self.view_within(Patience::of(timeout), Location::caller())
    }

    /// Takes what a writer has sent, if one comes before `deadline`.
    ///
    /// # Blocking
    /// Waits until a writer sends something, at most until `deadline`.
    ///
    /// # Errors
    /// As for [`read_loan`](Reader::read_loan), and [`TimedOut`](ChannelError::TimedOut), never before the deadline.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.read_loan_deadline(std::time::Instant::now()).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn read_loan_deadline(&self, deadline: Instant) -> Result<View<T>, ChannelError> {
        self.view_within(Patience::Until(deadline), Location::caller())
    }

    fn view_within(&self, patience: Patience, location: &'static Location<'static>) -> Result<View<T>, ChannelError> {
        check_lends(self.end())?;
        let (packet, _) = self.end().take(false, patience, location)?;
        Ok(View::of(packet)?)
    }
}
