//! What the threads of a process are doing, as far as the system tells.
//!
//! Knows nothing of contexts. It only answers whether every thread that is not known otherwise waits for another thread
//! of its own process, and whether it has done so all the time since it was asked before: such threads do nothing
//! unless somebody else in the process does. Where the system does not tell, or tells what may have several meanings,
//! the answer is no.

use parking_lot::Mutex;
use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
const FUTEX: u64 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: u64 = 98;

/// Operations that wait, without their options: WAIT, LOCK_PI, WAIT_BITSET, LOCK_PI2.
const WAITS: [u64; 4] = [0, 6, 9, 13];
const OPERATION: u64 = 0x7f;
const PRIVATE: u64 = 0x80;

/// Signals whose handlers wake nobody: what the standard library and the C library handle for themselves, and what this
/// library does; the last two are its own only in the processes that it starts.
const OWN_HANDLERS: [i32; 7] = [libc::SIGSEGV, libc::SIGBUS, 32, 33, libc::SIGQUIT, libc::SIGINT, libc::SIGABRT];

/// Threads of this process that belong to the library.
static OWN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

thread_local! {
    static MARK: Mark = Mark(current());
}

/// A thread in [`OWN`], until it ends: the system gives its number to another one.
struct Mark(u32);

impl Drop for Mark {
    fn drop(&mut self) {
        OWN.lock().retain(|thread| *thread != self.0);
    }
}

/// The number of the calling thread.
pub(crate) fn current() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// The calling thread belongs to the library: what it does makes no difference to a program that waits.
pub(crate) fn does_not_count() {
    MARK.with(|mark| OWN.lock().push(mark.0));
}

/// Threads that only wait, in order, and how often the system has switched away from each.
pub(crate) type Rest = Vec<(u32, u64)>;

/// All threads of a process but those in `known`, if each of them only waits for another thread of the process, or is
/// one of those that wait for a `bell` of the library. The answer is the same again if none of them has run in between.
pub(crate) fn rest(pid: u32, known: &[u32], at_bells: &[u32]) -> Option<Rest> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let is_own = pid == std::process::id();
    let own = if is_own { OWN.lock().clone() } else { Vec::new() };
    let threads = tasks.flatten().filter_map(|task| task.file_name().to_string_lossy().parse::<u32>().ok());
    let mut rest = Rest::new();
    let mut handlers = None;
    for thread in threads.filter(|thread| !known.contains(thread) && !own.contains(thread)) {
        // The first thread of a process of ours waits in the library for the one that runs its function, to the end.
        // The system may hide what a process does that has changed its credentials, but not how often it was switched.
        let of_library = !is_own && thread == pid;
        let does =
            if of_library { switches(pid, thread).map_or(Doing::Acts, Doing::Waits) } else { doing(pid, thread) };
        match does {
            Doing::Acts if at_bells.contains(&thread) => rest.push((thread, waits_at_bell(pid, thread)?)),
            // A signal handler may be all that such a thread waits for.
            Doing::Waits(switches) if *handlers.get_or_insert_with(|| has_handlers(pid)) == Some(false) => {
                rest.push((thread, switches));
            }
            Doing::WaitsUntil if is_own && thread == pid && is_test_program() => (),
            _ => return None,
        }
    }
    rest.sort_unstable();
    Some(rest)
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// It waits for another thread of its process, and has been switched away from so often.
    Waits(u64),
    /// The same, until some time.
    WaitsUntil,
    /// Anything else, as far as is known; or it has ended meanwhile, and was the last to do something.
    Acts,
}

fn doing(pid: u32, thread: u32) -> Doing {
    let Some(before) = switches(pid, thread) else { return Doing::Acts };
    match waits(pid, thread) {
        Some(0) if switches(pid, thread) == Some(before) => Doing::Waits(before),
        Some(deadline) if deadline != 0 => Doing::WaitsUntil,
        _ => Doing::Acts,
    }
}

/// How often a thread has been switched away from that waits for a bell, which others may ring; `None` if it does not.
fn waits_at_bell(pid: u32, thread: u32) -> Option<u64> {
    let before = switches(pid, thread)?;
    let waits = futex_call(pid, thread).is_some() && switches(pid, thread) == Some(before);
    waits.then_some(before)
}

/// The address of the deadline with which a thread waits for another one of its process, or zero; `None` if it does
/// not.
fn waits(pid: u32, thread: u32) -> Option<u64> {
    let [address, operation, _value, deadline] = futex_call(pid, thread)?;
    // Other programs may wake whoever waits in memory that they share. `pthread_join` does not say that its word is
    // private.
    (operation & PRIVATE != 0 || is_private(pid, address)).then_some(deadline)
}

/// The arguments with which a thread waits on a futex; `None` if it does not.
fn futex_call(pid: u32, thread: u32) -> Option<[u64; 4]> {
    // The number of the call and its arguments; `running` otherwise.
    let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/syscall")).ok()?;
    let mut fields = text.split_whitespace();
    let call: u64 = fields.next()?.parse().ok()?;
    let mut arguments = fields.map_while(|field| u64::from_str_radix(field.trim_start_matches("0x"), 16).ok());
    let arguments = [arguments.next()?, arguments.next()?, arguments.next()?, arguments.next()?];
    (call == FUTEX && WAITS.contains(&(arguments[1] & OPERATION))).then_some(arguments)
}

fn switches(pid: u32, thread: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).ok()?;
    let count = |name: &str| -> Option<u64> { field(&status, name)?.parse().ok() };
    Some(count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Whether a process handles any signal that might wake one of its threads.
fn has_handlers(pid: u32) -> Option<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let caught = u64::from_str_radix(field(&status, "SigCgt:")?, 16).ok()?;
    let own = if pid == std::process::id() { &OWN_HANDLERS[..5] } else { &OWN_HANDLERS[..] };
    Some(own.iter().fold(caught, |caught, signal| caught & !(1 << (signal - 1))) != 0)
}

/// Whether an address lies in memory that no other process has.
fn is_private(pid: u32, address: u64) -> bool {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else { return false };
    let mapping = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        (number(start)? <= address && address < number(end)?).then_some(rest)
    });
    mapping.is_some_and(|rest| rest.as_bytes().get(3) == Some(&b'p'))
}

/// Whether this program is one of tests, whose main thread starts them on threads of their own, waits for them with a
/// deadline, and never runs any code of the user's.
fn is_test_program() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    // The processes in which rustdoc runs examples have the harness in them, too, and run one example on the main
    // thread.
    *KNOWN.get_or_init(|| std::env::var_os("RUSTDOC_DOCTEST_RUN_NB_TEST").is_none() && has_harness() == Some(true))
}

/// Whether the function is linked in with which the harness of the standard library starts. A program without symbols
/// does not say.
fn has_harness() -> Option<bool> {
    const SYMBOLS: u32 = 2;
    /// Part of the name in either way of mangling; the crate `test` cannot have another of this name.
    const HARNESS: &str = "4test16test_main_static";
    const PIECE: u64 = 64 << 10;
    const OVERLAP: u64 = HARNESS.len() as u64;
    let file = fs::File::open("/proc/self/exe").ok()?;
    let bytes = |offset: u64, length: u64| {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    };
    let number = |bytes: &[u8], at: usize, length: usize| -> Option<u64> {
        Some(bytes.get(at..at + length)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    // The sections of a 64-bit ELF file: where they are, how long each entry is, and how many there are.
    let header = bytes(0, 64)?;
    let (offset, length, count) = (number(&header, 40, 8)?, number(&header, 58, 2)?, number(&header, 60, 2)?);
    let sections = bytes(offset, length * count)?;
    let section = |index: u64| sections.get(usize::try_from(index * length).ok()?..);
    let symbols = (0..count).filter_map(section).find(|section| number(section, 4, 4) == Some(SYMBOLS.into()))?;
    let names = section(number(symbols, 40, 4)?)?;
    let (start, length) = (number(names, 24, 8)?, number(names, 32, 8)?);
    // Piece by piece: there may be many megabytes of names. Each piece overlaps the one before.
    let pieces = (start..start + length).step_by((PIECE - OVERLAP) as usize);
    let mut pieces = pieces.map_while(|at| bytes(at, PIECE.min(start + length - at)));
    Some(pieces.any(|piece| String::from_utf8_lossy(&piece).contains(HARNESS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// Runs `wait` on a thread, which tells its number first.
    fn while_waiting(wait: impl FnOnce() + Send, look: impl FnOnce(u32)) {
        let (say, said) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                say.send(current()).unwrap();
                wait();
            });
            look(said.recv().unwrap());
        });
    }

    fn until_asleep(thread: u32) {
        let stat = format!("/proc/self/task/{thread}/stat");
        while !fs::read_to_string(&stat).unwrap().rsplit(')').next().unwrap().starts_with(" S") {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_thread_that_computes_does_not_only_wait() {
        assert_eq!(doing(std::process::id(), current()), Doing::Acts);
    }

    #[test]
    fn a_thread_that_waits_for_another_one_only_waits_and_shows_that_it_has_run() {
        let pid = std::process::id();
        let (hold, held) = mpsc::channel::<()>();
        let wait = move || while held.recv().is_ok() {};
        while_waiting(wait, |thread| {
            until_asleep(thread);
            let first = doing(pid, thread);
            assert!(matches!(first, Doing::Waits(_)));
            assert_eq!(doing(pid, thread), first);
            hold.send(()).unwrap();
            // It waits again, as before, but it has run.
            while !matches!(doing(pid, thread), now @ Doing::Waits(_) if now != first) {
                std::thread::yield_now();
            }
            drop(hold);
        });
    }

    #[test]
    fn a_thread_that_joins_another_one_only_waits() {
        let (hold, held) = mpsc::channel::<()>();
        let joined = std::thread::spawn(move || held.recv());
        while_waiting(
            || _ = joined.join(),
            |thread| {
                until_asleep(thread);
                assert!(matches!(doing(std::process::id(), thread), Doing::Waits(_)));
                drop(hold);
            },
        );
    }

    #[test]
    fn a_thread_that_waits_with_a_deadline_may_act() {
        let (hold, held) = mpsc::channel::<()>();
        while_waiting(
            move || _ = held.recv_timeout(Duration::from_secs(3600)),
            |thread| {
                until_asleep(thread);
                assert_eq!(doing(std::process::id(), thread), Doing::WaitsUntil);
                drop(hold);
            },
        );
    }

    #[test]
    fn the_harness_is_found_in_a_program_of_tests() {
        assert!(is_test_program());
    }
}
