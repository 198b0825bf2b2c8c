//! Python's `sysv_ipc` is on the other side: bytes, kinds and keys mean the same there.
//!
//! Knows nothing of Python but how to call it. Where there is none, or no network to fetch the module from, nothing is
//! tested, and the test says so.

use crate::{is_in, is_listed};
use csproc::sysv::{Key, MessageQueue, Semaphore, SharedMemory};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A Python that has `sysv_ipc`, in an environment of the tests' own. Whatever the network does, there is an answer
/// before the watchdog's patience is over; what was fetched by then is there the next time.
fn python() -> Option<PathBuf> {
    /// One test makes it for all.
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    MADE.get_or_init(made).clone()
}

fn made() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sysv-python");
    let python = place.join("bin/python3");
    let works = |seconds: &str, program: &Path, arguments: &[&str]| {
        let mut command = Command::new("timeout");
        command.arg(seconds).arg(program).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|end| end.success())
    };
    let is_there = || works("5", &python, &["-c", "import sysv_ipc"]);
    let fetch = ["-m", "pip", "install", "--retries", "0", "--timeout", "5", "sysv_ipc==1.2.0"];
    let is_made = is_there()
        || works("20", Path::new("python3"), &["-m", "venv", &place.to_string_lossy()])
            && works("20", &python, &fetch)
            && is_there();
    if !is_made {
        eprintln!("skipped");
    }
    is_made.then_some(python)
}

once! {
    fn python_and_rust_understand_each_other() {
        let Some(python) = python() else { return };
        let program = std::env::current_exe().unwrap();
        let key = Key::from_path(&program, b'p').unwrap();
        let queue = MessageQueue::create_new(key).unwrap().remove_on_drop();
        queue.send("from Rust", 7).unwrap();
        queue.send([0, 255, 10], 3).unwrap();
        queue.send("", 4).unwrap();
        let script = "
import sys, sysv_ipc
key = sysv_ipc.ftok(sys.argv[1], ord('p'), silence_warning=True)
assert key == int(sys.argv[2]), key
queue = sysv_ipc.MessageQueue(key)
assert queue.mode == 0o600 and queue.current_messages == 3
assert queue.receive(type=7) == (b'from Rust', 7)
assert queue.receive(type=-4) == (bytes([0, 255, 10]), 3)
assert queue.receive() == (b'', 4)
queue.send(b'from Python', type=9)
queue.send('\\u00fc'.encode())
queue.send(b'')
own = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
print(own.id)
try:
    queue.receive(type=5)
except sysv_ipc.ExistentialError:
    print('removed')
own.remove()
";
        let mut child = Command::new(python)
            .args(["-c", script])
            .arg(&program)
            .arg(key.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A failed script sends nothing, so nobody waits for it without end.
        let mut next = |kind| loop {
            match queue.receive_timeout(kind, std::time::Duration::from_millis(5)) {
                Err(error) if error.is_timed_out() => {
                    assert!(child.try_wait().unwrap().is_none(), "Python has ended");
                }
                received => break received.unwrap(),
            }
        };
        assert_eq!(next(9), (b"from Python".to_vec(), 9));
        assert_eq!(next(0), ("ü".as_bytes().to_vec(), 1));
        assert_eq!(next(0), (Vec::new(), 1));
        queue.remove().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        let (id, rest) = told.split_once('\n').unwrap();
        assert_eq!(rest.trim(), "removed");
        assert!(!is_listed(id.parse().unwrap()));
    }

    fn python_and_rust_share_memory_and_keep_each_other_away_from_it() {
        const TIMES: u64 = 2000;
        let Some(python) = python() else { return };
        let key = Key::from_path(std::env::current_exe().unwrap(), b's').unwrap();
        let guard = Semaphore::create_new(key, 1).unwrap().remove_on_drop();
        let segment = SharedMemory::create_new(key, 5000).unwrap().remove_on_drop();
        let memory = segment.attach().unwrap();
        memory.write(100, "from Rust").unwrap();
        let script = "
import sys, sysv_ipc
key, times = int(sys.argv[1]), int(sys.argv[2])
guard, memory = sysv_ipc.Semaphore(key), sysv_ipc.SharedMemory(key)
assert memory.size == 5000 and memory.mode == 0o600 and memory.number_attached == 2
assert memory.read(9, 100) == b'from Rust'
memory.write(bytes([0, 255, 10]), 200)
own = sysv_ipc.Semaphore(key + 1, sysv_ipc.IPC_CREX)
filled = sysv_ipc.SharedMemory(key + 1, sysv_ipc.IPC_CREX, size=10)
guard.undo = True
for _ in range(times):
    with guard:
        memory.write((int.from_bytes(memory.read(8), sys.byteorder) + 1).to_bytes(8, sys.byteorder))
own.acquire()
own.Z(10)
guard.acquire()
print('killed with a permit', flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
";
        let mut child = Command::new(python)
            .args(["-c", script, &key.to_string(), &TIMES.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        for _ in 0..TIMES {
            let _permit = guard.acquire().unwrap();
            let number = u64::from_ne_bytes(memory.read(0, 8).unwrap().try_into().unwrap());
            memory.write(0, (number + 1).to_ne_bytes()).unwrap();
        }
        let own = Key::from(i32::from(key) + 1);
        let mut opened = || loop {
            // A failed script makes nothing, so nobody waits for it without end.
            match (Semaphore::open(own), SharedMemory::open(own)) {
                (Ok(semaphore), Ok(segment)) => break (semaphore.remove_on_drop(), segment.remove_on_drop()),
                _ => assert!(child.try_wait().unwrap().is_none(), "Python has ended"),
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        let (semaphore, filled) = opened();
        assert_eq!(filled.attach().unwrap().read(0, 10).unwrap(), b"          ", "as Python makes it");
        semaphore.post(3).unwrap();
        semaphore.acquire_many(2).unwrap().forget().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "killed with a permit");
        assert_eq!(memory.load::<u64>(0), Ok(2 * TIMES), "nothing was lost");
        assert_eq!(memory.read(200, 3).unwrap(), [0, 255, 10]);
        assert_eq!(guard.value(), Ok(1), "what a killed Python had came back");
        assert_eq!(segment.status().unwrap().attachments, 1);
        let ids = (semaphore.id(), filled.id());
        drop((semaphore, filled));
        assert!(!is_in("sem", ids.0) && !is_in("shm", ids.1));
    }
}
