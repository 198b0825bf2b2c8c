//! Reading from all inputs, or from whichever is ready, and writing to all outputs: what components have in common.
//!
//! Knows nothing of what the values are for. The end of a stream is `None` here: a component returns with it, and
//! whatever else ends a channel is an error.

use crate::{AltSelect, Alternation, ChannelError, Fired, Message, Read, Reader, Write, Writer};
use std::collections::BTreeMap;

/// What was read, or `None` if the stream is over.
fn unless_over<T>(read: Result<T, ChannelError>) -> Result<Option<T>, ChannelError> {
    match read {
        Err(error) if error.is_retired() => Ok(None),
        read => read.map(Some),
    }
}

/// The next value; `None` when the stream is over.
#[track_caller]
pub(super) fn next<T: Message>(input: &Reader<T>) -> Result<Option<T>, ChannelError> {
    unless_over(input.read())
}

/// A value from each of two, in whichever order they come; `None` when one stream is over.
pub(super) fn next_of_both<A: Message, B: Message>(
    a: &Reader<A>,
    b: &Reader<B>,
) -> Result<Option<(A, B)>, ChannelError> {
    let both = AltSelect! {
        x = a.read() => b.read().map(|y| (x, y)),
        y = b.read() => a.read().map(|x| (x, y)),
    };
    unless_over(both.and_then(|both| both))
}

/// Inputs that are read from as the values come.
pub(super) struct Inputs<T> {
    alt: Alternation<'static>,
    /// Those that have not retired, by their place, which is the number of their guard.
    open: BTreeMap<usize, Read<T, Reader<T>>>,
}

impl<T: Message> Inputs<T> {
    pub(super) fn new(inputs: Vec<Reader<T>>) -> Inputs<T> {
        let mut alt = Alternation::new();
        let open = inputs.into_iter().map(|input| alt.own_reader(input)).map(|token| (token.index(), token)).collect();
        Inputs { alt, open }
    }

    /// The next value and the place of its input, which `choose` chooses; `None` when all streams are over.
    pub(super) fn next(
        &mut self,
        choose: fn(&mut Alternation<'static>) -> Result<Fired, ChannelError>,
    ) -> Result<Option<(usize, T)>, ChannelError> {
        while !self.open.is_empty() {
            match choose(&mut self.alt) {
                Ok(fired) => {
                    let place = fired.index();
                    return Ok(Some((place, fired.try_take(self.open[&place])?)));
                }
                Err(error) if error.is_retired() => self.forget_the_one_that_failed(),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn forget_the_one_that_failed(&mut self) {
        if let Some(token) = self.alt.failed().and_then(|place| self.open.remove(&place)) {
            self.alt.remove(token);
        }
    }

    /// Takes a value from each of these places whose stream is not over, in whichever order they come.
    pub(super) fn next_of_each(
        &mut self,
        mut places: Vec<usize>,
        mut take: impl FnMut(usize, T),
    ) -> Result<(), ChannelError> {
        for (place, token) in &self.open {
            self.alt.enable(*token, places.contains(place));
        }
        loop {
            places.retain(|place| self.open.contains_key(place));
            if places.is_empty() {
                return Ok(());
            }
            match self.alt.select() {
                Ok(fired) => {
                    let place = fired.index();
                    let token = self.open[&place];
                    self.alt.enable(token, false);
                    places.retain(|other| *other != place);
                    take(place, fired.try_take(token)?);
                }
                Err(error) if error.is_retired() => self.forget_the_one_that_failed(),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Outputs that are all written to, in the order in which readers come.
pub(super) struct Outputs<T> {
    alt: Alternation<'static>,
    open: Vec<Write<T, Writer<T>>>,
}

impl<T: Message> Outputs<T> {
    pub(super) fn new(outputs: Vec<Writer<T>>) -> Outputs<T> {
        let mut all = Outputs { alt: Alternation::new(), open: Vec::new() };
        outputs.into_iter().for_each(|output| all.add(output));
        all
    }

    pub(super) fn add(&mut self, output: Writer<T>) {
        self.open.push(self.alt.own_writer(output));
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Gives each output its value. An output that fails is left out from now on if `goes` says so of its error, and is
    /// the end otherwise.
    pub(super) fn write_each(
        &mut self,
        values: impl Iterator<Item = T>,
        mut goes: impl FnMut(&ChannelError) -> bool,
    ) -> Result<(), ChannelError> {
        for (token, value) in self.open.iter().zip(values) {
            self.alt.set(*token, value);
        }
        let mut unwritten = self.open.len();
        while unwritten > 0 {
            if let Err(error) = self.alt.select() {
                let failed = self.open.iter().position(|token| self.alt.has_failed(*token));
                match failed.filter(|_| goes(&error)) {
                    Some(place) => drop(self.alt.remove(self.open.remove(place))),
                    None => return Err(error),
                }
            }
            unwritten -= 1;
        }
        Ok(())
    }

    /// Poisons all of them.
    pub(super) fn poison(self) {
        let Outputs { mut alt, open } = self;
        open.into_iter().for_each(|token| alt.remove(token).poison());
    }
}
