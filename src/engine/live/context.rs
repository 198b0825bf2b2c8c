//! A context: one thread, or one future, that can wait, as its partners see it.
//!
//! Knows nothing of how it waits. The table of offers is written by its owner only, and only while the word is
//! IDLE; while the word is WAITING or PARKED it is frozen, so the reaper can rebuild every queue from the tables. The
//! links (`next`, `previous`, `linked`) belong to the channel's lock instead.
#![expect(unsafe_code, reason = "promises that its records consist of atomics; listed in the architecture page")]

use super::estate::Estate;
use super::lock::LockHolder;
use super::maybe::MaybeIndex;
use super::sync::{AtomicU32, AtomicU64, Ordering};
use super::word::StateWord;
use crate::engine::ChannelName;
use crate::memory::{Block, Home, Layout, Shareable, Slot, SlotState, record};

/// Offers that fit into the context itself; longer tables lie in a block.
pub(super) const INLINE: usize = 12;
/// The largest number of guards in one offer: a guard number has 16 bits in the state word.
pub(super) const MOST_GUARDS: usize = u16::MAX as usize;

/// One offer on one channel. The first one of a context shares a cache line with its state word, all but its ticket.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// Links of the channel's queue, under the channel's lock.
    pub(super) next: AtomicU64,
    pub(super) previous: AtomicU64,
    /// Index and generation of the channel.
    pub(super) channel: AtomicU32,
    pub(super) generation: AtomicU32,
    /// The message (output) or the block given in exchange for one (input); at a gate see [`PASSES`].
    pub(super) block: AtomicU32,
    /// [`OUTPUT`], [`LINKED`], [`EXTENDED`], [`PASSES`], [`KEEPS`], [`JOINS`], and the number of the guard in the upper
    /// half.
    pub(super) flags: AtomicU32,
    /// A short message: the owner's, or one that a partner hands over: see [`short`](super::short).
    pub(super) beside: [AtomicU64; 3],
    /// Order of arrival on the channel.
    pub(super) ticket: AtomicU64,
}

pub(super) const OUTPUT: u32 = 1;
pub(super) const LINKED: u32 = 2;
/// The input holds its writer until it is released.
pub(super) const EXTENDED: u32 = 4;
/// It waits at a gate; `block` is the unit that it will have, or, without [`KEEPS`], how many permits must be free.
pub(super) const PASSES: u32 = 8;
pub(super) const KEEPS: u32 = 16;
/// It waits until all tasks of its channel are done.
pub(super) const JOINS: u32 = 32;

impl Offer {
    /// Owner, IDLE: it is to be made on this channel.
    #[inline]
    pub(super) fn write(&self, channel: ChannelName, block: Block, flags: u32) {
        self.channel.store(channel.index, Ordering::Relaxed);
        self.generation.store(channel.generation, Ordering::Relaxed);
        self.block.store(block, Ordering::Relaxed);
        self.flags.store(flags, Ordering::Relaxed);
    }

    pub(super) fn channel(&self) -> ChannelName {
        ChannelName { index: self.channel.load(Ordering::Relaxed), generation: self.generation.load(Ordering::Relaxed) }
    }

    pub(super) fn is_output(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & OUTPUT != 0
    }

    pub(super) fn is_extended(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & EXTENDED != 0
    }

    pub(super) fn passes(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & PASSES != 0
    }

    pub(super) fn keeps(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & KEEPS != 0
    }

    pub(super) fn joins(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & JOINS != 0
    }

    /// Whether it is to take a message.
    pub(super) fn is_input(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & (OUTPUT | PASSES | JOINS) == 0
    }

    pub(super) fn guard(&self) -> u16 {
        (self.flags.load(Ordering::Relaxed) >> 16) as u16
    }

    /// Whether the offer is in its channel's queue. Exact under the channel's lock; the owner may also ask without it
    /// once its word is SYNCED: then it can only change from true to false.
    pub(super) fn is_linked(&self) -> bool {
        self.flags.load(Ordering::Acquire) & LINKED != 0
    }

    pub(super) fn set_linked(&self, linked: bool) {
        let flags = self.flags.load(Ordering::Relaxed);
        let new = if linked { flags | LINKED } else { flags & !LINKED };
        self.flags.store(new, Ordering::Release);
    }
}

/// An offer named by the number of its context and its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfferName(u64);

impl OfferName {
    pub(super) fn new(context: u32, place: usize) -> OfferName {
        OfferName(u64::from(context) << 16 | place as u64)
    }

    pub(super) fn raw(self) -> u64 {
        self.0
    }

    pub(super) fn from_raw(raw: u64) -> OfferName {
        OfferName(raw)
    }

    pub(super) fn context(self) -> u32 {
        (self.0 >> 16) as u32
    }

    pub(super) fn place(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Context {
    // First cache line: what a partner touches on a commit, up to the first offer.
    pub(super) word: StateWord,
    pub(super) offers: [Offer; INLINE],
    // What partners look at, and nobody writes in most operations.
    /// Number of offers in the table.
    pub(super) length: AtomicU32,
    /// The block that holds the table when it is longer than [`INLINE`].
    pub(super) table: AtomicU32,
    state: SlotState,
    /// The member that is the operating-system process of the thread.
    pub(super) host: MaybeIndex,
    /// The member that the thread acts for; none for a reaper.
    pub(super) member: MaybeIndex,
    /// The number of the thread.
    pub(super) thread: AtomicU32,
    /// 1 when a future waits with it: nobody sleeps on its word, and whoever wakes it rings the bell of its host.
    pub(super) tolls: AtomicU32,
    /// The channel that it makes, or made last.
    pub(super) making: MaybeIndex,
    /// The channel whose lock it takes or holds, or did last, outside of an offer: see [`estate`](super::estate).
    pub(super) locking: MaybeIndex,
    /// Written by whoever ends an extended rendezvous in which this context is the writer, before the word says so:
    /// twice (the member that did not finish it, plus one), plus one if it crashed. It holds a reference to that
    /// member. So is who has left tasks behind that this context waits for.
    pub(super) verdict: AtomicU32,
    unused: [AtomicU32; 3],
    // Written by the owner, read by the reaper and for reports.
    /// Address of the `Location` of the blocking call; the same in all processes of one image.
    pub(super) location: AtomicU64,
    /// 1 while the context counts as active (it is not parked).
    pub(super) active: AtomicU32,
    /// The channel on whose lock the context sleeps.
    pub(super) sleeping: MaybeIndex,
    /// The exchange that a commit is about to make: own block, partner's block, partner.
    pub(super) giving: AtomicU32,
    pub(super) taking: AtomicU32,
    pub(super) partner: MaybeIndex,
    /// The channel into whose buffer the message of the exchange goes.
    pub(super) storing: MaybeIndex,
    /// 1 while it waits with a deadline.
    pub(super) timed: AtomicU32,
    /// Odd while it changes who keeps members: see [`references`](super::references).
    pub(super) counting: AtomicU32,
    /// How often the owners of this slot have begun to wait. It goes on when the slot is given to another thread, so no
    /// two waits have the same number; the generation in the word is the same again after some thousand.
    waits: AtomicU64,
    /// See [`number`](super::number). Its owner writes it; while the owner is held, whoever releases it raises it.
    pub(super) number: AtomicU64,
    /// The unit from which the context is just taking a lock, until it has written that unit down.
    pub(super) occupant: MaybeIndex,
    /// The queue in which it looks for somebody who waits to put a task in; the exchange that it announces is of that.
    pub(super) task_at: MaybeIndex,
    pub(super) estate: Estate,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Offer {}
// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Context {}

impl Slot for Context {
    const MARKED: bool = true;

    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl Context {
    /// Adds the records of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        let layout = record!(
            Estate::layout(layout),
            Offer { next, previous, channel, generation, block, flags, beside, ticket }
        );
        record!(
            layout,
            Context {
                word,
                offers,
                length,
                table,
                state,
                host,
                member,
                thread,
                tolls,
                making,
                locking,
                verdict,
                unused,
                location,
                active,
                sleeping,
                giving,
                taking,
                partner,
                storing,
                timed,
                counting,
                waits,
                number,
                occupant,
                task_at,
                estate,
            }
        )
    }

    /// Owner, IDLE: begins to wait with the offers of the table.
    pub(super) fn wait(&self, parked: bool) {
        self.count_wait();
        self.word.wait(parked);
    }

    /// Owner, IDLE: begins to be held, before it commits an extended reader that it hands `block` to.
    pub(super) fn lend(&self, block: Block) {
        self.count_wait();
        self.word.lend(block);
    }

    /// Before the word changes: whoever sees the new number and then reads the word does not find it as it was in an
    /// earlier wait.
    fn count_wait(&self) {
        let before = self.waits.load(Ordering::Relaxed);
        self.waits.store(before.wrapping_add(1), Ordering::Release);
    }

    /// The number of the wait that the context is in, or was in last.
    pub(super) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Acquire)
    }

    /// It makes an offer here.
    #[inline]
    pub(super) fn set_location(&self, location: &'static std::panic::Location<'static>) {
        self.location.store(std::ptr::from_ref(location).expose_provenance() as u64, Ordering::Relaxed);
    }

    /// Where in the program it made its last offer.
    pub(super) fn location(&self) -> Option<&'static std::panic::Location<'static>> {
        let address = self.location.load(Ordering::Relaxed) as usize;
        // SAFETY: zero, or the address of a `Location` in the read-only data of the image that all processes of a
        // program run; `offer` stores no other.
        unsafe { std::ptr::with_exposed_provenance::<std::panic::Location<'static>>(address).as_ref() }
    }

    /// What the reaper needs to know when the context dies in the middle of a commit.
    #[inline]
    pub(super) fn announce_exchange(&self, giving: Block, taking: Block, partner: u32) {
        self.giving.store(giving, Ordering::Relaxed);
        self.taking.store(taking, Ordering::Relaxed);
        self.partner.store(Some(partner), Ordering::Release);
    }

    /// As [`announce_exchange`](Context::announce_exchange), when the message taken goes into the buffer of a channel.
    pub(super) fn announce_storing(&self, channel: u32, giving: Block, taking: Block, partner: u32) {
        self.storing.store(Some(channel), Ordering::Relaxed);
        self.announce_exchange(giving, taking, partner);
    }

    /// The unit from which it was taking a lock.
    pub(super) fn occupant(&self) -> Option<u32> {
        self.occupant.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn exchange_done(&self) {
        self.partner.store(None, Ordering::Release);
        self.storing.store(None, Ordering::Relaxed);
    }

    /// The process that its thread or its future acts for.
    pub(super) fn acts_for(&self) -> u32 {
        let member = self.member.load(Ordering::Acquire);
        member.or_else(|| self.host.load(Ordering::Acquire)).unwrap_or(0)
    }

    pub(super) fn holder(index: u32, generation: u32) -> LockHolder {
        LockHolder::new(index, generation)
    }
}

const _: () = {
    assert!(Home::Contexts.slot_size() == size_of::<Context>());
    assert!(std::mem::offset_of!(Context, offers) + std::mem::offset_of!(Offer, ticket) == 64);
    assert!(std::mem::offset_of!(Context, location).is_multiple_of(64));
    assert!(std::mem::offset_of!(Context, estate).is_multiple_of(64));
};
