//! A failure is kept beside its test with its events and inputs, and tried first the next time.
//!
//! Knows nothing of shrinking.

use csproc::prelude::*;
use csproc::testing::{Schedule, schedule, simulate};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestError, TestRunner};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

#[process]
fn transfer(from: Lock, to: Lock, times: usize) -> csproc::Result<()> {
    for _ in 0..times {
        let _from = from.acquire()?;
        let _to = to.acquire()?;
    }
    Ok(())
}

/// How the program stands.
#[derive(Clone, Copy, PartialEq)]
enum Program {
    Broken,
    Mended,
    /// With other names.
    Renamed,
}

fn transfers(program: Program, times: usize) -> Network<(csproc::Result<()>, csproc::Result<()>)> {
    let (a, b) = (Lock::new(), Lock::new());
    match program {
        Program::Broken => network!(transfer(a.clone(), b.clone(), times), transfer(b, a, times)),
        Program::Mended => network!(transfer(a.clone(), b.clone(), times), transfer(a, b, times)),
        Program::Renamed => {
            network!(transfer(a.clone(), b.clone(), times).named("x"), transfer(a, b, times).named("y"))
        }
    }
}

/// A directory with a source file in it that nobody reads.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let directory = env::temp_dir().join(format!("csproc-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("bank.rs"), "").unwrap();
        Place(directory)
    }

    fn source(&self) -> PathBuf {
        self.0.join("bank.rs")
    }

    fn kept(&self) -> PathBuf {
        self.0.join("csproc-regressions").join("bank.tests.no_deadlock.txt")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.kept()).unwrap()
    }

    fn forget_seeds(&self) {
        fs::remove_file(self.0.join("bank.seeds")).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// As `proptest!` has it for a test in a source file.
fn config(source: &Path) -> Config {
    Config {
        cases: 100,
        rng_seed: RngSeed::Fixed(7),
        source_file: Some(Box::leak(source.to_str().unwrap().into())),
        test_name: Some("bank::tests::no_deadlock"),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..Config::default()
    }
}

/// What was tried: the schedule before it was used, the number of times, and the schedule after it was used.
type Tried = (String, usize, String);

struct Seen {
    tried: Vec<Tried>,
    failure: Option<String>,
}

/// Runs the property with the inputs before the schedule.
fn run(config: Config, program: Program) -> Seen {
    let tried = RefCell::new(Vec::new());
    let result = TestRunner::new(config)
        .run(&(1..20usize, schedule()), |(times, schedule)| try_one(&tried, program, times, &schedule));
    seen(tried, result)
}

/// Runs the property without inputs.
fn run_without_inputs(config: Config, program: Program) -> Seen {
    let tried = RefCell::new(Vec::new());
    let result = TestRunner::new(config).run(&schedule(), |schedule| try_one(&tried, program, 1, &schedule));
    seen(tried, result)
}

fn try_one(
    tried: &RefCell<Vec<Tried>>,
    program: Program,
    times: usize,
    schedule: &Schedule,
) -> Result<(), TestCaseError> {
    let before = format!("{schedule:?}");
    let run = simulate(schedule, || transfers(program, times));
    tried.borrow_mut().push((before, times, String::from(run.token())));
    prop_assert!(run.is_deadlock_free(), "{run}");
    Ok(())
}

fn seen<T: std::fmt::Debug>(tried: RefCell<Vec<Tried>>, result: Result<(), TestError<T>>) -> Seen {
    Seen { tried: tried.into_inner(), failure: result.err().map(|error| error.to_string()) }
}

/// The place of the first schedule that was decided by nobody's dice.
fn first_kept(seen: &Seen) -> Option<usize> {
    seen.tried.iter().position(|(before, ..)| before.starts_with("csp1:"))
}

#[test]
fn a_failure_is_kept_with_its_events_and_comes_first_with_the_same_inputs() {
    let place = Place::new("inputs");
    let first = run(config(&place.source()), Program::Broken);
    let failed = &first.tried[first_kept(&first).expect("it is shrunk") - 1];
    assert!(first.failure.is_some() && failed.0.starts_with("dice"));
    let text = place.text();
    assert!(text.contains("`bank::tests::no_deadlock`"), "{text}");
    assert!(text.contains("    1. `transfer#"), "{text}");
    assert_eq!((text.matches("failure csp1:").count(), text.matches("found csp1:").count()), (1, 1), "{text}");
    // The inputs had been shrunk before the schedule was: what comes again is the first run that failed.
    let again = run(config(&place.source()), Program::Broken);
    assert!(again.failure.is_some());
    let (before, times, after) = &again.tried[0];
    assert_eq!((before, *times, after), (&failed.2, failed.1, &failed.2));
    assert_eq!(place.text().matches("failure csp1:").count(), 1);
    // It is mended, and tried first as ever.
    let mended = run(config(&place.source()), Program::Mended);
    assert!(mended.failure.is_none());
    assert_eq!((first_kept(&mended), mended.tried[0].1), (Some(0), failed.1));
    assert_eq!(mended.tried.len(), 101);
    assert_eq!(place.text().matches("failure csp1:").count(), 1);
}

#[test]
fn a_failure_without_inputs_comes_first_as_its_smallest_schedule_without_proptests_file_too() {
    let place = Place::new("no-inputs");
    run_without_inputs(config(&place.source()), Program::Broken);
    let text = place.text();
    let token = text.lines().find_map(|line| line.strip_prefix("failure ")).expect("a token");
    assert!(!text.contains("found csp1:"), "{text}");
    for has_seeds in [true, false] {
        if !has_seeds {
            place.forget_seeds();
        }
        let again = run_without_inputs(config(&place.source()), Program::Broken);
        assert_eq!((again.tried[0].0.as_str(), again.tried[0].2.as_str()), (token, token));
        assert!(again.failure.is_some_and(|text| text.contains("deadlock after 2 events")));
        assert_eq!(place.text().matches("failure csp1:").count(), 1);
    }
    // The seed of the last failure is the one that its schedule belongs to now.
    let mended = run_without_inputs(config(&place.source()), Program::Mended);
    assert_eq!((mended.tried.len(), first_kept(&mended)), (101, Some(0)));
}

#[test]
fn the_seed_of_another_failure_keeps_its_own_schedule() {
    let place = Place::new("others");
    run_without_inputs(config(&place.source()), Program::Broken);
    // A seed from before, of which no schedule was kept.
    let kept = fs::read_to_string(place.kept()).unwrap();
    let other = kept.lines().map(|line| if line.starts_with("case ") { "case 1" } else { line });
    fs::write(place.kept(), other.collect::<Vec<_>>().join("\n")).unwrap();
    let seen = run_without_inputs(config(&place.source()), Program::Mended);
    assert_eq!((seen.tried.len(), first_kept(&seen)), (101, Some(1)));
}

#[test]
fn nothing_is_kept_where_proptest_keeps_nothing() {
    let place = Place::new("off");
    let off: [Option<Box<dyn proptest::test_runner::FailurePersistence>>; 2] =
        [None, Some(Box::new(FileFailurePersistence::Off))];
    for failure_persistence in off {
        let config = Config { failure_persistence, ..config(&place.source()) };
        assert!(run(config, Program::Broken).failure.is_some());
    }
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 1);
}

/// Run by the test below, in a process of its own.
#[test]
fn victim() {
    let source = env::var("CSPROC_VICTIM_SOURCE").unwrap_or_else(|_| String::from("nowhere.rs"));
    let program = match env::var("CSPROC_VICTIM").as_deref() {
        Ok("broken") => Program::Broken,
        Ok("renamed") => Program::Renamed,
        _ => Program::Mended,
    };
    let seen = run_without_inputs(config(Path::new(&source)), program);
    assert!(seen.failure.is_none(), "{}", seen.failure.unwrap_or_default());
}

/// What a test program says on standard error, and whether it fails.
fn watch(place: &Place, program: &str) -> (String, bool) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "regressions::victim"])
        .env("CSPROC_VICTIM_SOURCE", place.source())
        .env("CSPROC_VICTIM", program)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (text, output.status.success())
}

#[test]
fn a_person_is_told_where_it_is_kept_and_whether_it_passes_or_is_stale() {
    let place = Place::new("told");
    let kept = format!("{}", place.kept().display());
    let (text, passes) = watch(&place, "broken");
    assert!(!passes && text.contains(&format!("csproc: the failure is kept in {kept}")), "{text}");
    // Also where the harness shows nothing of a test that passes; and once.
    let (text, passes) = watch(&place, "mended");
    assert!(passes && text.contains(&format!("csproc: the failure in {kept}:5 passes now\n")), "{text}");
    let (text, passes) = watch(&place, "mended");
    assert!(passes && !text.contains("csproc:") && place.text().contains("\npasses now\n"), "{text}");
    let (text, passes) = watch(&place, "renamed");
    assert!(
        passes && text.contains(&format!("csproc: the failure in {kept}:5 is stale: its event 1 was `transfer#")),
        "{text}"
    );
    assert!(text.contains("and would be `x passes") || text.contains("and would be `y passes"), "{text}");
    assert_eq!(text.matches("stale").count(), 1, "{text}");
    let (text, passes) = watch(&place, "broken");
    assert!(!passes && text.contains("deadlock after 2 events") && !place.text().contains("passes now"), "{text}");
}

#[test]
fn a_test_fails_as_ever_where_its_failure_cannot_be_kept() {
    let place = Place::new("unwritable");
    fs::write(place.0.join("csproc-regressions"), "a file in the place of the directory").unwrap();
    let (text, passes) = watch(&place, "broken");
    assert!(!passes && text.contains("deadlock after 2 events"), "{text}");
    assert!(text.contains("csproc: the failure is not kept: "), "{text}");
    assert!(text.contains("csproc: the failures in ") && text.contains("cannot be read"), "{text}");
}
