//! What the operating system shows of this program: its processes and threads, and their descriptors.
//!
//! Knows nothing of what they are for. It reads `/proc`, where everything may have changed a moment later.

use std::collections::BTreeMap;
use std::fs;

/// A process of the operating system, as `/proc/PID/stat` shows it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
    /// Processor time used so far, in clock ticks.
    pub(crate) ticks: u64,
    /// It is on its way out: a thread that was joined is shown for a moment longer.
    pub(crate) ends: bool,
}

/// The flag of the kernel for a thread that has begun to end (`PF_EXITING`); whoever joins one finds it set.
const EXITING: u64 = 4;

/// Reads a `stat` file of a process or of a thread.
pub(crate) fn seen(stat: &str) -> Option<Seen> {
    let text = fs::read_to_string(stat).ok()?;
    let (head, tail) = (text.get(..text.rfind(')')?)?, text.get(text.rfind(')')? + 2..)?);
    let (pid, name) = head.split_once(" (")?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    Some(Seen {
        pid: pid.parse().ok()?,
        name: String::from(name),
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        ends: fields.get(6)?.parse::<u64>().ok()? & EXITING != 0,
        ticks: fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?,
    })
}

/// How many threads there are of csproc's own, of processes of these names, and of the calling thread, whose name those
/// have that were given none; without those that are on their way out. Other tests begin and end as they like.
pub(crate) fn threads(names: &[&str]) -> usize {
    let own = fs::read_to_string("/proc/thread-self/comm").unwrap();
    let is_meant = |name: &str| name.starts_with("csproc") || name == own.trim_end() || names.contains(&name);
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let seen = tasks.filter_map(|task| seen(&task.path().join("stat").to_string_lossy()));
    seen.filter(|thread| !thread.ends && is_meant(&thread.name)).count()
}

/// All processes of the system.
pub(crate) fn everybody() -> Vec<Seen> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| seen(&entry.path().join("stat").to_string_lossy()))
        .collect()
}

/// The process server of this program.
pub(crate) fn server() -> Option<Seen> {
    everybody().into_iter().find(|process| process.parent == std::process::id() && process.name == "csproc-server")
}

/// The processes that the server has started for this program, zombies included.
pub(crate) fn children() -> Vec<Seen> {
    let server = server().map(|server| server.pid);
    everybody().into_iter().filter(|process| Some(process.parent) == server).collect()
}

/// Descendants of this program that should not exist when nothing runs.
pub(crate) fn processes_left() -> Vec<String> {
    let own = std::process::id();
    let server = server().map(|server| server.pid);
    everybody()
        .into_iter()
        .filter(|process| Some(process.pid) != server && (process.parent == own || Some(process.parent) == server))
        .map(|process| format!("{} {} ({})", process.pid, process.name, process.state))
        .collect()
}

/// Open descriptors, and what each refers to.
pub(crate) fn descriptors() -> BTreeMap<u32, String> {
    descriptors_of("self")
}

/// As [`descriptors`], at a moment when the library does not look after the program: a look opens the list of threads,
/// the first one the program's own file as well.
pub(super) fn descriptors_between_looks() -> BTreeMap<u32, String> {
    let own = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    let is_of_a_look = |target: &String| *target == own || target.starts_with("/proc/") && target.ends_with("/task");
    loop {
        let open = descriptors();
        if !open.values().any(is_of_a_look) {
            return open;
        }
        std::thread::yield_now();
    }
}

/// The open descriptors of a process.
pub(crate) fn descriptors_of(process: &str) -> BTreeMap<u32, String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return BTreeMap::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_string_lossy().parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            Some((number, target))
        })
        // The directory that is being read.
        .filter(|(_, target)| !(target.starts_with("/proc/") && target.ends_with("/fd")))
        .collect()
}

/// The state of every process and thread below this one, for the message of a test that hangs.
pub(super) fn picture() -> String {
    let own = std::process::id();
    let everybody = everybody();
    let mut family = vec![own];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(everybody.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        next += 1;
    }
    let mut text = String::new();
    for pid in family {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let path = task.path();
            let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
            if let Some(seen) = seen(&path.join("stat").to_string_lossy()) {
                text += &format!("  {pid}/{} {} {} {}\n", seen.pid, seen.name, seen.state, read("syscall").trim());
            }
        }
    }
    text
}
