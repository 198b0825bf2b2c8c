//! Signals as guards: whoever listens is told, nobody else is disturbed, and afterwards everything is as before.
//!
//! Knows nothing of what a signal is to bring about. Signals are for a whole program, so most tests are programs.

use crate::harness::cast::nothing;
use crate::harness::looks::Looks;
use crate::harness::scenario::{Program, Scenario, command, output};
use csproc::bridge::Bridge;
use csproc::prelude::*;
use csproc::toolkit::{Signal, Signals, signal};
use nix::sys::signal::{Signal as Number, kill};
use nix::unistd::{Pid, getpid};
use rustix::event::{EventfdFlags, eventfd};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("each_listener_is_told", each_listener_is_told),
    ("a_guard_among_others", a_guard_among_others),
    ("nobody_listens_any_more", nobody_listens_any_more),
    ("handlers_of_the_programs", handlers_of_the_programs),
    ("a_handler_comes_later", a_handler_comes_later),
    ("listeners_come_and_go_in_a_storm", listeners_come_and_go_in_a_storm),
    ("as_many_as_can", as_many_as_can),
    ("processes_of_their_own", processes_of_their_own),
    ("quit_is_heard", quit_is_heard),
    ("waits_for_ctrl_c", waits_for_ctrl_c),
];

fn send(signal: Signal) {
    kill(getpid(), Number::try_from(signal.number()).unwrap()).unwrap();
}

/// Sends it, and comes back when it has come: whoever sends to himself does not wait for the handler, if another
/// thread runs it.
fn send_and_hear(signal: Signal, listener: &Bridge<Signals>) {
    send(signal);
    assert_eq!(listener.read(), Ok(signal));
}

fn each_listener_is_told() {
    let (one, two) = (signal([Signal::User1]).unwrap(), signal([Signal::User1, Signal::Interrupt]).unwrap());
    assert!(one.try_read().unwrap_err().is_would_block());
    send_and_hear(Signal::User1, &one);
    assert_eq!(two.read(), Ok(Signal::User1));
    send_and_hear(Signal::Interrupt, &two);
    assert!(one.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());

    // Several that wait: each once, the lowest number first.
    let all = signal([Signal::User2, Signal::Interrupt, Signal::Terminate, Signal::User1]).unwrap();
    let last = signal([Signal::Window]).unwrap();
    for _ in 0..3 {
        [Signal::Terminate, Signal::User2, Signal::Interrupt].into_iter().for_each(send);
    }
    // The system delivers what waits before it, or beside it to another thread: so all of them are looked for.
    let mut came: Vec<Signal> = (0..3).map(|_| all.read().unwrap()).collect();
    send_and_hear(Signal::Window, &last);
    came.extend(std::iter::from_fn(|| all.try_read().ok()));
    came.sort_by_key(|signal| signal.number());
    came.dedup();
    assert_eq!(came, [Signal::Interrupt, Signal::User2, Signal::Terminate]);
    assert!(last.try_read().unwrap_err().is_would_block());
    println!("all told");
}

fn a_guard_among_others() {
    let signals = signal([Signal::User1]).unwrap();
    let c = Channel::<u64>::buffered(Buffer::Fifo(10));
    let (w, r) = (c.writer(), c.reader());
    let witness = signal([Signal::User1]).unwrap();
    send_and_hear(Signal::User1, &witness);
    w.write(1).unwrap();
    // One that loses has taken nothing.
    assert_eq!(PriSelect! { v = r.read() => v, _s = signals.read() => 0 }, Ok(1));
    assert_eq!(PriSelect! { _v = r.read() => 0, _s = signals.read() => 7, skip => 0 }, Ok(7));
    assert_eq!(PriSelect! { _v = r.read() => 0, _s = signals.read() => 7, skip => 8 }, Ok(8));
    // One that waits is woken, again and again.
    let (go, gone) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || gone.iter().for_each(|()| send(Signal::User1)));
    for _ in 0..100 {
        go.send(()).unwrap();
        assert_eq!(AltSelect! { _v = r.read() => None, s = signals.read() => Some(s) }, Ok(Some(Signal::User1)));
    }
    drop(go);
    sender.join().unwrap();
    println!("all chosen");
}

fn nobody_listens_any_more() {
    for _ in 0..3 {
        let (one, two) = (signal([Signal::Interrupt]).unwrap(), signal([Signal::Interrupt]).unwrap());
        drop(one);
        send_and_hear(Signal::Interrupt, &two);
    }
    println!("heard");
    send(Signal::Interrupt);
    std::thread::sleep(Duration::from_secs(60));
}

fn handlers_of_the_programs() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let action = move || _ = counted.fetch_add(1, Ordering::SeqCst);
    #[expect(unsafe_code, reason = "a handler of the program's own")]
    // SAFETY: it counts, and does nothing else.
    let id = unsafe { signal_hook::low_level::register(Number::SIGUSR1 as i32, action) }.unwrap();
    let until = |number| {
        while count.load(Ordering::SeqCst) < number {
            std::thread::yield_now();
        }
    };
    send(Signal::User1);
    until(1);
    let listener = signal([Signal::User1]).unwrap();
    send_and_hear(Signal::User1, &listener);
    until(2);
    drop(listener);
    send(Signal::User1);
    until(3);
    assert!(signal_hook::low_level::unregister(id));
    println!("all called");
}

/// A handler of somebody who calls the one that he has found calls ours; so ours must not call his.
fn a_handler_comes_later() {
    let listener = signal([Signal::User2]).unwrap();
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Number::SIGUSR2 as i32, flag.clone()).unwrap();
    let mut listeners = vec![listener];
    for _ in 0..3 {
        send(Signal::User2);
        listeners.iter().for_each(|listener| assert_eq!(listener.read(), Ok(Signal::User2)));
        while !flag.swap(false, Ordering::SeqCst) {
            std::thread::yield_now();
        }
        listeners.clear();
        listeners.extend((0..2).map(|_| signal([Signal::User2]).unwrap()));
    }
    println!("all called");
}

/// A bell that rings after its listener has gone would ring at somebody else's, who has its number by then.
fn listeners_come_and_go_in_a_storm() {
    let calm = AtomicBool::new(false);
    let base = signal([Signal::User1]).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !calm.load(Ordering::Relaxed) {
                send(Signal::User1);
            }
        });
        let comers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let listener = signal([Signal::User1]).unwrap();
                        assert_eq!(listener.read(), Ok(Signal::User1));
                        drop(listener);
                        let other = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap();
                        std::thread::yield_now();
                        let rung = rustix::io::read(&other, &mut [0; 8]);
                        assert_eq!(rung, Err(rustix::io::Errno::AGAIN), "somebody else's bell rings");
                    }
                })
            })
            .collect();
        comers.into_iter().for_each(|comer| comer.join().unwrap());
        calm.store(true, Ordering::Relaxed);
    });
    drop(base);
    println!("calm");
}

fn as_many_as_can() {
    let mut listeners: Vec<Bridge<Signals>> = (0..64).map(|_| signal([Signal::User1]).unwrap()).collect();
    let error = signal([Signal::User1]).unwrap_err();
    assert!(error.to_string().contains("64 bridges"), "{error}");
    send(Signal::User1);
    listeners.iter().for_each(|listener| assert_eq!(listener.read(), Ok(Signal::User1)));
    listeners.truncate(10);
    listeners.extend((0..54).map(|_| signal([]).unwrap()));
    signal([Signal::User1]).unwrap_err();
    send_and_hear(Signal::User1, &listeners[9]);
    assert!(listeners[63].try_read().unwrap_err().is_would_block());
    println!("all told");
}

#[process]
fn listen(ready: Writer<()>, to: Vec<Signal>) -> csproc::Result<Vec<Signal>> {
    let signals = signal(to.clone())?;
    ready.write(())?;
    Ok(signals.iter().take(to.len()).collect())
}

/// A process that listens is told of what is sent to it, also of what it would leave to the program otherwise, and
/// nobody else is.
fn processes_of_their_own() {
    let own = signal([Signal::Terminate, Signal::Interrupt]).unwrap();
    let c = Channel::new();
    let r = c.reader();
    let child = Spawn!(listen(c.writer(), vec![Signal::Terminate])).unwrap();
    r.read().unwrap();
    child.terminate().unwrap();
    assert_eq!(child.join().unwrap().unwrap(), [Signal::Terminate]);

    let c = Channel::new();
    let r = c.reader();
    let child = Spawn!(listen(c.writer(), vec![Signal::Interrupt, Signal::Quit])).unwrap();
    r.read().unwrap();
    let pid = crate::harness::system::children()[0].pid;
    // Whether it hears of one after the other or of both at once, the order is that of the numbers.
    for number in [Number::SIGINT, Number::SIGQUIT] {
        kill(Pid::from_raw(pid.cast_signed()), number).unwrap();
    }
    assert_eq!(child.join().unwrap().unwrap(), [Signal::Interrupt, Signal::Quit]);
    assert!(own.try_read().unwrap_err().is_would_block());
    println!("each for itself");
}

/// A program that does not listen prints its state.
fn quit_is_heard() {
    // The library's own handler is there from the first process on.
    Parallel!(nothing()).unwrap();
    let listener = signal([Signal::Quit]).unwrap();
    send_and_hear(Signal::Quit, &listener);
    println!("heard");
}

#[process]
fn until_told(ready: Writer<()>, stop: Reader<()>) -> csproc::Result<()> {
    ready.write(())?;
    assert!(stop.read().unwrap_err().is_retired());
    Ok(())
}

fn waits_for_ctrl_c() {
    let signals = signal([Signal::Interrupt]).unwrap();
    let (stop, ready) = (Channel::new(), Channel::new());
    let (stopper, started) = (stop.writer(), ready.reader());
    let workers = Spawn!(for _ in 0..3 => until_told(ready.writer(), stop.reader())).unwrap();
    (0..3).for_each(|_| started.read().unwrap());
    println!("ready");
    assert_eq!(signals.read(), Ok(Signal::Interrupt));
    drop(stopper);
    for ended in workers.join().unwrap() {
        ended.unwrap();
    }
    println!("all ended");
}

fn plays(scenario: &str, word: &str) {
    let remains = output(command(scenario).0);
    assert!(remains.status.success() && remains.stdout.contains(word), "{scenario}: {remains:?}");
}

once! {
    fn every_listener_is_told_of_what_it_wants_to_hear() {
        plays("each_listener_is_told", "all told");
    }

    fn signals_are_a_guard_like_any() {
        plays("a_guard_among_others", "all chosen");
    }

    fn when_nobody_listens_any_more_the_program_dies_of_the_signal_as_before() {
        let remains = output(command("nobody_listens_any_more").0);
        assert_eq!(remains.status.signal(), Some(Number::SIGINT as i32), "{remains:?}");
        assert!(remains.stdout.contains("heard"), "{remains:?}");
    }

    fn a_handler_of_the_program_is_called_before_meanwhile_and_afterwards() {
        plays("handlers_of_the_programs", "all called");
        plays("a_handler_comes_later", "all called");
    }

    fn nobody_rings_at_the_bell_of_a_listener_that_has_gone() {
        plays("listeners_come_and_go_in_a_storm", "calm");
    }

    fn there_are_64_listeners_at_most_and_the_next_one_is_told() {
        plays("as_many_as_can", "all told");
    }

    fn a_process_hears_what_is_sent_to_it_and_the_program_what_is_sent_to_the_program() {
        plays("processes_of_their_own", "each for itself");
    }

    fn a_program_that_listens_to_quit_prints_nothing_of_its_own() {
        let remains = output(command("quit_is_heard").0);
        assert!(remains.status.success() && remains.stdout.contains("heard"), "{remains:?}");
        assert!(!remains.stderr.contains("csproc"), "{remains:?}");
    }

    fn ctrl_c_ends_a_network_through_its_program() {
        let mut program = Program::start("waits_for_ctrl_c");
        program.until("ready");
        kill(Pid::from_raw(program.pid().cast_signed()), Number::SIGINT).unwrap();
        program.until("all ended");
        assert!(program.wait().success());
    }
}

/// Passes on what comes.
#[process]
fn pass_on(pid: Writer<u32>, out: Writer<Signal>) -> csproc::Result<()> {
    let signals = signal([Signal::User1])?;
    pid.write(std::process::id())?;
    out.write(AltSelect! { s = signals.read() => s }?)?;
    Ok(())
}

alone! {
    fn who_waits_for_a_signal_is_in_no_deadlock() {
        let (pids, came) = (Channel::new(), Channel::new());
        let (pid, r) = (pids.reader(), came.reader());
        let child = Spawn!(pass_on(pids.writer(), came.writer())).unwrap();
        let pid = Pid::from_raw(pid.read().unwrap().cast_signed());
        let reader = std::thread::spawn(move || r.read());
        Looks::from_now().wait_for_a_proof();
        kill(pid, Number::SIGUSR1).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(Signal::User1));
        child.join().unwrap().unwrap();
    }
}
