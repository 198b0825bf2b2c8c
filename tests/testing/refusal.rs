//! What cannot be simulated is refused by an error that names it; nothing hangs.
//!
//! Knows nothing of what can.

use super::cast::{read_once, write_once};
use csproc::prelude::*;
use csproc::testing::{replay, schedule, simulate};
use csproc::{ChannelError, MessageError};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn refused(error: &ChannelError) -> &str {
    match error {
        ChannelError::Invalid(MessageError::Simulation { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_channel_from_outside_is_refused_by_name_and_unharmed() {
    let outside = Channel::<u32>::new();
    let (w, r) = (outside.writer(), outside.reader());
    let run = replay("csp1:00", || read_once(r.clone()));
    assert!(run.to_string().contains("made outside of the simulation"), "{run}");
    let run = replay("csp1:00", || {
        let error = w.try_write(1).unwrap_err();
        assert!(refused(&error.fate).contains("cannot be simulated"), "{error}");
        nothing()
    });
    assert!(run.completed(), "{run}");
    let reading = std::thread::spawn(move || r.read());
    w.write(5).unwrap();
    assert_eq!(reading.join().unwrap(), Ok(5));
}

#[process]
fn nothing() {}

#[test]
fn the_closure_may_not_wait() {
    let run = replay("csp1:00", || {
        let c = Channel::new();
        let _r = c.reader();
        let error = c.writer().write(1u32).unwrap_err();
        assert!(refused(&error.fate).contains("only builds the network"), "{error}");
        nothing()
    });
    assert!(run.completed());
}

#[test]
fn what_has_no_counterpart_in_a_simulation_is_named() {
    let run = replay("csp1:00", || {
        let error = Channel::<u32>::builder().carrier(Carrier::Ipc).build().unwrap_err().into();
        assert!(refused(&error).contains("Carrier::Ipc"), "{error}");
        nothing()
    });
    assert!(run.completed());
}

#[process]
fn simulates() -> bool {
    let nested = std::panic::catch_unwind(|| replay("csp1:00", nothing).completed());
    nested.is_err()
}

#[test]
fn a_simulation_inside_a_simulation_is_refused() {
    assert_eq!(replay("csp1:00", simulates).result(), Some(&true));
}

#[test]
fn a_closure_that_panics_leaves_nothing_behind() {
    let panicked = std::panic::catch_unwind(|| {
        replay("csp1:00", || -> csproc::Process<()> {
            let _c = Channel::<u32>::new();
            panic!("while it builds");
        })
    });
    assert!(panicked.is_err());
    assert!(replay("csp1:00", nothing).completed());
}

#[process]
fn writes_while_it_unwinds(out: Writer<u32>) {
    struct Last(Writer<u32>);
    impl Drop for Last {
        fn drop(&mut self) {
            let error = self.0.write(1).unwrap_err();
            assert!(refused(&error.fate).contains("unwinds"), "{error}");
        }
    }
    let _last = Last(out);
    panic!("with a writer in hand");
}

#[test]
fn a_process_that_unwinds_does_not_wait() {
    let run = replay("csp1:00", || {
        let c = Channel::new();
        network!(writes_while_it_unwinds(c.writer()), read_once(c.reader()))
    });
    assert!(run.to_string().contains("with a writer in hand"), "{run}");
}

#[process]
fn swallows(input: Reader<u32>, _own: Writer<u32>) {
    loop {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| input.read()));
    }
}

#[test]
fn a_process_that_swallows_its_end_is_left_behind() {
    let run = replay("csp1:00", || {
        let c = Channel::new();
        swallows(c.reader(), c.writer())
    });
    assert!(!run.is_deadlock_free(), "{run}");
}

#[test]
#[should_panic(expected = "is no token")]
fn what_is_no_token_is_said_to_be_none() {
    let _ = replay("csp2:00", nothing);
}

#[test]
#[should_panic(expected = "those that have a name are [\"numbers\"]")]
fn a_channel_that_never_was_has_no_messages_to_ask_for() {
    let run = replay("csp1:00", || {
        let c = Channel::builder().name("numbers").build().unwrap();
        network!(write_once(c.writer(), 1), read_once(c.reader()))
    });
    assert_eq!(run.messages::<u32>("numbers"), [1]);
    let _ = run.messages::<u32>("number");
}

/// Whatever the network, what was taken for it is given back.
#[test]
fn thousands_of_runs_leave_nothing_behind() {
    let mut runner = TestRunner::deterministic();
    let schedules = schedule().crashes(1);
    let network = || {
        let (c, ends) = (Channel::buffered(Buffer::Fifo(2)), Channel::new());
        network!(
            write_once(c.writer(), 1),
            read_once(c.reader()),
            sends(ends.writer(), c.writer()),
            nothing_with(ends.reader())
        )
    };
    for _ in 0..3000 {
        let schedule = schedules.new_tree(&mut runner).unwrap().current();
        assert!(simulate(&schedule, network).is_deadlock_free());
    }
    let audit = csproc::audit();
    assert!(audit.is_clean(), "{audit}");
    // What other tests have at the moment is counted, too; one thing of each run would be more than they have.
    assert!(audit.processes() < 3000 && audit.ends() < 3000 && audit.channels() < 3000, "{audit}");
}

#[process]
fn sends(ends: Writer<Writer<u32>>, end: Writer<u32>) -> csproc::Result<()> {
    Ok(ends.write(end)?)
}

#[process]
fn nothing_with(ends: Reader<Writer<u32>>) {
    drop(ends);
}

#[cfg(feature = "async")]
#[process]
fn reads_in_a_future(input: Reader<u32>) -> Result<u32, ChannelError> {
    let mut read = std::pin::pin!(input.read_async());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::future::Future::poll(read.as_mut(), &mut context) {
        std::task::Poll::Ready(read) => read,
        std::task::Poll::Pending => panic!("nobody will wake it"),
    }
}

#[cfg(feature = "async")]
#[test]
fn a_future_is_refused_by_name() {
    let run = replay("csp1:00", || {
        let c = Channel::new();
        network!(reads_in_a_future(c.reader()), write_once(c.writer(), 1))
    });
    let Some((Err(error), _)) = run.result() else { panic!("{run}") };
    assert!(refused(error).contains("a future"), "{error}");
}

#[process]
fn squares() -> csproc::Result<Vec<u64>> {
    Ok(Pool::new(2)?.map(|x: u64| x * x, 0..5)?)
}

#[test]
fn a_pool_works_or_is_refused() {
    let run = replay("csp1:00", squares);
    match run.result() {
        Some(Ok(squares)) => assert_eq!(*squares, [0, 1, 4, 9, 16]),
        _ => assert!(run.to_string().contains("cannot be simulated"), "{run}"),
    }
}

#[process]
fn meets_another_program() -> Vec<String> {
    let path = std::env::temp_dir().join("csproc-simulated/socket");
    let connected = Manager::connect(&path, b"a secret").map(drop).unwrap_err().to_string();
    match Manager::new() {
        Ok(manager) => vec![connected, manager.serve(&path, b"a secret").unwrap_err().to_string()],
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn other_programs_are_refused_at_once() {
    let run = replay("csp1:00", meets_another_program);
    let Some(told) = run.result() else { panic!("{run}") };
    for refusal in told {
        assert!(refusal.contains("a manager of another program, or for one cannot be simulated"), "{refusal}");
    }
}

#[process]
fn waits_for_a_command() -> csproc::Result<bool> {
    Ok(csproc::toolkit::Command::new("sleep").arg("1000").run(None, None, None)?.success())
}

#[cfg(feature = "crossbeam")]
#[process]
fn waits_for_a_bridge() -> Result<u32, ChannelError> {
    let (_sender, receiver) = crossbeam::channel::unbounded();
    csproc::bridge::crossbeam(receiver).read()
}

#[test]
fn what_comes_from_outside_is_refused_by_whoever_would_wait_for_it() {
    let run = replay("csp1:00", waits_for_a_command);
    let Some(Err(error)) = run.result() else { panic!("{run}") };
    assert!(error.to_string().contains("a bridge, a command or a signal cannot be simulated"), "{error}");
    #[cfg(feature = "crossbeam")]
    {
        let run = replay("csp1:00", waits_for_a_bridge);
        let Some(Err(error)) = run.result() else { panic!("{run}") };
        assert!(refused(error).contains("a bridge, a command or a signal cannot be simulated"), "{error}");
    }
}
