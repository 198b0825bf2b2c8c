//! What one thread keeps for itself: its context, the block in its hand, its spinning and its dice.
//!
//! Knows nothing of messages. A thread gets its context at its first operation and gives it back when it ends, settling
//! what the context still owns. A thread in which `exit` runs has not ended: what it was doing stays as it is, and the
//! reaper finds it with the process. So nobody gets a context that owes something to somebody else.

use super::channel::Channel;
use super::context::Context;
use super::end::Closing;
use super::lock::LockHolder;
use super::member::Role;
use super::sync::Ordering;
use super::tables::{Owner, Tables, tables, take};
use super::wait::Spin;
use crate::engine::ChannelName;
use crate::memory::{ArenaError, Block, FATE, Home, NONE};
use crate::sys::leaving::when_thread_ends;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// A block this large is not kept in the hand of an idle thread.
const LARGEST_HAND: usize = 64 << 20;

/// The thread's side of the engine.
#[derive(Debug)]
pub(crate) struct Local {
    pub(super) tables: Tables,
    pub(super) index: u32,
    generation: u32,
    pub(super) context: &'static Context,
    pub(super) holder: LockHolder,
    /// A spare block: given in exchange for a message, or used for the next one to write.
    pub(super) hand: Block,
    pub(super) spin: Spin,
    /// The reaper must not wait for a lock that only it could break.
    pub(super) is_reaper: bool,
    pub(super) dice: u64,
    /// Kept between calls so that an offer allocates nothing.
    pub(super) scan: Vec<u16>,
    pub(super) locked: Vec<u32>,
    pub(super) wakes: Vec<u32>,
    pub(super) releases: Vec<u32>,
    /// The one that an offer has committed while it slept: to be woken once no lock is held.
    pub(super) partner: Option<&'static Context>,
    /// Messages that nobody will read, to be freed once no lock is held.
    pub(super) doomed: Vec<Block>,
    /// An offer has left something to [`Local::after_unlock`].
    pub(super) owes: bool,
}

/// Set in the child of a fork that this library did not make.
static FOREIGN: AtomicBool = AtomicBool::new(false);
/// Set in the process server.
static SERVER: AtomicBool = AtomicBool::new(false);
/// The member that is this operating-system process, plus one.
static HOST: AtomicU32 = AtomicU32::new(0);

/// To be called in the child of every fork: its threads and contexts belong to the parent.
pub(crate) extern "C" fn forget_after_fork() {
    FOREIGN.store(true, Ordering::Relaxed);
}

thread_local! {
    /// The member this thread runs, plus one; zero is the host.
    static MEMBER: Cell<u32> = const { Cell::new(0) };
    /// Not dropped with the thread's locals, which `exit` destroys, too: see [`give_up_local`].
    static LOCAL: RefCell<ManuallyDrop<Option<Local>>> = const { RefCell::new(ManuallyDrop::new(None)) };
    /// Messages of extended reads that the thread keeps. One that it has forgotten keeps its writer waiting.
    static KEPT: Cell<usize> = const { Cell::new(0) };
}

/// The calling thread keeps one more message of an extended read, until [`keeps_no_more`].
pub(crate) fn keeps_message() {
    KEPT.set(KEPT.get() + 1);
}

/// The counterpart of [`keeps_message`].
pub(crate) fn keeps_no_more() {
    KEPT.set(KEPT.get() - 1);
}

pub(super) fn keeps_messages() -> bool {
    KEPT.get() > 0
}

/// The calling thread has ended.
fn give_up_local() {
    let _: Result<(), _> = LOCAL.try_with(|cell| {
        if let Ok(mut slot) = cell.try_borrow_mut() {
            drop(slot.take());
        }
    });
}

/// Runs `work` with the calling thread's side of the engine.
///
/// Works also while the thread's locals are being destroyed.
#[inline]
pub(crate) fn with_local<R>(work: impl FnOnce(&mut Local) -> R) -> Result<R, ArenaError> {
    if FOREIGN.load(Ordering::Relaxed) {
        return Err(ArenaError::Foreign);
    }
    let mut work = Some(work);
    let done = LOCAL.try_with(|cell| {
        // Borrowed only when an operation runs inside another one (a signal handler): that one gets its own context.
        let Ok(mut slot) = cell.try_borrow_mut() else { return None };
        if slot.is_none() {
            match Local::new() {
                Ok(local) => **slot = Some(local),
                Err(error) => return Some(Err(error)),
            }
            when_thread_ends(give_up_local);
        }
        let local = slot.as_mut()?;
        work.take().map(|work| Ok(work(local)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => Ok(work(&mut Local::new()?)),
        (_, None) => Err(ArenaError::Foreign),
    }
}

impl Local {
    pub(crate) fn new() -> Result<Local, ArenaError> {
        let tables = tables();
        let (host, member) = (host()?, member()?);
        // All of it before the slot counts as taken: killed in between, the maker leaves a context that its burial
        // finds by its host.
        let (index, generation, context) = take(tables.contexts, Home::Contexts, |context| {
            for word in [
                &context.length,
                &context.table,
                &context.locking,
                &context.sleeping,
                &context.partner,
                &context.storing,
            ] {
                word.store(0, Ordering::Relaxed);
            }
            context.word.start();
            context.location.store(0, Ordering::Relaxed);
            context.thread.store(crate::sys::threads::current(), Ordering::Relaxed);
            context.active.store(0, Ordering::Relaxed);
            context.host.store(host + 1, Ordering::Release);
            context.member.store(member + 1, Ordering::Release);
        })?;
        context.active.store(1, Ordering::Relaxed);
        tables.arena.shared().active.fetch_add(1, Ordering::Relaxed);
        let local = Local {
            tables,
            index,
            generation,
            context,
            holder: Context::holder(index, generation),
            hand: NONE,
            spin: Spin::new(),
            is_reaper: false,
            dice: u64::from(index) << 32 | 0x9e37_79b9,
            scan: Vec::new(),
            locked: Vec::new(),
            wakes: Vec::new(),
            releases: Vec::new(),
            partner: None,
            doomed: Vec::new(),
            owes: false,
        };
        Ok(local)
    }

    /// From now on the thread acts for nobody, and does not count as active.
    pub(crate) fn stand_aside(&self) {
        self.context.member.store(0, Ordering::Release);
        if self.context.active.swap(0, Ordering::AcqRel) == 1 {
            self.tables.arena.shared().active.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn tables(&self) -> Tables {
        self.tables
    }

    /// The tag of blocks that this thread owns.
    #[inline]
    pub(crate) fn owner(&self) -> u32 {
        Owner::Context(self.index).tag()
    }

    /// A block of at least `bytes` bytes: the one in the hand if it is large enough.
    #[inline]
    pub(crate) fn take_block(&mut self, bytes: usize) -> Result<Block, ArenaError> {
        let block = std::mem::replace(&mut self.hand, NONE);
        if block != NONE {
            if self.tables.arena.capacity(block) >= bytes {
                return Ok(block);
            }
            self.tables.free(block);
        }
        self.tables.arena.take_block(bytes, self.owner())
    }

    /// A block to give for a message: there is one as long as there are contexts, however full the arena is.
    pub(super) fn take_spare(&self) -> Result<Block, ArenaError> {
        self.tables.arena.take_spare(self.owner())
    }

    /// Puts a block that this thread owns into its hand, or gives it back when the hand is full.
    #[inline]
    pub(crate) fn keep_block(&mut self, block: Block) {
        if block == NONE || block == FATE {
            return;
        }
        if self.hand == NONE && self.tables.arena.capacity(block) <= LARGEST_HAND {
            self.hand = block;
        } else {
            self.tables.free(block);
        }
    }

    /// Takes the lock of a channel, for anything but an offer. `None` when the channel no longer exists.
    pub(super) fn lock(&mut self, name: ChannelName) -> Option<&'static Channel> {
        let channel = self.tables.channels.get(name.index)?;
        // From here on the reaper finds the lock if we die with it.
        self.context.locking.store(name.index + 1, Ordering::Release);
        if self.is_reaper {
            self.take_lock_as_reaper(name.index, channel);
        } else {
            self.take_lock(name.index, channel);
        }
        if self.tables.channel(name).is_some() {
            return Some(channel);
        }
        self.unlock(channel);
        None
    }

    pub(super) fn unlock(&mut self, channel: &Channel) {
        channel.lock.release();
        self.context.locking.store(0, Ordering::Release);
    }

    #[inline]
    pub(super) fn take_lock(&self, index: u32, channel: &Channel) {
        let context = self.context;
        channel.lock.take(self.holder, self.spin.processors() > 1, |sleeping| {
            context.sleeping.store(if sleeping { index + 1 } else { 0 }, Ordering::Release);
        });
    }

    /// What had to wait until no lock is held: waking those whose channel has met its fate, letting go of the members
    /// that freed channels were lost with, and freeing messages that nobody will read (the ends that travel in them go,
    /// which takes locks).
    pub(super) fn after_unlock(&mut self) {
        while let Some(index) = self.wakes.pop() {
            if let Some(context) = self.tables.contexts.get(index) {
                context.word.wake();
            }
        }
        while let Some(member) = self.releases.pop() {
            self.release_member(member);
        }
        while let Some(block) = self.doomed.pop() {
            self.discard(block, Closing::Retire);
        }
    }

    /// The next number of a small generator (xorshift, Marsaglia 2003): order of guards, nothing secret.
    pub(super) fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if FOREIGN.load(Ordering::Relaxed) {
            return;
        }
        self.tables.free(std::mem::replace(&mut self.hand, NONE));
        self.context.length.store(0, Ordering::Release);
        self.tables.free(self.context.table.swap(NONE, Ordering::AcqRel));
        if keeps_messages() {
            self.abandon_writers(false);
            self.discard_rest();
        }
        if self.context.active.swap(0, Ordering::AcqRel) == 1 {
            self.tables.arena.shared().active.fetch_sub(1, Ordering::Relaxed);
        }
        self.set_verdict(self.context, 0);
        // The host stays until the slot is somebody else's: killed before it is given back, it is found by it.
        self.tables.contexts.give_back(self.index, self.generation);
    }
}

/// The member that is this operating-system process; the root makes its own at the first call.
pub(crate) fn host() -> Result<u32, ArenaError> {
    match HOST.load(Ordering::Acquire).checked_sub(1) {
        Some(host) => Ok(host),
        None => create_host(),
    }
}

#[cold]
fn create_host() -> Result<u32, ArenaError> {
    let tables = tables();
    let role = if SERVER.load(Ordering::Relaxed) { Role::Server } else { Role::Program };
    let (name, member) = tables.create_root(role)?;
    member.pid.store(std::process::id(), Ordering::Relaxed);
    member.enter(super::member::Phase::Running);
    match HOST.compare_exchange(0, name.index + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(name.index),
        Err(other) => {
            // Nothing can refer to it yet, so giving the slot back is enough.
            tables.members.give_back(name.index, name.generation);
            Ok(other - 1)
        }
    }
}

/// This process is the process server, which has no member yet.
pub(crate) fn become_server() {
    SERVER.store(true, Ordering::Relaxed);
}

/// This process was just forked by the server, with one thread: everything the parent kept is not ours.
pub(crate) fn become_host(member: u32) {
    HOST.store(member + 1, Ordering::Release);
    // The program looks after its processes.
    crate::sys::lasting::is_seen(true);
    // Not a bare fork. The server keeps its context outside the thread-local slot, so there is none to forget.
    FOREIGN.store(false, Ordering::Relaxed);
}

/// The member that the calling thread acts for: the process it runs, or else the operating-system process it is in.
pub(crate) fn member() -> Result<u32, ArenaError> {
    match MEMBER.try_with(std::cell::Cell::get) {
        Ok(member) if member > 0 => Ok(member - 1),
        _ => host(),
    }
}

/// From now on the calling thread acts for this member; `None` is its host.
pub(crate) fn act_for(member: Option<u32>) {
    // While the thread's locals are destroyed there is nothing left to act for.
    let _ = MEMBER.try_with(|cell| cell.set(member.map_or(0, |member| member + 1)));
}
