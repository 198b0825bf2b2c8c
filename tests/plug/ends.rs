//! Poison and retirement pass through every component, in both directions: one table over all of them.
//!
//! Knows nothing of what components do with values. Around each one there are threads that write to all its inputs and
//! read from all its outputs; one of them stops, and all must come to an end.

use crate::stage::Component;
use csproc::plug::*;
use csproc::prelude::*;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Who stops, after some values, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    RetireInputs,
    PoisonInput(usize),
    RetireOutput(usize),
    PoisonOutput(usize),
}

/// How many values there are before.
const SOME: u64 = 3;

/// What is around a component.
struct Around {
    stop: Stop,
    inputs: usize,
    outputs: usize,
    /// Each gives what ended it; `None` if it has stopped by itself.
    others: Vec<JoinHandle<Option<ChannelError>>>,
}

impl Around {
    fn new(stop: Stop) -> Around {
        Around { stop, inputs: 0, outputs: 0, others: Vec::new() }
    }

    /// An input, and somebody who writes these to it.
    fn input<T: Message + 'static>(&mut self, value: fn(u64) -> T) -> Reader<T> {
        let (w, r) = csproc::channel();
        let (stop, mine) = (self.stop, self.inputs);
        self.inputs += 1;
        self.others.push(thread::spawn(move || {
            for number in 0.. {
                if number == SOME && stop == Stop::RetireInputs {
                    return None;
                }
                if number == SOME && stop == Stop::PoisonInput(mine) {
                    w.poison();
                    return None;
                }
                if let Err(error) = w.write(value(number)) {
                    return Some(error.fate);
                }
            }
            unreachable!("the numbers do not end")
        }));
        r
    }

    fn number(&mut self) -> Reader<u64> {
        self.input(|number| number)
    }

    fn numbers(&mut self) -> Vec<Reader<u64>> {
        vec![self.number(), self.number(), self.number()]
    }

    /// An output, and somebody who reads from it.
    fn output<T: Message + 'static>(&mut self) -> Writer<T> {
        let (w, r) = csproc::channel::<T>();
        let (stop, mine) = (self.stop, self.outputs);
        self.outputs += 1;
        self.others.push(thread::spawn(move || {
            for number in 0.. {
                if number == SOME && stop == Stop::RetireOutput(mine) {
                    return None;
                }
                if number == SOME && stop == Stop::PoisonOutput(mine) {
                    r.poison();
                    return None;
                }
                if let Err(error) = r.read() {
                    return Some(error);
                }
            }
            unreachable!("the numbers do not end")
        }));
        w
    }

    fn outputs<T: Message + 'static>(&mut self) -> Vec<Writer<T>> {
        vec![self.output(), self.output()]
    }
}

type Row = (&'static str, fn(&mut Around) -> Component);

const PERIOD: Duration = Duration::from_millis(1);

/// Every component but `dynamic_delta`, whose outputs come and go.
const TABLE: &[Row] = &[
    ("identity", |x| identity(x.number(), x.output())),
    ("prefix", |x| prefix(7, x.number(), x.output())),
    ("tail", |x| tail(x.number(), x.output())),
    ("map", |x| map(|value| value + 1, x.number(), x.output())),
    ("filter", |x| filter(|_| true, x.number(), x.output())),
    ("substitute", |x| substitute('x', x.number(), x.output())),
    ("shield", |x| shield(x.number(), x.output())),
    ("printer", |x| printer("value", x.number())),
    ("black_hole", |x| black_hole(x.number())),
    ("generate", |x| generate('x', x.output())),
    ("numbers", |x| numbers::<u64>(x.output())),
    ("squares", |x| squares::<u64>(x.output())),
    ("fibonacci", |x| fibonacci::<u64>(x.output())),
    ("successor", |x| successor(x.number(), x.output())),
    ("plus", |x| plus(x.number(), x.number(), x.output())),
    ("minus", |x| minus(x.number(), x.number(), x.output())),
    ("times", |x| times(x.number(), x.number(), x.output())),
    ("join", |x| join(|a, b| (a, b), x.number(), x.number(), x.output())),
    ("integrate", |x| integrate(x.number(), x.output())),
    ("pairs", |x| pairs(x.number(), x.output())),
    ("delta", |x| delta(x.number(), x.outputs())),
    ("delta_parallel", |x| delta_parallel(x.number(), x.outputs())),
    ("delta_sequential", |x| delta_sequential(x.number(), x.outputs())),
    ("multiplex", |x| multiplex(x.numbers(), x.output())),
    ("priority_multiplex", |x| priority_multiplex(x.numbers(), x.output())),
    ("plex", |x| plex(x.numbers(), x.output())),
    ("demultiplex", |x| demultiplex(x.input(|number| (number as usize % 2, number)), x.outputs())),
    ("paraplex", |x| paraplex(x.numbers(), x.output())),
    ("deparaplex", |x| deparaplex(x.input(|number| vec![number; 2]), x.outputs())),
    ("merge", |x| merge(x.numbers(), x.output())),
    ("sorter", |x| sorter(x.number(), x.output())),
    ("hold", |x| hold(x.number(), x.output())),
    ("sampler", |x| sampler(x.number(), x.input(|_| ()), x.output())),
    ("regulate", |x| regulate(PERIOD, x.number(), x.output())),
    ("fixed_delay", |x| fixed_delay(PERIOD, x.number(), x.output())),
    ("barrier_sync", |x| barrier_sync(Barrier::new(1), x.number(), x.output())),
];

/// Lets it come to an end, and says how many ends the component has on each side.
fn play((name, component): &Row, stop: Stop, placement: Placement) -> (usize, usize) {
    let mut around = Around::new(stop);
    let ended = component(&mut around).on(placement).run().unwrap();
    let poisoned = matches!(stop, Stop::PoisonInput(_) | Stop::PoisonOutput(_)) && *name != "shield";
    let Around { inputs, outputs, others, .. } = around;
    for other in others {
        let end = other.join().unwrap();
        let as_it_must = end.as_ref().is_none_or(|end| end.is_poisoned() == poisoned && end.is_retired() != poisoned);
        assert!(as_it_must, "{name}, {stop:?}: {end:?}");
    }
    match ended {
        Ok(()) => assert!(stop == Stop::RetireInputs || *name == "shield", "{name}, {stop:?}: has ended well"),
        Err(error) => {
            let is_so = error.channel_error().is_some_and(|error| error.is_poisoned() == poisoned);
            assert!(is_so && stop != Stop::RetireInputs, "{name}, {stop:?}: {error}");
        }
    }
    (inputs, outputs)
}

over_both! {
    fn the_end_of_the_streams_passes_through_every_component(placement) {
        for row in TABLE.iter().filter(|(name, _)| !["generate", "numbers", "squares", "fibonacci"].contains(name)) {
            play(row, Stop::RetireInputs, placement);
        }
    }

    fn poison_of_any_input_passes_through_every_component(placement) {
        for row in TABLE.iter().filter(|(name, _)| !["generate", "numbers", "squares", "fibonacci"].contains(name)) {
            let (inputs, _) = play(row, Stop::PoisonInput(0), placement);
            for input in 1..inputs {
                play(row, Stop::PoisonInput(input), placement);
            }
        }
    }

    fn the_end_of_any_output_passes_back_through_every_component(placement) {
        for row in TABLE.iter().filter(|(name, _)| !["printer", "black_hole"].contains(name)) {
            let (_, outputs) = play(row, Stop::RetireOutput(0), placement);
            for output in 1..outputs {
                play(row, Stop::RetireOutput(output), placement);
            }
        }
    }

    fn poison_of_any_output_passes_back_through_every_component(placement) {
        for row in TABLE.iter().filter(|(name, _)| !["printer", "black_hole"].contains(name)) {
            let (_, outputs) = play(row, Stop::PoisonOutput(0), placement);
            for output in 1..outputs {
                play(row, Stop::PoisonOutput(output), placement);
            }
        }
    }
}

#[test]
fn the_table_has_every_component() {
    let module = include_str!("../../src/plug/mod.rs");
    let exports = module.lines().filter_map(|line| line.strip_prefix("pub use ")?.split_once("::"));
    let names = exports.flat_map(|(_, names)| names.trim_matches(['{', '}', ';']).split(", "));
    let missing: Vec<&str> =
        names.filter(|name| *name != "dynamic_delta" && !TABLE.iter().any(|(row, _)| row == name)).collect();
    assert_eq!(missing, [""; 0]);
    assert!(TABLE.len() > 30);
}
