//! The server's loop: fork on request, bury on death, end with the root.
//!
//! Knows nothing of what the processes do. One thread, three descriptors: the doorbell, the deaths of children, the
//! life of the root. Everything it says to a client that waits is said through the arena (a phase, a futex, a
//! slot), except the inbox of another process, which is sent on the asker's own ipc-channel.
#![expect(unsafe_code, reason = "forks; listed in the architecture page")]

use super::child::Inherited;
use super::client::{Link, measure};
use super::protocol::{CHIME, RING, Request, Ring};
use crate::cause::{NotStarted, note_failed_start, note_status};
use crate::engine::{Member, MemberName, Phase, Undertaker};
use crate::sys::cpu::{CpuSet, roam, stay};
use crate::sys::fork::{Ended, Forked, die_with_parent, exit_now, fork, hear_of_the_parents_death, kill_child, reap};
use crate::sys::signal::{Mask, Watch, leave_terminal_signals_to_the_program};
use ipc_channel::TryRecvError;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, OpaqueIpcSender};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getppid, getrlimit, kill_process, setrlimit};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI32, Ordering};

/// What the server needs before it is forked.
pub(super) struct Server {
    requests: IpcReceiver<Request>,
    doorbell: OwnedFd,
    life: OwnedFd,
    root: Pid,
}

/// Both sides' ends of what connects them, before the fork separates them.
pub(super) struct Ends {
    requests: IpcSender<Request>,
    doorbell: OwnedFd,
    life: OwnedFd,
}

impl Ends {
    pub(super) fn for_root(self, server: Pid) -> Link {
        Link::new(self.requests, self.doorbell, Some((self.life, server)))
    }

    /// The server keeps a copy of the way to itself, for its children to inherit; the root's side of `life` closes
    /// here.
    fn for_children(self) -> Link {
        Link::new(self.requests, self.doorbell, None)
    }
}
/// The server at work.
struct Loop {
    server: Server,
    watch: Watch,
    mask: Mask,
    undertaker: Undertaker,
    own: Pid,
    warm: bool,
    /// How many files a process may open, if this one may open more.
    files: Option<Rlimit>,
    /// The processors it had before it confined itself to one, if it did.
    confined: Option<CpuSet>,
    children: HashMap<Pid, MemberName>,
    /// What processes have published, for others to fetch.
    inboxes: HashMap<MemberName, OpaqueIpcSender>,
}

/// The program's process number and the server's.
static ROOT: AtomicI32 = AtomicI32::new(0);
static SERVER: AtomicI32 = AtomicI32::new(0);

/// The root has died, or somebody lets the server go on. A signal that ended the server would end its children as well,
/// but not those that have changed their credentials: the kernel has forgotten that these die with it. So the server
/// kills them, in a handler, because it may wait for the lock of a channel that a stopped process has.
extern "C" fn continued(_: i32) {
    let number = |pid: Option<Pid>| Pid::as_raw(pid);
    let is_server = number(Some(getpid())) == SERVER.load(Ordering::Acquire);
    if !is_server || number(getppid()) == ROOT.load(Ordering::Acquire) {
        return;
    }
    for (_, member) in Member::all() {
        if let Some(pid) = Pid::from_raw(member.pid().cast_signed()) {
            kill_child(pid);
        }
    }
    exit_now(0)
}

impl Server {
    pub(super) fn prepare() -> Result<(Server, Ends), (&'static str, String)> {
        let (requests, receiver) = ipc::channel().map_err(|error| ("making an ipc-channel", error.to_string()))?;
        // A pipe, because its write tells the scheduler that the writer is about to sleep: the server then runs next on
        // the same processor, and no other one has to be woken.
        let (copy, doorbell) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|error| ("pipe", error.to_string()))?;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(|error| ("socketpair", error.to_string()))?;
        let server = Server { requests: receiver, doorbell: copy, life: ours, root: getpid() };
        Ok((server, Ends { requests, doorbell, life: theirs }))
    }

    /// In the forked server: serves until the root is gone.
    pub(super) fn serve(self, ends: Ends) -> ! {
        if !die_with_parent(self.root) {
            exit_now(0);
        }
        crate::sys::signal::ignore_broken_pipe();
        Link::install(ends.for_children());
        let files = getrlimit(Resource::Nofile);
        let files = (files.current != files.maximum).then_some(files);
        if let Some(Rlimit { maximum, .. }) = files {
            // Each process that publishes an inbox has a descriptor here; a failure only leaves the limit where it was.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        }
        crate::engine::become_server();
        let (Ok((watch, mask)), Ok(undertaker)) = (Watch::children(continued), Undertaker::new()) else { exit_now(1) };
        // Blocked here, so these are for the processes.
        leave_terminal_signals_to_the_program();
        ROOT.store(self.root.as_raw_nonzero().get(), Ordering::Release);
        SERVER.store(getpid().as_raw_nonzero().get(), Ordering::Release);
        if !hear_of_the_parents_death(self.root) {
            exit_now(0);
        }
        Loop {
            server: self,
            watch,
            mask,
            undertaker,
            own: getpid(),
            warm: false,
            files,
            confined: None,
            children: HashMap::new(),
            inboxes: HashMap::new(),
        }
        .run()
    }
}

impl Loop {
    fn run(mut self) -> ! {
        loop {
            let mut descriptors = [
                PollFd::new(&self.server.doorbell, PollFlags::IN),
                PollFd::new(self.watch.descriptor(), PollFlags::IN),
                PollFd::new(&self.server.life, PollFlags::IN),
            ];
            if poll(&mut descriptors, None).is_err() {
                continue;
            }
            roam(self.confined.take().as_ref());
            let [rung, died, life] = descriptors.map(|descriptor| !descriptor.revents().is_empty());
            if life && self.root_has_left() {
                // The root ends, or executed another program. The children get their death signal from
                // our end, except those that have changed their credentials since.
                for pid in self.children.keys() {
                    let _ = kill_process(*pid, Signal::KILL);
                }
                exit_now(0);
            }
            if died {
                self.watch.acknowledge();
                while !self.children.is_empty()
                    && let Some((pid, ended)) = reap()
                {
                    self.died(pid, ended);
                }
            }
            if rung {
                self.answer_the_bell();
            }
        }
    }

    fn root_has_left(&self) -> bool {
        let mut byte = [0_u8; 1];
        matches!(rustix::io::read(&self.server.life, &mut byte), Ok(0) | Err(_))
    }

    /// Serves until no request is left.
    fn serve_requests(&mut self) {
        loop {
            // ipc-channel panics when a message brings more descriptors than the process may have; the server must not
            // end of it.
            let received = catch_unwind(AssertUnwindSafe(|| self.server.requests.try_recv()));
            match received.unwrap_or(Err(TryRecvError::Empty)) {
                Ok(request) => self.serve_one(request),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::IpcError(ipc_channel::IpcError::Io(error)))
                    if error.kind() == std::io::ErrorKind::Interrupted => {}
                // A request that cannot be decoded is dropped; its sender can only be broken.
                Err(TryRecvError::IpcError(ipc_channel::IpcError::SerializationError(_))) => {}
                Err(_) => return,
            }
        }
    }

    fn serve_one(&mut self, request: Request) {
        match request {
            Request::Publish { client, inbox } => {
                // One that died before its request was read needs none.
                if !client.is_gone() {
                    self.inboxes.insert(client, inbox);
                }
            }
            Request::Fetch { owner, answer } => {
                // The socket is the asker's own and empty, so this never waits; one who is gone needs no answer.
                let _ = measure().is_ok_and(|()| answer.send(self.inboxes.get(&owner).cloned()).is_ok());
            }
        }
    }

    /// Does what the bell has rung for. If it goes on ringing, the server is woken again.
    fn answer_the_bell(&mut self) {
        let mut rings = [[0_u8; RING]; CHIME];
        let read = rustix::io::read(&self.server.doorbell, rings.as_flattened_mut()).unwrap_or(0);
        let rings = &rings[..read / RING];
        // One process alone, whose starter most often sleeps until it ends: it begins here, and its end wakes the
        // server here, not on a processor that sleeps, too.
        let is_one_start = matches!(rings, [ring] if matches!(Ring::from_bytes(ring), Ring::Start(_)));
        if is_one_start && self.children.is_empty() {
            self.confined = stay();
        }
        let mut is_asked = false;
        for ring in rings {
            match Ring::from_bytes(ring) {
                Ring::Request => is_asked = true,
                Ring::Start(member) => self.start(member),
                Ring::Kill { member, signal } => self.kill(member, signal),
            }
        }
        if is_asked {
            self.serve_requests();
        }
    }

    /// Forks one process, which does not come back.
    fn start(&mut self, name: MemberName) {
        let Some(member) = name.slot() else { return };
        if member.phase() != Phase::Requested {
            return;
        }
        if !self.warm {
            super::child::warm_up();
            // For the processes, while there are descriptors for it, most likely.
            let _ = measure();
            self.warm = true;
        }
        // SAFETY: the server has one thread, except while it rehearses.
        match unsafe { fork() } {
            Ok(Forked::Child) => self.become_child(name),
            Ok(Forked::Parent(pid)) => self.adopt(pid, name, member),
            Err(error) => {
                note_failed_start(member, &NotStarted::System(error.into()));
                member.enter(Phase::Failed);
                self.undertaker.leave(name, member);
            }
        }
    }

    /// A process has become this member.
    fn adopt(&mut self, pid: Pid, name: MemberName, member: &Member) {
        member.set_pid(pid.as_raw_nonzero().get().unsigned_abs());
        self.children.insert(pid, name);
    }

    fn kill(&self, name: MemberName, signal: i32) {
        let signal = Signal::from_named_raw(signal).unwrap_or(Signal::KILL);
        for (pid, child) in &self.children {
            if *child == name {
                // Not reaped yet, so the number is still this child's.
                let _ = kill_process(*pid, signal);
            }
        }
    }

    fn died(&mut self, pid: Pid, ended: Ended) {
        let Some(name) = self.children.remove(&pid) else { return };
        if !name.is_known() {
            return;
        }
        let mut dead = Vec::new();
        for (other, member) in Member::all() {
            if other.index == name.index || member.host() == name.index {
                if member.phase() != Phase::Returned {
                    note_status(member, ended);
                }
                dead.push(other);
            }
        }
        for (pid, child) in &self.children {
            let parent = child.slot().map(Member::parent);
            if dead.iter().any(|gone| Some(gone.index) == parent) {
                let _ = kill_process(*pid, Signal::KILL);
            }
        }
        self.inboxes.remove(&name);
        self.undertaker.bury(name.index);
    }

    /// In a child: the server's descriptors are closed, except the way to it. Its memory stays as it is until the
    /// process ends: whatever is written to is copied first, and giving it back would be writing.
    fn become_child(&self, member: MemberName) -> ! {
        // SAFETY: the server goes on in its own process; here nobody comes back to what is taken from it.
        let Loop { server, watch, mask, undertaker, own, warm: _, files, confined, children, inboxes } =
            unsafe { std::ptr::read(self) };
        drop((server, watch));
        if inboxes.is_empty() {
            std::mem::forget(inboxes)
        } else {
            drop(inboxes)
        }
        // The server's context stays the server's.
        std::mem::forget((undertaker, children));
        super::child::run(member, Inherited { mask, files, confined, server: own })
    }
}
