//! `Alternation`: a set of guards that is known only at run time, and used again and again.
//!
//! Knows nothing of what the guards are, nor of how the engine chooses one; `set` holds how guards come and go.

use super::arm::{Arm, Take};
use super::arms::ReadArm;
use super::entry::Entry;
use super::fired::Fired;
use super::select::{Failed, choose, choose_again};
use super::token::{Place, Token};
use crate::channel::{ChannelError, Message, Reader};
use crate::engine::{Order, Selection};
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

/// A set of guards, one of which fires at each selection.
///
/// Guards are numbered from zero in the order in which they are added. The set can be used again: a reading guard reads
/// the next message, a timer starts anew with each selection; a writing guard that has fired is absent until
/// [`set`](Alternation::set) gives it another value. A channel may be in several guards, even with both ends: it never
/// meets itself.
///
/// A set borrows its guards or owns them, or some of each. One that is to change between selections owns them:
/// [`own_reader`](Alternation::own_reader) takes a reader, [`remove`](Alternation::remove) gives it back, and whose
/// turn it is survives both.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// let (c, d) = (Channel::new(), Channel::new());
/// let (w, r) = (c.writer(), d.reader());
/// let other = std::thread::spawn(move || r.read());
///
/// let input = c.reader();
/// let output = d.writer();
/// let mut alt = Alternation::new();
/// let a = alt.read(&input);
/// let b = alt.write(&output, 5);
/// alt.after(Duration::from_secs(60));
///
/// // Nobody writes to `c`, but somebody reads from `d`.
/// assert_eq!(alt.pri_select()?.index(), b.index());
/// assert_eq!(other.join().unwrap()?, 5);
///
/// // The value is gone, the rest of the set is as before.
/// let writer = std::thread::spawn(move || w.write(7));
/// assert_eq!(alt.pri_select()?.take(a), 7);
/// assert!(writer.join().unwrap().is_ok());
/// # Ok::<(), csproc::Error>(())
/// ```
pub struct Alternation<'a> {
    pub(super) number: u64,
    /// In the order of their numbers.
    pub(super) entries: Vec<Entry<'a>>,
    /// The number of the next guard.
    pub(super) next: usize,
    /// The guard whose turn it is, or the next one after it that is there.
    turn: usize,
    failed: Option<usize>,
    /// The guards of the last selection; none once one of them is removed.
    pub(super) selection: Selection,
}

/// Tells alternations apart, so that a token of one is not taken for a token of another.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl<'a> Alternation<'a> {
    /// A set without guards.
    ///
    /// # Examples
    /// ```
    /// let mut alt = csproc::Alternation::new();
    /// assert_eq!(alt.select().unwrap_err(), csproc::ChannelError::NoGuards);
    /// ```
    #[must_use]
    pub fn new() -> Alternation<'a> {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Alternation { number, entries: Vec::new(), next: 0, turn: 0, failed: None, selection: Selection::default() }
    }

    /// The number of the guard because of which the last selection failed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
    /// let (_w, r, dead) = (c.writer(), c.reader(), d.reader());
    /// dead.poison();
    /// let mut alt = Alternation::new();
    /// alt.read(&r);
    /// let second = alt.read(&dead);
    /// assert!(alt.select().unwrap_err().is_poisoned());
    /// assert_eq!(alt.failed(), Some(second.index()));
    /// ```
    pub fn failed(&self) -> Option<usize> {
        self.failed
    }

    /// Whether it is this guard because of which the last selection failed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// drop(c.writer());
    /// let mut alt = Alternation::new();
    /// let only = alt.own_reader(c.reader());
    /// assert!(alt.select().unwrap_err().is_retired());
    /// assert!(alt.has_failed(only));
    /// ```
    pub fn has_failed<K: Token>(&self, token: K) -> bool {
        let place = token.place();
        place.alternation == self.number && self.failed == Some(place.number)
    }

    /// Waits until a guard fires. Of several that are ready, any may fire.
    ///
    /// # Blocking
    /// Waits until a guard is ready.
    ///
    /// # Errors
    /// A guard's channel is poisoned, retired or lost (then nothing has been communicated, and
    /// [`failed`](Alternation::failed) tells which); a value cannot be serialized; no guard is present.
    ///
    /// # Examples
    /// See [`Alternation`].
    #[track_caller]
    pub fn select(&mut self) -> Result<Fired, ChannelError> {
        self.choose(Order::Random, Location::caller())
    }

    /// As [`select`](Alternation::select); of several guards that are ready, the first fires.
    ///
    /// # Blocking
    /// Waits until a guard is ready.
    ///
    /// # Errors
    /// As for [`select`](Alternation::select).
    ///
    /// # Examples
    /// See [`Alternation`].
    #[track_caller]
    pub fn pri_select(&mut self) -> Result<Fired, ChannelError> {
        self.choose(Order::Priority, Location::caller())
    }

    /// As [`select`](Alternation::select); of several guards that are ready, the first after the one that had its turn
    /// last.
    ///
    /// A guard has its turn when it fires, and when the selection fails because of it: a channel that has ended does
    /// not keep the others waiting. Whose turn it is survives guards that are added, removed and disabled. It does not
    /// survive the alternation: where a set has to be made anew for each selection, [`start_at`](Alternation::start_at)
    /// takes the turn along.
    ///
    /// # Blocking
    /// Waits until a guard is ready.
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
    /// let order = [alt.fair_select()?.index(), alt.fair_select()?.index(), alt.fair_select()?.index()];
    /// assert_eq!(order, [0, 1, 0]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn fair_select(&mut self) -> Result<Fired, ChannelError> {
        let fired = self.choose(self.in_turn(), Location::caller());
        self.serve(&fired);
        fired
    }

    /// Makes it the turn of the guard of this number, or of the next one that is there, for
    /// [`fair_select`](Alternation::fair_select).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Instant;
    ///
    /// let (mut order, mut turn) = (Vec::new(), 0);
    /// for _ in 0..4 {
    ///     let mut alt = Alternation::new();
    ///     alt.at(Instant::now());
    ///     alt.at(Instant::now());
    ///     alt.start_at(turn);
    ///     let fired = alt.fair_select()?.index();
    ///     order.push(fired);
    ///     turn = fired + 1;
    /// }
    /// assert_eq!(order, [0, 1, 0, 1]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn start_at(&mut self, index: usize) {
        self.turn = index;
    }

    /// As the selections do, in this order, on behalf of whoever called from there.
    pub(crate) fn choose(&mut self, order: Order, location: &'static Location<'static>) -> Result<Fired, ChannelError> {
        let chosen = choose_again(&mut self.selection, &mut self.entries, order, location);
        self.conclude(chosen)
    }

    /// The order in which it is the turn of each.
    pub(super) fn in_turn(&self) -> Order {
        // The first guard that is there from this number on.
        Order::From(self.entries.partition_point(|entry| entry.number < self.turn))
    }

    /// A guard has had its turn.
    pub(super) fn serve(&mut self, fired: &Result<Fired, ChannelError>) {
        let served = fired.as_ref().map_or(self.failed, |fired| Some(fired.index()));
        if let Some(served) = served {
            self.turn = served + 1;
        }
    }

    /// What a selection has come to.
    pub(super) fn conclude(&mut self, chosen: Result<usize, Failed>) -> Result<Fired, ChannelError> {
        self.failed = match &chosen {
            Ok(_) => None,
            Err(failed) => failed.number.map(|position| self.entries[position].number),
        };
        let position = chosen.map_err(|failed| failed.error)?;
        let entry = &mut self.entries[position];
        Ok(Fired::new(Place { alternation: self.number, number: entry.number }, entry.stow()))
    }
}

impl Default for Alternation<'_> {
    fn default() -> Self {
        Alternation::new()
    }
}

impl fmt::Debug for Alternation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alternation").field("guards", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Reads from whichever of the readers has a message, and says which, by its place in the slice.
///
/// Of several that have one, any may be chosen, so each is served in the long run. It is made for a set in which no
/// channel ends before the others: one that has ended fails every further call. For a set that grows and shrinks there
/// is [`Alternation::own_reader`].
///
/// # Blocking
/// Waits until there is a message.
///
/// # Errors
/// One of the channels is poisoned, retired or lost; or `readers` is empty
/// ([`NoGuards`](ChannelError::NoGuards)). The error does not say which channel it was: an [`Alternation`] does, by
/// [`failed`](Alternation::failed).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let (c, d) = (Channel::new(), Channel::new());
/// let readers = [c.reader(), d.reader()];
/// let w = d.writer();
/// let writer = std::thread::spawn(move || w.write("hello".to_string()));
/// assert_eq!(select_read(&readers)?, (1, "hello".to_string()));
/// assert!(writer.join().unwrap().is_ok());
/// # Ok::<(), csproc::Error>(())
/// ```
#[track_caller]
pub fn select_read<T: Message>(readers: &[Reader<T>]) -> Result<(usize, T), ChannelError> {
    let mut arms: Vec<_> = readers.iter().map(ReadArm::new).collect();
    let mut set: Vec<&mut dyn Arm> = arms.iter_mut().map(|arm| arm as &mut dyn Arm).collect();
    let chosen = choose(set.as_mut_slice(), Order::Random, Location::caller()).map_err(|failed| failed.error)?;
    Ok((chosen, arms[chosen].take()?))
}
