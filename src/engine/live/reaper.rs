//! Death: what is done, step by step, when an operating-system process is gone.
//!
//! Knows nothing of signals or exit codes; it is told which process died and undoes what that process had begun. It
//! runs in the process server, one death after the other, while all other processes go on. The steps, and why in this
//! order:
//!
//! 1. **Words.** Every context of the dead becomes DEAD, so that no new commit reaches it. What its word said is kept.
//! 2. **Locks.** A lock that a dead context holds protects a half-made change: it is taken over, the queues are rebuilt
//!    from the frozen tables of all waiting contexts in order of their tickets, the counts from the records of the
//!    ends, the permits of a gate from its units, and the fate is delivered again. Then it is released. After this
//!    step nobody waits for the dead. Records of ends and channels that the dead were making or freeing belong to
//!    nobody else; they go. So do units that the dead waited with, and the permits of their gates are counted again.
//! 3. **Offers.** What the dead still have in queues is unlinked; those behind them pass a gate. Then the living who
//!    were just about to commit one of the dead are waited for: they hold the lock of a channel in their table. After
//!    this nobody tags a block of the dead any more. Writers that a dead reader kept waiting are released.
//! 4. **Exchanges.** A commit that the dead made without tagging the block they received: it gets their tag (see
//!    `offer`). So does the block that a commit has delivered to the dead.
//! 5. **Ends.** Every end held by the dead, or travelling in a block of theirs, goes by the policy of its member. Those
//!    that they wrote with come last: whoever reads that they are gone, and writes to them then, is told so, too.
//! 6. **Blocks.** What carries a tag of the dead is freed, unless it is named in the COMMITTED word of a living
//!    context: then the message was delivered and its new owner is about to tag it.
//! 7. **Members.** Phase GONE; children that nobody can join any more are disowned; then the exit ends go, which wakes
//!    whoever joins. The process itself comes last, after its threads. Who was counted as kept and never named is kept
//!    no more ([`references`](super::references)).
//! 8. **Ring.** A commit or a release may have lost its wake-up together with its author: every committed context and
//!    every sleeper on a lock is woken once. A needless wake-up costs a look; a missing one would hang.
//!
//! **A burial looks where the dead may have left something** ([`estate`](super::estate)), and at all contexts and
//! members: it takes as long as the dead had things, and as there are threads, however many channels and messages
//! there are.
//!
//! **A burial that is cut short.** The process server may be killed as any other process; then the program buries
//! everybody, the server too, and begins with whoever the server was burying. So every step can be done again from any
//! point at which it was left, and does nothing the second time: what a step goes by is forgotten only when the step is
//! done. The word of the dead keeps what it said last; a block is freed by its tag alone, and whatever named it has
//! forgotten it before:
//!
//! ```text
//!     the server buries D                    living                  the program buries D again
//!     D's word names a block: freed; killed
//!                                            is given the block
//!                                                                    D's word names it: freed  ✗
//! ```
//! And who is GONE may still be known to those who wait for its exit: [`Tables::unburied`] goes by the reference that a
//! member gives up last.
//!
//! **Where the number of a context is name enough.** A context that lives finishes whatever names it (an end in its
//! hands, a channel that it makes, a slot that it frees, a barrier that it claims for) before it gives its slot back,
//! and the slot of a dead one is given back at the very end of its burial. So during a burial the numbers of the dead
//! are nobody else's, and what carries one of them is theirs. A lock is different: another process that finds its
//! holder dead decides that before the burial ends and acts on it afterwards (drawn in `lock`). So is a writer's word
//! that its reader releases: it is compared as a whole, with its generation.

use super::channel::{Channel, FRESH, HAD_READERS, HAD_WRITERS, NO_READERS, NO_WRITERS};
use super::context::{Context, OfferName};
use super::local::Local;
use super::lock::{LockHolder, Said, Taking};
use super::member::{Member, Phase};
use super::sync::Ordering;
use super::tables::Tables;
use super::word::{Snapshot, State};
use crate::engine::{ChannelName, Closing, Direction, Holder, MemberName, Owner, Unfinished};
use crate::memory::{Block, FATE, NONE, Slot};
use std::collections::{BTreeSet, HashSet};

/// One context of the dead process, with the last reading of its word.
pub(super) struct Corpse {
    pub(super) index: u32,
    generation: u32,
    pub(super) context: &'static Context,
    pub(super) word: Snapshot,
}

impl Corpse {
    /// What the writer is told that waited for it: the process that the thread acted for, and whether that crashed.
    pub(super) fn unfinished(&self, tables: Tables, host: u32) -> Unfinished {
        let member = self.context.member.load(Ordering::Acquire).unwrap_or(host);
        let crashed = tables.members.get(member).is_none_or(|member| member.phase() != Phase::Returned);
        Unfinished { member, crashed }
    }
}

/// What an offer means to a channel that is being rebuilt.
enum Standing {
    Queued,
    OfTheDead,
    None,
}

/// Undoes what the process `host` had begun, and tells the living.
pub(crate) fn bury(local: &mut Local, host: u32) {
    let tables = local.tables();
    local.burying = Some(host);
    let corpses: Vec<Corpse> = tables
        .contexts
        .taken()
        .filter(|(_, _, context)| context.host.load(Ordering::Acquire) == Some(host))
        .map(|(index, generation, context)| Corpse { index, generation, context, word: context.word.bury() })
        .collect();
    let members = tables.unburied_of(host);
    local.note_counts_of(&corpses, &members);
    for corpse in &corpses {
        local.context.learn(corpse.context.number());
    }
    if tables.arena.control().setting().epoch() != 0 {
        let serials = members.iter().filter(|(_, _, member)| member.phase() != Phase::Returned);
        local.note_dead(host, serials.map(|(_, _, member)| member.serial()));
    }
    for corpse in &corpses {
        local.break_locks(corpse);
    }
    for corpse in &corpses {
        local.free_half_made_ends(corpse);
        local.free_half_made_channel(corpse);
    }
    for corpse in &corpses {
        local.unlink_offers(corpse);
    }
    local.let_partners_finish(&corpses);
    local.release_held_by(&corpses, host);
    local.settle_exchanges(&corpses);
    for (index, _, member) in &members {
        local.close_held(*index, closing(*index, member));
    }
    local.free_blocks(&corpses, &members, host);
    local.free_half_freed_members(|context| corpses.iter().any(|corpse| corpse.index == context));
    let any = !corpses.is_empty();
    for corpse in corpses {
        local.release_corpse(&corpse);
    }
    for (index, generation, member) in members {
        // A child that its parent has just taken along is gone, and its slot may be somebody else's.
        if member.state().is(generation) {
            local.leave_born_or_not(index, member);
        }
    }
    local.settle_counts();
    if any {
        recount(local);
    }
    local.burying = None;
    ring(local);
}

/// How the ends of a member are closed that it did not close itself.
pub(super) fn closing(index: u32, member: &Member) -> Closing {
    match member.phase() {
        Phase::Returned => Closing::Retire,
        // It never was: nobody lost it, but nobody can go on without it either.
        Phase::Failed => Closing::Poison,
        _ if member.retires_on_crash.load(Ordering::Acquire) == 1 => Closing::Retire,
        _ => Closing::Lost { member: index },
    }
}

impl Local {
    /// A context for the reaper itself: it never spins, and does not count as active.
    pub(crate) fn for_reaper(tables: Tables) -> Result<Local, crate::memory::ArenaError> {
        let mut local = Local::new(tables)?;
        local.is_reaper = true;
        local.stand_aside();
        Ok(local)
    }

    /// Takes a lock without ever waiting for the dead.
    ///
    /// Several processes may die at once, and while one of them is buried another one, dead but not yet reaped, may
    /// hold a lock that the burial needs, or one that the holder of such a lock sleeps on. Nobody else would break it.
    /// The dead holder's context is not marked DEAD then; what it has in queues stays there, marked, until its own
    /// burial unlinks it.
    pub(super) fn take_lock_as_reaper(&mut self, index: u32, channel: &'static Channel) {
        loop {
            let said = |said| self.hear(index, said);
            match channel.lock.take_from_the_dead(self.holder, |holder| self.is_dead(holder), said) {
                Taking::Free => return,
                Taking::FromUnit(unit) => return self.write_down_occupant(channel, unit),
                Taking::FromTheDead(dead) => return self.rebuild(index, channel, dead),
                Taking::Late => {
                    self.break_locks_slept_on();
                    ring_locks(self);
                }
            }
        }
    }

    /// Breaks each lock that somebody sleeps on and that one of the dead holds. Wake-ups are left to whoever has waited
    /// for a lock meanwhile.
    fn break_locks_slept_on(&mut self) {
        let contexts = self.tables().contexts.taken();
        let slept_on: BTreeSet<u32> =
            contexts.filter_map(|(_, _, context)| context.sleeping.load(Ordering::Acquire)).collect();
        for index in slept_on {
            self.break_lock(index);
        }
    }

    /// If one of the dead holds the lock of this channel, repairs what it protects, and releases it. What had to wait
    /// for that is left to [`Local::after_unlock`]. If a unit occupies it, that is written down: it may be of the dead.
    pub(super) fn break_lock(&mut self, index: u32) {
        let Some(channel) = self.tables().channels.get(index) else { return };
        let said = |said| self.hear(index, said);
        if let Some(unit) = channel.lock.take_from_unit(self.holder, said) {
            self.write_down_occupant(channel, unit);
            channel.lock.release();
        } else if let Some(dead) = channel.lock.take_over_if(self.holder, |holder| self.is_dead(holder), said) {
            self.rebuild(index, channel, dead);
            channel.lock.release();
            channel.lock.ring();
        }
    }

    /// Whether the process that a holder of a lock belongs to runs no more, reaped or not.
    fn is_dead(&self, holder: LockHolder) -> bool {
        let tables = self.tables();
        let Some(context) = tables.contexts.get(holder.context()) else { return false };
        let host = context.host.load(Ordering::Acquire);
        let member = host.and_then(|host| tables.members.get(host));
        let is_buried = host.is_some() && host == self.burying;
        (is_buried || member.is_some_and(|member| crate::sys::fork::is_dead(member.pid.load(Ordering::Acquire))))
            // Asked last: the host was that of this holder, not of the next one with its number.
            && context.state().taken().is_some_and(|generation| Context::holder(holder.context(), generation) == holder)
    }

    /// Closes every end that a member holds; of one that lives, all but those that its threads may be using without
    /// asking ([`area`](super::area)).
    pub(crate) fn close_held(&mut self, member: u32, closing: Closing) {
        let tables = self.tables();
        self.write_down();
        for end in tables.held_to_close(Holder::Member(member)) {
            if self.is_reaper || !tables.keeps_memory(end) {
                self.close_end(end, closing);
            }
        }
    }

    /// A member is gone: says so, and lets go of the end that its joiner waits for. A thread that is killed on the way
    /// has not left: all of this is done again at the burial of its process, and every step counts once.
    pub(crate) fn leave(&mut self, index: u32, member: &Member) {
        let closing = closing(index, member);
        self.context.learn(member.number.load(Ordering::Relaxed));
        let arguments = member.arguments.swap(NONE, Ordering::AcqRel);
        self.discard(arguments, closing);
        member.enter(Phase::Gone);
        let orphans: Vec<(MemberName, &'static Member)> = self
            .tables()
            .members
            .taken()
            .filter(|(_, _, child)| child.parent.load(Ordering::Acquire) == index)
            .map(|(index, generation, child)| (MemberName { index, generation }, child))
            .collect();
        for (child, slot) in orphans {
            let unborn = slot.state().is(child.generation) && slot.is_unborn();
            self.disown(child);
            // Its own reference keeps the slot, and nobody else gives that up.
            if unborn {
                self.leave_born_or_not(child.index, slot);
            }
        }
        // Last: whoever joins it finds nothing of it.
        let exit = member.exit_writer();
        if self.tables().holder(exit) == Some(Holder::Exit(index)) {
            self.close_end(exit, Closing::Retire);
        }
        self.release_own(index);
    }

    /// Its starter may have died while it described the process, which is one of the starter's orphans then; or, if it
    /// was to be a thread, it is one of those that die with the starter, and may come before it.
    fn leave_born_or_not(&mut self, index: u32, member: &Member) {
        if member.is_unborn() {
            self.close_unnamed(index, closing(index, member));
        }
        self.leave(index, member);
    }

    /// What already belongs to a process by its tag or its holder need not be named in its slot yet.
    fn close_unnamed(&mut self, index: u32, closing: Closing) {
        let tables = self.tables();
        for end in tables.held_by(Holder::Exit(index)) {
            self.close_end(end, Closing::Retire);
        }
        let kept = |block| tables.members.get(index).is_some_and(|member| member.keeps(block));
        for block in tables.blocks_of(Owner::Member(index)).into_iter().filter(|block| !kept(*block)) {
            self.discard(block, closing);
        }
    }

    /// Step 2. Also the lock of a channel that was just freed: the slot is given to others as it is.
    fn break_locks(&mut self, dead: &Corpse) {
        for index in self.tables().locks_of(dead.index, dead.context) {
            self.break_lock(index);
            self.after_unlock();
        }
    }

    /// Under a lock taken over from this context, which is dead: queues from the tables, counts from the ends, fate
    /// from both.
    fn rebuild(&mut self, index: u32, channel: &'static Channel, dead: u32) {
        let tables = self.tables();
        channel.inputs.clear();
        channel.outputs.clear();
        channel.joins.clear();
        // Also of a slot that is free: the unit is in nobody's way then.
        if let Some(unit) = self.context.occupant() {
            self.hold_occupant(channel, unit);
            self.hear(index, Said::InVain);
        }
        let Some(generation) = channel.state().taken() else { return };
        let name = ChannelName { index, generation };
        let mut queued = Vec::new();
        for (number, _, context) in tables.contexts.taken() {
            for (place, offer) in context.offers(tables).iter().enumerate() {
                match self.standing(context, offer, name) {
                    Standing::Queued => {
                        queued.push((offer.ticket.load(Ordering::Relaxed), OfferName::new(number, place), offer));
                    }
                    Standing::OfTheDead => offer.set_linked(false),
                    Standing::None => (),
                }
            }
        }
        queued.sort_unstable_by_key(|(ticket, _, _)| *ticket);
        for (_, name, offer) in &queued {
            channel.queue_of(offer).push(tables, *name, offer);
        }
        let last = queued.last().map_or(0, |(ticket, _, _)| *ticket);
        channel.number.fetch_max(last, Ordering::Relaxed);
        // Also one without a buffer: a message may have been put back.
        if !channel.is_barrier() {
            self.repair_buffer(name, channel, dead);
        }
        let [readers, writers, handles, seats, units] = tables.count_ends(name);
        if channel.is_barrier() {
            self.settle_claims(index, channel, seats);
        }
        // Killed while it made the first end: there is one, so the channel is no longer its maker's.
        if readers + writers + handles + seats + units > 0 {
            channel.lower(FRESH);
        }
        for (had, count) in [(HAD_READERS, readers), (HAD_WRITERS, writers)] {
            if count > 0 {
                channel.raise(had);
            }
        }
        for (direction, count) in
            [(Direction::Reader, readers + seats + units), (Direction::Writer, writers), (Direction::Handle, handles)]
        {
            channel.count(direction).store(count, Ordering::Relaxed);
        }
        let flags = channel.flags.load(Ordering::Relaxed);
        for (had, count, gone) in [(HAD_READERS, readers, NO_READERS), (HAD_WRITERS, writers, NO_WRITERS)] {
            if flags & had != 0 && count == 0 {
                channel.raise(gone);
            }
        }
        if channel.is_gate() {
            self.count_again(name, channel);
        }
        self.resolve(channel);
        if channel.counts_tasks() {
            self.count_tasks_again(name, channel);
        }
        // What goes into a buffer is dealt with where that is repaired.
        let taker = tables.contexts.get(dead).filter(|taker| taker.storing.load(Ordering::Acquire).is_none());
        if let Some(taker) = taker {
            self.take_over_for(dead, taker);
        }
        self.free_if_unused(name, channel);
    }

    /// What an offer of some context means to a channel whose lock we took over.
    ///
    /// A marked offer on this channel whose owner is alive belongs into the queue, even when the owner was committed
    /// elsewhere or has withdrawn: it cannot go on before it has had the lock and unlinked the offer. The exception is
    /// the offer on which the owner was committed: that owner goes on without the lock (and if it is dead, its burial
    /// looks at the mark). It clears the mark before its
    /// word leaves COMMITTED, and it changes the word whenever it uses its table again; so two equal readings of the
    /// word with the mark and the channel read in between show a moment at which all were true together.
    fn standing(&self, context: &Context, offer: &super::context::Offer, name: ChannelName) -> Standing {
        loop {
            let before = context.word.read();
            let marked = offer.is_linked() && offer.channel() == name;
            let guard = usize::from(offer.guard());
            super::sync::fence(Ordering::SeqCst);
            if context.word.read() != before {
                continue;
            }
            return match before.state() {
                _ if !marked => Standing::None,
                _ if before.in_life().is_committed() && before.guard() == guard => Standing::None,
                State::Dead => Standing::OfTheDead,
                _ => Standing::Queued,
            };
        }
    }

    /// Step 3.
    fn unlink_offers(&mut self, corpse: &Corpse) {
        let tables = self.tables();
        // The offer that a partner has committed is out of its queue already; the mark was left for its owner to clear.
        let fired = corpse.word.has_fired().then(|| corpse.word.guard());
        for offer in corpse.context.offers(tables).iter().filter(|offer| offer.is_linked()) {
            if fired == Some(usize::from(offer.guard())) {
                if offer.is_input() && corpse.word.block() != FATE {
                    self.note_task_handed_to(corpse.context, offer);
                }
                offer.set_linked(false);
                continue;
            }
            if let Some(locked) = self.lock(offer.channel()) {
                locked.unlink_dead(tables, offer);
                if locked.is_gate() {
                    locked.local.admit(locked.channel);
                }
            }
        }
        let fired = corpse.context.offers(tables).iter().find(|offer| fired == Some(usize::from(offer.guard())));
        if let Some(fired) = fired.filter(|offer| offer.passes() && !offer.keeps() && corpse.word.block() != FATE) {
            self.pass_on_turn(fired.channel());
        }
    }

    /// Step 4, for what the dead were taking.
    fn settle_exchanges(&mut self, corpses: &[Corpse]) {
        for corpse in corpses {
            self.take_over_for(corpse.index, corpse.context);
            corpse.context.exchange_done();
        }
    }

    /// What this context, which is dead, was taking is its own if the exchange was committed: ends that travel in it
    /// go by the policy of its member as all others.
    ///
    /// At its burial; and before that, when its lock is broken in the burial of its partner, which is dead, too: the
    /// number of the partner names somebody else afterwards, and so does the tag of the block:
    ///
    /// ```text
    ///     W, who is dead, had committed R     R is buried; its spare has its tag still: freed
    ///                                         (another context is given the slot of R, and that block)
    ///     W is buried, and takes it  ✗
    /// ```
    fn take_over_for(&self, number: u32, context: &Context) {
        let tables = self.tables();
        if let Some(partner) = context.partner.load(Ordering::Acquire)
            && let Some(taking) = self.committed_exchange(number, context)
            && tables.arena.block(taking).owner() == Owner::Context(partner).tag()
        {
            tables.arena.give_block(taking, tables.claimant(Owner::Context(number)));
        }
    }

    /// The block that a context was taking when it died, if the exchange it had announced was committed.
    pub(super) fn committed_exchange(&self, number: u32, context: &Context) -> Option<Block> {
        let tables = self.tables();
        let partner = tables.contexts.get(context.partner.load(Ordering::Acquire)?)?;
        let giving = context.giving.load(Ordering::Relaxed);
        let taking = context.taking.load(Ordering::Relaxed);
        if giving == NONE || taking == NONE {
            return None;
        }
        // In this order: the partner tags the block before its word leaves COMMITTED.
        let word = partner.word.read().in_life();
        let delivered = word.names_block() && word.block() == giving;
        let mine = Owner::Context(number).tag();
        (delivered || tables.arena.block(giving).owner() != mine).then_some(taking)
    }

    /// Waits for the living that were committing one of the dead when it died.
    ///
    /// ```text
    ///     living                                   dead
    ///     sync(word) ────────────────────────────► COMMITTED: goes on, or not; dies
    ///     preempted: has not tagged the block      the reaper frees what carries the tag of the dead  ✗
    ///     received(block)
    /// ```
    /// Whoever commits holds the locks of all channels in its table until the block is tagged. The words of the dead
    /// are DEAD by now, so no new commit begins; having had each of those locks once is enough.
    fn let_partners_finish(&mut self, corpses: &[Corpse]) {
        let tables = self.tables();
        for (_, _, context) in tables.contexts.taken() {
            let partner = context.partner.load(Ordering::Acquire);
            if context.word.read().state() == State::Dead || !corpses.iter().any(|corpse| Some(corpse.index) == partner)
            {
                continue;
            }
            let channels: Vec<ChannelName> =
                context.offers(tables).iter().map(super::context::Offer::channel).collect();
            for channel in channels {
                drop(self.lock(channel));
            }
        }
    }

    /// Step 6.
    fn free_blocks(&mut self, corpses: &[Corpse], members: &[(u32, u32, &'static Member)], host: u32) {
        let tables = self.tables();
        for corpse in corpses {
            // A message that a living writer had delivered to the dead.
            if corpse.word.names_block() {
                let block = corpse.word.block();
                tables.arena.give_block(block, tables.claimant(Owner::Context(corpse.index)));
            }
            corpse.context.word.settle();
        }
        let contexts = corpses.iter().map(|corpse| Owner::Context(corpse.index));
        let mine = contexts.chain(members.iter().map(|(index, ..)| Owner::Member(*index)));
        let closing = tables.members.get(host).map_or(Closing::Retire, |member| closing(host, member));
        for block in tables.left_by(mine) {
            self.discard(block, closing);
        }
    }

    /// A thread that ends: what it owns besides its hand and its table. Its writers were released before.
    pub(super) fn discard_rest(&mut self) {
        for block in self.tables().left_by([Owner::Context(self.index)]) {
            self.discard(block, Closing::Retire);
        }
    }

    fn release_corpse(&mut self, corpse: &Corpse) {
        let tables = self.tables();
        self.set_verdict(corpse.context, 0);
        corpse.context.length.store(0, Ordering::Release);
        corpse.context.table.store(NONE, Ordering::Release);
        if corpse.context.active.swap(0, Ordering::AcqRel) == 1 {
            tables.arena.shared().active.fetch_sub(1, Ordering::Relaxed);
        }
        tables.contexts.give_back(corpse.index, corpse.generation);
    }
}

impl Tables {
    /// The processes of the operating system, without `own`, that somebody has begun and nobody has buried to the end.
    pub(crate) fn unburied(self, own: u32) -> BTreeSet<u32> {
        let members =
            self.members.taken().filter(|(_, _, member)| member.is_to_be_buried() && member.phase() != Phase::New);
        members.map(|(_, _, member)| member.host()).filter(|host| *host != own).collect()
    }

    /// The process `host` and its threads, as far as nobody has buried them to the end. It comes last: as long as its
    /// slot is there, its threads are known by it.
    pub(super) fn unburied_of(self, host: u32) -> Vec<(u32, u32, &'static Member)> {
        let of_it = |index: u32, member: &Member| member.host.load(Ordering::Acquire) == host || index == host;
        let members = self.members.taken().filter(|(index, _, member)| of_it(*index, member));
        let mut unburied: Vec<_> = members.filter(|(_, _, member)| member.is_to_be_buried()).collect();
        unburied.sort_by_key(|(index, ..)| *index == host);
        unburied
    }

    /// The blocks of those who will tag none any more, without those that were delivered to the living and those that a
    /// member keeps.
    fn left_by(self, owners: impl IntoIterator<Item = Owner>) -> Vec<Block> {
        let blocks_of = |owner: Owner| self.blocks_of(owner).into_iter().map(move |block| (owner, block));
        let left: Vec<(Owner, Block)> = owners.into_iter().flat_map(blocks_of).collect();
        // In this order: a living receiver tags the block before its word leaves COMMITTED.
        let words = self.contexts.taken().map(|(_, _, context)| context.word.read());
        let delivered: HashSet<Block> = words.filter(|word| word.names_block()).map(Snapshot::block).collect();
        let is_left = |(owner, block): &(Owner, Block)| {
            let kept = match *owner {
                Owner::Member(index) => self.members.get(index).is_some_and(|member| member.keeps(*block)),
                _ => false,
            };
            self.arena.block(*block).owner() == owner.tag() && !delivered.contains(block) && !kept
        };
        left.into_iter().filter(is_left).map(|(_, block)| block).collect()
    }
}

/// A process that dies while it changes the number of active contexts leaves it wrong, for good. It only decides
/// whether spinning pays, so counting while others change it is good enough.
fn recount(local: &Local) {
    let tables = local.tables();
    let active = tables.contexts.taken().filter(|(_, _, context)| context.active.load(Ordering::Relaxed) == 1).count();
    tables.arena.shared().active.store(active as i32, Ordering::Relaxed);
}

/// Step 8.
fn ring(local: &Local) {
    let tables = local.tables();
    for (_, _, context) in tables.contexts.taken() {
        if context.word.read().is_committed() {
            context.wake(tables);
        }
    }
    ring_locks(local);
}

/// Wakes every sleeper on a lock.
fn ring_locks(local: &Local) {
    let tables = local.tables();
    for (_, _, context) in tables.contexts.taken() {
        let sleeping = context.sleeping.load(Ordering::Acquire);
        if let Some(channel) = sleeping.and_then(|index| tables.channels.get(index)) {
            channel.lock.ring();
        }
    }
}
