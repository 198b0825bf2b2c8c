//! What looks like a deadlock and is none is never taken for one: somebody sleeps, computes, is stopped, or waits for
//! the world outside.
//!
//! Knows nothing of how deadlocks are found, except that somebody looks again and again: each case lasts until that was
//! done often enough.

use crate::harness::looks::Looks;
use crate::harness::pause::{go_on, stop, until_stopped};
use crate::harness::place::Place;
use csproc::prelude::*;
use rustix::process::{Signal, getpid, kill_process};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

type End = Result<(), ChannelError>;

/// Another program, which writes nothing, and ends once there is a file of this name.
fn elsewhere(until: &Path) -> std::process::Child {
    let wait = "while ! test -e \"$0\"; do sleep 0.02; done";
    Command::new("sh").arg("-c").arg(wait).arg(until).stdout(Stdio::piped()).spawn().unwrap()
}

/// A name that no file has yet.
fn no_file() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("csproc-innocent-{}-{number}", std::process::id()))
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
    Looks::from_now().wait_for_a_proof();
}

#[process]
fn write_after_sleep(out: Writer<u64>) -> End {
    Looks::from_now().wait_for_a_proof();
    Ok(out.write(7)?)
}

#[process]
fn write_after_work(out: Writer<u64>) -> End {
    let looks = Looks::from_now();
    while !looks.make_a_proof() {
        std::hint::spin_loop();
    }
    Ok(out.write(7)?)
}

#[process]
fn write_after_input(out: Writer<u64>, until: PathBuf) -> End {
    let mut program = elsewhere(&until);
    let mut text = String::new();
    program.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(program.wait().unwrap().success());
    Ok(out.write(7)?)
}

#[process]
fn write_after_bridge(out: Writer<u64>, until: PathBuf) -> End {
    let mut program = elsewhere(&until);
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
        Looks::from_now().wait_for_a_proof();
        w.write(7).unwrap();
    });
    let value = r.read()?;
    thread.join().unwrap();
    Ok(out.write(value)?)
}

/// As before; the thread has the channel itself, and asks for the end when it is time.
#[process]
fn write_after_a_thread_with_the_channel(out: Writer<u64>) -> End {
    let c = Channel::new();
    let r = c.reader();
    let thread = std::thread::spawn(move || {
        Looks::from_now().wait_for_a_proof();
        c.writer().write(7).unwrap();
    });
    let value = r.read()?;
    thread.join().unwrap();
    Ok(out.write(value)?)
}

/// The thread waits for another one, which may act at a time of its own.
#[process]
fn write_after_a_chain_of_threads(out: Writer<u64>) -> End {
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    drop(c);
    let (say, said) = std::sync::mpsc::channel();
    let first = std::thread::spawn(move || {
        // The one sleeps whenever the other does not: of a moment in which both only wait there is none.
        let looks = Looks::from_now();
        let (there, back) = (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
        let echo = std::thread::spawn(move || {
            for () in there.1 {
                back.0.send(()).unwrap();
            }
        });
        while !looks.are_more_than(20) {
            there.0.send(()).unwrap();
            back.1.recv().unwrap();
        }
        drop(there.0);
        echo.join().unwrap();
        say.send(()).unwrap();
    });
    let second = std::thread::spawn(move || {
        said.recv().unwrap();
        w.write(7).unwrap();
    });
    let value = r.read()?;
    first.join().unwrap();
    second.join().unwrap();
    Ok(out.write(value)?)
}

/// A semaphore that only a signal handler raises.
#[process]
fn write_after_a_signal(out: Writer<u64>, ready: Writer<Place>, until: PathBuf) -> End {
    static RUNG: AtomicU32 = AtomicU32::new(0);
    let ring = || {
        RUNG.store(1, Ordering::Release);
        let _ = rustix::thread::futex::wake(&RUNG, rustix::thread::futex::Flags::PRIVATE, 1);
    };
    #[expect(unsafe_code, reason = "a signal handler")]
    // SAFETY: the handler stores a number and makes one system call; both may be done in a handler.
    let handled = unsafe { signal_hook::low_level::register(signal_hook::consts::SIGUSR1, ring) };
    handled.unwrap();
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    drop(c);
    let thread = std::thread::spawn(move || {
        while RUNG.load(Ordering::Acquire) == 0 {
            let _ = rustix::thread::futex::wait(&RUNG, rustix::thread::futex::Flags::PRIVATE, 0, None);
        }
        w.write(7).unwrap();
    });
    // From outside of the program.
    let wait = "while ! test -e \"$0\"; do sleep 0.02; done; kill -USR1 $1";
    let own = std::process::id().to_string();
    let mut outside = Command::new("sh").arg("-c").arg(wait).arg(until).arg(own).spawn().unwrap();
    Place::announce(&ready);
    let value = r.read();
    outside.wait().unwrap();
    thread.join().unwrap();
    Ok(out.write(value?)?)
}

/// Waits for longer and longer, until it has been looked at often enough within one wait.
fn until_a_proof(mut wait: impl FnMut(Duration)) {
    let mut patience = Duration::from_millis(100);
    loop {
        let looks = Looks::from_now();
        wait(patience);
        if looks.make_a_proof() {
            return;
        }
        patience *= 2;
    }
}

#[process]
fn write_after_timeout(out: Writer<u64>) -> End {
    let c = Channel::<u64>::new();
    let (r, _kept) = (c.reader(), c.writer());
    drop(c);
    until_a_proof(|patience| assert!(r.read_timeout(patience).unwrap_err().is_timed_out()));
    Ok(out.write(7)?)
}

#[process]
fn write_after_timer(out: Writer<u64>) -> End {
    let c = Channel::<u64>::new();
    let (back, _kept) = (c.reader(), c.writer());
    drop(c);
    until_a_proof(|patience| {
        let timed_out = AltSelect! {
            _v = back.read() => false,
            after(patience) => true,
        };
        assert!(timed_out.unwrap());
    });
    Ok(out.write(7)?)
}

/// Takes the end it needs out of a message.
#[process]
fn write_to_what_comes(ends: Reader<Writer<u64>>) -> End {
    Looks::from_now().wait_for_a_proof();
    Ok(ends.read()?.write(7)?)
}

#[process]
fn write_after_stop(out: Writer<u64>, ready: Writer<u32>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    let looks = Looks::from_now();
    kill_process(getpid(), Signal::STOP)?;
    // The signal is for the process; this thread is stopped a moment later.
    while !looks.make_a_proof() {
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
/// Everybody who is busy in a way of its own, beside somebody who waits for it.
fn waits_for(
    placement: Placement,
    work: impl FnOnce(Writer<u64>) -> Process<End>,
) -> Child<(Result<u64, ChannelError>, End)> {
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

/// Reads until it has been looked at often enough, then poisons.
#[process]
fn consume(input: Reader<u64>) -> u64 {
    let looks = Looks::from_now();
    let mut count = 0;
    while !looks.are_more_than(50) {
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
        let until = no_file();
        let cases = [
            ("sleeps", waits_for(placement, |w| write_after_sleep(w))),
            ("computes", waits_for(placement, |w| write_after_work(w))),
            ("reads from another program", waits_for(placement, |w| write_after_input(w, until.clone()))),
            ("waits at a bridge", waits_for(placement, |w| write_after_bridge(w, until.clone()))),
            ("reads with a timeout", waits_for(placement, |w| write_after_timeout(w))),
            ("chooses with a timer", waits_for(placement, |w| write_after_timer(w))),
            ("has a thread of its own", waits_for(placement, |w| write_after_a_thread(w))),
            ("has given a thread a channel", waits_for(placement, |w| write_after_a_thread_with_the_channel(w))),
            ("has threads that wait for each other", waits_for(placement, |w| write_after_a_chain_of_threads(w))),
        ];
        Looks::from_now().wait_for_a_proof();
        std::fs::write(&until, "").unwrap();
        for (case, child) in cases {
            let (read, wrote) = child.join().unwrap_or_else(|error| panic!("somebody {case}: {error}"));
            assert_eq!((read, wrote), (Ok(7), Ok(())), "somebody {case}");
        }
        std::fs::remove_file(until).unwrap();
    }

    fn whoever_waits_for_the_program_is_in_no_deadlock(placement) {
        let c = Channel::new();
        let child = Spawn!(read_once(c.reader()).on(placement)).unwrap();
        let w = c.writer();
        drop(c);
        Looks::from_now().wait_for_a_proof();
        w.write(7).unwrap();
        assert_eq!(child.join().unwrap(), Ok(7));

        // Nobody holds an end yet, but a channel can make one.
        let c = Channel::new();
        let child = Spawn!(read_once(c.reader()).on(placement)).unwrap();
        Looks::from_now().wait_for_a_proof();
        c.writer().write(7).unwrap();
        assert_eq!(child.join().unwrap(), Ok(7));
    }

    fn whoever_waits_for_a_thread_that_was_given_the_channel_is_in_no_deadlock(placement) {
        // The thread that made the channel waits for the process that waits for the channel.
        let c = Channel::new();
        let r = c.reader();
        let thread = std::thread::spawn(move || {
            Looks::from_now().wait_for_a_proof();
            c.writer().write(7).unwrap();
        });
        assert_eq!(read_once(r).on(placement).run().unwrap(), Ok(7));
        thread.join().unwrap();

        let c = Arc::new(Channel::new());
        let (r, shared) = (c.reader(), c.clone());
        let thread = std::thread::spawn(move || {
            Looks::from_now().wait_for_a_proof();
            shared.writer().write(7).unwrap();
        });
        assert_eq!(read_once(r).on(placement).run().unwrap(), Ok(7));
        thread.join().unwrap();
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

#[process]
fn poison_late<E: ChannelEnd + csproc::Message>(end: E) {
    Looks::from_now().wait_for_a_proof();
    end.poison();
}

#[process]
fn write_one(out: Writer<u64>) -> Result<(), ChannelError> {
    Ok(out.write(7)?)
}

over_both! {
    /// Nobody is there who could take or give a message; but somebody may poison the channel, and does.
    fn whoever_waits_where_one_of_its_own_side_is_at_work_is_in_no_deadlock(placement) {
        let (read, written) = (Channel::new(), Channel::new());
        let waiting = network!(read_once(read.reader()).on(placement), write_one(written.writer()).on(placement));
        let poisoning = (poison_late(read.reader()).on(placement), poison_late(written.writer()).on(placement));
        let waiting = waiting.spawn().unwrap();
        let poisoning = network!(poisoning.0, poisoning.1).spawn().unwrap();
        drop((read, written));
        let (read, written) = waiting.join().unwrap();
        poisoning.join().unwrap();
        assert_eq!((read, written), (Err(ChannelError::Poisoned), Err(ChannelError::Poisoned)));
    }
}

once! {
    fn whoever_waits_for_a_signal_handler_is_in_no_deadlock() {
        let (until, ready) = (no_file(), Channel::new());
        let announced = ready.reader();
        let child = waits_for(Placement::Process, |w| write_after_a_signal(w, ready.writer(), until.clone()));
        announced.read().unwrap().until_asleep();
        Looks::from_now().wait_for_a_proof();
        std::fs::write(&until, "").unwrap();
        let (read, wrote) = child.join().unwrap();
        assert_eq!((read, wrote), (Ok(7), Ok(())));
        std::fs::remove_file(until).unwrap();
    }

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
        stop(place.pid);
        let third = Spawn!(ask(there.writer(), back.reader())).unwrap();
        drop((there, back));

        Looks::from_now().wait_for_a_proof();
        go_on(first_pid);
        go_on(place.pid);
        let (read, wrote) = first.join().unwrap();
        wrote.unwrap();
        assert_eq!(read, Ok(7));
        second.join().unwrap().unwrap();
        assert_eq!(third.join().unwrap().unwrap(), 7);
    }
}
