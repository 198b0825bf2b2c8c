//! Reading and writing without blocking a thread: the futures of `read_async` and `write_async`.
//!
//! Knows nothing of executors, nor of how a future is told that its partner has come (`engine::bell`).
//!
//! Nothing is offered before the first poll. A future that is dropped takes its offer back; if a partner was faster, a
//! message that was taken is put back for the next reader, and one that was given is with its reader.

use super::codec::{Message, decode};
use super::end::End;
use super::error::{ChannelError, WriteError};
use super::extended::Hold;
use super::outgoing::Outgoing;
use super::{Reader, Writer};
use crate::engine::{Fired, Offering, Order, Stage};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`Reader::read_async`].
#[must_use = "a future does nothing until it is awaited"]
pub struct ReadAsync<'a, T> {
    reader: &'a Reader<T>,
    location: &'static Location<'static>,
    stage: Stage,
}

/// The future of [`Writer::write_async`].
#[must_use = "a future does nothing until it is awaited"]
pub struct WriteAsync<'a, T> {
    writer: &'a Writer<T>,
    location: &'static Location<'static>,
    /// Until it is written.
    value: Option<T>,
    message: Option<Outgoing>,
    stage: Stage,
}

impl<T> Reader<T> {
    /// Takes a value from a writer, and lets the thread do other things until one offers a value.
    ///
    /// It works under any executor, and meets threads and other processes as [`read`](Reader::read) does. A future of
    /// one thread may be polled by another one.
    ///
    /// # Cancellation
    /// Dropping the future withdraws the read: nothing was read. A message that a writer has handed over in the very
    /// moment goes back into the channel, and the next read of any reader takes it, before all others. Only where a
    /// reader of a channel with [`Carrier::Ipc`](crate::Carrier::Ipc) is dropped in that moment, the write fails
    /// instead, with [`Abandoned`](ChannelError::Abandoned).
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a writer offers a value.
    ///
    /// # Errors
    /// As for [`read`](Reader::read).
    ///
    /// # Poison and retire
    /// Both end a waiting read at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || w.write(42_u8));
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(executor.block_on(r.read_async()), Ok(42));
    /// assert!(writer.join().unwrap().is_ok());
    /// ```
    #[track_caller]
    pub fn read_async(&self) -> ReadAsync<'_, T>
    where
        T: Message,
    {
        ReadAsync { reader: self, location: Location::caller(), stage: Stage::New }
    }
}

impl<T> Writer<T> {
    /// Hands `value` to a reader, and lets the thread do other things until one takes it.
    ///
    /// It works under any executor, and meets threads and other processes as [`write`](Writer::write) does.
    ///
    /// # Cancellation
    /// Dropping the future withdraws the write: nobody has seen the value. If a reader took it in the very moment, it
    /// is written, as by a [`write`](Writer::write) whose result nobody looks at. A reader in an extended rendezvous
    /// finishes as usual.
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a reader has taken the value.
    ///
    /// # Errors
    /// As for [`write`](Writer::write): the value comes back with the reason.
    ///
    /// # Poison and retire
    /// Both end a waiting write at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let reader = std::thread::spawn(move || r.read());
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// executor.block_on(w.write_async("hello".to_string()))?;
    /// assert_eq!(reader.join().unwrap()?, "hello");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn write_async(&self, value: T) -> WriteAsync<'_, T>
    where
        T: Message,
    {
        WriteAsync { writer: self, location: Location::caller(), value: Some(value), message: None, stage: Stage::New }
    }
}

impl<T: Message> ReadAsync<'_, T> {
    fn begin(&mut self) -> Result<Option<Fired>, ChannelError> {
        let end = self.reader.end();
        end.check()?;
        let mut offering = Offering::new()?;
        let fired = offering.begin(&[end.taking(end.is_carried())], Order::Priority, self.location)?;
        self.stage = Stage::Offered(offering);
        Ok(fired)
    }

    fn end(&mut self, fired: Fired) -> Result<T, ChannelError> {
        let Stage::Offered(mut offering) = std::mem::replace(&mut self.stage, Stage::Over) else { unreachable!() };
        let end = self.reader.end();
        offering.run(|| {
            let (packet, held) = End::took(fired)?;
            if end.is_carried() {
                return Ok(Hold::begin(end, packet, held)?.let_go().open()?);
            }
            Ok(decode(&packet)?.0)
        })
    }
}

impl<T: Message> Future for ReadAsync<'_, T> {
    type Output = Result<T, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let fired = match &mut this.stage {
            Stage::New => match this.begin() {
                Ok(fired) => fired,
                Err(error) => {
                    this.stage = Stage::Over;
                    return Poll::Ready(Err(error));
                }
            },
            Stage::Offered(_) => None,
            Stage::Over => return Poll::Pending,
        };
        let fired = match (fired, &mut this.stage) {
            (Some(fired), _) => fired,
            (None, Stage::Offered(offering)) => match ready!(offering.poll(context)) {
                Ok(fired) => fired,
                Err(error) => return Poll::Ready(Err(error.into())),
            },
            (None, _) => return Poll::Pending,
        };
        Poll::Ready(this.end(fired))
    }
}

impl<T: Message> WriteAsync<'_, T> {
    fn begin(&mut self, value: &T) -> Result<Option<Fired>, ChannelError> {
        let end = self.writer.end();
        end.check_open()?;
        let mut offering = Offering::new()?;
        let mut message = offering.run(|| Outgoing::pack(end, value))?;
        let guard = message.packet().as_ref().map(|packet| packet.guard(end.channel()));
        let fired = guard.map(|guard| offering.begin(&[guard], Order::Priority, self.location)).transpose();
        self.message = Some(message);
        self.stage = Stage::Offered(offering);
        Ok(fired?.flatten())
    }

    /// The value is given to nobody.
    fn fail(&mut self, value: T, fate: ChannelError) -> WriteError<T> {
        let message = self.message.take();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Offered(mut offering) => offering.run(|| WriteError {
                value: match message {
                    Some(message) => message.restore(value),
                    None => value,
                },
                fate,
            }),
            Stage::New | Stage::Over => WriteError { value, fate },
        }
    }
}

impl<T: Message> Future for WriteAsync<'_, T> {
    type Output = Result<(), WriteError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(value) = this.value.take() else { return Poll::Pending };
        let begun = match &this.stage {
            Stage::New => this.begin(&value),
            Stage::Offered(_) | Stage::Over => Ok(None),
        };
        let fired = match (begun, &mut this.stage) {
            (Ok(Some(fired)), _) => Ok(fired),
            (Ok(None), Stage::Offered(offering)) => match offering.poll(context) {
                Poll::Ready(fired) => fired.map_err(ChannelError::from),
                Poll::Pending => {
                    this.value = Some(value);
                    return Poll::Pending;
                }
            },
            (Ok(None), _) => return Poll::Pending,
            (Err(error), _) => Err(error),
        };
        let settled = fired.and_then(|fired| match (&mut this.stage, &mut this.message) {
            (Stage::Offered(offering), Some(message)) => End::gave(offering.settle(&fired, message.packet())),
            _ => Ok(()),
        });
        Poll::Ready(match settled {
            Ok(()) => {
                this.abandon();
                Ok(())
            }
            Err(fate) => Err(this.fail(value, fate)),
        })
    }
}

impl<T> WriteAsync<'_, T> {
    /// Takes back what is offered, and gives up what is left of the message.
    fn abandon(&mut self) {
        let Stage::Offered(mut offering) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        let Some(mut message) = self.message.take() else { return };
        if offering.withdraw().is_some() {
            offering.settle_written(message.packet());
        }
        if offering.is_pending() {
            // A value that travels beside its packet stays where its reader finds it.
            offering.carry(message);
        } else {
            offering.run(|| drop(message));
        }
    }
}

impl<T> Drop for WriteAsync<'_, T> {
    fn drop(&mut self) {
        self.abandon();
    }
}

// Nothing is pinned: what is offered lies in the context.
impl<T> Unpin for WriteAsync<'_, T> {}

impl<T> fmt::Debug for ReadAsync<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadAsync").field(&self.reader).finish()
    }
}

impl<T> fmt::Debug for WriteAsync<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteAsync").field(&self.writer).finish()
    }
}
