//! Choosing without blocking a thread: the future of `select_async` and its sisters.
//!
//! Knows nothing of executors. The guards are offered all at once at the first poll, by a context of the future's own,
//! and stay offered until one of them fires or the future is dropped. Timers are among them.

use super::arm::{Arm, Outcome};
use super::dynamic::Alternation;
use super::entry::Kind;
use super::fired::Fired;
use super::select::{Failed, begin, fire, gather};
use crate::channel::{ChannelError, settle};
use crate::engine::{Fired as Outcomes, Offering, Order, Selection, Stage};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Alternation::select_async`].
#[must_use = "a future does nothing until it is awaited"]
pub struct SelectAsync<'s, 'a> {
    alternation: &'s mut Alternation<'a>,
    order: Order,
    location: &'static Location<'static>,
    selection: Selection,
    stage: Stage,
}

impl<'a> Alternation<'a> {
    /// Waits until a guard fires, and lets the thread do other things meanwhile. Of several that are ready, any may
    /// fire.
    ///
    /// All guards are offered at once, as by [`select`](Alternation::select). The future stays in its thread, as the
    /// alternation does.
    ///
    /// # Cancellation
    /// Dropping the future withdraws all guards: nothing was communicated. A message that a writer has handed over in
    /// the very moment goes back into its channel, and the next read of any reader takes it. If a reader took the value
    /// of a writing guard in that moment, it is written, and the guard is absent until [`set`](Alternation::set) gives
    /// it another value; the alternation may be dropped, too. A writer that has come in that moment to an
    /// [extended](Alternation::read_extended) guard, or to a guard of a channel with
    /// [`Carrier::Ipc`](crate::Carrier::Ipc), fails with [`Abandoned`](ChannelError::Abandoned).
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a guard is.
    ///
    /// # Errors
    /// As for [`select`](Alternation::select).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// executor.block_on(async {
    ///     let mut alt = Alternation::new();
    ///     let input = alt.read(&r);
    ///     let timer = alt.after(Duration::from_millis(1));
    ///     assert!(alt.select_async().await?.is(timer));
    ///     let writer = std::thread::spawn(move || w.write(7));
    ///     alt.enable(timer, false);
    ///     assert_eq!(alt.select_async().await?.take(input), 7);
    ///     assert!(writer.join().unwrap().is_ok());
    ///     Ok::<(), csproc::ChannelError>(())
    /// })?;
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn select_async(&mut self) -> SelectAsync<'_, 'a> {
        self.begin_async(Order::Random, Location::caller())
    }

    /// As [`select_async`](Alternation::select_async); of several guards that are ready, the first fires.
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a guard is.
    ///
    /// # Errors
    /// As for [`select`](Alternation::select).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let mut alt = Alternation::new();
    /// let first = alt.at(std::time::Instant::now());
    /// alt.skip();
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert!(executor.block_on(alt.pri_select_async())?.is(first));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn pri_select_async(&mut self) -> SelectAsync<'_, 'a> {
        self.begin_async(Order::Priority, Location::caller())
    }

    /// As [`select_async`](Alternation::select_async); of several guards that are ready, the first after the one that
    /// had its turn last. It shares its turn with [`fair_select`](Alternation::fair_select).
    ///
    /// # Blocking
    /// Never blocks the thread. The future is ready when a guard is.
    ///
    /// # Errors
    /// As for [`select`](Alternation::select).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Instant;
    ///
    /// let mut alt = Alternation::new();
    /// alt.at(Instant::now());
    /// alt.at(Instant::now());
    /// let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(executor.block_on(alt.fair_select_async())?.index(), 0);
    /// assert_eq!(alt.fair_select()?.index(), 1);
    /// assert_eq!(executor.block_on(alt.fair_select_async())?.index(), 0);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn fair_select_async(&mut self) -> SelectAsync<'_, 'a> {
        self.begin_async(self.in_turn(), Location::caller())
    }

    fn begin_async(&mut self, order: Order, location: &'static Location<'static>) -> SelectAsync<'_, 'a> {
        SelectAsync { alternation: self, order, location, selection: Selection::default(), stage: Stage::New }
    }
}

impl SelectAsync<'_, '_> {
    /// Until an arm stands by it that it has fired. Gives its place.
    fn advance(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, Failed>> {
        let arms = &mut self.alternation.entries;
        let offering = match &mut self.stage {
            Stage::Offered(offering) => offering,
            Stage::New => {
                settle();
                begin(arms);
                self.stage = Stage::Offered(Offering::new()?);
                let Stage::Offered(offering) = &mut self.stage else { return Poll::Pending };
                offering
            }
            Stage::Over => return Poll::Pending,
        };
        loop {
            let begun = if offering.is_pending() {
                None
            } else {
                let order = gather(&mut self.selection, arms, self.order)?;
                let begun = offering.begin(&self.selection.guards, order, self.location);
                begun.inspect_err(|_| offering.disown(&self.selection.guards, None))?
            };
            let fired = match begun {
                Some(fired) => fired,
                None => match offering.poll(context) {
                    Poll::Ready(fired) => fired?,
                    Poll::Pending => return Poll::Pending,
                },
            };
            offering.disown(&self.selection.guards, Some(&fired));
            if let Some(number) = fire(&self.selection, arms, fired)? {
                return Poll::Ready(Ok(number));
            }
        }
    }
}

impl Future for SelectAsync<'_, '_> {
    type Output = Result<Fired, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(chosen) = self.advance(context) else { return Poll::Pending };
        self.stage = Stage::Over;
        let fired = self.alternation.conclude(chosen);
        if matches!(self.order, Order::From(_)) {
            self.alternation.serve(&fired);
        }
        Poll::Ready(fired)
    }
}

impl Drop for SelectAsync<'_, '_> {
    fn drop(&mut self) {
        let Stage::Offered(mut offering) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        if !offering.is_pending() {
            return;
        }
        let written = offering.withdraw().map(Outcomes::bare);
        offering.disown(&self.selection.guards, written.as_ref());
        if let Some(written) = written {
            let number = self.selection.numbers[written.index] as usize;
            let entry = &mut self.alternation.entries[number];
            // A guard that has written has no value to give, and cannot fail.
            let _ = entry.fire(Outcome::bare());
            if offering.is_pending()
                && let Kind::Write(arm) = &mut entry.kind
            {
                // A value that travels beside its packet stays where its reader finds it, whatever becomes of the
                // guard.
                offering.carry(arm.unload());
            }
        }
    }
}

impl fmt::Debug for SelectAsync<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SelectAsync").field(&self.alternation).finish()
    }
}
