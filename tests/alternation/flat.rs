//! What an alternation did not choose leaves nothing behind, however often: shared memory and the heap stay flat;
//! and many guards cost in proportion to their number.
//!
//! Knows nothing of what is chosen. The figures are those of the whole program, so these tests run alone. With
//! `CSPROC_LONG` set each test makes a million alternations of each placement.

use crate::harness::watchdog::watched_alone;
use crate::policy::{channels, readers, writers};
use csproc::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// How many alternations there are in a round, and how many rounds.
fn scale(kind: Kind) -> (u64, usize) {
    match kind {
        _ if std::env::var_os("CSPROC_LONG").is_some() => (100_000, 10),
        Kind::Losers => (20_000, 1),
        // They take longest: one sleeps, the other closes a channel.
        Kind::Timeouts | Kind::Ends => (3_000, 1),
        _ => (6_000, 1),
    }
}

/// What must not grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Figures {
    findings: Vec<String>,
    processes: usize,
    channels: usize,
    ends: usize,
    blocks: usize,
    /// Bytes that this thread has allocated.
    heap: isize,
}

impl Figures {
    fn now() -> Figures {
        let audit = csproc::audit();
        Figures {
            findings: audit.findings().to_vec(),
            processes: audit.processes(),
            channels: audit.channels(),
            ends: audit.ends(),
            blocks: audit.blocks(),
            heap: crate::heap::bytes(),
        }
    }

    /// Others may be at work, or about to begin or to end, with a few things in their hands.
    fn check(&self, later: &Figures) {
        assert_eq!(later.findings, Vec::<String>::new());
        assert_eq!(self.channels, later.channels);
        let few = |before: usize, after: usize| after <= before + 32;
        assert!(few(self.processes, later.processes), "{self:?}, {later:?}");
        assert!(few(self.ends, later.ends) && few(self.blocks, later.blocks), "{self:?}, {later:?}");
    }

    /// The same, and on the heap there is less than a byte more for each of so many alternations.
    fn check_with_heap(&self, later: &Figures, count: u64) {
        self.check(later);
        assert!(later.heap < self.heap + count as isize, "{self:?}, {later:?}");
    }
}

/// Makes so many alternations, and gives the figures from before and after, without those of a short beginning.
fn measure(count: u64, mut alternation: impl FnMut(u64)) -> (Figures, Figures) {
    (0..count / 10).for_each(&mut alternation);
    let first = Figures::now();
    (0..count).for_each(&mut alternation);
    (first, Figures::now())
}

/// A value that is no message.
#[derive(Debug)]
struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("I will not be a message"))
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Stubborn, D::Error> {
        Ok(Stubborn)
    }
}

/// What is made again and again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Kind {
    /// `AltSelect!`, and one guard of five fires.
    Losers,
    /// The same with an alternation that is kept, whose writing guard gets a value of another size each time.
    Reused,
    /// The same with a new alternation each time.
    Fresh,
    /// The guard that loses holds an end of a channel, which it takes along.
    Ends,
    /// A timer fires after the guards have waited.
    Timeouts,
    Skips,
    /// An alternation with guards and values is dropped before it has chosen.
    Dropped,
    /// A guard's channel is at its end, there is no guard, or its value cannot be a message.
    Failed,
}

/// Ends on which nothing happens.
#[derive(Debug, Serialize, Deserialize)]
struct Silent {
    inputs: Vec<Reader<u64>>,
    out: Writer<Vec<u64>>,
    ends: Writer<Reader<u64>>,
    stubborn: Writer<Stubborn>,
}

#[process]
fn feed(out: Writer<u64>) -> csproc::Result<()> {
    (0..).try_for_each(|value| Ok(out.write(value)?))
}

#[process]
fn repeat(kind: Kind, count: u64, input: Reader<u64>, silent: Silent) -> (Figures, Figures) {
    let Silent { inputs, out, ends, stubborn } = &silent;
    let value = |round: u64| vec![round; (round % 40) as usize];
    match kind {
        Kind::Losers => measure(count, |round| {
            let chosen = AltSelect! {
                v = inputs[0].read() => v,
                v = input.read() => v,
                v = inputs[1].read() => v,
                out.write(value(round)) => u64::MAX,
                after(HOUR) => u64::MAX,
            };
            assert!(chosen.unwrap() < u64::MAX);
        }),
        Kind::Reused => {
            let mut alt = Alternation::new();
            alt.read(&inputs[0]);
            let output = alt.write(out, Vec::new());
            let token = alt.read(&input);
            alt.read(&inputs[1]);
            alt.after(HOUR);
            measure(count, |round| {
                alt.set(output, value(round));
                alt.fair_select().unwrap().take(token);
            })
        }
        Kind::Fresh => measure(count, |round| {
            let mut alt = Alternation::new();
            inputs.iter().for_each(|input| {
                alt.read(input);
            });
            let token = alt.read(&input);
            alt.write(out, value(round));
            alt.select().unwrap().take(token);
        }),
        Kind::Ends => measure(count, |_| {
            let c = Channel::new();
            let chosen = PriSelect! {
                ends.write(c.reader()) => false,
                _v = input.read() => true,
            };
            assert_eq!(chosen, Ok(true));
        }),
        Kind::Timeouts => measure(count, |round| {
            let chosen = AltSelect! {
                _v = inputs[0].read() => false,
                out.write(value(round)) => false,
                _v = inputs[1].read() => false,
                after(Duration::from_micros(10)) => true,
            };
            assert_eq!(chosen, Ok(true));
        }),
        Kind::Skips => measure(count, |round| {
            let chosen = FairSelect! {
                out.write(value(round)) => false,
                _v = inputs[0].read() => false,
                skip => true,
            };
            assert_eq!(chosen, Ok(true));
        }),
        Kind::Dropped => measure(count, |round| {
            let mut alt = Alternation::new();
            alt.read(&inputs[0]);
            let output = alt.write(out, value(round));
            alt.write(ends, Channel::new().reader());
            alt.set(output, value(round + 1));
            alt.after(HOUR);
            assert_eq!(alt.len(), 4);
        }),
        Kind::Failed => {
            let (retired, poisoned) = (Channel::<u64>::new(), Channel::<u64>::new());
            drop(retired.writer());
            poisoned.writer().poison();
            let (retired, poisoned) = (retired.reader(), poisoned.reader());
            measure(count, |round| {
                let chosen = PriSelect! {
                    _v = inputs[0].read() => (),
                    out.write(value(round)) => (),
                    _v = retired.read() if round % 4 == 0 => (),
                    _v = poisoned.read() if round % 4 == 1 => (),
                    stubborn.write(Stubborn) if round % 4 == 2 => (),
                    after(Duration::ZERO) if round % 4 == 3 => (),
                };
                match round % 4 {
                    0 => assert_eq!(chosen, Err(ChannelError::Retired)),
                    1 => assert_eq!(chosen, Err(ChannelError::Poisoned)),
                    2 => assert!(matches!(chosen, Err(ChannelError::Invalid(_))), "{chosen:?}"),
                    _ => assert_eq!(chosen, Ok(())),
                }
                let mut alt = Alternation::new();
                let absent = alt.read(&inputs[0]);
                alt.enable(absent, false);
                assert_eq!(alt.select().unwrap_err(), ChannelError::NoGuards);
            })
        }
    }
}

fn stays_flat(name: &str, kind: Kind) {
    let (count, rounds) = scale(kind);
    for placement in [Placement::Process, Placement::Thread].into_iter().flat_map(|p| vec![p; rounds]) {
        watched_alone(name, || {
            let before = Figures::now();
            let (first, last) = {
                let (c, inputs) = (Channel::new(), channels(2));
                let (out, ends, stubborn) = (Channel::new(), Channel::new(), Channel::new());
                let others = (writers(&inputs), out.reader(), ends.reader(), stubborn.reader());
                let silent = Silent {
                    inputs: readers(&inputs),
                    out: out.writer(),
                    ends: ends.writer(),
                    stubborn: stubborn.writer(),
                };
                let (fed, figures) =
                    Parallel!(feed(c.writer()).on(placement), repeat(kind, count, c.reader(), silent).on(placement),)
                        .unwrap();
                assert_eq!(fed.unwrap_err().channel_error(), Some(&ChannelError::Retired));
                drop(others);
                figures
            };
            first.check_with_heap(&last, count);
            before.check(&Figures::now());
        });
    }
}

macro_rules! flat {
    ($(fn $name:ident() { $kind:expr })*) => {$(
        #[test]
        fn $name() {
            stays_flat(concat!(module_path!(), "::", stringify!($name)), $kind);
        }
    )*};
}

flat! {
    fn guards_that_lose_leave_nothing_behind() { Kind::Losers }
    fn guards_that_lose_again_and_again_leave_nothing_behind() { Kind::Reused }
    fn alternations_that_are_made_anew_leave_nothing_behind() { Kind::Fresh }
    fn ends_in_messages_that_lose_leave_nothing_behind() { Kind::Ends }
    fn timeouts_leave_nothing_behind() { Kind::Timeouts }
    fn skips_leave_nothing_behind() { Kind::Skips }
    fn alternations_that_are_dropped_leave_nothing_behind() { Kind::Dropped }
    fn selections_that_fail_leave_nothing_behind() { Kind::Failed }
}

/// Processor time of this thread.
fn cpu_time() -> i128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// Nanoseconds of processor time, at the best of several times, to queue with so many guards, to wait, and to leave
/// all the queues.
fn cost(guards: usize, channels: usize) -> i128 {
    let c = crate::policy::channels::<u64>(channels);
    let (r, w) = (readers(&c), writers(&c));
    let mut alt = Alternation::new();
    for guard in 0..guards {
        if guard % 2 == 0 {
            alt.read(&r[guard % channels]);
        } else {
            alt.write(&w[guard % channels], 1);
        }
    }
    let timer = alt.after(Duration::from_millis(5));
    let once = || {
        let before = cpu_time();
        assert_eq!(alt.select().unwrap().index(), timer.index());
        cpu_time() - before
    };
    std::iter::repeat_with(once).take(10).min().unwrap()
}

/// The same, to come to the one that is ready: the last one.
fn cost_of_choice(guards: usize) -> i128 {
    let c = crate::policy::channels::<u64>(guards - 1);
    let (mut inputs, _writers) = (readers(&c), writers(&c));
    let last = Channel::buffered(Buffer::Fifo(1));
    let output = last.writer();
    inputs.push(last.reader());
    let mut alt = Alternation::new();
    for input in &inputs {
        alt.read(input);
    }
    let once = || {
        output.write(1).unwrap();
        let before = cpu_time();
        assert_eq!(alt.select().unwrap().index(), guards - 1);
        cpu_time() - before
    };
    std::iter::repeat_with(once).take(10).min().unwrap()
}

once! {
    fn choosing_among_ten_thousand_guards_costs_ten_times_as_much_as_among_a_thousand() {
        let (thousand, ten_thousand) = (cost_of_choice(1000), cost_of_choice(10_000));
        assert!(ten_thousand < 40 * thousand, "{thousand} ns for 1000, {ten_thousand} ns for 10 000");
    }

    fn waiting_on_a_thousand_guards_costs_ten_times_as_much_as_on_a_hundred() {
        for one_channel in [false, true] {
            let channels = |guards: usize| if one_channel { 1 } else { guards };
            let (hundred, thousand) = (cost(100, channels(100)), cost(1000, channels(1000)));
            // Growth with the square would be a hundred times.
            let cost = format!("{hundred} ns for 100, {thousand} ns for 1000, one channel: {one_channel}");
            assert!(thousand < 40 * hundred, "{cost}");
        }
    }
}
