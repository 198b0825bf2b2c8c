//! The guards of an `Alternation`: how they come, change and go.
//!
//! Knows nothing of how one of them is chosen.

use super::arm::{Stowed, Take};
use super::arms::{EndRef, ExtendedArm, ReadArm, SkipArm, WriteArm};
use super::dynamic::Alternation;
use super::entry::{Entry, Kind, Owned, Returned};
use super::guard::Guard;
use super::timer::{Ticker, TimerArm, tick};
use super::token::{Event, Place, Read, Token, Write};
use crate::channel::{ChannelError, Extended, Message, Reader, Writer};
use std::time::{Duration, Instant};

/// What a token is told of a guard that was borrowed.
fn nothing(_: Returned) {}

/// The value of a guard that gives none.
fn no_value_of(_: Stowed) -> Result<(), ChannelError> {
    Ok(())
}

impl<'a> Alternation<'a> {
    /// A number for one more guard.
    pub(super) fn push(&mut self, kind: Kind<'a>) -> Place {
        let number = self.next;
        self.next += 1;
        self.entries.push(Entry { number, kind, enabled: true });
        Place { alternation: self.number, number }
    }

    fn add<A: Take + 'a>(&mut self, arm: A) -> Read<A::Output> {
        let place = self.push(Kind::Other(Box::new(arm)));
        Read::new(place, A::unpack, nothing)
    }

    /// Where the guard stands.
    #[track_caller]
    fn find(&self, place: Place) -> usize {
        assert!(place.alternation == self.number, "the token is of another alternation");
        match self.position(place.number) {
            Some(position) => position,
            None => panic!("guard {} has been removed: ask `alternation.contains(token)`", place.number),
        }
    }

    fn position(&self, number: usize) -> Option<usize> {
        self.entries.binary_search_by_key(&number, |entry| entry.number).ok()
    }

    /// Adds a guard that reads.
    ///
    /// # Examples
    /// See [`Alternation`].
    pub fn read<T: Message>(&mut self, reader: &'a Reader<T>) -> Read<T> {
        let arm = ReadArm::over(EndRef::Borrowed(reader.end()));
        Read::new(self.push(Kind::Read(arm)), ReadArm::<T>::unpack, nothing)
    }

    /// Adds a guard that reads, and takes the reader: [`remove`](Alternation::remove) gives it back.
    ///
    /// A set whose guards are all owned borrows nothing, so it can stand in a struct, and the set of clients of a
    /// server can grow and shrink between selections.
    ///
    /// # Poison and retire
    /// The reader belongs to the alternation. When the alternation is dropped, the reader is dropped with it.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Read;
    /// use std::collections::BTreeMap;
    ///
    /// /// Adds what its clients send, whoever comes and goes.
    /// #[derive(Default)]
    /// struct Adder {
    ///     alt: Alternation<'static>,
    ///     clients: BTreeMap<usize, Read<u32, Reader<u32>>>,
    ///     sum: u32,
    /// }
    ///
    /// impl Adder {
    ///     fn admit(&mut self, client: Reader<u32>) {
    ///         let token = self.alt.own_reader(client);
    ///         self.clients.insert(token.index(), token);
    ///     }
    ///
    ///     fn serve(&mut self) -> Result<(), ChannelError> {
    ///         match self.alt.fair_select() {
    ///             Ok(fired) => {
    ///                 let client = self.clients[&fired.index()];
    ///                 self.sum += fired.take(client);
    ///                 Ok(())
    ///             }
    ///             // A client that has ended is not asked again.
    ///             Err(ChannelError::Retired) => {
    ///                 if let Some(client) = self.alt.failed().and_then(|index| self.clients.remove(&index)) {
    ///                     self.alt.remove(client);
    ///                 }
    ///                 Ok(())
    ///             }
    ///             Err(error) => Err(error),
    ///         }
    ///     }
    /// }
    ///
    /// let mut adder = Adder::default();
    /// for client in 1..=3 {
    ///     let c = Channel::buffered(Buffer::Fifo(2));
    ///     let w = c.writer();
    ///     adder.admit(c.reader());
    ///     w.write(client)?;
    ///     w.write(10 * client)?;
    /// }
    /// while !adder.clients.is_empty() {
    ///     adder.serve()?;
    /// }
    /// assert_eq!(adder.sum, 66);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn own_reader<T: Message>(&mut self, reader: Reader<T>) -> Read<T, Reader<T>> {
        let arm = ReadArm::over(EndRef::Owned(reader.into_end()));
        let place = self.push(Kind::Read(arm));
        Read::new(place, ReadArm::<T>::unpack, |returned| Reader::new(returned.end()))
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
        self.add(ExtendedArm::new(reader))
    }

    /// Adds a guard that writes `value`. A value that cannot be serialized shows at the next selection.
    ///
    /// # Examples
    /// See [`Alternation`].
    pub fn write<T: Message>(&mut self, writer: &'a Writer<T>, value: T) -> Write<T> {
        let place = self.push(Kind::Write(WriteArm::new(writer, &value)));
        Write::new(place, no_value_of, nothing)
    }

    /// Adds a guard that writes, and takes the writer: [`remove`](Alternation::remove) gives it back.
    ///
    /// The guard is absent until [`set`](Alternation::set) gives it a value, and again when that has been written.
    ///
    /// # Poison and retire
    /// The writer belongs to the alternation. When the alternation is dropped, the writer is dropped with it.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::buffered(Buffer::Fifo(2));
    /// let r = c.reader();
    /// let mut alt = Alternation::new();
    /// let out = alt.own_writer(c.writer());
    /// assert_eq!(alt.select().unwrap_err(), ChannelError::NoGuards);
    /// alt.set(out, 7);
    /// assert!(alt.select()?.is(out));
    /// assert_eq!(r.read()?, 7);
    ///
    /// let w: Writer<i32> = alt.remove(out);
    /// w.write(8)?;
    /// assert_eq!(r.read()?, 8);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn own_writer<T: Message>(&mut self, writer: Writer<T>) -> Write<T, Writer<T>> {
        let arm = WriteArm::over(EndRef::Owned(writer.into_end()));
        let place = self.push(Kind::Write(arm));
        Write::new(place, no_value_of, |returned| Writer::new(returned.end()))
    }

    /// Gives a writing guard another value, in place of the one it has or has written.
    ///
    /// # Panics
    /// `token` is of another alternation, or its guard has been removed.
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
    #[track_caller]
    pub fn set<T: Message, G>(&mut self, token: Write<T, G>, value: T) {
        if let Some(arm) = self.writing(token) {
            arm.stage(&value);
        }
    }

    /// The arm of a writing guard.
    #[track_caller]
    pub(super) fn writing<T, G>(&mut self, token: Write<T, G>) -> Option<&mut WriteArm<'a>> {
        let position = self.find(token.place());
        if let Kind::Write(arm) = &mut self.entries[position].kind { Some(arm) } else { None }
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
        self.add(TimerArm::after(duration))
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
        self.add(TimerArm::at(instant))
    }

    /// Adds a guard that fires once in every `period`, whatever else fires: a [`Ticker`] that the alternation owns.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::{Duration, Instant};
    ///
    /// let period = Duration::from_millis(2);
    /// let start = Instant::now();
    /// let mut alt = Alternation::new();
    /// let ticks = alt.tick(period);
    /// let first = alt.select()?.take(ticks);
    /// let second = alt.select()?.take(ticks);
    /// assert!(first >= start + period && second >= first + period);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn tick(&mut self, period: Duration) -> Read<Instant, Ticker> {
        self.own(tick(period))
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
        self.add(SkipArm::new())
    }

    /// Adds any value that is a guard, and borrows it.
    ///
    /// # Examples
    /// See [`Guard`].
    pub fn guard<G: Guard + ?Sized>(&mut self, guard: &'a G) -> Read<G::Output> {
        self.add(guard.arm())
    }

    /// Adds any value that is a guard, and takes it: [`remove`](Alternation::remove) gives it back.
    ///
    /// # Examples
    /// ```
    /// use csproc::{bridge, prelude::*};
    ///
    /// let (sender, receiver) = ipc_channel::ipc::channel()?;
    /// let mut alt = Alternation::new();
    /// let foreign = alt.own(bridge::ipc(receiver)?);
    /// sender.send(7)?;
    /// assert_eq!(alt.select()?.take(foreign), 7);
    /// assert!(alt.remove(foreign).try_read().unwrap_err().is_would_block());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn own<G: Guard + 'static>(&mut self, guard: G) -> Read<G::Output, G> {
        let place = self.push(Kind::Own(Box::new(Owned::new(guard))));
        Read::new(place, <G::Arm<'static> as Take>::unpack, Returned::guard)
    }

    /// Removes a guard, and gives back what the alternation owned: the reader, the writer or the other guard. What was
    /// only borrowed is not given back.
    ///
    /// All other tokens stay valid, and the turn of [`fair_select`](Alternation::fair_select) goes on where it was. The
    /// number of the guard is not used again: a guard that is added is the last in order. A value that waits to be
    /// written is dropped.
    ///
    /// # Panics
    /// `token` is of another alternation, or its guard has been removed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
    /// let borrowed = d.reader();
    /// let mut alt = Alternation::new();
    /// let a = alt.own_reader(c.reader());
    /// let b = alt.read(&borrowed);
    /// let reader: Reader<u8> = alt.remove(a);
    /// assert_eq!(reader.channel_id(), c.id());
    /// assert!(!alt.contains(a) && alt.contains(b));
    /// alt.remove(b);
    /// assert!(alt.is_empty());
    /// ```
    #[track_caller]
    pub fn remove<K: Token>(&mut self, token: K) -> K::Guard {
        let position = self.find(token.place());
        // Another guard may come in its place.
        self.selection.clear();
        token.give_back(self.entries.remove(position).give_back())
    }

    /// Whether the guard is in this set: neither removed, nor of another alternation.
    ///
    /// # Examples
    /// See [`remove`](Alternation::remove).
    pub fn contains<K: Token>(&self, token: K) -> bool {
        let place = token.place();
        place.alternation == self.number && self.position(place.number).is_some()
    }

    /// Sets a guard's precondition: while it is `false` the guard is absent.
    ///
    /// # Panics
    /// `token` is of another alternation, or its guard has been removed.
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
    #[track_caller]
    pub fn enable<K: Token>(&mut self, token: K, enabled: bool) {
        let position = self.find(token.place());
        self.entries[position].enabled = enabled;
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
}
