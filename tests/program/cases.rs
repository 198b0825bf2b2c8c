//! What is expected of the programs.
//!
//! Knows nothing of how they are told.

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) const SCENARIO: &str = "CSPROC_TEST_SCENARIO";

/// A test: what is wrong, it panics of.
type Case = fn();

pub(crate) const ALL: &[(&str, Case)] = &[
    ("the_server_has_its_name_before_it_gets_a_processor", names),
    ("law_9_a_program_that_writes_to_itself_fails_with_the_report", writes_to_itself),
    ("law_9_a_program_that_reads_from_itself_is_told", reads_from_itself),
    ("law_9_a_program_alone_is_told_within_100_milliseconds", within_100_milliseconds),
    ("law_12_a_report_that_nobody_looked_at_is_printed_once_however_the_program_ends", printed_once_however_it_ends),
    ("law_12_a_report_that_was_shown_is_not_printed_again", not_printed_again),
    ("law_12_a_report_is_printed_while_the_program_goes_on", printed_while_it_goes_on),
    ("law_9_a_deadlock_with_main_reaches_whoever_reads_the_error_of_main", with_a_child),
    ("one_deadlock_among_many_children_is_printed_once", once_for_many),
    ("the_failure_of_a_child_is_printed_however_the_program_ends", failures_of_children),
    ("a_child_at_work_does_not_keep_a_program_that_fails", at_work),
    ("law_7_what_main_has_kept_retires_before_the_program_waits_for_its_children", retires_what_it_kept),
    ("law_12_a_program_that_waits_long_at_its_end_says_once_for_whom", says_for_whom_it_waits),
    ("law_12_a_program_that_waits_long_at_its_end_ends_though_nobody_hears_it", waits_unheard),
    ("a_process_that_exits_with_ends_held_back_is_told_by_its_code", || {
        let remains = play("a process whose child crashes");
        assert!(remains.status.success(), "{}", remains.stderr);
        remains.says("it was spawned and never joined", 2);
    }),
    ("law_9_a_deadlock_is_found_although_the_system_hides_what_processes_do", || {
        if rustix::process::geteuid().is_root() {
            succeeds("a deadlock without rights");
        } else {
            println!("left out: only root can give up its rights");
        }
    }),
    ("law_13_failures_that_nobody_can_be_told_change_no_end", fails_unheard),
    ("law_13_the_state_is_printed_to_nobody_and_deadlocks_are_found_as_ever", asked_and_unheard),
    ("law_12_a_program_that_does_not_wait_long_at_its_end_says_nothing", || succeeds("a child that ends")),
    ("law_12_a_program_that_waits_for_its_thread_is_in_no_deadlock", || succeeds("wait for a thread")),
    ("law_12_a_main_thread_that_waits_until_some_time_is_in_no_deadlock", || succeeds("wait until some time")),
    ("a_manager_that_nobody_ends_ends_with_the_program", || {
        succeeds("a manager in a static");
        succeeds("a manager that is forgotten");
    }),
    ("a_region_that_a_thread_goes_on_writing_when_main_has_returned_is_nobody_elses", || {
        let remains = play("a region that a thread goes on writing");
        assert!(remains.status.success() && remains.stdout.contains("all mine"), "{}", remains.stderr);
    }),
    ("an_array_that_a_thread_goes_on_changing_when_main_has_returned_is_nobody_elses", || {
        let remains = play("an array that a thread goes on changing");
        assert!(remains.status.success() && remains.stdout.contains("all mine"), "{}", remains.stderr);
    }),
    ("a_program_without_processes_tells_what_it_does", tells_what_it_does),
    ("a_dump_shows_everybody_and_every_channel", shows_everybody),
    ("a_channel_that_only_its_own_messages_can_reach_is_found", || succeeds("tie a knot")),
];

struct Remains {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Remains {
    #[track_caller]
    fn says(&self, text: &str, times: usize) {
        assert_eq!(self.stderr.matches(text).count(), times, "`{text}` in:\n{}", self.stderr);
    }
}

fn command(scenario: &str) -> Command {
    let mut command = crate::ignored::this_program();
    command.env(SCENARIO, scenario).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(scenario: &str) -> Child {
    command(scenario).spawn().unwrap()
}

/// Plays a scenario to its end.
fn play(scenario: &str) -> Remains {
    end_of(start(scenario), scenario)
}

/// Waits for the end of a program, which must come.
fn end_of(mut child: Child, name: &str) -> Remains {
    fn read(from: Option<impl Read>) -> String {
        let mut text = String::new();
        if let Some(mut from) = from {
            from.read_to_string(&mut text).unwrap();
        }
        text
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    guarded(child.id(), name, || {
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stderr = scope.spawn(|| read(stderr));
            (read(stdout), stderr.join().unwrap())
        });
        Remains { status: child.wait().unwrap(), stdout, stderr }
    })
}

/// Kills the program when `body` takes too long.
fn guarded<R>(pid: u32, name: &str, body: impl FnOnce() -> R) -> R {
    let (over, watch) = std::sync::mpsc::channel::<()>();
    let name = String::from(name);
    let dog = std::thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(60)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            eprintln!("watchdog: `{name}` has not ended");
            let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
        }
    });
    let result = body();
    drop(over);
    dog.join().unwrap();
    result
}

fn succeeds(scenario: &str) {
    let remains = play(scenario);
    assert!(remains.status.success(), "{}", remains.stderr);
    assert_eq!(remains.stderr, "");
}

const ALONE: &str = "deadlock: a process waits, and nobody can answer";

/// On one processor, with a priority that its children do not inherit, a program comes to its `main` before the server
/// has run at all. Where such a priority is not allowed, the server may have run.
fn names() {
    const URGENTLY: &str = "if chrt --reset-on-fork --fifo 1 true; then exec chrt --reset-on-fork --fifo 1 \"$0\"; fi; \
        exec \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", URGENTLY]).arg(std::env::current_exe().unwrap()).env(SCENARIO, "say who is there");
    let pinned = std::thread::spawn(move || {
        let all = sched_getaffinity(None).unwrap();
        let mut one = CpuSet::new();
        one.set((0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).unwrap());
        sched_setaffinity(None, &one).unwrap();
        command.output().unwrap()
    });
    let remains = pinned.join().unwrap();
    let own = std::fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(String::from_utf8_lossy(&remains.stdout), format!("{own}csproc-server\n"));
}

fn writes_to_itself() {
    let remains = play("write to itself");
    assert_eq!(remains.status.code(), Some(1));
    remains.says("the channel is poisoned: part of a deadlock", 1);
    remains.says(ALONE, 1);
    let line = include_str!("scenarios.rs").lines().position(|line| line.ends_with("// blocks: write")).unwrap() + 1;
    remains.says(&format!("process `main` at {}:{line}:7", file!().replace("cases", "scenarios")), 1);
    remains.says("waits to write to channel `own`, which nobody answers", 1);
}

fn reads_from_itself() {
    let remains = play("read from itself");
    assert!(remains.status.success());
    assert!(remains.stdout.contains("read [0, 1, 2]"), "{}", remains.stdout);
    remains.says("waits to read from channel `own`, which nobody answers", 1);
}

fn within_100_milliseconds() {
    let mut times = Vec::new();
    for _ in 0..20 {
        let time: u64 = play("say how long").stdout.trim().strip_suffix(" ms").unwrap().parse().unwrap();
        if time <= 100 {
            return;
        }
        times.push(time);
    }
    panic!("it took {times:?} ms");
}

fn printed_once_however_it_ends() {
    for (ending, code) in [("return", 0), ("fail", 1), ("panic", 101), ("exit", 3)] {
        let remains = play(&format!("a helper function fails, then {ending}"));
        assert_eq!(remains.status.code(), Some(code), "{}", remains.stderr);
        remains.says(&format!("csproc: {ALONE}"), 1);
    }
}

fn not_printed_again() {
    let remains = play("show the report");
    assert!(remains.stdout.starts_with(ALONE), "{}", remains.stdout);
    assert_eq!(remains.stderr, "");
    let remains = play("unwrap");
    assert_eq!(remains.status.code(), Some(101));
    remains.says(ALONE, 1);
}

fn printed_while_it_goes_on() {
    let mut child = start("go on");
    guarded(child.id(), "go on", || {
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("which nobody answers") {
            assert!(stderr.read_line(&mut text).unwrap() > 0, "the program has ended: {text}");
        }
        drop(child.stdin.take());
        stderr.read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(text.matches(ALONE).count(), 1, "{text}");
    });
}

fn with_a_child() {
    let remains = play("wait with a child");
    assert_eq!(remains.status.code(), Some(1));
    remains.says("deadlock: 2 processes wait for each other", 1);
    remains.says("waits to write to channel `jobs`, which `pass_on` could answer", 1);
    remains.says("waits to write to channel `results`, which `main` could answer", 1);
}

fn once_for_many() {
    let remains = play("children in a ring");
    assert!(remains.status.success());
    // The program, which waits for them, may be the ninth.
    let told = remains.stderr.matches("processes wait for each other").count();
    assert_eq!(told, 1, "{}", remains.stderr);
}

fn failures_of_children() {
    for (ending, code) in [("return", 0), ("fail", 1), ("panic", 101), ("exit", 3)] {
        let remains = play(&format!("a child that crashes, then {ending}"));
        assert_eq!(remains.status.code(), Some(code), "{}", remains.stderr);
        remains.says("csproc: process `crash` panicked at", 1);
        remains.says("it was spawned and never joined", 1);
    }
}

fn retires_what_it_kept() {
    let remains = play("an end that nobody drops");
    assert!(remains.status.success(), "{}", remains.status);
    assert_eq!((remains.stdout.as_str(), remains.stderr.as_str()), ("Err(Retired)\n", ""));
    // Who fails retires nothing: the process server dies with the program, and takes its children along.
    for ending in ["fail", "panic", "exit"] {
        let remains = play(&format!("an end that nobody drops, then {ending}"));
        assert!(!remains.status.success());
        assert_eq!(remains.stdout, "", "{ending}");
    }
}

fn says_for_whom_it_waits() {
    let mut child = start("children that end when they are told");
    guarded(child.id(), "children that end when they are told", || {
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut pids = String::new();
        stdout.read_line(&mut pids).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let at = |mark: &str| {
            let number = include_str!("scenarios.rs").lines().position(|line| line.ends_with(mark)).unwrap() + 1;
            format!("spawned at {}:{number}:", file!().replace("cases", "scenarios"))
        };
        let [process, kept]: [&str; 2] = pids.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        for part in [
            "csproc: the program is at its end and waits for what it spawned and nobody has joined: ",
            &format!("`until_told` (pid {process}, {}", at("// spawns a process")),
            &format!("`until_told` (on a thread, {}", at("// spawns a thread")),
            &format!("`until_told` (pid {kept}, {}", at("// spawns what is kept alive")),
            &format!("`until_told`, `until_told` ({}", at("// spawns a sequence")),
            "`Child::terminate`",
            "`Child::join`",
        ] {
            assert!(line.contains(part), "`{part}` in: {line}");
        }
        assert!(!line.contains("`ends_at_once`"), "{line}");
        // Long enough to say it again.
        std::thread::sleep(Duration::from_millis(2500));
        stdin.write_all(b"ready").unwrap();
        drop(stdin);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(child.wait().unwrap().success());
    });
}

/// Programs whose standard error nobody reads, or which have none.
fn unheard(scenario: &str) -> [Child; 2] {
    let (nobody, stderr) = std::io::pipe().unwrap();
    drop(nobody);
    [command(scenario).stderr(stderr).spawn().unwrap(), without_stderr(scenario)]
}

fn without_stderr(scenario: &str) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"exec "$0" 2>&-"#]).arg(std::env::current_exe().unwrap()).env(SCENARIO, scenario);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Comes back once a program has been seen to do something.
fn until(child: &mut Child, does: impl Fn(u32) -> bool) {
    guarded(child.id(), "a program that is watched", || {
        while !does(child.id()) {
            assert!(child.try_wait().unwrap().is_none(), "the program has ended without it");
            std::thread::yield_now();
        }
    });
}

fn is_writing_to_stderr(pid: u32) -> bool {
    let write = format!("{} 0x2 ", libc::SYS_write);
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut calls = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("syscall")).ok());
    calls.any(|call| call.starts_with(&write))
}

/// How many bytes a program has written, wherever it was.
fn written(pid: u32) -> u64 {
    let counts = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let count = counts.lines().find_map(|line| line.strip_prefix("wchar: "));
    count.map_or(0, |count| count.parse().unwrap())
}

fn waits_unheard() {
    const WAITS: &str = "children that end when they are told";
    // What is said waits for room in a pipe that is full. Nobody reads it while the program ends, or nobody can.
    for breaks in [false, true] {
        let (nobody, mut full) = std::io::pipe().unwrap();
        full.write_all(&vec![b' '; rustix::pipe::fcntl_getpipe_size(&full).unwrap()]).unwrap();
        let mut child = command(WAITS).stderr(full).spawn().unwrap();
        until(&mut child, is_writing_to_stderr);
        let kept = (!breaks).then_some(nobody);
        drop(child.stdin.take());
        let remains = end_of(child, WAITS);
        assert!(remains.status.success(), "{}", remains.status);
        drop(kept);
    }
    // A program without a standard error says it to `/dev/null`, which the standard library opens in its place.
    let mut child = without_stderr(WAITS);
    let mut pids = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut pids).unwrap();
    let before = written(child.id());
    until(&mut child, |pid| written(pid) > before + 200);
    drop(child.stdin.take());
    let remains = end_of(child, WAITS);
    assert!(remains.status.success(), "{}", remains.status);
}

fn fails_unheard() {
    for (ending, code) in [("return", 0), ("fail", 1), ("panic", 101), ("exit", 3)] {
        for scenario in ["a child that crashes", "a helper function fails", "a process whose child crashes"] {
            let scenario = format!("{scenario}, then {ending}");
            for child in unheard(&scenario) {
                let remains = end_of(child, &scenario);
                assert_eq!(remains.status.code(), Some(code), "{scenario}: {}", remains.status);
            }
        }
    }
}

fn asked_and_unheard() {
    for child in unheard("a deadlock after the state was asked for") {
        let remains = end_of(child, "a deadlock after the state was asked for");
        assert!(remains.status.success(), "{}", remains.status);
        assert_eq!(remains.stdout, "found\n");
    }
}

fn at_work() {
    for ending in ["fail", "panic", "exit"] {
        let start = Instant::now();
        let remains = play(&format!("a child that is at work, then {ending}"));
        assert!(!remains.status.success());
        remains.says("csproc:", 0);
        println!("{ending}: {:?}", start.elapsed());
    }
}

fn tells_what_it_does() {
    let mut child = start("stay");
    guarded(child.id(), "stay", || {
        let looks = |pid: u32| {
            let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
            threads
                .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
                .any(|name| name.trim() == "csproc-deadlock")
        };
        while !looks(child.id()) {
            std::thread::yield_now();
        }
        // The handler is in place a moment after the thread.
        let caught = |pid: u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
            u64::from_str_radix(caught, 16).unwrap() & 1 << (Signal::QUIT.as_raw() - 1) != 0
        };
        while !caught(child.id()) {
            std::thread::yield_now();
        }
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::QUIT).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("  `own`: 1 writers, 1 readers") {
            assert!(stderr.read_line(&mut text).unwrap() > 0, "the program has ended: {text}");
        }
        assert!(text.contains("csproc: processes\n  `main`, process ") && text.contains("      read own\n"), "{text}");
        child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
        assert!(child.wait().unwrap().success());
    });
}

/// The line of a scenario, as it is told.
fn line_of(mark: &str) -> String {
    let number = include_str!("scenarios.rs").lines().position(|line| line.ends_with(mark)).unwrap() + 1;
    format!("{}:{number}", file!().replace("cases", "scenarios"))
}

fn shows_everybody() {
    let child = start("show what everybody does");
    let main = child.id();
    let Remains { status, stdout, stderr } = end_of(child, "show what everybody does");
    assert!(status.success(), "{stderr}");
    let [ended, copy, writer]: [&str; 3] = stdout.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
    // A channel without a name is told by its number, which may be any, as may be the column and the last number.
    let unnamed = stderr.split_once("`: barrier").unwrap().0.rsplit('`').next().unwrap();
    let mut numbers = Vec::new();
    let shown: Vec<String> = stderr
        .lines()
        .map(|line| match (line.split_once(", last number "), line.split_once(" at ")) {
            (Some((line, number)), _) => {
                numbers.push(number.parse::<u64>().unwrap());
                line.replace(unnamed, "UNNAMED")
            }
            (None, Some((_, place))) => String::from(line.strip_suffix(place.rsplit(':').next().unwrap()).unwrap()),
            _ => line.replace(unnamed, "UNNAMED"),
        })
        .collect();
    let waits = format!("    waits, with a timer at {}:", line_of("// shows: waits"));
    assert_eq!(
        shown,
        [
            "csproc: processes",
            &format!("  `main`, process {main}, Running"),
            &format!("    runs; last communicated at {}:", line_of("// shows: the program")),
            &format!("  `ends_at_once`, process {ended}, ended, not joined yet"),
            &format!("  `copy`, process {copy}, Running"),
            &waits,
            "      read next",
            "      sync UNNAMED",
            &format!("  `copy on a thread`, thread of {main}, Running"),
            &waits,
            "      read next",
            "      sync UNNAMED",
            &format!("  `write_to_nobody`, process {writer}, Running"),
            &format!("    waits at {}:", line_of("// shows: writes")),
            "      write refused",
            "csproc: channels",
            "  `jobs`: 1 writers, 2 readers, 0 messages",
            "  `results`: 2 writers, 0 readers, 2 messages",
            "  `next`: 0 writers, 2 readers, 2 readers wait",
            "  `refused`: 1 writers, 1 readers, 1 writers wait",
            "  `dead`: 0 writers, 0 readers, Poisoned",
            "  `ready`: 3 writers, 1 readers",
            "  `UNNAMED`: barrier for 3, 2 parties wait",
        ]
    );
    // Everything was read from `jobs` before it was written to `results`.
    assert!(numbers.len() == 7 && numbers[0] < numbers[1], "{numbers:?}");
}
