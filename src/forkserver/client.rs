//! The spawning process's side: requests to the server.
//!
//! Knows nothing of what a process runs. A request is sent and the bell is rung; the answer to a start is a phase in
//! the arena, and so is the end of a process: nobody waits on a socket.

use super::protocol::Request;
use crate::engine::{Member, MemberName, Phase, Undertaker, host};
use crate::sys::quietly::quietly;
use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcSender, OpaqueIpcSender};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The way to the server; the same in all processes of a program.
pub(super) struct Link {
    requests: IpcSender<Request>,
    doorbell: OwnedFd,
    /// In the root: the socket that closes with the server.
    life: Option<(Arc<OwnedFd>, Pid)>,
}

static LINK: Mutex<Option<Link>> = Mutex::new(None);
static SERVER_IS_GONE: AtomicBool = AtomicBool::new(false);
/// In the root: the server's process number, for its end.
static SERVER: AtomicU32 = AtomicU32::new(0);
/// In the root: the socket that closes with it, and that tells it to end.
static LIFE: Mutex<Option<Arc<OwnedFd>>> = Mutex::new(None);

impl Link {
    pub(super) fn new(requests: IpcSender<Request>, doorbell: OwnedFd, life: Option<(OwnedFd, Pid)>) -> Link {
        Link { requests, doorbell, life: life.map(|(life, server)| (Arc::new(life), server)) }
    }

    pub(super) fn install(self) {
        let server = self.life.as_ref().map_or(0, |(_, server)| server.as_raw_nonzero().get().unsigned_abs());
        SERVER.store(server, Ordering::Release);
        *LIFE.lock() = self.life.as_ref().map(|(life, _)| Arc::clone(life));
        *LINK.lock() = Some(self);
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the process server is gone")
}

/// Sends a request and rings.
fn request(request: &Request) -> io::Result<()> {
    let link = LINK.lock();
    let link = link.as_ref().ok_or_else(gone)?;
    if SERVER_IS_GONE.load(Ordering::Acquire) {
        return Err(gone());
    }
    loop {
        match link.requests.send(request.clone()) {
            Ok(()) => break,
            // Interrupted before anything was sent: requests are far smaller than a fragment.
            Err(IpcError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(IpcError::Io(error)) => return Err(error),
            Err(other) => return Err(io::Error::other(other.to_string())),
        }
    }
    while let Err(error) = rustix::io::write(&link.doorbell, &[1]) {
        match error {
            rustix::io::Errno::INTR => {}
            // The pipe is full: the bell rings already.
            rustix::io::Errno::AGAIN => break,
            error => return Err(error.into()),
        }
    }
    Ok(())
}

/// Asks the server to fork a process for each member.
///
/// A member that could not be started is not an error here: its own outcome says so.
pub(crate) fn start(members: &[MemberName]) -> io::Result<()> {
    /// One request stays far below the size at which ipc-channel sends in fragments.
    const BATCH: usize = 1024;
    watch_server()?;
    for batch in members.chunks(BATCH) {
        for member in batch.iter().filter_map(|name| name.slot()) {
            member.enter(Phase::Requested);
        }
        request(&Request::Start { members: batch.to_vec() })?;
    }
    Ok(())
}

/// Sends a process a signal that ends it.
pub(crate) fn kill(member: MemberName, signal: i32) -> io::Result<()> {
    request(&Request::Kill { member, signal })
}

/// The member that is this operating-system process.
pub(crate) fn own_name() -> io::Result<MemberName> {
    let index = host().map_err(io::Error::other)?;
    Member::name_at(index).ok_or_else(gone)
}

/// Lets every process of the program fetch this process's inbox.
///
/// The server serves requests in order: whoever learns of this process afterwards finds the inbox there.
pub(crate) fn publish(inbox: OpaqueIpcSender) -> io::Result<()> {
    request(&Request::Publish { client: own_name()?, inbox })?;
    watch_server()
}

/// The inbox that a process has published; `None` when it is gone, or has none.
pub(crate) fn fetch(owner: MemberName) -> io::Result<Option<OpaqueIpcSender>> {
    let (answer, answers) = ipc::channel()?;
    request(&Request::Fetch { owner, answer })?;
    // The request was the only one to hold the other end: should the server end, this ends, too.
    loop {
        match quietly(|| answers.recv()) {
            Ok(Ok(inbox)) => return Ok(inbox),
            Ok(Err(IpcError::Io(error))) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(IpcError::Io(error))) => return Err(error),
            Ok(Err(IpcError::Disconnected)) => return Err(gone()),
            // There was an inbox, but no descriptor left to receive it with.
            Ok(Err(IpcError::SerializationError(_))) | Err(_) => return Err(rustix::io::Errno::MFILE.into()),
        }
    }
}

/// In the root, at its orderly end: ends the server, and with it whatever processes are left, and leaves no zombie.
pub(crate) fn end_server() {
    if let Some(server) = Pid::from_raw(SERVER.load(Ordering::Acquire).cast_signed()) {
        // The server kills all processes when this socket ends, also those that the kernel would not kill with it
        // because they have changed their credentials. It may be stopped.
        if let Some(life) = LIFE.lock().as_ref() {
            let _ = rustix::net::shutdown(life, rustix::net::Shutdown::Both);
        }
        // The number is still the server's: nobody else has waited for this child of ours, or else all calls fail.
        let _ = rustix::process::kill_process(server, rustix::process::Signal::CONT);
        let ending = rustix::process::pidfd_open(server, rustix::process::PidfdFlags::empty());
        let patience = rustix::time::Timespec { tv_sec: 2, tv_nsec: 0 };
        let ended = ending.is_ok_and(|ending| {
            poll(&mut [PollFd::new(&ending, PollFlags::IN)], Some(&patience)).is_ok_and(|ended| ended > 0)
        });
        // A debugger has stopped it, or it waits for somebody who is stopped. Nobody can end one that is stopped for a
        // program that has given up its rights; it ends when it goes on.
        if !ended && rustix::process::kill_process(server, rustix::process::Signal::KILL).is_err() {
            return;
        }
        let _ = rustix::process::waitpid(Some(server), rustix::process::WaitOptions::empty());
    }
}

/// In the root: a thread that notices the server's death and buries everybody, for the server cannot.
fn watch_server() -> io::Result<()> {
    let Some((life, server)) = LINK.lock().as_mut().and_then(|link| link.life.take()) else { return Ok(()) };
    std::thread::Builder::new().name(String::from("csproc-watch")).stack_size(256 << 10).spawn(move || {
        crate::sys::threads::does_not_count();
        loop {
            let mut descriptor = [PollFd::new(&life, PollFlags::IN)];
            if poll(&mut descriptor, None).is_ok() {
                break;
            }
        }
        SERVER_IS_GONE.store(true, Ordering::Release);
        // Once it is a zombie, the kernel has sent the death signals.
        let _ = rustix::process::waitpid(Some(server), rustix::process::WaitOptions::empty());
        bury_everybody();
    })?;
    Ok(())
}

/// The server is dead, and the kernel has killed all its children with it, except those that have changed their
/// credentials since: they are killed here. One that this program may not kill is waited for after all others.
fn bury_everybody() {
    // Out of contexts: then nobody here waits for a channel either.
    let (Ok(own), Ok(mut undertaker)) = (host(), Undertaker::new()) else { return };
    let mut others = Vec::new();
    for host in undertaker.unburied(own) {
        let pid = Member::at(host).map_or(0, Member::pid);
        match Pid::from_raw(pid.cast_signed()).and_then(dying) {
            Some((process, true)) => wait_for_death(&process),
            Some((process, false)) => {
                others.push((host, process));
                continue;
            }
            None => (),
        }
        undertaker.bury(host);
    }
    for (host, process) in others {
        wait_for_death(&process);
        undertaker.bury(host);
    }
}

/// A process of the dead server's, unless it is gone, and whether it certainly dies: it is killed, in case it has lost
/// its death signal. Its number may be another's by now, so a process is killed only if it runs this program.
fn dying(pid: Pid) -> Option<(OwnedFd, bool)> {
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
    let image = |pid: &str| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let own = image("self");
    if own.is_some() && image(&pid.as_raw_nonzero().to_string()) == own {
        let killed = rustix::process::pidfd_send_signal(&process, rustix::process::Signal::KILL);
        return Some((process, killed.is_ok() || killed == Err(rustix::io::Errno::SRCH)));
    }
    let mut ended = [PollFd::new(&process, PollFlags::IN)];
    let ended = poll(&mut ended, Some(&rustix::time::Timespec::default())).is_ok_and(|ended| ended > 0);
    Some((process, ended))
}

/// Waits until a process that was sent SIGKILL runs no more: until then it may change what it shares with us.
fn wait_for_death(process: &OwnedFd) {
    while poll(&mut [PollFd::new(process, PollFlags::IN)], None).is_err() {}
}
