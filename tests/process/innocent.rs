//! What looks like a deadlock and is none is never taken for one: somebody sleeps, computes, is stopped, or waits for the world outside.
//!
//! Knows nothing of how deadlocks are found, except that somebody looks many times in a second: each case lasts longer than that.

use crate::watchdog::{Place, seen};
use csproc::prelude::*;
use rustix::process::{Pid, Signal, getpid, kill_process};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time for several looks.
const LONG: Duration = Duration::from_millis(1200);

type End = Result<(), ChannelError>;

/// Another program, which writes nothing and ends after a while.
fn elsewhere() -> std::process::Child {
    Command::new("sleep").arg(LONG.as_secs_f64().to_string()).stdout(Stdio::piped()).spawn().unwrap()
}

#[process]
fn read_once(input: Reader<u64>) -> Result<u64, ChannelError> {
    input.read()
}

#[process]
fn write_once(out: Writer<u64>) -> End {
    Ok(out.write(7)?)
}

#[process]
fn nap() {
    std::thread::sleep(LONG);
}

#[process]
fn write_after_sleep(out: Writer<u64>) -> End {
    std::thread::sleep(LONG);
    Ok(out.write(7)?)
}

#[process]
fn write_after_work(out: Writer<u64>) -> End {
    let start = Instant::now();
    while start.elapsed() < LONG {
        std::hint::spin_loop();
    }
    Ok(out.write(7)?)
}

#[process]
fn write_after_input(out: Writer<u64>) -> End {
    let mut program = elsewhere();
    let mut text = String::new();
    program.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(program.wait().unwrap().success());
    Ok(out.write(7)?)
}

#[process]
fn write_after_bridge(out: Writer<u64>) -> End {
    let mut program = elsewhere();
    let bridge = csproc::bridge::readable(program.stdout.take().unwrap());
    let ready = bridge.read();
    assert!(program.wait().unwrap().success());
    ready?;
    Ok(out.write(7)?)
}

/// Another thread of the process answers, after a while.
#[process]
fn write_after_a_thread(out: Writer<u64>) -> End {
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    drop(c);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(LONG);
        w.write(7).unwrap();
    });
    let value = r.read()?;
    thread.join().unwrap();
    Ok(out.write(value)?)
}

#[process]
fn write_after_timeout(out: Writer<u64>) -> End {
    let c = Channel::<u64>::new();
    let (r, _kept) = (c.reader(), c.writer());
    drop(c);
    assert!(r.read_timeout(LONG).unwrap_err().is_timed_out());
    Ok(out.write(7)?)
}

#[process]
fn write_after_timer(out: Writer<u64>) -> End {
    let c = Channel::<u64>::new();
    let (back, _kept) = (c.reader(), c.writer());
    drop(c);
    let timed_out = AltSelect! {
        _v = back.read() => false,
        after(LONG) => true,
    };
    assert!(timed_out?);
    Ok(out.write(7)?)
}

/// Takes the end it needs out of a message.
#[process]
fn write_to_what_comes(ends: Reader<Writer<u64>>) -> End {
    std::thread::sleep(LONG);
    Ok(ends.read()?.write(7)?)
}

#[process]
fn write_after_stop(out: Writer<u64>, ready: Writer<u32>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    let start = Instant::now();
    kill_process(getpid(), Signal::STOP)?;
    // The signal is for the process; this thread is stopped a moment later.
    while start.elapsed() < LONG / 2 {
        std::thread::yield_now();
    }
    out.write(7)?;
    Ok(())
}

/// Is stopped while it waits to read, and is to answer.
#[process]
fn answer(ready: Writer<Place>, input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    Place::announce(&ready);
    out.write(input.read()?)?;
    Ok(())
}

#[process]
fn ask(out: Writer<u64>, input: Reader<u64>) -> csproc::Result<u64> {
    out.write(7)?;
    Ok(input.read()?)
}

/// The system tells one thread of the process, which stops the others when it comes to run.
fn until_stopped(pid: u32) {
    while seen(&format!("/proc/{pid}/stat")).expect("the process to be watched is alive").state != 'T' {
        std::thread::yield_now();
    }
}

fn go_on(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::CONT).unwrap();
}

/// Everybody who is busy in a way of its own, beside somebody who waits for it.
fn waits_for(placement: Placement, work: fn(Writer<u64>) -> Process<End>) -> Child<(Result<u64, ChannelError>, End)> {
    let c = Channel::new();
    network!(read_once(c.reader()).on(placement), work(c.writer()).on(placement)).spawn().unwrap()
}

#[process]
fn prefix(out: Writer<u64>, input: Reader<u64>) -> End {
    out.write(0)?;
    loop {
        out.write(input.read()?)?;
    }
}

#[process]
fn delta(input: Reader<u64>, out: Writer<u64>, side: Writer<u64>) -> End {
    loop {
        let value = input.read()?;
        out.write(value)?;
        side.write(value)?;
    }
}

#[process]
fn successor(input: Reader<u64>, out: Writer<u64>) -> End {
    loop {
        out.write(input.read()? + 1)?;
    }
}

/// Reads until it has read for long enough, then poisons.
#[process]
fn consume(input: Reader<u64>) -> u64 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < LONG * 2 {
        input.read().unwrap();
        count += 1;
    }
    input.poison();
    count
}

/// Holds whoever writes to it until somebody else has taken the value.
#[process]
fn pass_within(input: Reader<u64>, out: Writer<u64>) -> End {
    loop {
        input.read_extended(|value| out.write(value).map_err(ChannelError::from))??;
    }
}

#[process]
fn count_up(out: Writer<u64>) -> End {
    for value in 0.. {
        out.write(value)?;
    }
    Ok(())
}

#[process]
fn step(barrier: Barrier, until: Reader<()>) -> Result<u64, ChannelError> {
    let mut steps = 0;
    loop {
        // In this order: the barrier of the last party alone is always ready.
        let next = PriSelect! {
            _v = until.read() => (),
            barrier.sync() => steps += 1,
        };
        match next {
            Ok(()) => (),
            Err(error) if error.is_retired() => return Ok(steps),
            Err(error) => return Err(error),
        }
    }
}

fn under_pressure(body: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        body();
        stop.store(true, Ordering::Relaxed);
    });
}

over_both! {
    fn whoever_waits_for_somebody_at_work_is_in_no_deadlock(placement) {
        let mut cases = vec![
            ("sleeps", waits_for(placement, |w| write_after_sleep(w))),
            ("computes", waits_for(placement, |w| write_after_work(w))),
            ("reads from another program", waits_for(placement, |w| write_after_input(w))),
            ("waits at a bridge", waits_for(placement, |w| write_after_bridge(w))),
            ("reads with a timeout", waits_for(placement, |w| write_after_timeout(w))),
            ("chooses with a timer", waits_for(placement, |w| write_after_timer(w))),
        ];
        if placement == Placement::Process {
            cases.push(("has a thread of its own", waits_for(placement, |w| write_after_a_thread(w))));
        }
        for (case, child) in cases {
            let (read, wrote) = child.join().unwrap_or_else(|error| panic!("somebody {case}: {error}"));
            assert_eq!((read, wrote), (Ok(7), Ok(())), "somebody {case}");
        }
    }

    fn whoever_waits_for_the_program_is_in_no_deadlock(placement) {
        let c = Channel::new();
        let child = Spawn!(read_once(c.reader()).on(placement)).unwrap();
        let w = c.writer();
        drop(c);
        std::thread::sleep(LONG);
        w.write(7).unwrap();
        assert_eq!(child.join().unwrap(), Ok(7));

        // Nobody holds an end yet, but a channel can make one.
        let c = Channel::new();
        let child = Spawn!(read_once(c.reader()).on(placement)).unwrap();
        std::thread::sleep(LONG);
        c.writer().write(7).unwrap();
        assert_eq!(child.join().unwrap(), Ok(7));
    }

    fn whoever_waits_for_an_end_that_travels_is_in_no_deadlock(placement) {
        let (c, ends) = (Channel::new(), Channel::buffered(Buffer::Fifo(1)));
        ends.writer().write(c.writer()).unwrap();
        let (read, wrote) =
            Parallel!(read_once(c.reader()).on(placement), write_to_what_comes(ends.reader()).on(placement)).unwrap();
        assert_eq!((read, wrote), (Ok(7), Ok(())));
    }

    fn whoever_waits_for_a_process_that_has_not_begun_is_in_no_deadlock(placement) {
        let c = Channel::new();
        let (read, ((), wrote)) = Parallel!(
            read_once(c.reader()).on(placement),
            Sequence!(nap().on(placement), write_once(c.writer()).on(placement)),
        )
        .unwrap();
        assert_eq!((read, wrote), (Ok(7), Ok(())));
    }

    fn busy_networks_under_pressure_are_in_no_deadlock(placement) {
        under_pressure(|| {
            let channels: [Channel<u64>; 4] = std::array::from_fn(|_| Channel::new());
            let [a, b, c, d] = &channels;
            let commstime = network!(
                prefix(a.writer(), c.reader()).on(placement),
                delta(a.reader(), b.writer(), d.writer()).on(placement),
                successor(b.reader(), c.writer()).on(placement),
                consume(d.reader()).on(placement),
            );
            let commstime = commstime.spawn().unwrap();

            let links: [Channel<u64>; 3] = std::array::from_fn(|_| Channel::new());
            let [e, f, g] = &links;
            let extended = network!(
                count_up(e.writer()).on(placement),
                pass_within(e.reader(), f.writer()).on(placement),
                pass_within(f.reader(), g.writer()).on(placement),
                consume(g.reader()).on(placement),
            );
            let extended = extended.spawn().unwrap();

            let (barrier, until) = (Barrier::new(3), Channel::<()>::new());
            let steps = network!(for _ in 0..3 => step(barrier.clone(), until.reader()).on(placement)).spawn().unwrap();
            let end = until.writer();
            drop((barrier, until, channels, links));

            let (first, second, third, count) = commstime.join().unwrap();
            assert!(count > 0 && [first, second, third].iter().all(|end| *end == Err(ChannelError::Poisoned)));
            let (first, second, third, count) = extended.join().unwrap();
            assert!(count > 0 && [first, second, third].iter().all(|end| *end == Err(ChannelError::Poisoned)));
            drop(end);
            for steps in steps.join().unwrap() {
                assert!(steps.unwrap() > 0);
            }
        });
    }
}

once! {
    fn whoever_waits_for_a_process_that_is_stopped_is_in_no_deadlock() {
        let (c, ready) = (Channel::new(), Channel::new());
        let stopped = ready.reader();
        let first = network!(read_once(c.reader()), write_after_stop(c.writer(), ready.writer())).spawn().unwrap();
        drop(c);
        let first_pid = stopped.read().unwrap();
        until_stopped(first_pid);

        // This one is stopped within its call, in which it is given a value that it cannot take yet.
        let (there, back, ready) = (Channel::new(), Channel::new(), Channel::new());
        let announced = ready.reader();
        let second = Spawn!(answer(ready.writer(), there.reader(), back.writer())).unwrap();
        let place = announced.read().unwrap();
        place.until_asleep();
        kill_process(Pid::from_raw(place.pid.cast_signed()).unwrap(), Signal::STOP).unwrap();
        until_stopped(place.pid);
        let third = Spawn!(ask(there.writer(), back.reader())).unwrap();
        drop((there, back));

        std::thread::sleep(LONG);
        go_on(first_pid);
        go_on(place.pid);
        let (read, wrote) = first.join().unwrap();
        wrote.unwrap();
        assert_eq!(read, Ok(7));
        second.join().unwrap().unwrap();
        assert_eq!(third.join().unwrap().unwrap(), 7);
    }
}
