//! Python's `sysv_ipc` is on the other side: bytes, kinds and keys mean the same there.
//!
//! Knows nothing of Python but how to call it. Where there is none, or no network to fetch the module from, nothing is
//! tested, and the test says so.

use crate::is_listed;
use csproc::sysv::{Key, MessageQueue};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python that has `sysv_ipc`, in an environment of the tests' own. Whatever the network does, there is an answer
/// before the watchdog's patience is over; what was fetched by then is there the next time.
fn python() -> Option<PathBuf> {
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
}
