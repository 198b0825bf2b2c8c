//! `Alternation`: a set of guards that is known only at run time, and used again and again.
//!
//! Knows nothing of how one is chosen.

use super::arm::{
    Arm, Offered, Outcome, ReadArm, Stowed, Take, TimerArm, Verdict, WriteArm, after, at, read_extended, skip,
};
use super::guard::Guard;
use super::select::{Arms, Failed, choose};
use crate::channel::{ChannelError, Extended, Message, Reader, Writer};
use crate::engine::Order;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A set of guards, one of which fires at each selection.
///
/// Guards are numbered from zero in the order in which they are added. The set can be used again: a reading guard reads the next
/// message, a timer starts anew with each selection; a writing guard that has fired is absent until
/// [`set`](Alternation::set) gives it another value. A channel may be in several guards, even with both ends: it never meets itself.
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
    number: u64,
    entries: Vec<Entry<'a>>,
    turn: usize,
    failed: Option<usize>,
}

struct Entry<'a> {
    kind: Kind<'a>,
    enabled: bool,
}

enum Kind<'a> {
    Write(WriteArm<'a>),
    Other(Box<dyn Stowing + 'a>),
}

/// An arm whose value can be taken without its type.
trait Stowing: Arm {
    fn stow_value(&mut self) -> Stowed;
}

impl<A: Arm + Take> Stowing for A {
    fn stow_value(&mut self) -> Stowed {
        self.stow()
    }
}

impl<'a> Arms for Vec<Entry<'a>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn arm(&mut self, number: usize) -> &mut dyn Arm {
        &mut self[number]
    }
}

impl Entry<'_> {
    fn inner(&mut self) -> &mut dyn Arm {
        match &mut self.kind {
            Kind::Write(arm) => arm,
            Kind::Other(arm) => &mut **arm,
        }
    }
}

impl Arm for Entry<'_> {
    fn begin(&mut self) {
        self.inner().begin();
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        if self.enabled { self.inner().offer() } else { Ok(Offered(None)) }
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.inner().fire(outcome)
    }

    fn settle(&mut self, fired: bool) {
        self.inner().settle(fired);
    }
}

/// Tells alternations apart, so that a token of one is not taken for a token of another.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What stands for a guard of an [`Alternation`]: its number, and the type of its value.
///
/// # Examples
/// See [`Alternation`].
pub trait Token: Copy {
    /// What the guard gives.
    type Output;

    /// The number of the guard in its alternation.
    fn index(&self) -> usize;

    #[doc(hidden)]
    fn unpack(&self, fired: FiredValue) -> Result<Self::Output, ChannelError>;
}

/// A value that was read, and where.
#[derive(Debug)]
#[doc(hidden)]
pub struct FiredValue {
    alternation: u64,
    index: usize,
    value: Stowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    alternation: u64,
    index: usize,
}

impl Place {
    fn check(self, fired: &FiredValue) {
        assert!(
            self.alternation == fired.alternation && self.index == fired.index,
            "guard {} did not fire, but guard {}{}: compare `fired.index()` with the token's `index()` before `take`",
            self.index,
            fired.index,
            if self.alternation == fired.alternation { "" } else { " of another alternation" },
        );
    }
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident<$value:ident> gives $output:ty;)*) => {$(
        $(#[$doc])*
        pub struct $name<$value> {
            place: Place,
            unpack: fn(Stowed) -> Result<$output, ChannelError>,
            values: PhantomData<fn() -> $value>,
        }

        impl<$value> $name<$value> {
            /// The number of the guard in its alternation.
            ///
            /// # Examples
            /// See [`Alternation`].
            pub fn index(&self) -> usize {
                self.place.index
            }
        }

        impl<$value> Token for $name<$value> {
            type Output = $output;

            fn index(&self) -> usize {
                self.place.index
            }

            fn unpack(&self, fired: FiredValue) -> Result<$output, ChannelError> {
                self.place.check(&fired);
                (self.unpack)(fired.value)
            }
        }

        impl<$value> Clone for $name<$value> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$value> Copy for $name<$value> {}

        impl<$value> fmt::Debug for $name<$value> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.place.index).finish()
            }
        }
    )*};
}

tokens! {
    /// A guard of an [`Alternation`] that gives a value of type `T`.
    ///
    /// # Examples
    /// See [`Alternation`].
    Read<T> gives T;
    /// A guard of an [`Alternation`] that writes values of type `T`.
    ///
    /// # Examples
    /// See [`Alternation`].
    Write<T> gives ();
}

/// A guard of an [`Alternation`] that gives nothing: a timer, or `skip`.
///
/// # Examples
/// See [`Alternation`].
pub type Event = Read<()>;

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
        Alternation { number, entries: Vec::new(), turn: 0, failed: None }
    }

    fn place(&self) -> Place {
        Place { alternation: self.number, index: self.entries.len() }
    }

    fn add<A: Arm + Take + 'a>(&mut self, arm: A) -> Read<A::Output> {
        let token = Read { place: self.place(), unpack: A::unpack, values: PhantomData };
        self.entries.push(Entry { kind: Kind::Other(Box::new(arm)), enabled: true });
        token
    }

    /// Adds a guard that reads.
    ///
    /// # Examples
    /// See [`Alternation`].
    pub fn read<T: Message>(&mut self, reader: &'a Reader<T>) -> Read<T> {
        self.add(reader.arm())
    }

    /// Adds a guard that reads in an extended rendezvous: the writer goes on when the value is finished or dropped.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || w.write(7));
    /// let mut alt = Alternation::new();
    /// let held = alt.read_extended(&r);
    /// let value = alt.select()?.take(held);
    /// assert!(!writer.is_finished());
    /// assert_eq!(value.finish(), 7);
    /// assert!(writer.join().unwrap().is_ok());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn read_extended<T: Message>(&mut self, reader: &'a Reader<T>) -> Read<Extended<T>> {
        self.add(read_extended(reader))
    }

    /// Adds a guard that writes `value`. A value that cannot be serialized shows at the next selection.
    ///
    /// # Examples
    /// See [`Alternation`].
    pub fn write<T: Message>(&mut self, writer: &'a Writer<T>, value: T) -> Write<T> {
        let token = Write { place: self.place(), unpack: |_| Ok(()), values: PhantomData };
        self.entries.push(Entry { kind: Kind::Write(WriteArm::new(writer, &value)), enabled: true });
        token
    }

    /// Gives a writing guard another value, in place of the one it has or has written.
    ///
    /// # Panics
    /// `token` is of another alternation.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let reader = std::thread::spawn(move || r.iter().collect::<Vec<u8>>());
    /// let mut alt = Alternation::new();
    /// let out = alt.write(&w, 1);
    /// alt.select()?;
    /// alt.set(out, 2);
    /// alt.select()?;
    /// drop(alt);
    /// drop(w);
    /// assert_eq!(reader.join().unwrap(), [1, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set<T: Message>(&mut self, token: Write<T>, value: T) {
        assert!(token.place.alternation == self.number, "the token is of another alternation");
        if let Some(Entry { kind: Kind::Write(arm), .. }) = self.entries.get_mut(token.place.index) {
            arm.stage(&value);
        }
    }

    /// Adds a guard that fires `duration` after the beginning of a selection.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let c = Channel::<u8>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// let mut alt = Alternation::new();
    /// alt.read(&r);
    /// let timer = alt.after(Duration::from_millis(1));
    /// assert_eq!(alt.select()?.index(), timer.index());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn after(&mut self, duration: Duration) -> Event {
        self.add::<TimerArm>(after(duration))
    }

    /// Adds a guard that fires at `instant`.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let mut alt = Alternation::new();
    /// let timer = alt.at(std::time::Instant::now());
    /// assert_eq!(alt.select()?.index(), timer.index());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn at(&mut self, instant: Instant) -> Event {
        self.add::<TimerArm>(at(instant))
    }

    /// Adds a guard that fires when nothing else is ready.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// let mut alt = Alternation::new();
    /// alt.read(&r);
    /// let skip = alt.skip();
    /// assert_eq!(alt.select()?.index(), skip.index());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn skip(&mut self) -> Event {
        self.add(skip())
    }

    /// Adds any value that is a guard.
    ///
    /// # Examples
    /// See [`Guard`].
    pub fn guard<G: Guard + ?Sized>(&mut self, guard: &'a G) -> Read<G::Output> {
        self.add(guard.arm())
    }

    /// Sets a guard's precondition: while it is `false` the guard is absent.
    ///
    /// # Panics
    /// `token` is of another alternation.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let mut alt = Alternation::new();
    /// let first = alt.skip();
    /// alt.enable(first, false);
    /// assert_eq!(alt.select().unwrap_err(), ChannelError::NoGuards);
    /// alt.enable(first, true);
    /// assert!(alt.select().is_ok());
    /// ```
    pub fn enable<K: Token>(&mut self, token: K, enabled: bool) {
        if let Some(entry) = self.entries.get_mut(token.index()) {
            entry.enabled = enabled;
        }
    }

    /// The number of guards.
    ///
    /// # Examples
    /// ```
    /// let mut alt = csproc::Alternation::new();
    /// alt.skip();
    /// assert_eq!(alt.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no guard.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::Alternation::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The guard because of which the last selection failed.
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

    /// Waits until a guard fires. Of several that are ready, any may fire.
    ///
    /// # Blocking
    /// Waits until a guard is ready.
    ///
    /// # Errors
    /// A guard's channel is poisoned, retired or lost (then nothing has been communicated, and [`failed`](Alternation::failed) tells which);
    /// a value cannot be serialized; no guard is present.
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

    /// As [`select`](Alternation::select); of several guards that are ready, the first after the one that fired last.
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
        let fired = self.choose(Order::From(self.turn), Location::caller())?;
        self.turn = fired.index() + 1;
        Ok(fired)
    }

    fn choose(&mut self, order: Order, location: &'static Location<'static>) -> Result<Fired, ChannelError> {
        self.failed = None;
        let index = choose(&mut self.entries, order, location).map_err(|Failed { number, error }| {
            self.failed = number;
            error
        })?;
        let value = match &mut self.entries[index].kind {
            Kind::Write(_) => Stowed::NOTHING,
            Kind::Other(arm) => arm.stow_value(),
        };
        Ok(Fired(FiredValue { alternation: self.number, index, value }))
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

/// The guard that fired, with its value. A value that is not taken is dropped.
///
/// # Examples
/// See [`Alternation`].
#[derive(Debug)]
pub struct Fired(FiredValue);

impl Fired {
    /// The number of the guard in its alternation.
    ///
    /// # Examples
    /// See [`Alternation`].
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// The value of the guard that fired.
    ///
    /// # Panics
    /// `token` is not the guard that fired, or the message is not a value of its type (a broken `Deserialize`);
    /// [`try_take`](Fired::try_take) returns the latter.
    ///
    /// # Examples
    /// See [`Alternation`].
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

/// Reads from whichever of the readers has a message, and says which. Of several, any may be chosen.
///
/// # Blocking
/// Waits until there is a message.
///
/// # Errors
/// One of the channels is poisoned, retired or lost; or `readers` is empty.
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
