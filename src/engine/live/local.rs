//! What one thread keeps for itself: its context, the block in its hand, its spinning and its dice.
//!
//! Knows nothing of messages, nor of which thread has it: that is the [`Actor`](crate::engine::Actor)'s. A thread gets
//! its context at its first operation and gives it back when it ends, settling what the context still owns. So nobody
//! gets a context that owes something to somebody else.

use super::channel::Channel;
use super::context::{Context, Offer, OfferName};
use super::host::is_foreign;
use super::lock::{LockHolder, Said};
use super::notes::Notes;
use super::spin::Spin;
use super::sync::Ordering;
use super::tables::{Tables, take};
use crate::engine::{EndName, Fate, Kept, Owner};
use crate::memory::{ArenaError, Block, Home, NONE, is_block};

/// A block with more room is not kept in the hand of a thread, which may not need it for long: the arena keeps it warm
/// for whoever is the next.
const LARGEST_HAND: usize = 1 << 20 | 64;

/// The thread's side of the engine.
#[derive(Debug)]
pub(crate) struct Local {
    pub(super) tables: Tables,
    pub(super) index: u32,
    generation: u32,
    pub(super) context: &'static Context,
    pub(super) holder: LockHolder,
    /// The short message that is to be handed over, or that has come.
    pub(super) short: [u64; 3],
    /// Of the last communication with one guard: whom it holds, and why there was none.
    pub(super) kept: Kept,
    pub(super) fate: Fate,
    /// A spare block: given in exchange for a message, or used for the next one to write.
    pub(super) hand: Block,
    /// The end of the input guard that is being looked at.
    pub(super) reader: EndName,
    pub(super) spin: Spin,
    /// What the last operation came to.
    pub(super) notes: Notes,
    /// The reaper must not wait for a lock that only it could break.
    pub(super) is_reaper: bool,
    /// Whom the reaper buries: the process is dead, and its number may be another's by now.
    pub(super) burying: Option<u32>,
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
    /// It is being done.
    pub(super) settling: bool,
    /// See [`references`](super::references).
    pub(super) is_counting: bool,
    /// The parties of a barrier that is being completed.
    pub(super) parties: Vec<(OfferName, &'static Offer)>,
    /// Units in hand, for the guards of these numbers of the offer that is being made.
    pub(super) units: Vec<(usize, EndName)>,
    /// A unit in hand that no offer needs: see [`unit`](super::unit).
    pub(super) spare: Option<EndName>,
    /// A unit in hand that occupies this gate, if nobody has written it down meanwhile.
    pub(super) occupying: Option<(EndName, &'static Channel)>,
    /// It has taken a lock outside of an offer: see [`estate`](super::estate).
    #[cfg(debug_assertions)]
    pub(super) has_lock: bool,
    /// Messages of extended reads that the thread keeps. One that it has forgotten keeps its writer waiting.
    pub(super) keeps: usize,
    /// What the last message took that was too large for the hand; the next one probably is, too.
    pub(in crate::engine) usual: usize,
}

impl Local {
    /// A context that acts for the process of the operating system it is in.
    pub(crate) fn new(tables: Tables) -> Result<Local, ArenaError> {
        Local::acting_for(tables, tables.host()?)
    }

    /// A context that acts for this member, for the calling thread.
    pub(crate) fn acting_for(tables: Tables, member: u32) -> Result<Local, ArenaError> {
        let local = Local::at_rest(tables, member, crate::sys::threads::current(), false)?;
        local.context.active.store(1, Ordering::Relaxed);
        local.tables.arena.shared().active.fetch_add(1, Ordering::Relaxed);
        Ok(local)
    }

    /// A context that does not count as active. One that `tolls` is a future's, and `thread` tells it of a ring.
    pub(super) fn at_rest(tables: Tables, member: u32, thread: u32, tolls: bool) -> Result<Local, ArenaError> {
        let host = tables.host()?;
        // All of it before the slot counts as taken: killed in between, the maker leaves a context that its burial
        // finds by its host.
        let (index, generation, context) = take(tables.contexts, Home::Contexts, |_, context| {
            for word in [&context.length, &context.table] {
                word.store(0, Ordering::Relaxed);
            }
            for index in [
                &context.sleeping,
                &context.partner,
                &context.storing,
                &context.occupant,
                &context.task_at,
                &context.locking,
                &context.making,
            ] {
                index.store(None, Ordering::Relaxed);
            }
            context.estate.clear();
            context.word.start();
            context.location.store(0, Ordering::Relaxed);
            context.thread.store(thread, Ordering::Relaxed);
            context.tolls.store(u32::from(tolls), Ordering::Relaxed);
            context.active.store(0, Ordering::Relaxed);
            context.host.store(Some(host), Ordering::Release);
            context.member.store(Some(member), Ordering::Release);
        })?;
        if let Some(member) = tables.members.get(member) {
            context.learn(member.number.load(Ordering::Relaxed));
        }
        Ok(Local {
            tables,
            index,
            generation,
            context,
            holder: Context::holder(index, generation),
            short: [0; 3],
            kept: Kept::Nothing,
            fate: Fate::Retired,
            hand: NONE,
            reader: EndName::NONE,
            spin: Spin::new(),
            notes: Notes::new(),
            is_reaper: false,
            burying: None,
            dice: u64::from(index) << 32 | 0x9e37_79b9,
            scan: Vec::new(),
            locked: Vec::new(),
            wakes: Vec::new(),
            releases: Vec::new(),
            partner: None,
            doomed: Vec::new(),
            owes: false,
            settling: false,
            is_counting: false,
            parties: Vec::new(),
            units: Vec::new(),
            spare: None,
            occupying: None,
            #[cfg(debug_assertions)]
            has_lock: false,
            keeps: 0,
            usual: 0,
        })
    }

    /// The thread keeps one more message of an extended read, until [`Local::keeps_no_more`].
    pub(crate) fn keeps_message(&mut self) {
        self.keeps += 1;
    }

    /// The counterpart of [`Local::keeps_message`].
    pub(crate) fn keeps_no_more(&mut self) {
        self.keeps = self.keeps.saturating_sub(1);
    }

    /// From now on the thread acts for nobody, and does not count as active.
    pub(crate) fn stand_aside(&self) {
        self.context.member.store(None, Ordering::Release);
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
        self.tables.arena.take_block(bytes, self.claimant())
    }

    /// A block to give for a message: there is one as long as there are contexts, however full the arena is.
    pub(super) fn take_spare(&self) -> Result<Block, ArenaError> {
        self.tables.arena.take_spare(self.claimant())
    }

    /// Puts a block that this thread owns into its hand, or gives it back when the hand is full.
    #[inline]
    pub(crate) fn keep_block(&mut self, block: Block) {
        if !is_block(block) {
            return;
        }
        if self.hand == NONE && self.tables.arena.capacity(block) <= LARGEST_HAND {
            self.hand = block;
        } else {
            self.tables.free(block);
        }
    }

    #[inline]
    pub(super) fn take_lock(&self, index: u32, channel: &Channel) {
        let spins = self.spin.processors() > 1;
        if let Some(unit) = channel.lock.take(self.holder, spins, |said| self.hear(index, said)) {
            self.write_down_occupant(channel, unit);
        }
    }

    /// It says something while it takes the lock of this channel.
    pub(super) fn hear(&self, channel: u32, said: Said) {
        let context = self.context;
        let taken_from = match said {
            Said::Sleeps(sleeps) => return context.sleeping.store(sleeps.then_some(channel), Ordering::Release),
            Said::FromUnit(unit) => Some(unit),
            Said::FromTheDead(dead) => self.tables.contexts.get(dead).and_then(Context::occupant),
            Said::InVain => None,
        };
        context.occupant.store(taken_from, Ordering::Release);
    }

    /// What had to wait until no lock is held: waking those whose channel has met its fate, letting go of the members
    /// that freed channels were lost with, and freeing messages that nobody will read (the ends that travel in them go,
    /// which takes locks).
    ///
    /// Each of these may leave more of the same, for an end that goes may be the last of a channel with messages, in
    /// which ends travel, too. That is left to the call that has begun: one within the other would go as deep as there
    /// are messages.
    #[inline]
    pub(super) fn after_unlock(&mut self) {
        let owes = !(self.wakes.is_empty() && self.releases.is_empty() && self.doomed.is_empty());
        if (owes || self.is_counting) && !self.settling {
            self.settle_after_unlock();
        }
    }

    fn settle_after_unlock(&mut self) {
        self.settling = true;
        loop {
            while let Some(index) = self.wakes.pop() {
                if let Some(context) = self.tables.contexts.get(index) {
                    context.wake(self.tables);
                }
            }
            if let Some(member) = self.releases.pop() {
                self.release_member(member);
            } else if !self.doomed.is_empty() {
                self.discard_doomed();
            } else {
                break;
            }
        }
        self.settling = false;
        self.close_count();
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
        if is_foreign() {
            return;
        }
        self.tables.free(std::mem::replace(&mut self.hand, NONE));
        self.write_down();
        self.free_spare();
        let member = self.context.member.load(Ordering::Relaxed);
        if let Some(member) = member.and_then(|member| self.tables.members.get(member)) {
            member.number.fetch_max(self.context.number(), Ordering::Relaxed);
        }
        self.context.length.store(0, Ordering::Release);
        self.tables.free(self.context.table.swap(NONE, Ordering::AcqRel));
        self.leave_ring();
        if self.keeps > 0 {
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
