//! `Packet`: a block in somebody's hands.
//!
//! Knows nothing of what is written in it. A packet is the one name of its block outside the engine: it is made when a
//! block is taken, received or found in a slot that gave it up, and it is gone when the block has another owner. In
//! between it can be dropped at any time, by an error, an early return or a panic: the block goes back, and the ends
//! that travel in it are closed.
#![expect(unsafe_code, reason = "the bytes of a block, for its owner; listed in the architecture page")]

use super::live::{Local, Met};
use super::{
    ChannelName, Closing, EndName, ExtendedWriter, Fate, Fired, Guard, Holder, Outcome, Owner, Short, actor, tables,
    with_local,
};
use crate::memory::{Area, ArenaError, Block};
use crate::sys::atomic::Ordering;
use std::num::NonZeroU32;

/// A block, with the ends of channels that travel in it. Dropped, both are given back, the ends as retired.
#[derive(Debug)]
#[must_use]
pub(crate) struct Packet {
    block: NonZeroU32,
}

const _: () = assert!(size_of::<Option<Packet>>() == size_of::<Block>());

impl Packet {
    /// One with room for at least so many bytes, for the calling thread to write into. It has no length yet.
    #[inline]
    pub(crate) fn draft(bytes: usize) -> Result<Packet, ArenaError> {
        actor(|actor| actor.draft(bytes))
    }

    /// A block that the caller owns and nobody else names, on which all access to its bytes relies; `None` for no
    /// block.
    #[inline]
    pub(crate) fn from_raw(block: Block) -> Option<Packet> {
        NonZeroU32::new(block).map(|block| Packet { block })
    }

    #[inline]
    fn over(block: Block) -> Packet {
        Packet::from_raw(block)
            .unwrap_or_else(|| unreachable!("the arena gives out no block where its own header lies"))
    }

    /// The block alone: whoever it is named to frees it.
    #[inline]
    pub(crate) fn into_raw(self) -> Block {
        let block = self.block.get();
        std::mem::forget(self);
        block
    }

    /// The bytes in use.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: a packet owns its block, and the slice borrows the packet.
        unsafe { tables().arena.bytes(self.block.get()) }
    }

    /// Whether its message would need none: the next one of its kind may be as short.
    #[inline]
    pub(crate) fn is_short(&self) -> bool {
        let header = tables().arena.block(self.block.get());
        header.length() <= Short::MOST && header.ends().load(Ordering::Relaxed) == 0
    }

    /// All the room, for writing.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: a packet owns its block, and the slice borrows the packet mutably.
        unsafe { tables().arena.bytes_mut(self.block.get()) }
    }

    /// So many of the bytes are in use.
    #[inline]
    pub(crate) fn set_length(&mut self, length: usize) {
        tables().arena.block(self.block.get()).set_length(length);
    }

    /// One for a message whose size is not known yet.
    #[inline]
    pub(crate) fn draft_as_usual() -> Result<Packet, ArenaError> {
        with_local(Local::draft_as_usual)?
    }

    /// From now on, messages of the thread whose size is not known usually take so many bytes; 0 is what fits anyway. A
    /// large one would be written in vain otherwise to learn its size, and then once more.
    #[cold]
    pub(crate) fn expect(bytes: usize) {
        let _ = with_local(|local| local.usual = bytes);
    }

    /// Makes sure that there is room for so many bytes. Ends in the packet stay in it; its bytes may not.
    pub(crate) fn make_room(&mut self, bytes: usize) -> Result<(), ArenaError> {
        if tables().arena.capacity(self.block.get()) >= bytes {
            return Ok(());
        }
        let larger = with_local(|local| {
            let larger = tables().arena.take_block(bytes, local.claimant()).map(Packet::over)?;
            if !super::is_simulated() {
                for end in self.ends() {
                    local.move_end(end, self.as_holder(), larger.as_holder());
                }
            }
            Ok(larger)
        });
        let larger = larger.and_then(|larger| larger)?;
        #[cfg(feature = "testing")]
        if super::is_simulated() {
            super::sim::move_ends(self.as_holder(), larger.as_holder());
        }
        *self = larger;
        Ok(())
    }

    /// Who holds the ends that travel in it.
    #[inline]
    pub(crate) fn as_holder(&self) -> Holder {
        Holder::Block(self.block.get())
    }

    /// Whether ends travel in it.
    pub(crate) fn has_ends(&self) -> bool {
        tables().arena.block(self.block.get()).ends().load(Ordering::Acquire) != 0
    }

    /// The ends that travel in it.
    pub(crate) fn ends(&self) -> Vec<EndName> {
        if self.has_ends() { self.as_holder().ends() } else { Vec::new() }
    }

    /// Takes ends out of it that somebody has just put in by mistake. Who knows them spares a look for them among those
    /// of others.
    pub(crate) fn take_out(&self, ends: &[EndName]) {
        // A simulated world has few.
        if !ends.is_empty() && !super::is_simulated() {
            let _ = with_local(|local| ends.iter().for_each(|end| local.close_end(*end, Closing::Void)));
        }
    }

    /// From now on it goes with this owner, should the process die. It stays in these hands.
    pub(crate) fn hand_to(&self, owner: Owner) {
        tables().arena.give_block(self.block.get(), tables().claimant(owner));
    }

    /// From now on it goes with this process of the operating system, whichever of its threads has it and ends.
    pub(crate) fn entrust_to_host(&self) -> Result<(), ArenaError> {
        self.hand_to(Owner::Member(super::host()?));
        Ok(())
    }

    /// The bytes in use behind the [`MARGIN`](super::MARGIN), at a boundary of 64 bytes. They stay there as long as the
    /// packet does.
    #[inline]
    pub(crate) fn area(&self) -> Area {
        tables().arena.area_of_message(self.block.get())
    }

    /// Gives it back, and closes the ends in it as `closing` says.
    pub(crate) fn discard(self, closing: Closing) {
        actor(|actor| actor.take_back(self, closing));
    }

    /// The offer to hand it to a reader of a channel. It stays in these hands until [`Packet::settle`].
    #[inline]
    pub(crate) fn guard(&self, channel: ChannelName) -> Guard {
        Guard::Output { channel, block: self.block.get() }
    }

    /// A packet was offered, and this is what its guard came to: takes it out of the slot if a reader has it.
    #[inline]
    pub(crate) fn settle<B>(offered: &mut Option<Packet>, outcome: &Result<B, Fate>) {
        if matches!(outcome, Ok(_) | Err(Fate::Abandoned { .. })) {
            std::mem::forget(offered.take());
        }
    }
}

/// A packet whose message nobody has yet. Dropped, it was never one: the ends inside go as if they had never been
/// requested, and whoever made it has what it was made of.
#[derive(Debug, Default)]
pub(crate) struct Unsent(Option<Packet>);

impl Unsent {
    #[inline]
    pub(crate) fn of(packet: Packet) -> Unsent {
        Unsent(Some(packet))
    }

    /// The packet to write into, or to offer; a reader may take it out.
    #[inline]
    pub(crate) fn packet(&mut self) -> &mut Option<Packet> {
        &mut self.0
    }
}

impl Drop for Unsent {
    #[inline]
    fn drop(&mut self) {
        if let Some(packet) = self.0.take() {
            packet.discard(Closing::Void);
        }
    }
}

impl Drop for Packet {
    #[inline]
    fn drop(&mut self) {
        give_back(self.block.get());
    }
}

fn give_back(block: Block) {
    #[cfg(feature = "testing")]
    if super::is_simulated() {
        super::sim::close_travelling(block, Closing::Retire);
    }
    // Without a context: the reaper frees it with this process.
    let _ = with_local(|local| local.take_back_block(block, Closing::Retire));
}

impl Fired {
    /// As [`Met::given`].
    #[cfg(feature = "testing")]
    pub(super) fn given(self, local: &mut Local, message: &mut Option<Packet>) -> Outcome<()> {
        if self.index == 0 {
            Packet::settle(message, &self.outcome);
        }
        self.alone(|spare| local.keep_block(spare))
    }

    /// What came with the guard that fired: for an input guard its message, for an output guard the reader's spare
    /// block. To be asked once.
    #[inline]
    pub(crate) fn packet(self) -> Result<Option<Packet>, Fate> {
        self.outcome.map(Packet::from_raw)
    }
}

impl Met {
    /// What it means to somebody whose guard handed over this message. The reader's spare block is kept for the next
    /// draft.
    #[inline]
    pub(super) fn given(self, local: &mut Local, message: &mut Option<Packet>) -> Outcome<()> {
        self.handed_over(local, message, |local, spare| local.keep_block(spare))
    }

    /// The same, where what has come is something else.
    #[inline]
    pub(super) fn handed_over<T>(
        self,
        local: &mut Local,
        message: &mut Option<Packet>,
        took: impl FnOnce(&mut Local, Block) -> T,
    ) -> Outcome<T> {
        let outcome = self.of(local, took);
        if matches!(outcome, Outcome::Took(_) | Outcome::Ended(Fate::Abandoned { .. })) {
            std::mem::forget(message.take());
        }
        outcome
    }

    /// The same to somebody whose guard took one.
    #[inline]
    pub(super) fn of<T>(self, local: &mut Local, took: impl FnOnce(&mut Local, Block) -> T) -> Outcome<T> {
        match self {
            Met::Came(came) => Outcome::Took(took(local, came)),
            Met::Ended => Outcome::Ended(local.fate()),
            Met::Late => Outcome::Late,
        }
    }
}

impl Local {
    /// Lets a held writer go on with a reply. It stays in its slot if the writer is gone.
    pub(crate) fn reply(&mut self, writer: ExtendedWriter, reply: &mut Option<Packet>) {
        if let Some(packet) = reply
            && self.release_with(writer, packet.block.get())
        {
            std::mem::forget(reply.take());
        }
    }

    /// As [`Packet::draft`], for a thread that has this context at hand.
    #[inline]
    pub(crate) fn draft(&mut self, bytes: usize) -> Result<Packet, ArenaError> {
        self.take_block(bytes).map(Packet::over)
    }

    #[inline]
    fn draft_as_usual(&mut self) -> Result<Packet, ArenaError> {
        match self.usual {
            0 => self.draft(0),
            usual => self.draft(usual).or_else(|_| self.draft(0)),
        }
    }

    /// As [`Packet::discard`], for a thread that has this context at hand.
    pub(crate) fn take_back(&mut self, packet: Packet, closing: Closing) {
        self.take_back_block(packet.into_raw(), closing);
    }

    /// A block is kept in the hand only under the tag of this context: one that a process owns, or another thread, goes
    /// back to the arena.
    #[inline]
    fn take_back_block(&mut self, block: Block, closing: Closing) {
        let header = self.tables().arena.block(block);
        if header.ends().load(Ordering::Acquire) != 0 {
            self.close_travelling(block, closing);
        }
        if header.owner() == self.owner() {
            self.keep_block(block);
        } else {
            self.tables().free(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::{ChannelKind, Direction, Order, Patience, member};
    use super::*;
    use std::panic::Location;

    /// A channel with a writer in the packet.
    fn write_into(packet: &Packet) -> (ChannelName, EndName) {
        let kind = ChannelKind::Channel(Store::Fifo(0));
        with_local(|local| {
            let (channel, handle) = local.create_channel("", kind, Holder::Member(member()?))?;
            local.request_end(channel, Direction::Writer, packet.as_holder())?;
            Ok::<_, ArenaError>((channel, handle))
        })
        .unwrap()
        .unwrap()
    }

    fn close((channel, handle): (ChannelName, EndName)) {
        with_local(|local| local.close_end(handle, Closing::Retire)).unwrap();
        assert_eq!(channel.facts().name(), None, "an end of the channel is left");
    }

    fn owner_of(packet: &Packet) -> u32 {
        tables().arena.block(packet.block.get()).owner()
    }

    fn mine() -> u32 {
        with_local(|local| local.owner()).unwrap()
    }

    #[test]
    fn a_packet_keeps_its_ends_when_it_grows_and_closes_them_when_it_is_dropped() {
        let mut packet = Packet::draft(0).unwrap();
        let (small, written) = (packet.block, write_into(&packet));
        let ends = packet.ends();
        packet.make_room(10_000).unwrap();
        assert!(packet.block != small && packet.bytes_mut().len() >= 10_000);
        assert!(packet.has_ends() && packet.ends() == ends);
        drop(packet);
        close(written);
    }

    #[test]
    fn a_panic_with_a_packet_in_hand_gives_it_back() {
        let packet = Packet::draft(0).unwrap();
        let written = write_into(&packet);
        let panicked = std::panic::catch_unwind(move || {
            let _packet = packet;
            panic!("with a packet in hand");
        });
        assert!(panicked.is_err());
        close(written);
    }

    #[test]
    fn a_block_that_a_process_or_another_thread_owns_does_not_come_into_the_hand() {
        // A size that the hand keeps, so that the next draft is this block if it got there.
        for foreign in [Owner::Member(member().unwrap()), Owner::Context(u32::MAX >> 2)] {
            let packet = Packet::draft(3000).unwrap();
            packet.hand_to(foreign);
            drop(packet);
            let next = Packet::draft(3000).unwrap();
            assert_eq!(owner_of(&next), mine());
        }
    }

    #[test]
    fn a_message_of_unknown_size_has_the_room_of_the_one_before_if_the_arena_has_it() {
        let room = || Packet::draft_as_usual().unwrap().bytes_mut().len();
        for (usual, least, most) in [(5 << 20, 5 << 20, 9 << 20), (usize::MAX / 2, 0, 2 << 20), (0, 0, 2 << 20)] {
            Packet::expect(usual);
            assert!((least..most).contains(&room()), "{} after {usual}", room());
        }
    }

    #[test]
    fn what_is_offered_is_tagged_by_whoever_offers_it() {
        let kind = ChannelKind::Channel(Store::Fifo(0));
        let me = Holder::Member(member().unwrap());
        let (channel, handle) = with_local(|local| local.create_channel("", kind, me)).unwrap().unwrap();
        let mut message = Some(Packet::draft(0).unwrap());
        for foreign in [Owner::Member(member().unwrap()), Owner::Context(u32::MAX >> 2)] {
            let packet = message.as_ref().unwrap();
            let guard = packet.guard(channel);
            packet.hand_to(foreign);
            let fired = with_local(|local| local.offer(&[guard, Guard::Skip], Order::Priority, Location::caller()));
            assert_eq!((fired.unwrap().unwrap().index, owner_of(packet)), (1, mine()));
            packet.hand_to(foreign);
            let late = actor(|actor| actor.give(&mut message, guard, Patience::Not, Location::caller()));
            assert!(matches!(late, Ok(Outcome::Late)), "{late:?}");
            assert_eq!(owner_of(message.as_ref().unwrap()), mine());
        }
        close((channel, handle));
    }

    #[test]
    fn what_a_reader_has_is_in_these_hands_no_longer() {
        let abandoned = Fate::Abandoned { member: 0, crashed: false };
        for (outcome, stays) in [
            (Ok(()), false),
            (Err(abandoned), false),
            (Err(Fate::Poisoned), true),
            (Err(Fate::Retired), true),
            (Err(Fate::Lost { member: 0 }), true),
        ] {
            let mut offered = Some(Packet::draft(0).unwrap());
            let block = offered.as_ref().map(|packet| packet.block.get()).unwrap();
            Packet::settle(&mut offered, &outcome);
            assert_eq!(offered.is_some(), stays, "{outcome:?}");
            drop(offered.or_else(|| Packet::from_raw(block)));
        }
    }
}
