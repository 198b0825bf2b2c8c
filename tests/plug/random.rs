//! Whole networks of components, put together at random, against a sequential specification: what a component does to
//! streams is what a function of iterators does to them.
//!
//! Knows nothing of schedules: all the components here are functions of their streams, so it must not matter in which
//! order they run. Nor does it know of time.
//!
//! Where streams that have parted meet again, one may run ahead of the other by any number of values, and a network
//! without enough room waits for itself. So there are two kinds of networks: those with unlimited buffers, in which any
//! streams meet, and those without room, whose drawing is a tree: there it cannot happen.

use crate::stage::{Component, config, feed};
use csproc::plug::*;
use csproc::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::{Add, Mul, Sub};
use std::{iter, thread};

/// A number modulo a prime: sums and products of any length fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mod(u64);

const PRIME: u64 = 97;

impl From<u8> for Mod {
    fn from(number: u8) -> Mod {
        Mod(u64::from(number) % PRIME)
    }
}

impl Add for Mod {
    type Output = Mod;

    fn add(self, other: Mod) -> Mod {
        Mod((self.0 + other.0) % PRIME)
    }
}

impl Sub for Mod {
    type Output = Mod;

    fn sub(self, other: Mod) -> Mod {
        Mod((self.0 + PRIME - other.0) % PRIME)
    }
}

impl Mul for Mod {
    type Output = Mod;

    fn mul(self, other: Mod) -> Mod {
        Mod(self.0 * other.0 % PRIME)
    }
}

type Stream = Vec<Mod>;
type Unary = (fn(Reader<Mod>, Writer<Mod>) -> Component, fn(Stream) -> Stream);
type Fan = fn(Reader<Mod>, Vec<Writer<Mod>>) -> Component;
type Binary = (fn(Reader<Mod>, Reader<Mod>, Writer<Mod>) -> Component, fn(Mod, Mod) -> Mod);

/// Components with one input and one output, and what they do to a whole stream. Of a part of a stream, the first ones
/// make a part of the result.
const UNARY: &[Unary] = &[
    (identity, |x| x),
    (shield, |x| x),
    (|i, o| barrier_sync(Barrier::new(1), i, o), |x| x),
    (|i, o| prefix(Mod(7), i, o), |x| iter::once(Mod(7)).chain(x).collect()),
    (tail, |x| x.into_iter().skip(1).collect()),
    (|i, o| map(|x| x * x, i, o), |x| x.into_iter().map(|x| x * x).collect()),
    (|i, o| filter(|x| x.0 % 3 != 0, i, o), |x| x.into_iter().filter(|x| x.0 % 3 != 0).collect()),
    (|i, o| substitute(Mod(3), i, o), |x| vec![Mod(3); x.len()]),
    (successor, |x| x.into_iter().map(|x| x + Mod(1)).collect()),
    (pairs, |x| x.windows(2).map(|pair| pair[0] + pair[1]).collect()),
    (integrate, |x| {
        x.into_iter()
            .scan(Mod(0), |sum, x| {
                *sum = *sum + x;
                Some(*sum)
            })
            .collect()
    }),
    (sorter, |x| bubble(x)),
];

/// How many of them make a part of a part.
const MONOTONE: usize = 11;

const BINARY: &[Binary] = &[
    (plus, |x, y| x + y),
    (minus, |x, y| x - y),
    (times, |x, y| x * y),
    (|a, b, out| join(|x, y| x * x + y, a, b, out), |x, y| x * x + y),
];

const DELTAS: &[Fan] = &[delta, delta_parallel, delta_sequential, fan];

/// A `dynamic_delta` whose outputs are all there before the first value.
fn fan(input: Reader<Mod>, outs: Vec<Writer<Mod>>) -> Component {
    let c = Channel::buffered(Buffer::Unbounded);
    let w = c.writer();
    outs.into_iter().try_for_each(|out| w.write(out)).unwrap();
    dynamic_delta(input, c.reader())
}

fn bubble(mut values: Stream) -> Stream {
    for place in 1..values.len() {
        if values[place - 1] > values[place] {
            values.swap(place - 1, place);
        }
    }
    values
}

/// Always the least of the first values, which goes wherever it is one, unless it is the same again.
fn merged(mut streams: Vec<Stream>) -> Stream {
    let mut all = Stream::new();
    while let Some(least) = streams.iter().filter_map(|stream| stream.first().copied()).min() {
        all.push(least);
        for stream in streams.iter_mut().filter(|stream| stream.first() == Some(&least)) {
            stream.remove(0);
        }
    }
    all.dedup();
    all
}

/// What is plugged to streams that are open so far.
#[derive(Clone, Debug)]
enum Step {
    Unary(Index),
    Binary(Index),
    Delta(Index, usize),
    /// A list of each value, and apart again.
    Lists(usize),
    /// One stream of so many, and apart again.
    OneStream(usize, bool),
    Merge(usize),
}

fn step(monotone: bool) -> impl Strategy<Value = (Index, Step)> {
    let several = 1..4_usize;
    let step = prop_oneof![
        6 => any::<Index>().prop_map(Step::Unary),
        4 => any::<Index>().prop_map(Step::Binary),
        3 => (any::<Index>(), several.clone()).prop_map(|(which, outs)| Step::Delta(which, outs)),
        2 => several.clone().prop_map(Step::Lists),
        2 => (several.clone(), any::<bool>()).prop_map(|(count, is_fair)| Step::OneStream(count, is_fair)),
        u32::from(!monotone) => several.prop_map(Step::Merge),
    ];
    (any::<Index>(), step)
}

/// A stream that nobody reads yet.
struct Open {
    values: Stream,
    reader: Reader<Mod>,
    /// Streams of one tree have the same.
    tree: usize,
}

struct Builder {
    components: Vec<Component>,
    open: Vec<Open>,
    is_roomy: bool,
    monotone: bool,
}

impl Builder {
    fn new(sources: Vec<Stream>, is_roomy: bool, monotone: bool) -> Builder {
        let mut builder = Builder { components: Vec::new(), open: Vec::new(), is_roomy, monotone };
        for (tree, values) in sources.into_iter().enumerate() {
            let (w, reader) = builder.channel();
            builder.components.push(feed(values.clone(), w));
            builder.open.push(Open { values, reader, tree });
        }
        builder
    }

    fn channel<T: Message>(&self) -> (Writer<T>, Reader<T>) {
        let c = if self.is_roomy { Channel::buffered(Buffer::Unbounded) } else { Channel::new() };
        (c.writer(), c.reader())
    }

    /// So many open streams, the first of which is given; fewer, if there are not so many that can meet.
    fn streams(&mut self, first: Index, count: usize, as_long: bool) -> Vec<Open> {
        let mut taken = vec![self.open.swap_remove(first.index(self.open.len()))];
        let mut place = 0;
        while taken.len() < count && place < self.open.len() {
            let open = &self.open[place];
            let is_of_another_tree = taken.iter().all(|other| other.tree != open.tree);
            let fits =
                (self.is_roomy || is_of_another_tree) && (!as_long || open.values.len() == taken[0].values.len());
            if fits {
                taken.push(self.open.swap_remove(place));
            } else {
                place += 1;
            }
        }
        let trees: BTreeSet<usize> = taken.iter().map(|open| open.tree).collect();
        self.open.iter_mut().filter(|open| trees.contains(&open.tree)).for_each(|open| open.tree = taken[0].tree);
        taken
    }

    /// What a component made of `from`, a new stream.
    fn opens(&mut self, values: Stream, from: &Open) -> Writer<Mod> {
        let (w, reader) = self.channel();
        self.open.push(Open { values, reader, tree: from.tree });
        w
    }

    fn opens_each(&mut self, from: &[Open]) -> Vec<Writer<Mod>> {
        from.iter().map(|open| self.opens(open.values.clone(), &from[0])).collect()
    }

    fn plug(&mut self, (first, step): (Index, Step)) {
        if self.open.is_empty() {
            return;
        }
        let readers = |taken: &[Open]| taken.iter().map(|open| open.reader.clone()).collect::<Vec<_>>();
        match step {
            Step::Unary(which) => {
                let from = self.streams(first, 1, false).remove(0);
                let (component, function) = which.get(if self.monotone { &UNARY[..MONOTONE] } else { UNARY });
                let out = self.opens(function(from.values.clone()), &from);
                self.components.push(component(from.reader, out));
            }
            Step::Binary(which) => {
                let mut taken = self.streams(first, 2, true);
                if taken.len() < 2 {
                    return self.open.append(&mut taken);
                }
                let (b, a) = (taken.remove(1), taken.remove(0));
                let (component, function) = which.get(BINARY);
                let values = a.values.iter().zip(&b.values).map(|(x, y)| function(*x, *y)).collect();
                let out = self.opens(values, &a);
                self.components.push(component(a.reader, b.reader, out));
            }
            Step::Delta(which, outs) => {
                let from = self.streams(first, 1, false).remove(0);
                let outs = (0..outs).map(|_| self.opens(from.values.clone(), &from)).collect();
                self.components.push(which.get(DELTAS)(from.reader, outs));
            }
            Step::Lists(count) => {
                let taken = self.streams(first, count, true);
                let (w, r) = self.channel();
                let outs = self.opens_each(&taken);
                self.components.extend([paraplex(readers(&taken), w), deparaplex(r, outs)]);
            }
            Step::OneStream(count, is_fair) => {
                let taken = self.streams(first, count, false);
                let (w, r) = self.channel();
                let outs = self.opens_each(&taken);
                let multiplex = if is_fair { multiplex } else { priority_multiplex };
                self.components.extend([multiplex(readers(&taken), w), demultiplex(r, outs)]);
            }
            Step::Merge(count) => {
                let taken = self.streams(first, count, false);
                let out = self.opens(merged(taken.iter().map(|open| open.values.clone()).collect()), &taken[0]);
                self.components.push(merge(readers(&taken), out));
            }
        }
    }
}

/// How somebody stops reading a stream.
#[derive(Clone, Copy, Debug)]
enum Stop {
    AtTheEnd,
    After(usize),
    Poisoning(usize),
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        3 => Just(Stop::AtTheEnd),
        2 => (0..12_usize).prop_map(Stop::After),
        1 => (0..12_usize).prop_map(Stop::Poisoning),
    ]
}

/// Runs the network and reads all open streams at once; gives what was to come there and what came, and how the network
/// looked and its components ended.
fn run(builder: Builder, placement: Placement, stops: &[Stop]) -> (Vec<(Stream, Stream)>, String) {
    let Builder { components, open, .. } = builder;
    let components: Vec<Component> = components.into_iter().map(|component| component.on(placement)).collect();
    let read = |(Open { values, reader, .. }, stop): (Open, Stop)| {
        thread::spawn(move || {
            let (Stop::After(most) | Stop::Poisoning(most)) = stop else { return (values, reader.iter().collect()) };
            let came = reader.iter().take(most).collect();
            if matches!(stop, Stop::Poisoning(_)) {
                reader.poison();
            }
            (values, came)
        })
    };
    let stops = stops.iter().copied().chain(iter::repeat(Stop::AtTheEnd));
    let readers: Vec<_> = open.into_iter().zip(stops).map(read).collect();
    let network = network!(components);
    let drawing = network.to_dot();
    let ends = network.run().unwrap();
    let is_end = |error: &csproc::Error| {
        error.channel_error().is_some_and(|error| error.is_retired() || *error == ChannelError::Poisoned)
    };
    assert!(ends.iter().all(|end| end.as_ref().err().is_none_or(is_end)), "{ends:?}");
    let came = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    (came, format!("{drawing}{ends:?}"))
}

fn sources() -> impl Strategy<Value = Vec<Stream>> {
    let value = (0..PRIME).prop_map(Mod);
    // Some of them of the same length, so that they can meet.
    (0..12_usize, 0..12_usize).prop_flat_map(move |(a, b)| {
        (vec(vec(value.clone(), a), 1..4), vec(vec(value.clone(), b), 0..3)).prop_map(|(a, b)| [a, b].concat())
    })
}

over_both! {
    fn a_network_is_the_function_of_its_streams(placement) {
        let cases = if placement == Placement::Thread { 200 } else { 30 };
        let steps = vec(step(false), 0..14);
        proptest!(config(cases), |(sources in sources(), steps in steps, is_roomy in any::<bool>())| {
            let mut builder = Builder::new(sources, is_roomy, false);
            steps.into_iter().for_each(|step| builder.plug(step));
            let (streams, network) = run(builder, placement, &[]);
            for (values, came) in streams {
                prop_assert_eq!(came, values, "{}", network);
            }
        });
    }

    fn whoever_stops_reading_cuts_streams_off_and_spoils_none(placement) {
        let cases = if placement == Placement::Thread { 200 } else { 30 };
        let steps = vec(step(true), 0..14);
        let given = (sources(), steps, any::<bool>(), vec(stop(), 1..6));
        proptest!(config(cases), |((sources, steps, is_roomy, stops) in given)| {
            let mut builder = Builder::new(sources, is_roomy, true);
            steps.into_iter().for_each(|step| builder.plug(step));
            let (streams, network) = run(builder, placement, &stops);
            for (values, came) in streams {
                prop_assert!(values.starts_with(&came), "{came:?} is no part of {values:?}: {network}");
            }
        });
    }
}
