//! The engine's view of the arena: four pools of known types, and the blocks.
//!
//! Knows nothing of the protocol; it only names things. A model checker would put arrays of its own here.

use super::channel::Channel;
use super::context::{Context, INLINE};
use super::end::End;
use super::member::Member;
use crate::engine::{ChannelName, NAME_LIMIT, Owner};
use crate::memory::{Arena, ArenaError, Block, FATE, Home, NONE, Pool, Slot, arena, layout};
use std::ops::Deref;
use std::sync::OnceLock;

/// Where the kind of an owner stands in its tag, above its index.
const KIND: u32 = 24;

impl Owner {
    pub(crate) fn tag(self) -> u32 {
        match self {
            Owner::Context(index) => 1 << KIND | index,
            Owner::Member(index) => 2 << KIND | index,
            Owner::Channel(index) => 3 << KIND | index,
        }
    }

    pub(super) fn of(tag: u32) -> Option<Owner> {
        let index = tag & ((1 << KIND) - 1);
        match tag >> KIND {
            1 => Some(Owner::Context(index)),
            2 => Some(Owner::Member(index)),
            3 => Some(Owner::Channel(index)),
            _ => None,
        }
    }
}

/// All shared tables of the engine: a reference to them, which is handed around by value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables(&'static World);

impl Deref for Tables {
    type Target = World;

    #[inline]
    fn deref(&self) -> &World {
        self.0
    }
}

/// What processes share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) arena: &'static Arena,
    pub(super) contexts: Pool<Context>,
    pub(super) channels: Pool<Channel>,
    pub(super) ends: Pool<End>,
    pub(crate) members: Pool<Member>,
}

const _: () = {
    assert!(Home::Contexts.most() <= 1 << KIND && Home::Members.most() <= 1 << KIND);
    assert!(Home::Channels.most() <= 1 << KIND);
    assert!(size_of::<Context>() == Home::Contexts.slot_size());
    assert!(size_of::<Channel>() == Home::Channels.slot_size());
    assert!(size_of::<End>() == Home::Ends.slot_size());
    assert!(size_of::<Member>() == Home::Members.slot_size());
};

/// What two processes must agree on to share these tables: sizes and places of all records, and limits.
pub(crate) const LAYOUT: u32 = {
    let layout = End::layout(Channel::layout(Context::layout(Member::layout(layout()))));
    layout.number(KIND as usize).number(INLINE).number(NAME_LIMIT).hash()
};

/// The tables of this program.
#[inline]
pub(crate) fn tables() -> Tables {
    static WORLD: OnceLock<World> = OnceLock::new();
    Tables(WORLD.get_or_init(|| World::over(arena(LAYOUT))))
}

impl World {
    fn over(arena: &'static Arena) -> World {
        World {
            arena,
            contexts: arena.pool(Home::Contexts),
            channels: arena.pool(Home::Channels),
            ends: arena.pool(Home::Ends),
            members: arena.pool(Home::Members),
        }
    }
}

impl Tables {
    #[inline]
    pub(super) fn channel(self, name: ChannelName) -> Option<&'static Channel> {
        self.channels.named(name.index, name.generation)
    }

    /// Frees a block, if there is one. Ends that travel in it must have been closed before.
    pub(crate) fn free(self, block: Block) {
        if block != NONE && block != FATE {
            self.arena.give_back_block(block);
        }
    }
}

/// Takes a slot of a pool, or says which pool is used up. `fill` as in [`Pool::take`].
pub(super) fn take<T: Slot>(
    pool: Pool<T>,
    home: Home,
    fill: impl FnOnce(&T),
) -> Result<(u32, u32, &'static T), ArenaError> {
    pool.take(fill).ok_or(ArenaError::Exhausted { what: home.plural(), capacity: pool.capacity() })
}
