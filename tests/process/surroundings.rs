//! Whatever a program is started in, it behaves as any Rust program would, or refuses with a typed error.
//!
//! Knows nothing of how the surroundings are made harmless. Each test starts a program in odd surroundings.

use crate::harness::cast::tell_and_stay;
use crate::harness::scenario::{Program, Remains, Scenario, command, output};
use csproc::prelude::*;
use csproc::{Failure, StartError};
use rustix::process::{Gid, Uid};
use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet, CapabilitySets};
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a network", a_network),
    ("one process", one_process),
    ("standard descriptors", standard_descriptors),
    ("a removed directory", a_removed_directory),
    ("rights are given up", rights_are_given_up),
    ("a process gives up its rights", a_process_gives_up_its_rights),
    ("few descriptors are left", few_descriptors_are_left),
    ("few descriptors from the start", few_descriptors_from_the_start),
    ("after an early channel", after_an_early_channel),
    ("other credentials", other_credentials),
    ("credentials nobody may take on", credentials_nobody_may_take_on),
    ("killed with a process of other credentials", killed_with_a_process_of_other_credentials),
    ("exits with a process of other credentials", exits_with_a_process_of_other_credentials),
    ("killed with other credentials", killed_with_other_credentials),
];

#[process]
fn source(out: Writer<u32>) -> csproc::Result<()> {
    println!("a word on standard output");
    eprintln!("a word on standard error");
    (0..3).try_for_each(|number| Ok(out.write(number)?))
}

#[process]
fn sum(input: Reader<u32>) -> u32 {
    input.into_iter().sum()
}

#[process]
fn targets() -> Vec<PathBuf> {
    own_targets()
}

fn directory_number() -> (u64, u64) {
    let status = rustix::fs::stat(".").unwrap();
    (status.st_dev, status.st_ino)
}

#[process]
fn directory() -> (u64, u64) {
    directory_number()
}

/// The directory of a process, and of one that it starts.
#[process]
fn directories() -> [(u64, u64); 2] {
    [directory_number(), directory().run().unwrap()]
}

#[process]
fn ignores_children() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
    u64::from_str_radix(ignored, 16).unwrap() & 1 << 16 != 0
}

#[process]
fn give_up_rights(ready: Writer<u32>, until: Reader<()>) -> csproc::Result<()> {
    rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
    ready.write(std::process::id())?;
    Ok(until.read()?)
}

#[process]
fn credentials() -> Vec<String> {
    let there = own_credentials();
    let main = credentials_of("/proc/self/status");
    assert_eq!(there, main, "of the thread that runs the function, and of the first one");
    there
}

#[process]
fn credentials_of_a_child() -> Vec<String> {
    credentials().run().unwrap()
}

fn own_credentials() -> Vec<String> {
    credentials_of("/proc/thread-self/status")
}

fn credentials_of(status: &str) -> Vec<String> {
    const NAMES: [&str; 9] =
        ["Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:"];
    let status = std::fs::read_to_string(status).unwrap();
    let lines = status.lines().filter(|line| NAMES.iter().any(|name| line.starts_with(name)));
    lines.map(String::from).collect()
}

fn own_targets() -> Vec<PathBuf> {
    (0..3).map(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap()).collect()
}

fn run_a_network() {
    let channel = Channel::new();
    let (w, r) = (channel.writer(), channel.reader());
    drop(channel);
    assert_eq!(Parallel!(source(w), sum(r)).values().unwrap().1, 3);
}

fn a_network() {
    run_a_network();
    println!("ignored there: {}", ignores_children().run().unwrap());
}

fn one_process() {
    ignores_children().run().unwrap();
}

fn standard_descriptors() {
    let own = own_targets();
    println!("a word of the program");
    assert!(!own.iter().any(|target| target.to_string_lossy().starts_with("socket:")), "{own:?}");
    run_a_network();
    assert_eq!(targets().run().unwrap(), own);
}

fn a_removed_directory() {
    run_a_network();
    let directory = std::env::temp_dir().join(format!("csproc-removed-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    std::env::set_current_dir(&directory).unwrap();
    std::fs::remove_dir(&directory).unwrap();
    // Another one than the server's, and it cannot be named.
    assert_eq!(directories().run().unwrap(), [directory_number(); 2]);
    run_a_network();
    std::env::set_current_dir("/").unwrap();
    assert_eq!(directories().run().unwrap(), [directory_number(); 2]);
}

fn rights_are_given_up() {
    run_a_network();
    rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
}

fn a_process_gives_up_its_rights() {
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let (arrived, _never) = (ready.reader(), until.writer());
    let network =
        network!(give_up_rights(ready.writer(), until.reader()), tell_and_stay(ready.writer(), until.reader()))
            .spawn()
            .unwrap();
    arrived.read().unwrap();
    arrived.read().unwrap();
    let server = rustix::process::Pid::from_raw(crate::harness::system::server().unwrap().pid.cast_signed()).unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::KILL).unwrap();
    assert_eq!(network.join().unwrap_err().failures().len(), 2);
}

fn same_credentials_everywhere(seen: &mut Vec<Vec<String>>) {
    let own = own_credentials();
    assert_eq!(own.len(), 9);
    assert!(!seen.contains(&own), "{own:?}");
    assert_eq!(credentials().run().unwrap(), own);
    assert_eq!(credentials_of_a_child().run().unwrap(), own);
    seen.push(own);
}

/// Gives up one right after the other.
fn other_credentials() {
    let mut seen = Vec::new();
    same_credentials_everywhere(&mut seen);
    thread::remove_capability_from_bounding_set(CapabilitySet::SYS_MODULE).unwrap();
    same_credentials_everywhere(&mut seen);
    thread::set_thread_groups(&[Gid::from_raw(65533), Gid::from_raw(65532)]).unwrap();
    same_credentials_everywhere(&mut seen);
    thread::set_thread_res_gid(Gid::from_raw(65532), Gid::from_raw(65533), Gid::from_raw(65534)).unwrap();
    same_credentials_everywhere(&mut seen);
    // Some capabilities stay, one of them for the programs that are executed, too.
    let [kept, ambient] = [CapabilitySet::CHOWN | CapabilitySet::SETUID, CapabilitySet::CHOWN];
    thread::set_keep_capabilities(true).unwrap();
    thread::set_thread_res_uid(Uid::from_raw(65532), Uid::from_raw(65533), Uid::from_raw(65534)).unwrap();
    thread::set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: ambient }).unwrap();
    thread::configure_capability_in_ambient_set(ambient, true).unwrap();
    same_credentials_everywhere(&mut seen);
    thread::set_no_new_privs(true).unwrap();
    same_credentials_everywhere(&mut seen);
    let none = CapabilitySet::empty();
    thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).unwrap();
    same_credentials_everywhere(&mut seen);
}

fn credentials_nobody_may_take_on() {
    let bits = thread::capabilities_secure_bits().unwrap();
    assert!(bits.contains(CapabilitiesSecureBits::KEEP_CAPS_LOCKED), "{bits:?}");
    thread::set_capabilities_secure_bits(bits | CapabilitiesSecureBits::NO_SETUID_FIXUP).unwrap();
    thread::set_thread_uid(Uid::from_raw(65534)).unwrap();
    let error = credentials().run().unwrap_err();
    assert!(matches!(error.failures(), [Failure::Start { source: StartError::Credentials { .. }, .. }]), "{error:?}");
    assert!(error.to_string().contains("use Placement::Thread"), "{error}");
}

#[process]
fn give_up_rights_of_all_threads(ready: Writer<u32>, until: Reader<()>) -> csproc::Result<()> {
    let nobody = nix::unistd::Uid::from_raw(65534);
    nix::unistd::setresuid(nobody, nobody, nobody).unwrap();
    assert!(rustix::process::getuid().as_raw() == 65534);
    ready.write(std::process::id())?;
    Ok(until.read()?)
}

const LEFT: &str = "CSPROC_TEST_LEFT";

/// Runs a network; whether it was refused, for lack of descriptors and nothing else.
fn is_refused_for_lack_of_descriptors() -> bool {
    let channel = Channel::new();
    let (w, r) = (channel.writer(), channel.reader());
    drop(channel);
    match Parallel!(source(w), sum(r)).values() {
        Ok((_, sum)) => {
            assert_eq!(sum, 3);
            false
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("ulimit -n") || text.contains("Placement::Thread"), "{text}");
            true
        }
    }
}

fn few_descriptors_are_left() {
    let left: usize = std::env::var(LEFT).unwrap().parse().unwrap();
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    files.truncate(files.len() - left);
    println!("refused: {}", is_refused_for_lack_of_descriptors());
    drop(files);
    assert!(!is_refused_for_lack_of_descriptors(), "with all descriptors free again");
}

fn few_descriptors_from_the_start() {
    println!("refused: {}", is_refused_for_lack_of_descriptors());
}

#[used]
#[expect(unsafe_code, reason = "an ELF constructor")]
// SAFETY: the section holds pointers to functions that the C runtime calls before `main`; this is one.
#[unsafe(link_section = ".init_array.00050")]
static EARLY: extern "C" fn() = early;

/// Uses a channel before the library's own constructor, if the test asks for it.
extern "C" fn early() {
    if std::env::var_os(USE_A_CHANNEL_EARLY).is_some() {
        let channel = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (channel.writer(), channel.reader());
        drop(channel);
        assert_eq!((w.write(1), r.read()), (Ok(()), Ok(1)));
    }
}

const USE_A_CHANNEL_EARLY: &str = "CSPROC_TEST_USE_A_CHANNEL_EARLY";

fn after_an_early_channel() {
    let channel = Channel::new();
    let (w, r) = (channel.writer(), channel.reader());
    drop(channel);
    let error = Parallel!(source(w), sum(r)).unwrap_err();
    let is_typed = |failure: &Failure| matches!(failure, Failure::Start { source: StartError::Unavailable { .. }, .. });
    assert!(error.failures().iter().any(is_typed), "{error:?}");
    assert!(error.to_string().contains("a constructor that runs before csproc's own"), "{error}");
    let channel = Channel::new();
    let (w, r) = (channel.writer(), channel.reader());
    drop(channel);
    let on_threads = Parallel!(source(w).on(Placement::Thread), sum(r).on(Placement::Thread));
    assert_eq!(on_threads.values().unwrap().1, 3);
}

/// Starts two processes, one of which gives up its rights, and says so.
fn populate() -> Writer<()> {
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let (arrived, never) = (ready.reader(), until.writer());
    let network = network!(
        give_up_rights_of_all_threads(ready.writer(), until.reader()),
        tell_and_stay(ready.writer(), until.reader())
    );
    drop(network.spawn().unwrap());
    arrived.read().unwrap();
    arrived.read().unwrap();
    crate::root::say(&format!("ready {}", crate::harness::system::server().unwrap().pid));
    never
}

fn killed_with_a_process_of_other_credentials() {
    let _never = populate();
    loop {
        std::thread::park();
    }
}

fn exits_with_a_process_of_other_credentials() {
    let _never = populate();
    std::process::exit(3);
}

fn killed_with_other_credentials() {
    thread::set_thread_res_uid(Uid::from_raw(65534), Uid::from_raw(65534), Uid::from_raw(65534)).unwrap();
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let (arrived, _never) = (ready.reader(), until.writer());
    let _network = network!(for _ in 0..2 => tell_and_stay(ready.writer(), until.reader())).spawn().unwrap();
    arrived.read().unwrap();
    arrived.read().unwrap();
    crate::root::say("ready");
    loop {
        std::thread::park();
    }
}

/// Plays a scenario in a program that a shell starts: `$0` and `$@` are the program.
fn shell(script: &str, scenario: &str) -> Remains {
    let plain = command(scenario).0;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell.stdin(Stdio::null());
    output(shell)
}

/// A setting that only root can make is left out, and said so.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("left out: only root can give up its rights");
    }
    root
}

once! {
    fn law_13_children_are_heard_of_although_the_starter_ignores_them() {
        let remains = shell(r#"exec env --ignore-signal=CHLD "$0" "$@""#, "a network");
        assert!(remains.status.success(), "{remains:?}");
        // As every program that is executed: what is ignored stays ignored.
        assert!(remains.stdout.contains("ignored there: true"), "{remains:?}");
        let remains = shell(r#"exec "$0" "$@""#, "a network");
        assert!(remains.stdout.contains("ignored there: false"), "{remains:?}");
    }

    fn law_13_closed_standard_descriptors_lead_nowhere() {
        for closed in ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let remains = shell(&format!(r#"exec "$0" "$@" {closed}"#), "standard descriptors");
            assert!(remains.status.success(), "{closed}: {remains:?}");
        }
    }

    fn law_13_a_directory_that_was_removed_is_nobodys_loss() {
        let remains = shell(r#"d=$(mktemp -d) && cd "$d" && rmdir "$d" && exec "$0" "$@""#, "a network");
        assert!(remains.status.success(), "{remains:?}");
        let remains = shell(r#"exec "$0" "$@""#, "a removed directory");
        assert!(remains.status.success(), "{remains:?}");
    }

    fn law_13_a_program_that_has_given_up_its_rights_ends() {
        if is_root() {
            let remains = shell(r#"exec "$0" "$@""#, "rights are given up");
            assert!(remains.status.success(), "{remains:?}");
        }
    }

    fn law_10_a_process_that_has_given_up_its_rights_does_not_outlive_the_server() {
        if is_root() {
            let remains = shell(r#"exec "$0" "$@""#, "a process gives up its rights");
            assert!(remains.status.success(), "{remains:?}");
        }
    }

    fn law_13_processes_have_the_credentials_of_their_starter() {
        if is_root() {
            let remains = shell(r#"exec "$0" "$@""#, "other credentials");
            assert!(remains.status.success(), "{remains:?}");
        }
    }

    fn law_13_without_the_credentials_of_its_starter_no_process_starts() {
        if is_root() {
            let script = r#"exec setpriv --securebits +keep_caps_locked "$0" "$@""#;
            let remains = shell(script, "credentials nobody may take on");
            assert!(remains.status.success(), "{remains:?}");
        }
    }

    fn law_10_processes_with_other_credentials_die_with_the_program() {
        if is_root() {
            let mut program = Program::start("killed with other credentials");
            program.until("ready");
            rustix::process::kill_process(
                rustix::process::Pid::from_raw(program.pid().cast_signed()).unwrap(),
                rustix::process::Signal::KILL,
            )
            .unwrap();
            // The last process that has standard output open is gone.
            program.rest();
        }
    }

    fn law_10_a_process_that_has_given_up_its_rights_does_not_outlive_the_program() {
        use rustix::process::{Pid, Signal, kill_process};
        if is_root() {
            let pid = |number: &str| Pid::from_raw(number.parse().unwrap()).unwrap();
            for server_is_stopped in [false, true] {
                let mut program = Program::start("killed with a process of other credentials");
                let server = pid(&program.until("ready "));
                if server_is_stopped {
                    crate::harness::pause::stop(server.as_raw_nonzero().get().unsigned_abs());
                }
                kill_process(pid(&program.pid().to_string()), Signal::KILL).unwrap();
                // The last process that has standard output open is gone.
                program.rest();
            }
            let mut program = Program::start("exits with a process of other credentials");
            program.rest();
            assert_eq!(program.wait().code(), Some(3));
        }
    }

    fn law_13_without_descriptors_processes_are_refused_and_start_when_there_are_some() {
        for left in 0..16 {
            let script = format!(r#"ulimit -n 64; {LEFT}={left} exec "$0" "$@""#);
            let remains = shell(&script, "few descriptors are left");
            assert!(remains.status.success(), "{left} left: {remains:?}");
        }
        for limit in 5..20 {
            let remains = shell(&format!(r#"ulimit -n {limit}; exec "$0" "$@""#), "few descriptors from the start");
            assert!(remains.status.success(), "limit {limit}: {remains:?}");
            // What connects the program with the server takes nine.
            let refused = limit < 9;
            assert!(remains.stdout.contains(&format!("refused: {refused}")), "limit {limit}: {remains:?}");
        }
    }

    fn law_13_after_a_channel_in_an_early_constructor_processes_are_refused() {
        let remains = shell(&format!(r#"{USE_A_CHANNEL_EARLY}=1 exec "$0" "$@""#), "after an early channel");
        assert!(remains.status.success(), "{remains:?}");
    }

    fn law_13_a_complaint_that_nobody_can_read_does_no_harm() {
        let script = r#"exec 3>&1; { exec "$0" "$@" 2>&1 >&3 3>&-; } | exec true"#;
        let remains = shell(&format!("export CSPROC_ARENA=garbage; {script}"), "one process");
        assert!(remains.stdout.contains("1 passed"), "{remains:?}");
    }
}
