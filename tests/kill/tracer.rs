//! Runs one thread of another process instruction by instruction, and kills the process after a chosen one.
//!
//! Knows nothing of channels. The traced thread says where it begins and ends by raising a signal, which the tracer
//! swallows. What happens between two changes of the shared memory cannot be told apart by anybody who survives; so the
//! tracer can also say after which instructions the shared memory was another. A place once seen is reached again with
//! a breakpoint and a count, for all processes of a program have their code at the same addresses.

use nix::errno::Errno;
use nix::libc::user_regs_struct;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

const BEGIN: Signal = Signal::SIGUSR1;
const END: Signal = Signal::SIGUSR2;
/// As many bytes as the largest record of the engine has.
const WINDOW: usize = 512;
/// A thread that is still in a system call after this time is looked at.
const SOON: Duration = Duration::from_micros(300);

/// In the traced process: runs `operation` between the two marks.
pub(crate) fn stepped<R>(operation: impl FnOnce() -> R) -> R {
    begin();
    let result = operation();
    end();
    result
}

/// In the traced thread: the first mark, once somebody traces it.
pub(crate) fn begin() {
    while !is_traced() {
        std::thread::yield_now();
    }
    raise(BEGIN).unwrap();
}

/// In the traced thread: the second mark.
pub(crate) fn end() {
    raise(END).unwrap();
}

fn is_traced() -> bool {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
}

/// How far the traced thread may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// To its end, step by step.
    Never,
    /// To its end, without a look at each step.
    Unwatched,
    /// Killed after so long.
    Later(Duration),
    /// Killed before the instruction at this address is executed for the time with this number.
    Before { address: u64, time: u64 },
}

/// What the traced thread came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    /// The addresses of all instructions executed, if they were executed step by step.
    pub(crate) path: Vec<u64>,
    /// The numbers of instructions executed after which the shared memory was another.
    pub(crate) changes: Vec<usize>,
    /// How often it slept.
    pub(crate) slept: u64,
    /// It came to its end mark.
    pub(crate) finished: bool,
    /// It was killed, before or after that.
    pub(crate) killed: bool,
}

impl Walk {
    /// The cut after so many instructions.
    pub(crate) fn cut_after(&self, count: usize) -> Cut {
        match self.path.get(count) {
            None => Cut::Before { address: u64::MAX, time: 0 },
            Some(address) => {
                let time = self.path[..count].iter().filter(|other| *other == address).count() as u64;
                Cut::Before { address: *address, time }
            }
        }
    }
}

/// Why nobody can be traced here, if the system forbids it.
pub(crate) fn forbidden() -> Option<String> {
    let mut other = std::process::Command::new("sleep").arg("60").spawn().ok()?;
    let seized = ptrace::seize(Pid::from_raw(other.id().cast_signed()), Options::empty());
    other.kill().unwrap();
    other.wait().unwrap();
    (seized == Err(Errno::EPERM)).then(|| String::from("the system does not permit ptrace (EPERM)"))
}

fn threads(pid: u32) -> impl Iterator<Item = u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process to be traced is alive");
    tasks.flatten().filter_map(|task| task.file_name().to_string_lossy().parse().ok())
}

/// The thread that runs the function of a process: not its first one.
fn user_thread(pid: u32) -> u32 {
    loop {
        if let Some(thread) = threads(pid).find(|thread| *thread != pid) {
            return thread;
        }
        std::thread::yield_now();
    }
}

/// Follows the user's thread of process `pid` from its begin mark. `asleep` is called once, when the thread sleeps in
/// its operation; `stopped` while it is stopped where it will be killed.
pub(crate) fn walk(pid: u32, cut: Cut, asleep: &mut dyn FnMut(), stopped: &mut dyn FnMut()) -> Walk {
    walk_thread(pid, user_thread(pid), cut, asleep, stopped)
}

/// As [`walk`], for this thread of several that the process has.
pub(crate) fn walk_thread(
    pid: u32,
    thread: u32,
    cut: Cut,
    asleep: &mut dyn FnMut(),
    stopped: &mut dyn FnMut(),
) -> Walk {
    let number = |thread: u32| Pid::from_raw(thread.cast_signed());
    let (others, thread) =
        (threads(pid).filter(|other| *other != thread).map(number).collect::<Vec<_>>(), number(thread));
    ptrace::seize(thread, Options::PTRACE_O_EXITKILL).unwrap();
    until(thread, BEGIN);
    // The others are about to sleep for ever, and must not run into a breakpoint before.
    while !others.iter().copied().all(sleeps) {
        std::thread::yield_now();
    }
    let mut walk = Walk::default();
    match cut {
        Cut::Never => step_to_the_end(thread, &mut walk, asleep),
        Cut::Unwatched => run(thread, &mut walk, asleep),
        Cut::Later(time) => {
            run_for(thread, time, &mut walk);
            kill_traced(pid, thread);
            walk.killed = true;
            return walk;
        }
        Cut::Before { address, time } => {
            run_before(thread, address, time, &mut walk, asleep);
            stopped();
            kill_traced(pid, thread);
            walk.killed = true;
            return walk;
        }
    }
    ptrace::detach(thread, None).unwrap();
    walk
}

fn step_to_the_end(thread: Pid, walk: &mut Walk, asleep: &mut dyn FnMut()) {
    // On one processor a step costs a switch and no interrupt to another processor.
    let processors = sched_getaffinity(None).unwrap();
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).unwrap();
    sched_setaffinity(rustix::process::Pid::from_raw(thread.as_raw()), &here).unwrap();
    let memory = SharedMemory::find();
    let mut system_calls = HashMap::new();
    while !walk.finished {
        let registers = ptrace::getregs(thread).unwrap();
        let address = registers.rip;
        let before = memory.near(&registers);
        let is_system_call = *system_calls.entry(address).or_insert_with(|| at_system_call(thread, address));
        walk.path.push(address);
        ptrace::step(thread, None).unwrap();
        let stop = next_stop(thread, is_system_call, walk, asleep);
        note(stop, walk);
        if before.iter().any(|(place, bytes)| memory.read(*place) != *bytes) {
            walk.changes.push(walk.path.len());
        }
    }
    sched_setaffinity(None, &processors).unwrap();
}

/// Lets the thread run to its end mark or to a breakpoint.
fn run(thread: Pid, walk: &mut Walk, asleep: &mut dyn FnMut()) {
    ptrace::cont(thread, None).unwrap();
    let stop = next_stop(thread, true, walk, asleep);
    note(stop, walk);
}

fn run_for(thread: Pid, time: Duration, walk: &mut Walk) {
    let start = Instant::now();
    ptrace::cont(thread, None).unwrap();
    while !walk.finished && start.elapsed() < time {
        match waitpid(thread, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)).unwrap() {
            WaitStatus::StillAlive => std::thread::yield_now(),
            WaitStatus::Stopped(_, stop) => note(stop, walk),
            other => panic!("the traced thread came to {other:?}"),
        }
    }
}

fn note(stop: Signal, walk: &mut Walk) {
    match stop {
        Signal::SIGTRAP => (),
        END => walk.finished = true,
        other => panic!("the traced thread got {other}"),
    }
}

/// Lets the thread run until it has executed the instruction at `address` so many times and comes to it again. The
/// breakpoint is the instruction `int3` in its place, as every debugger does it; the process has its own copy of the
/// page.
fn run_before(thread: Pid, address: u64, times: u64, walk: &mut Walk, asleep: &mut dyn FnMut()) {
    if address == u64::MAX {
        return run(thread, walk, asleep);
    }
    let here = std::ptr::without_provenance_mut(address as usize);
    let word = ptrace::read(thread, here).unwrap();
    let broken = word & !0xff | 0xcc;
    let is_system_call = word.to_ne_bytes().starts_with(&SYSTEM_CALL);
    let mut left = times;
    // The first stop of all is at the mark; the breakpoint may be just there.
    let mut arrived = ptrace::getregs(thread).unwrap().rip == address;
    loop {
        if !arrived {
            ptrace::write(thread, here, broken).unwrap();
            run(thread, walk, asleep);
            if walk.finished {
                return;
            }
            ptrace::write(thread, here, word).unwrap();
            let mut registers = ptrace::getregs(thread).unwrap();
            registers.rip = address;
            ptrace::setregs(thread, registers).unwrap();
        }
        if left == 0 {
            return;
        }
        left -= 1;
        ptrace::step(thread, None).unwrap();
        let stop = next_stop(thread, is_system_call, walk, asleep);
        note(stop, walk);
        if walk.finished {
            return;
        }
        arrived = ptrace::getregs(thread).unwrap().rip == address;
    }
}

/// Lets the thread run until it raises `mark`.
fn until(thread: Pid, mark: Signal) {
    loop {
        match waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::Stopped(_, signal) if signal == mark => return,
            WaitStatus::Stopped(_, signal) => ptrace::cont(thread, signal).unwrap(),
            other => panic!("the traced thread came to {other:?} before it began"),
        }
    }
}

/// Waits for the end of a step. A step into a system call may sleep: then others are to go on.
fn next_stop(thread: Pid, may_sleep: bool, walk: &mut Walk, asleep: &mut dyn FnMut()) -> Signal {
    let flags = if may_sleep { WaitPidFlag::__WALL | WaitPidFlag::WNOHANG } else { WaitPidFlag::__WALL };
    let mut start = Instant::now();
    loop {
        match waitpid(thread, Some(flags)).unwrap() {
            WaitStatus::Stopped(_, signal) => return signal,
            WaitStatus::StillAlive => {
                if start.elapsed() > SOON && sleeps(thread) {
                    if walk.slept == 0 {
                        asleep();
                    }
                    walk.slept += 1;
                    start = Instant::now() + Duration::from_secs(3600);
                }
                std::thread::yield_now();
            }
            other => panic!("the traced thread came to {other:?}"),
        }
    }
}

fn sleeps(thread: Pid) -> bool {
    crate::harness::system::seen(&format!("/proc/{thread}/stat")).is_some_and(|seen| seen.state == 'S')
}

fn kill_traced(pid: u32, thread: Pid) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
    // The process is gone only when its tracer has seen the end of the thread.
    loop {
        match waitpid(thread, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Signaled(..) | WaitStatus::Exited(..)) | Err(Errno::ECHILD) => return,
            Ok(_) | Err(Errno::EINTR) => (),
            Err(error) => panic!("{error}"),
        }
    }
}

const SYSTEM_CALL: [u8; 2] = [0x0f, 0x05];

/// Whether the instruction is a system call, the only one that can sleep.
fn at_system_call(thread: Pid, address: u64) -> bool {
    let here = std::ptr::without_provenance_mut(address as usize);
    ptrace::read(thread, here).unwrap().to_ne_bytes().starts_with(&SYSTEM_CALL)
}

/// The arena of this program, which the traced process has at the same address.
struct SharedMemory {
    file: File,
    place: std::ops::Range<u64>,
}

impl SharedMemory {
    fn find() -> SharedMemory {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| line.contains("memfd:csproc")).expect("the arena is mapped");
        let (start, end) = line.split(' ').next().and_then(|range| range.split_once('-')).unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        SharedMemory { file: File::open("/proc/self/mem").unwrap(), place: address(start)..address(end) }
    }

    /// What the next instruction could change: what its registers point to.
    fn near(&self, registers: &user_regs_struct) -> Vec<(u64, [u8; WINDOW])> {
        let r = registers;
        let all =
            [r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15];
        let mut places: Vec<u64> =
            all.iter().filter(|address| self.place.contains(address)).map(|address| address & !63).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| (place, self.read(place))).collect()
    }

    fn read(&self, place: u64) -> [u8; WINDOW] {
        let mut bytes = [0; WINDOW];
        // Less at the end of the arena.
        let _ = self.file.read_at(&mut bytes, place).unwrap();
        bytes
    }
}
