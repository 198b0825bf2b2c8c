//! Accepted forms of the alternation macros.

#![forbid(unsafe_code)]
#![deny(warnings, unused, unused_qualifications, rust_2018_idioms)]

use csproc::prelude::*;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// The reading end of a channel to which somebody writes these values.
fn source<T: Message + Send + 'static>(values: impl IntoIterator<Item = T> + Send + 'static) -> Reader<T> {
    let c = Channel::new();
    let writer = c.writer();
    std::thread::spawn(move || values.into_iter().try_for_each(|value| writer.write(value).map_err(drop)));
    c.reader()
}

/// The writing end of a channel from which somebody reads as long as there is something.
fn sink<T: Message + Send + 'static>() -> Writer<T> {
    let c = Channel::new();
    let reader = c.reader();
    std::thread::spawn(move || reader.into_iter().for_each(drop));
    c.writer()
}

/// Both ends of a channel on which nothing happens.
fn silent<T: Message>() -> (Writer<T>, Reader<T>) {
    let c = Channel::new();
    (c.writer(), c.reader())
}

fn forms() -> Result<(), ChannelError> {
    let (w, r) = silent::<u64>();
    let total = 3;
    let credit = 0;
    let nine: u64 = AltSelect! {
        v = r.read() => v + 1,
        w.write(total) => 0,
        v = r.read() if credit > 0 => v,
        w.write(total) if credit > 0 && total == 3 => 1,
        after(Duration::from_secs(1_000_000)) => 7,
        after(Duration::from_secs(1)) if credit > 0 => 7,
        at(Instant::now() + Duration::from_secs(1_000_000)) => 8,
        at(Instant::now()) if credit > 0 => 8,
        skip => 9,
    }?;
    assert_eq!(nine, 9);

    // Patterns of every kind, and none.
    let pairs = source([(1, "one".to_string()), (2, "two".to_string()), (3, "three".to_string())]);
    let one = PriSelect!((number, name) = pairs.read() => (number, name))?;
    assert_eq!(one, (1, "one".to_string()));
    let two = PriSelect!((mut number, _) = pairs.read() => { number += 40; number })?;
    assert_eq!(two, 42);
    let three = PriSelect!(ref whole @ (number, ..) = pairs.read() => whole.1.len() + number)?;
    assert_eq!(three, 8);
    let ones = source(vec![1; 4]);
    FairSelect!(ones.read() => {})?;
    FairSelect!(_ = ones.read() => ())?;
    FairSelect!(_one = ones.read() => {})?;
    AltSelect!(v = ones => assert_eq!(v, 1))?;
    let ended = AltSelect![ones.read() => (),].unwrap_err();
    assert!(ended.is_retired());

    let to = sink();
    PriSelect!(_ = to.write(1) => ())?;
    PriSelect!(() = to.write(1) => ())?;
    PriSelect!(_ = after(Duration::ZERO) => ())?;
    PriSelect!(() = at(Instant::now()) => ())?;
    PriSelect!(() = skip => ())?;
    PriSelect!(skip if total == 3 => ())?;
    let absent = PriSelect!(skip if total == 4 => ()).unwrap_err();
    assert_eq!(absent, ChannelError::NoGuards);
    Ok(())
}

fn extended(r: &Reader<u32>) -> Result<u32, ChannelError> {
    let one = AltSelect!(v = r.read_extended() => v)?;
    PriSelect!(r.read_extended() => {})?;
    PriSelect!(_ = r.read_extended() if one == 1 => assert_eq!(one, 1))?;
    FairSelect! {
        v = r.read_extended() => {
            return Ok(v);
        }
        r.read_extended() => { return Ok(4) }
        v = r.read() if false => return Ok(v),
    }?
}

fn barriers() -> Result<(), ChannelError> {
    let alone = Barrier::new(1);
    PriSelect!(alone.sync() => ())?;
    PriSelect!(_ = alone.sync() if true => (), skip => ())?;
    Ok(())
}

/// A block needs no comma after it, as in `match`.
fn blocks() -> Result<(), ChannelError> {
    let (w, r) = silent::<u32>();
    let seven = PriSelect! {
        v = r.read() => { v }
        w.write(1) => {
            let one = 1;
            one
        },
        v = r.read() => match v { 0 => 1, v => v }
        v = r.read() => if v == 1 { 2 } else { 3 }
        _ = r.read() => loop { break 4 }
        r.read() => { 5 }
        after(Duration::from_secs(1_000_000)) => { 6 }
        skip => { 7 }
    }?;
    assert_eq!(seven, 7);
    Ok(())
}

fn question_mark(r: &Reader<u32>) -> Result<u32, ChannelError> {
    let error: Result<u32, ChannelError> = Err(ChannelError::TimedOut);
    AltSelect! {
        v = r.read() => {
            assert_eq!(v, 5);
            error?
        }
    }
}

fn leaving() -> Result<(), ChannelError> {
    let numbers = source(0..20_u32);
    let mut sum = 0;
    'outer: loop {
        loop {
            PriSelect! {
                v = numbers.read() => {
                    if v == 3 {
                        continue;
                    }
                    if v == 6 {
                        break 'outer;
                    }
                    sum += v;
                },
            }?;
        }
    }
    assert_eq!(sum, 1 + 2 + 4 + 5);
    let seven = loop {
        PriSelect!(v = numbers.read() => break v)?
    };
    assert_eq!(seven, 7);
    for _ in 0..3 {
        FairSelect!(numbers.read() => continue, after(Duration::from_secs(1_000_000)) => break)?;
    }
    assert_eq!(AltSelect!(v = numbers.read() => v)?, 11);
    assert_eq!(question_mark(&source([5])), Err(ChannelError::TimedOut));
    Ok(())
}

fn all_arms_return(r: &Reader<u32>) -> Result<u32, ChannelError> {
    AltSelect! {
        v = r.read() => return Ok(v),
        v = r.read() => {
            return Ok(v);
        }
        after(Duration::from_secs(1_000_000)) => panic!("late"),
        skip if std::env::args().count() > 99 => std::process::exit(1),
    }?
}

fn all_arms_leave_a_loop(r: &Reader<u32>) -> Result<u32, ChannelError> {
    let mut count = 0;
    loop {
        count += 1;
        PriSelect! {
            v = r.read() if count > 2 => return Ok(v),
            skip => continue,
        }?;
    }
}

fn nested() -> Result<(), ChannelError> {
    let (a, b) = (source([1, 2, 3]), source([10, 20, 30]));
    let sum = AltSelect! {
        v = a.read() => v + AltSelect! {
            w = b.read() => w + FairSelect! { v = a.read() => v * 100 }?,
        }?,
    }?;
    assert_eq!(sum, 211);
    // In a precondition, in a value and in the place of an end.
    let to = sink();
    let sum = PriSelect! {
        v = PriSelect! { skip => &a }?.read() if PriSelect! { skip => true }? => v,
        to.write(FairSelect! { v = b.read() => v }?) if false => 0,
    }?;
    assert_eq!(sum, 3);
    Ok(())
}

fn names_of_the_user_are_not_those_of_the_macro() -> Result<(), ChannelError> {
    let (__end0, __guard0, __fired, __result) = (source([1, 2]), 10, 100, 1000);
    let (end, value, number, __error, __value, __value1) = (sink::<u32>(), 1, 2, 3, 4, 5);
    let sum = PriSelect! {
        v = __end0.read() => v + __guard0 + __fired + __result + __value,
        end.write(__value1) if value == 1 => number + __error,
    }?;
    assert!(sum == 1115 || sum == 5);
    let v = 7;
    let sum = PriSelect!(__value = __end0.read() => __value + v + value)?;
    assert!(sum == 9 || sum == 10);
    Ok(())
}

fn temporaries_are_ends() -> Result<(), ChannelError> {
    let c = Channel::<u32>::new();
    let ends = RefCell::new(vec![(sink::<u32>(), source([1, 2, 3]))]);
    let no = c.name().is_empty();
    PriSelect! {
        v = c.reader().read() => assert_eq!(v, 0),
        v = c.reader().read() if no => assert_eq!(v, 0),
        c.writer().write(4) if no => (),
        ends.borrow()[0].0.write(5) if no => (),
        ends.borrow()[0].0.clone().write(5) => (),
        v = ends.borrow()[0].1.read() => assert_eq!(v, 1),
        v = { source([1]) }.read() => assert_eq!(v, 1),
        v = (if no { source([1]) } else { source([1]) }).read() => assert_eq!(v, 1),
    }?;
    let text = String::from("a");
    PriSelect!(sink().write(text.clone() + &text) if !no => ())?;
    Ok(())
}

fn evaluation() -> Result<(), ChannelError> {
    let seen = RefCell::new(Vec::new());
    let see = |name: &'static str| seen.borrow_mut().push(name);
    let (w, r) = silent::<u32>();
    let end = |name| {
        see(name);
        &w
    };
    PriSelect! {
        end("end 0").write({ see("value 0"); 1 }) if { see("condition 0"); true } => see("body 0"),
        v = { see("end 1"); &r }.read() if { see("condition 1"); false } => see(if v == 0 { "body 1" } else { "" }),
        end("end 2").write({ see("value 2"); 1 }) if { see("condition 2"); false } => see("body 2"),
        after({ see("time 3"); Duration::ZERO }) if { see("condition 3"); false } => see("body 3"),
        end("end 4").write({ see("value 4"); 1 }) => see("body 4"),
        at({ see("time 5"); Instant::now() + Duration::from_secs(1_000_000) }) => see("body 5"),
        skip if { see("condition 6"); true } => see("body 6"),
    }?;
    let order = [
        "condition 0", "end 0", "value 0",
        "condition 1",
        "condition 2",
        "condition 3",
        "end 4", "value 4",
        "time 5",
        "condition 6",
        "body 6",
    ];
    assert_eq!(seen.into_inner(), order);
    Ok(())
}

/// The guards are gone when a body runs: it may do with the ends what it likes.
fn ends_are_free() -> Result<(), ChannelError> {
    let (mut r, w) = (source([1, 2]), sink());
    let kept = AltSelect! {
        v = r.read() => {
            drop(w);
            r = source([v + 1]);
            vec![r]
        },
        w.write(1) => {
            r.retire();
            drop(w);
            Vec::new()
        },
    }?;
    if let [r] = kept.as_slice() {
        assert_eq!(r.read()?, 2);
    }
    Ok(())
}

fn first<T: Message>(r: &Reader<T>, others: &[Reader<T>], or: impl FnOnce() -> T) -> Result<T, ChannelError> {
    FairSelect! {
        v = r.read() => v,
        v = others[0].read() if !others.is_empty() => v,
        skip if others.len() > 1 => or(),
    }
}

struct Ports<'a> {
    input: &'a Reader<u32>,
    outputs: [Box<Writer<u32>>; 1],
}

fn places(ports: &mut Ports<'_>) -> Result<u32, ChannelError> {
    AltSelect! {
        v = ports.input.read() => v,
        ports.outputs[0].write(3) if false => 0,
    }
}

/// A macro may pass ends, patterns, values, bodies and whole guards on.
macro_rules! read_or {
    ($pattern:pat = $end:expr, $condition:expr, $guard:expr => $body:expr) => {
        PriSelect! {
            $pattern = $end.read() if $condition => $body,
            $guard => $body,
        }
    };
}

fn through_macros() -> Result<(), ChannelError> {
    let (_w, r) = silent::<u32>();
    let limit = 5;
    assert_eq!(read_or!(_ = r, limit > 2, skip => limit + 1)?, 6);
    assert_eq!(read_or!(_ = &r, limit > 2, after(Duration::ZERO) => { limit })?, 5);
    Ok(())
}

/// What the prelude of Rust brings need not be what it was.
mod names_of_the_prelude_are_taken {
    #![allow(dead_code, reason = "they are only in the way")]

    struct Ok;
    struct Err;
    struct Some;
    struct None;
    struct Option;
    struct Result;

    pub(crate) fn run(r: &csproc::Reader<u32>) -> u32 {
        let sum = csproc::FairSelect! {
            v = r.read() if true => v,
            csproc::Channel::new().writer().write(1) if false => 1,
            after(std::time::Duration::from_secs(1_000_000)) => 2,
        };
        sum.unwrap_or(3)
    }
}

fn forty() -> Result<(), ChannelError> {
    let (w, r) = silent::<u8>();
    let last = FairSelect! {
        v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v,
        v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v,
        v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v,
        v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v, v = r.read() => v,
        w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1,
        w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1,
        w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1,
        w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, w.write(1) => 1, skip => 40,
    }?;
    assert_eq!(last, 40);
    Ok(())
}

fn main() -> csproc::Result<()> {
    forms()?;
    assert_eq!(extended(&source(1..9))?, 4);
    barriers()?;
    blocks()?;
    leaving()?;
    assert_eq!(all_arms_return(&source([1]))?, 1);
    assert_eq!(all_arms_leave_a_loop(&source([2]))?, 2);
    nested()?;
    names_of_the_user_are_not_those_of_the_macro()?;
    temporaries_are_ends()?;
    evaluation()?;
    ends_are_free()?;
    assert_eq!(first(&source([3]), &[], || 4)?, 3);
    assert_eq!(places(&mut Ports { input: &source([4]), outputs: [Box::new(sink())] })?, 4);
    through_macros()?;
    assert_eq!(names_of_the_prelude_are_taken::run(&source([5])), 5);
    forty()?;
    Ok(())
}
