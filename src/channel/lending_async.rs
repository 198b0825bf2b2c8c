//! Lending without blocking a thread: the futures of `send_async` and `read_loan_async`.
//!
//! Knows nothing of executors. As for any future of a channel (`future`), nothing is offered before the first poll, and
//! one that is dropped takes its offer back.

use super::end::End;
use super::error::{ChannelError, WriteError};
use super::flat::{Flat, Loan, View};
use super::lending::{check_lends, not_taken};
use super::plain::Plain;
use super::{Reader, Writer};
use crate::engine::{Fired, Offering, Order, Packet, Stage};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`Reader::read_loan_async`].
#[must_use = "a future does nothing until it is awaited"]
pub struct ReadLoanAsync<'a, T: Plain> {
    reader: &'a Reader<Flat<T>>,
    location: &'static Location<'static>,
    stage: Stage,
}

/// The future of [`Writer::send_async`].
#[must_use = "a future does nothing until it is awaited"]
pub struct SendAsync<'a, T: Plain> {
    writer: &'a Writer<Flat<T>>,
    location: &'static Location<'static>,
    /// Until it is offered.
    loan: Option<Loan<T>>,
    /// Until a reader has it.
    offered: Option<Packet>,
    stage: Stage,
}

impl<T: Plain> Reader<Flat<T>> {
    /// Takes what a writer has sent, and lets the thread do other things until one sends something.
    ///
    /// # Cancellation
    /// Dropping the future withdraws the read: nothing was read. A message that a writer has handed over in the very
    /// moment goes back into the channel, and the next read of any reader takes it, before all others.
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a writer sends something.
    ///
    /// # Errors
    /// As for [`read_loan`](Reader::read_loan).
    ///
    /// # Poison and retire
    /// Both end a waiting read at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let loan = w.loan_from(&[4, 2])?;
    /// let writer = std::thread::spawn(move || w.send(loan).is_ok());
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(*executor.block_on(r.read_loan_async())?, [4, 2]);
    /// assert!(writer.join().unwrap());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn read_loan_async(&self) -> ReadLoanAsync<'_, T> {
        ReadLoanAsync { reader: self, location: Location::caller(), stage: Stage::New }
    }
}

impl<T: Plain> Writer<Flat<T>> {
    /// Hands what was lent to a reader, and lets the thread do other things until one takes it.
    ///
    /// # Cancellation
    /// Dropping the future withdraws the send: nobody has seen the loan, which is given back. If a reader took it in
    /// the very moment, it is sent, as by a [`send`](Writer::send) whose result nobody looks at.
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a reader has taken the loan.
    ///
    /// # Errors
    /// As for [`send`](Writer::send): the loan comes back with the reason.
    ///
    /// # Poison and retire
    /// Both end a waiting send at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let c = Channel::<Flat<u8>>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let reader = std::thread::spawn(move || r.read_loan());
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// executor.block_on(w.send_async(w.loan_from(&[4, 2])?))?;
    /// assert_eq!(*reader.join().unwrap()?, [4, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn send_async(&self, loan: Loan<T>) -> SendAsync<'_, T> {
        let location = Location::caller();
        SendAsync { writer: self, location, loan: Some(loan), offered: None, stage: Stage::New }
    }
}

impl<T: Plain> ReadLoanAsync<'_, T> {
    fn begin(&mut self) -> Result<Option<Fired>, ChannelError> {
        let end = self.reader.end();
        end.check()?;
        check_lends(end)?;
        let mut offering = Offering::new()?;
        let fired = offering.begin(&[end.taking(false)], Order::Priority, self.location)?;
        self.stage = Stage::Offered(offering);
        Ok(fired)
    }

    fn end(&mut self, fired: Fired) -> Result<View<T>, ChannelError> {
        let Stage::Offered(mut offering) = std::mem::replace(&mut self.stage, Stage::Over) else { unreachable!() };
        offering.run(|| {
            let (packet, _) = End::took(fired)?;
            Ok(View::of(packet)?)
        })
    }
}

impl<T: Plain> Future for ReadLoanAsync<'_, T> {
    type Output = Result<View<T>, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let begun = match &this.stage {
            Stage::New => this.begin(),
            Stage::Offered(_) => Ok(None),
            Stage::Over => return Poll::Pending,
        };
        let fired = match (begun, &mut this.stage) {
            (Ok(Some(fired)), _) => Ok(fired),
            (Ok(None), Stage::Offered(offering)) => ready!(offering.poll(context)).map_err(ChannelError::from),
            (Ok(None), _) => return Poll::Pending,
            (Err(error), _) => Err(error),
        };
        match fired {
            Ok(fired) => Poll::Ready(this.end(fired)),
            Err(error) => {
                this.stage = Stage::Over;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<T: Plain> SendAsync<'_, T> {
    fn begin(&mut self, loan: Loan<T>) -> Result<Option<Fired>, WriteError<Loan<T>>> {
        let end = self.writer.end();
        let offering = check_lends(end).and_then(|()| end.check_open()).and_then(|()| Ok(Offering::new()?));
        let mut offering = match offering {
            Ok(offering) => offering,
            Err(fate) => return Err(WriteError { value: loan, fate }),
        };
        let packet = loan.into_packet();
        let begun = offering.begin(&[packet.guard(end.channel())], Order::Priority, self.location);
        match begun {
            Ok(fired) => {
                self.offered = Some(packet);
                self.stage = Stage::Offered(offering);
                Ok(fired)
            }
            Err(error) => Err(WriteError { value: Loan::returned(packet), fate: error.into() }),
        }
    }

    /// No reader has it.
    fn fail(&mut self, fate: ChannelError) -> WriteError<Loan<T>> {
        self.stage = Stage::Over;
        WriteError { value: not_taken(self.offered.take()), fate }
    }
}

impl<T: Plain> Future for SendAsync<'_, T> {
    type Output = Result<(), WriteError<Loan<T>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let begun = match this.loan.take() {
            Some(loan) => this.begin(loan),
            None => Ok(None),
        };
        let begun = match begun {
            Ok(begun) => begun,
            Err(error) => {
                this.stage = Stage::Over;
                return Poll::Ready(Err(error));
            }
        };
        let Stage::Offered(offering) = &mut this.stage else { return Poll::Pending };
        let fired = match begun {
            Some(fired) => Ok(fired),
            None => ready!(offering.poll(context)),
        };
        let settled = match fired {
            Ok(fired) => End::gave(offering.settle(&fired, &mut this.offered)),
            Err(error) => Err(error.into()),
        };
        match settled {
            Ok(()) => {
                this.stage = Stage::Over;
                Poll::Ready(Ok(()))
            }
            Err(fate) => Poll::Ready(Err(this.fail(fate))),
        }
    }
}

impl<T: Plain> Drop for SendAsync<'_, T> {
    fn drop(&mut self) {
        let Stage::Offered(mut offering) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        if offering.withdraw().is_some() {
            offering.settle_written(&mut self.offered);
        }
        let left = self.offered.take();
        offering.run(|| drop(left));
    }
}

// Nothing is pinned: what is offered lies in the context.
impl<T: Plain> Unpin for SendAsync<'_, T> {}

impl<T: Plain> fmt::Debug for ReadLoanAsync<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadLoanAsync").field(&self.reader).finish()
    }
}

impl<T: Plain> fmt::Debug for SendAsync<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendAsync").field(&self.writer).finish()
    }
}
