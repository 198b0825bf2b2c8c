//! The spawning process's side: what the server is asked for.
//!
//! Knows nothing of what a process runs. The bell is rung; the answer to a start is a phase in the arena, and so is the
//! end of a process: nobody waits on a socket.

use super::protocol::{CHIME, Request, Ring};
use crate::engine::{Member, MemberName, Phase, Undertaker, host};
use crate::sys::quietly::quietly;
use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcSender, OpaqueIpcSender};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
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

    /// Rings the doorbell: all of it or, if that fails, nothing.
    fn ring(&self, rings: &[u8]) -> io::Result<()> {
        while let Err(error) = rustix::io::write(&self.doorbell, rings) {
            match error {
                rustix::io::Errno::INTR => {}
                // The server has not listened for a while: it is stopped, or has many to bury.
                rustix::io::Errno::AGAIN => _ = poll(&mut [PollFd::new(&self.doorbell, PollFlags::OUT)], None),
                error => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the process server is gone")
}

/// At its first send ipc-channel asks a socket of its own how much fits into a message, and panics for ever if there is
/// no descriptor for that socket. So this is done before, once, for this process and those forked from it.
pub(super) fn measure() -> io::Result<()> {
    /// As many as the send may need at once.
    const SPARE: usize = 2;
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if IS_DONE.load(Ordering::Acquire) {
        return Ok(());
    }
    let (sender, _receiver) = ipc::channel::<()>()?;
    let spare = (0..SPARE).map(|_| open(c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()));
    drop(spare.collect::<Result<Vec<OwnedFd>, _>>()?);
    sender.send(()).map_err(|error| io::Error::other(error.to_string()))?;
    IS_DONE.store(true, Ordering::Release);
    Ok(())
}

fn with_link<R>(work: impl FnOnce(&Link) -> io::Result<R>) -> io::Result<R> {
    let link = LINK.lock();
    let link = link.as_ref().ok_or_else(gone)?;
    if SERVER_IS_GONE.load(Ordering::Acquire) {
        return Err(gone());
    }
    work(link)
}

/// Sends a request and rings.
fn request(request: &Request) -> io::Result<()> {
    measure()?;
    with_link(|link| {
        loop {
            match link.requests.send(request.clone()) {
                Ok(()) => break,
                // Interrupted before anything was sent: requests are far smaller than a fragment.
                Err(IpcError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(IpcError::Io(error)) => return Err(error),
                Err(other) => return Err(io::Error::other(other.to_string())),
            }
        }
        link.ring(&Ring::Request.to_bytes())
    })
}

/// Asks the server to fork a process for each member.
///
/// A member that could not be started is not an error here: its own outcome says so.
pub(crate) fn start(members: &[MemberName]) -> io::Result<()> {
    watch_server()?;
    // While there are descriptors for it, most likely; whoever sends something asks again.
    let _ = measure();
    with_link(|link| {
        for batch in members.chunks(CHIME) {
            for member in batch.iter().filter_map(|name| name.slot()) {
                member.enter(Phase::Requested);
            }
            let rings = batch.iter().map(|member| Ring::Start(*member).to_bytes());
            link.ring(rings.collect::<Vec<_>>().as_flattened())?;
        }
        Ok(())
    })
}

/// Sends a process a signal that ends it.
pub(crate) fn kill(member: MemberName, signal: i32) -> io::Result<()> {
    with_link(|link| link.ring(&Ring::Kill { member, signal }.to_bytes()))
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
