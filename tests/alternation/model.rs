//! Laws 4, 5 and 6 against a model: a channel with any buffer, poison and retirement, used by plain operations and by
//! alternations, and which guard fires of several that are ready.
//!
//! Knows nothing of waiting: everything happens in one thread, so each step has one right answer.

use crate::policy::Policy;
use csproc::prelude::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Instant;

/// What may be done to a channel.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(u64),
    Read,
    PoisonAsWriter,
    PoisonAsReader,
    RetireWriter,
    RetireReader,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..1000_u64).prop_map(Step::Write),
        16 => Just(Step::Read),
        1 => Just(Step::PoisonAsWriter),
        1 => Just(Step::PoisonAsReader),
        2 => Just(Step::RetireWriter),
        1 => Just(Step::RetireReader),
    ]
}

fn buffer() -> impl Strategy<Value = Buffer> {
    prop_oneof![
        (0..5_usize).prop_map(Buffer::Fifo),
        (0..4_usize).prop_map(Buffer::OverwriteOldest),
        (0..4_usize).prop_map(Buffer::OverwriteNewest),
        (0..4_usize).prop_map(Buffer::DropNewest),
        Just(Buffer::Unbounded),
    ]
}

/// A channel as it should be.
#[derive(Debug)]
struct Model {
    buffer: Buffer,
    kept: VecDeque<u64>,
    poisoned: bool,
    readers: usize,
    writers: usize,
}

impl Model {
    fn new(buffer: Buffer, ends: usize) -> Model {
        Model { buffer, kept: VecDeque::new(), poisoned: false, readers: ends, writers: ends }
    }

    fn fate(&self) -> Option<ChannelError> {
        if self.poisoned {
            return Some(ChannelError::Poisoned);
        }
        (self.readers == 0 || self.writers == 0).then_some(ChannelError::Retired)
    }

    fn write(&mut self, value: u64) -> Result<(), ChannelError> {
        if let Some(fate) = self.fate() {
            return Err(fate);
        }
        let (Buffer::Fifo(limit)
        | Buffer::OverwriteOldest(limit)
        | Buffer::OverwriteNewest(limit)
        | Buffer::DropNewest(limit)) = self.buffer
        else {
            self.kept.push_back(value);
            return Ok(());
        };
        if self.kept.len() < limit {
            self.kept.push_back(value);
            return Ok(());
        }
        match self.buffer {
            Buffer::Fifo(_) => return Err(ChannelError::WouldBlock),
            Buffer::OverwriteOldest(_) if limit > 0 => {
                self.kept.pop_front();
                self.kept.push_back(value);
            }
            Buffer::OverwriteNewest(_) if limit > 0 => {
                self.kept.pop_back();
                self.kept.push_back(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self) -> Result<u64, ChannelError> {
        match (self.kept.pop_front(), self.fate()) {
            (Some(value), _) => Ok(value),
            (None, Some(fate)) => Err(fate),
            (None, None) => Err(ChannelError::WouldBlock),
        }
    }

    fn poison(&mut self, as_reader: bool) {
        self.poisoned = true;
        if as_reader {
            self.kept.clear();
        }
    }

    fn retire_reader(&mut self) {
        self.readers -= 1;
        if self.readers == 0 {
            self.kept.clear();
        }
    }

    /// Whether a guard on it fires, with what it gives or why it failed.
    fn readable(&self) -> bool {
        !self.kept.is_empty() || self.fate().is_some()
    }

    fn writable(&self) -> bool {
        self.fate().is_some() || !matches!(self.buffer, Buffer::Fifo(limit) if self.kept.len() >= limit)
    }
}

/// A channel as it is, and how it is used.
struct Real {
    way: Way,
    channel: Channel<u64>,
    writers: Vec<Writer<u64>>,
    readers: Vec<Reader<u64>>,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Dynamic(Policy),
    Macro,
    Extended,
}

impl Real {
    fn new(buffer: Buffer, ends: usize, way: Way) -> Real {
        let channel = Channel::buffered(buffer);
        let writers = (0..ends).map(|_| channel.writer()).collect();
        let readers = (0..ends).map(|_| channel.reader()).collect();
        Real { way, channel, writers, readers }
    }

    fn write(&self, value: u64) -> Result<(), ChannelError> {
        let out = self.writers.last().unwrap();
        match self.way {
            Way::Plain | Way::Extended => out.try_write(value).map_err(ChannelError::from),
            Way::Dynamic(policy) => {
                let mut alt = Alternation::new();
                let (output, skip) = (alt.write(out, value), alt.skip());
                let fired = policy.select(&mut alt)?.index();
                assert!(fired == output.index() || fired == skip.index());
                if fired == output.index() { Ok(()) } else { Err(ChannelError::WouldBlock) }
            }
            Way::Macro => FairSelect! {
                skip => Err(ChannelError::WouldBlock),
                out.write(value) => Ok(()),
            }
            .flatten(),
        }
    }

    fn read(&self) -> Result<u64, ChannelError> {
        let input = self.readers.last().unwrap();
        match self.way {
            Way::Plain => input.try_read(),
            Way::Dynamic(policy) => {
                let mut alt = Alternation::new();
                let (_, token) = (alt.skip(), alt.read(input));
                let fired = policy.select(&mut alt)?;
                if fired.index() == token.index() { Ok(fired.take(token)) } else { Err(ChannelError::WouldBlock) }
            }
            Way::Macro => AltSelect! {
                v = input.read() => Ok(v),
                skip => Err(ChannelError::WouldBlock),
            }
            .flatten(),
            Way::Extended => {
                let mut alt = Alternation::new();
                let (token, skip) = (alt.read_extended(input), alt.skip());
                let fired = alt.pri_select()?;
                if fired.index() == skip.index() {
                    Err(ChannelError::WouldBlock)
                } else {
                    Ok(fired.take(token).finish())
                }
            }
        }
    }
}

fn follow(buffer: Buffer, ends: usize, steps: &[Step], way: Way) -> Result<(), TestCaseError> {
    let (mut model, mut real) = (Model::new(buffer, ends), Real::new(buffer, ends, way));
    for step in steps {
        // Who is gone does nothing any more.
        match *step {
            Step::Write(value) if model.writers > 0 => {
                prop_assert_eq!(real.write(value), model.write(value), "{:?} {:?}", way, step);
            }
            Step::Read if model.readers > 0 => prop_assert_eq!(real.read(), model.read(), "{:?} {:?}", way, step),
            Step::PoisonAsWriter if model.writers > 0 => {
                real.writers[0].poison();
                model.poison(false);
            }
            Step::PoisonAsReader if model.readers > 0 => {
                real.readers[0].poison();
                model.poison(true);
            }
            Step::RetireWriter if model.writers > 0 => {
                real.writers.pop();
                model.writers -= 1;
            }
            Step::RetireReader if model.readers > 0 => {
                real.readers.pop();
                model.retire_reader();
            }
            _ => {}
        }
        prop_assert_eq!(real.channel.len(), model.kept.len(), "{:?} after {:?}", way, step);
    }
    Ok(())
}

/// A guard, and on which of the channels.
#[derive(Clone, Copy, Debug)]
enum Guard {
    Read(usize),
    Write(usize),
    Past,
    Never,
    Skip,
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        6 => (0..CHANNELS).prop_map(Guard::Read),
        6 => (0..CHANNELS).prop_map(Guard::Write),
        1 => Just(Guard::Past),
        2 => Just(Guard::Never),
        1 => Just(Guard::Skip),
    ]
}

const CHANNELS: usize = 4;

/// The place of the guard that must fire, or of those of which one must.
fn ready(guards: &[(Guard, bool)], models: &[Model]) -> Vec<usize> {
    let places = |wanted: &dyn Fn(Guard) -> bool| -> Vec<usize> {
        (0..guards.len()).filter(|place| guards[*place].1 && wanted(guards[*place].0)).collect()
    };
    let ready = places(&|guard| match guard {
        Guard::Read(channel) => models[channel].readable(),
        Guard::Write(channel) => models[channel].writable(),
        Guard::Past => true,
        Guard::Never | Guard::Skip => false,
    });
    if ready.is_empty() { places(&|guard| matches!(guard, Guard::Skip)) } else { ready }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

once! {
    fn one_guard_is_the_plain_operation_whatever_the_buffer_poison_and_retirement() {
        let steps = prop::collection::vec(step(), 0..60);
        proptest!(config(150), |(buffer in buffer(), ends in 1..3_usize, steps in steps)| {
            let sets = [Way::Dynamic(Policy::Random), Way::Dynamic(Policy::Fair)];
            for way in [Way::Plain, Way::Macro, Way::Extended].into_iter().chain(sets) {
                follow(buffer, ends, &steps, way)?;
            }
        });
    }

    fn of_the_ready_guards_the_first_fires_or_the_next_or_any() {
        let setup = prop::collection::vec((buffer(), prop::collection::vec(step(), 0..8)), CHANNELS);
        let guards = prop::collection::vec((guard(), prop::bool::weighted(0.8)), 1..12);
        let policy = prop::sample::select(&crate::policy::POLICIES[..]);
        proptest!(config(400), |(setup in setup, guards in guards, policy in policy)| {
            let mut models: Vec<Model> = Vec::new();
            let mut reals: Vec<Real> = Vec::new();
            for (buffer, steps) in setup {
                // Two ends each side, so that the alternation has one when the steps have used the other up.
                let (mut model, mut real) = (Model::new(buffer, 2), Real::new(buffer, 2, Way::Plain));
                for step in steps {
                    match step {
                        Step::Write(value) => drop((real.write(value), model.write(value))),
                        Step::Read => drop((real.read(), model.read())),
                        Step::PoisonAsWriter => { real.writers[0].poison(); model.poison(false); }
                        Step::PoisonAsReader => { real.readers[0].poison(); model.poison(true); }
                        Step::RetireWriter if model.writers > 1 => { real.writers.pop(); model.writers -= 1; }
                        Step::RetireReader if model.readers > 1 => { real.readers.pop(); model.retire_reader(); }
                        Step::RetireWriter | Step::RetireReader => {}
                    }
                }
                models.push(model);
                reals.push(real);
            }
            let mut alt = Alternation::new();
            let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
            for (place, (guard, enabled)) in guards.iter().enumerate() {
                let silent = Instant::now() + std::time::Duration::from_secs(3600);
                match *guard {
                    Guard::Read(channel) => {
                        let token = alt.read(&reals[channel].readers[0]);
                        alt.enable(token, *enabled);
                        inputs.push((place, token));
                    }
                    Guard::Write(channel) => {
                        let token = alt.write(&reals[channel].writers[0], place as u64);
                        alt.enable(token, *enabled);
                        outputs.push((place, token));
                    }
                    Guard::Past | Guard::Never | Guard::Skip => {
                        let token = match guard {
                            Guard::Past => alt.at(Instant::now()),
                            Guard::Never => alt.at(silent),
                            _ => alt.skip(),
                        };
                        alt.enable(token, *enabled);
                    }
                }
            }
            let mut turn = 0;
            for _ in 0..12 {
                let ready = ready(&guards, &models);
                if ready.is_empty() {
                    break;
                }
                let may: Vec<usize> = match policy {
                    Policy::Random => ready,
                    Policy::Priority => vec![ready[0]],
                    Policy::Fair => vec![*ready.iter().find(|place| **place >= turn).unwrap_or(&ready[0])],
                };
                let (fired, got) = match policy.select(&mut alt) {
                    Ok(fired) => {
                        let place = fired.index();
                        let value = inputs.iter().find(|(at, _)| *at == place).map(|(_, token)| fired.take(*token));
                        (place, Ok(value))
                    }
                    Err(error) => (alt.failed().unwrap(), Err(error)),
                };
                turn = fired + 1;
                prop_assert!(may.contains(&fired), "{:?} fired instead of one of {:?}", fired, may);
                let wanted = match guards[fired].0 {
                    Guard::Read(channel) => models[channel].read().map(Some),
                    Guard::Write(channel) => models[channel].write(fired as u64).map(|()| None),
                    _ => Ok(None),
                };
                if wanted.is_ok() && let Some((_, token)) = outputs.iter().find(|(at, _)| *at == fired) {
                    alt.set(*token, fired as u64);
                }
                prop_assert_eq!(got, wanted);
                for (model, real) in models.iter().zip(&reals) {
                    prop_assert_eq!(model.kept.len(), real.channel.len());
                }
            }
        });
    }

    fn any_of_the_ready_guards_may_fire_and_each_does() {
        let mut alt = Alternation::new();
        for _ in 0..5 {
            alt.at(Instant::now());
        }
        let mut counts = [0; 5];
        for _ in 0..5000 {
            counts[alt.select().unwrap().index()] += 1;
        }
        // A thousand each, within seven standard deviations.
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    fn fair_selection_serves_all_that_are_ready_alike() {
        let c: Vec<Channel<usize>> = (0..4).map(|_| Channel::buffered(Buffer::Unbounded)).collect();
        let (w, r) = (crate::policy::writers(&c), crate::policy::readers(&c));
        w.iter().for_each(|w| (0..100).for_each(|i| w.write(i).unwrap()));
        let mut alt = Alternation::new();
        for r in &r {
            alt.read(r);
        }
        let order: Vec<usize> = (0..400).map(|_| alt.fair_select().unwrap().index()).collect();
        assert!(order.iter().copied().eq((0..400).map(|i| i % 4)), "{order:?}");
    }
}
