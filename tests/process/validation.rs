//! Law 11: arguments and options are validated before anything is done; and where no process can be started, the error
//! says why.
//!
//! Knows nothing of messages that are refused by a channel.

use crate::harness::cast::hear;
use crate::harness::scenario::{Scenario, command, output};
use csproc::prelude::*;
use csproc::{Failure, MessageError, StartError};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("no server", no_server),
    ("an arena of nonsense", processes_work),
    ("everything on threads", everything_on_threads),
    ("a placement of nonsense", a_placement_of_nonsense),
    ("a directory that is gone", a_directory_that_is_gone),
];

/// Refuses to be serialized.
#[derive(Deserialize)]
struct Unwilling;

impl Serialize for Unwilling {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it does not want to"))
    }
}

/// Can be serialized, but not be made again.
#[derive(Serialize)]
struct Irretrievable;

impl<'de> Deserialize<'de> for Irretrievable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Irretrievable, D::Error> {
        Err(serde::de::Error::custom("it is gone"))
    }
}

#[process]
fn take<T: Message>(_value: T, _out: Writer<u64>) {}

#[process]
fn make_unwilling() -> Unwilling {
    Unwilling
}

#[process]
fn make_irretrievable() -> Irretrievable {
    Irretrievable
}

#[process]
fn say(out: Writer<u64>) -> bool {
    out.write(1).is_ok()
}

/// Can be serialized so often.
#[derive(Deserialize)]
struct Weary(bool);

static SERIALIZED: AtomicU32 = AtomicU32::new(0);

impl Serialize for Weary {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Once when the process is made, twice for the template and the first start.
        assert!(SERIALIZED.fetch_add(1, Ordering::Relaxed) < 3, "weary of it");
        serializer.serialize_newtype_struct("Weary", &self.0)
    }
}

#[process]
fn crash_weary(_value: Weary) {
    std::process::abort();
}

#[process]
fn whereabouts() -> (u32, Placement) {
    (std::process::id(), csproc::current().placement())
}

#[process]
fn own_id() -> u32 {
    std::process::id()
}

#[process]
fn directory() -> Option<std::path::PathBuf> {
    std::env::current_dir().ok()
}

fn everything_on_threads() {
    assert_eq!(csproc::current().placement(), Placement::Process);
    let placement = || whereabouts().on(Placement::Process);
    let here = (std::process::id(), Placement::Thread);
    assert_eq!(Parallel!(placement(), whereabouts().on(Placement::Thread)).unwrap(), (here, here));
    assert_eq!(Spawn!(placement()).unwrap().join().unwrap(), here);
    let mut supervisor = csproc::Supervisor::new(csproc::Strategy::OneForOne);
    let place = supervisor.child(placement());
    assert_eq!(supervisor.run().unwrap().get(place), Some(here));
}

fn a_placement_of_nonsense() {
    let c = Channel::new();
    let r = c.reader();
    let error = take(7, c.writer()).run().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("CSPROC_PLACEMENT: `green` is no placement: write `process` or `thread`"), "{text}");
    assert!(matches!(error.failures()[0], Failure::Start { source: StartError::Unavailable { .. }, .. }), "{error:?}");
    assert!(r.read().unwrap_err().is_poisoned(), "nobody waits for a process that could not be started");
}

over_both! {
    fn law_11_an_argument_that_cannot_be_serialized_is_a_failure_to_start(placement) {
        let c = Channel::new();
        let r = c.reader();
        let error = take(Unwilling, c.writer()).on(placement).run().unwrap_err();
        let [Failure::Start { process, source: StartError::Arguments(MessageError::Encode { type_name, .. }), .. }] =
            error.failures()
        else {
            panic!("{error:?}");
        };
        assert!(process == "take" && type_name.contains("Unwilling"), "{error}");
        assert!(error.to_string().starts_with("process `take` could not be started: "), "{error}");
        assert!(r.read().is_err(), "the ends among its arguments are given up");
        let copies = Parallel!(take(Unwilling, c.writer()).on(placement) * 3).unwrap_err();
        assert_eq!(copies.failures().len(), 3);
    }

    /// The other processes of the network are not begun: nobody sees a value of a network that could not be started.
    fn law_11_nothing_starts_when_an_argument_is_refused(placement) {
        let (c, d) = (Channel::new(), Channel::new());
        let r = c.reader();
        let child = std::thread::spawn(move || r.read());
        let error = Parallel!(say(c.writer()).on(placement), take(Unwilling, d.writer()).on(placement)).unwrap_err();
        assert!(matches!(error.failures()[0], Failure::Start { .. }), "{error}");
        assert!(child.join().unwrap().is_err(), "the other process has run");
    }

    fn law_11_a_spawn_with_a_refused_argument_is_an_error_at_once(placement) {
        let c = Channel::new();
        let error = Spawn!(take(Unwilling, c.writer()).on(placement)).unwrap_err();
        assert!(matches!(error.failures()[0], Failure::Start { .. }), "{error}");
    }

    fn an_argument_that_cannot_be_made_again_is_an_error_of_its_process(placement) {
        let c = Channel::new();
        let r = c.reader();
        let error = take(Irretrievable, c.writer()).named("taker").on(placement).run().unwrap_err();
        assert_eq!(error.failures()[0].process(), "taker");
        assert!(error.to_string().contains("Irretrievable"), "{error}");
        assert!(r.read().is_err());
    }

    fn a_result_that_cannot_be_handed_over_is_an_error_of_its_process(placement) {
        let error = make_unwilling().on(placement).run().err().unwrap();
        assert_eq!(error.failures()[0].process(), "make_unwilling");
        assert!(error.to_string().contains("Unwilling"), "{error}");
    }

    fn a_result_that_cannot_be_read_is_told_as_such_with_its_process_and_the_others_are_kept(placement) {
        let error = Parallel!(
            own_id().on(placement),
            for _ in 0..2 => make_irretrievable().on(placement),
            own_id().on(placement).named("after"),
        )
        .err()
        .unwrap();
        let [Failure::Unreadable { process, source: MessageError::Decode { .. }, .. }] = error.failures() else {
            panic!("{error:?}");
        };
        assert_eq!(process, "make_irretrievable[0]");
        let text = error.to_string();
        assert!(text.contains("what process `make_irretrievable[0]` returned cannot be read: "), "{error}");
        assert!(!text.contains("argument") && !text.contains("started"), "{error}");
        assert!(error.results().of::<u32>("after").is_some());
    }
}

alone! {
    /// The thread that starts it again runs the user's `Serialize`.
    fn a_panic_in_the_copy_of_an_argument_is_a_failure_of_its_process_and_not_a_missing_result() {
        for sequence in [false, true] {
            SERIALIZED.store(0, Ordering::Relaxed);
            let again = OnCrash::Restart { max: 3, within: Duration::from_secs(3600) };
            let weary = crash_weary(Weary(true)).on_crash(again);
            let error = match sequence {
                false => Parallel!(weary, own_id()).unwrap_err(),
                true => Parallel!(Sequence!(weary), own_id()).unwrap_err(),
            };
            let [Failure::Start { process, source: StartError::Starter { reason }, .. }] = error.failures() else {
                panic!("{error:?}");
            };
            assert!(process == "crash_weary" && reason.contains("weary of it"), "{error}");
            assert!(error.results().of::<u32>("own_id").is_some());
        }
    }
}

once! {
    fn a_variable_puts_every_process_on_a_thread_or_is_refused() {
        for (scenario, placement) in [("everything on threads", "thread"), ("a placement of nonsense", "green")] {
            let (mut command, _) = command(scenario);
            command.env("CSPROC_PLACEMENT", placement);
            let remains = output(command);
            assert!(remains.status.success(), "{remains:?}");
        }
    }

    fn without_a_server_the_error_says_why_and_threads_work() {
        let (mut command, _) = command("no server");
        command.env("CSPROC_FORKSERVER", "0");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn an_arena_of_nonsense_is_complained_about_and_ignored() {
        let (mut command, _) = command("an arena of nonsense");
        command.env("CSPROC_ARENA", "enormous");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
        assert_eq!(remains.stderr.matches("CSPROC_ARENA=enormous is not a size").count(), 1, "{}", remains.stderr);
    }

    fn a_directory_that_is_gone_is_not_replaced_by_another() {
        let remains = output(command("a directory that is gone").0);
        assert!(remains.status.success(), "{remains:?}");
    }
}

fn no_server() {
    let (c, w) = (Channel::new(), Channel::<u64>::new());
    let r = c.reader();
    for attempt in [take(1_u8, c.writer()).run(), Parallel!(take(1_u8, w.writer()))] {
        let error = attempt.unwrap_err();
        assert!(
            matches!(&error.failures()[0], Failure::Start { source: StartError::Unavailable { .. }, .. }),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.contains("CSPROC_FORKSERVER=0") && text.contains("Placement::Thread"), "{text}");
    }
    assert!(Spawn!(own_id()).is_err());
    assert!(r.read().is_err());
    assert_eq!(own_id().on(Placement::Thread).run().unwrap(), std::process::id());
    let c = Channel::new();
    let (said, heard) =
        Parallel!(say(c.writer()).on(Placement::Thread), hear(c.reader()).on(Placement::Thread)).unwrap();
    assert!(said && heard == Some(1));
    assert!(crate::harness::system::server().is_none());
}

fn processes_work() {
    assert_ne!(own_id().run().unwrap(), std::process::id());
}

fn a_directory_that_is_gone() {
    let gone = std::env::temp_dir().join(format!("csproc-gone-{}", std::process::id()));
    std::fs::create_dir(&gone).unwrap();
    std::env::set_current_dir(&gone).unwrap();
    std::fs::remove_dir(&gone).unwrap();
    // Either the process stands in the same place, or it is not started; it never stands in another.
    match directory().run() {
        Ok(place) => assert_eq!(place, None),
        Err(error) => assert!(matches!(error.failures()[0], Failure::Start { .. }), "{error}"),
    }
}
