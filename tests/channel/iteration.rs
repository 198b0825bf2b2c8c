//! Law 14: who iterates over a reader and wants to know learns why the stream ended, and nothing but an end passes for
//! one.
//!
//! Knows nothing of how single reads fail.

use crate::harness::cast::sum;
use csproc::prelude::*;
use csproc::{Cause, MessageError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A number that cannot be read when it is three.
#[derive(Debug, PartialEq, Serialize)]
struct NotThree(u64);

impl<'de> Deserialize<'de> for NotThree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NotThree, D::Error> {
        match u64::deserialize(deserializer)? {
            3 => Err(D::Error::custom("three is one too many")),
            n => Ok(NotThree(n)),
        }
    }
}

/// How a source ends that has written 0..10.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
enum Ending {
    Returns,
    Poisons,
    Crashes,
}

#[process]
fn source(out: Writer<u64>, ending: Ending) -> csproc::Result<()> {
    for i in 0..10 {
        out.write(i)?;
    }
    match ending {
        Ending::Returns => (),
        Ending::Poisons => out.poison(),
        Ending::Crashes => panic!("the source crashes"),
    }
    Ok(())
}

#[process]
fn summed(input: Reader<u64>) -> Result<u64, ChannelError> {
    input.results().sum::<Result<u64, _>>()
}

#[process]
fn counted(input: Reader<u64>) -> (u64, Option<ChannelError>) {
    let mut sum = 0;
    for value in input.results() {
        match value {
            Ok(value) => sum += value,
            Err(error) => return (sum, Some(error)),
        }
    }
    (sum, None)
}

#[process]
fn all(input: Reader<u64>) -> Result<Vec<u64>, ChannelError> {
    input.read_all()
}

/// Runs `reader` beside a source that ends so; gives what `reader` returned.
fn beside<R: Message + Clone + 'static>(
    placement: Placement,
    ending: Ending,
    reader: impl Fn(Reader<u64>) -> Process<R>,
) -> R {
    let c = Channel::new();
    let network = network!(source(c.writer(), ending).on(placement), reader(c.reader()).on(placement));
    drop(c);
    match network.run() {
        Ok((_, result)) => result,
        Err(error) => {
            assert_eq!(ending, Ending::Crashes, "{error}");
            error.results().get::<R>(1).expect("the reader returns").clone()
        }
    }
}

fn assert_ending(ending: Ending, error: Option<ChannelError>) {
    match (ending, error) {
        (Ending::Returns, None) | (Ending::Poisons, Some(ChannelError::Poisoned)) => (),
        (Ending::Crashes, Some(ChannelError::Lost { process, cause: Cause::Panicked { message, .. } })) => {
            assert_eq!((process.as_str(), message.as_str()), ("source", "the source crashes"));
        }
        (_, error) => panic!("{ending:?} gave {error:?}"),
    }
}

over_both! {
    fn results_end_on_retirement_and_give_any_other_end_as_the_last_item(placement) {
        for ending in [Ending::Returns, Ending::Poisons, Ending::Crashes] {
            let sum = beside(placement, ending, summed);
            assert_eq!(*sum.as_ref().unwrap_or(&45), 45);
            assert_ending(ending, sum.err());
            let (sum, error) = beside(placement, ending, counted);
            assert_eq!(sum, 45, "all values come before the end");
            assert_ending(ending, error);
        }
    }

    fn read_all_gives_every_value_or_the_reason_why_there_are_not_all(placement) {
        for ending in [Ending::Returns, Ending::Poisons, Ending::Crashes] {
            let values = beside(placement, ending, all);
            if let Ok(values) = &values {
                assert_eq!(*values, (0..10).collect::<Vec<_>>());
            }
            assert_ending(ending, values.err());
        }
    }

    fn plain_iteration_takes_poison_and_loss_for_the_end(placement) {
        for ending in [Ending::Returns, Ending::Poisons, Ending::Crashes] {
            assert_eq!(beside(placement, ending, sum), 45);
        }
    }

    fn a_message_that_cannot_be_read_is_no_end_of_an_iteration(placement) {
        let c = Channel::builder().name("numbers").build().unwrap();
        let network = network!(numbers(c.writer()).on(placement), not_three(c.reader()).on(placement));
        drop(c);
        let error = network.run().unwrap_err();
        let [failure] = error.failures() else { panic!("one process fails: {error}") };
        let text = failure.to_string();
        for part in ["not_three", "`numbers`", "NotThree", file!(), "`results()`"] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
    }
}

#[process]
fn numbers(out: Writer<NotThree>) -> u64 {
    (0..10).take_while(|i| out.write(NotThree(*i)).is_ok()).count() as u64
}

#[process]
fn not_three(input: Reader<NotThree>) -> u64 {
    input.into_iter().map(|number| number.0).sum()
}

once! {
    fn the_channel_lives_on_behind_a_message_that_cannot_be_read() {
        let c = Channel::buffered(Buffer::Unbounded);
        let (w, r) = (c.writer(), c.reader());
        for i in 0..6 {
            w.write(NotThree(i)).unwrap();
        }
        drop(w);
        let mut results = r.results();
        assert_eq!(
            results.by_ref().take(3).collect::<Result<Vec<_>, _>>(),
            Ok(vec![NotThree(0), NotThree(1), NotThree(2)])
        );
        let error = results.next().unwrap().unwrap_err();
        assert!(matches!(&error, ChannelError::Invalid(MessageError::Decode { .. })), "{error}");
        assert_eq!((results.next(), results.next()), (None, None), "the error is the last item");
        assert_eq!(r.read_all(), Ok(vec![NotThree(4), NotThree(5)]));
    }
}

once! {
    fn a_loop_panics_at_a_message_that_cannot_be_read_and_names_where_it_began() {
        let c = Channel::buffered(Buffer::Unbounded);
        let (w, r) = (c.writer(), c.reader());
        w.write(NotThree(3)).unwrap();
        drop(w);
        let line = line!() + 1;
        let began = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| r.iter().count()));
        let text = *began.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains(&format!("{}:{line}:", file!())), "{text}");
    }
}

#[process]
fn relay_a_sum(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    out.write(input.results().sum::<Result<u64, _>>()?)?;
    Ok(())
}

#[process]
fn relay_all(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    out.write(input.into_iter().map(|x| x + 1).sum())?;
    Ok(())
}

#[process]
fn relay_each(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    out.write(input.iter().skip(1).sum())?;
    Ok(())
}

#[process]
fn relay_read(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    out.write(input.read_all()?.len() as u64)?;
    Ok(())
}

over_both! {
    fn a_deadlock_shows_the_line_of_the_iteration_and_none_of_the_standard_library(placement) {
        let relays = [relay_a_sum, relay_all, relay_each, relay_read] as [fn(_, _) -> Process<csproc::Result<()>>; 4];
        for first in relays {
            let (c, d) = (Channel::new(), Channel::new());
            let network = network!(
                first(c.reader(), d.writer()).on(placement),
                relay_a_sum(d.reader(), c.writer()).on(placement),
            );
            drop((c, d));
            let error = network.run().unwrap_err();
            let report = error.deadlock().expect("both wait for each other");
            for process in report.processes().iter().filter(|process| process.name.starts_with("relay")) {
                assert!(process.location.starts_with(file!()), "{report}");
            }
        }
    }
}
