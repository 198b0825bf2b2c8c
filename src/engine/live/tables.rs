//! Worlds: what processes share, an arena as five pools of known types and blocks.
//!
//! Knows nothing of the protocol; it only names things. A program has one world, in which its processes and threads
//! communicate; a test may have others. A name means something in its own world only.

use super::channel::Channel;
use super::context::{Context, INLINE};
use super::end::End;
use super::member::Member;
use super::ring::Ring;
use crate::engine::{ChannelName, NAME_LIMIT, Owner};
use crate::memory::{Arena, ArenaError, Block, Home, Pool, Slot, default_size, is_block, layout};
use rustix::io::Errno;
#[cfg(feature = "async")]
use std::any::Any;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

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

/// What processes share, and what this one knows of it alone. A world lasts as long as the process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) arena: Arena,
    pub(super) contexts: Pool<Context>,
    pub(super) channels: Pool<Channel>,
    pub(super) ends: Pool<End>,
    pub(crate) members: Pool<Member>,
    pub(super) rings: Pool<Ring>,
    /// The member that is this process of the operating system, plus one.
    pub(super) host: AtomicU32,
    /// What the layers above keep of this world, for this process.
    #[cfg(feature = "async")]
    beside: OnceLock<Box<dyn Any + Send + Sync>>,
}

const _: () = {
    assert!(Home::Contexts.most() <= 1 << KIND && Home::Members.most() <= 1 << KIND);
    assert!(Home::Channels.most() <= 1 << KIND);
    assert!(size_of::<Context>() == Home::Contexts.slot_size());
    assert!(size_of::<Channel>() == Home::Channels.slot_size());
    assert!(size_of::<End>() == Home::Ends.slot_size());
    assert!(size_of::<Member>() == Home::Members.slot_size());
    assert!(size_of::<Ring>() == Home::Rings.slot_size());
};

/// What two processes must agree on to share these tables: sizes and places of all records, and limits.
pub(crate) const LAYOUT: u32 = {
    let layout = Ring::layout(End::layout(Channel::layout(Context::layout(Member::layout(layout())))));
    layout.number(KIND as usize).number(INLINE).number(NAME_LIMIT).hash()
};

/// The world of the program: the one that its processes share, or, if there is none, one for its threads.
static PROGRAM: OnceLock<World> = OnceLock::new();

impl World {
    fn over(arena: Arena) -> World {
        World {
            contexts: arena.pool(Home::Contexts),
            channels: arena.pool(Home::Channels),
            ends: arena.pool(Home::Ends),
            members: arena.pool(Home::Members),
            rings: arena.pool(Home::Rings),
            arena,
            host: AtomicU32::new(0),
            #[cfg(feature = "async")]
            beside: OnceLock::new(),
        }
    }

    fn private(size: usize) -> World {
        match Arena::private_of(size, LAYOUT) {
            Ok(arena) => World::over(arena),
            // There are no four mebibytes of address space: no allocation of the program would succeed either.
            Err(error) => panic!("csproc cannot reserve {size} bytes of memory: {error}"),
        }
    }
}

impl Tables {
    /// Those of the program.
    pub(crate) fn of_program() -> Tables {
        Tables(PROGRAM.get_or_init(|| World::private(default_size().0)))
    }

    /// Maps what all processes of this program will share. `false` if the program has a world already, which is its
    /// own.
    ///
    /// # Errors
    /// The system has no memory for it.
    pub(crate) fn share(size: usize) -> Result<bool, Errno> {
        if PROGRAM.get().is_some() {
            return Ok(false);
        }
        Ok(PROGRAM.set(World::over(Arena::shared_of(size, LAYOUT)?)).is_ok())
    }

    /// Those of another world, for threads of this process.
    #[cfg(test)]
    pub(crate) fn apart(size: usize) -> Tables {
        Tables(Box::leak(Box::new(World::private(size))))
    }

    /// What a layer above keeps of this world, for this process; made at the first call.
    #[cfg(feature = "async")]
    pub(crate) fn beside<T: Any + Send + Sync>(self, make: impl FnOnce() -> T) -> &'static T {
        let kept = self.0.beside.get_or_init(|| Box::new(make()));
        kept.downcast_ref().unwrap_or_else(|| unreachable!("one layer keeps one thing"))
    }

    #[inline]
    pub(super) fn channel(self, name: ChannelName) -> Option<&'static Channel> {
        self.channels.named(name.index, name.generation)
    }

    /// Frees a block, if there is one. Ends that travel in it must have been closed before.
    pub(crate) fn free(self, block: Block) {
        if is_block(block) {
            self.arena.give_back_block(block);
        }
    }
}

/// Takes a slot of a pool, or says which pool is used up. `fill` as in [`Pool::take`].
#[inline]
pub(super) fn take<T: Slot>(
    pool: Pool<T>,
    home: Home,
    fill: impl FnOnce(u32, &T),
) -> Result<(u32, u32, &'static T), ArenaError> {
    pool.take(fill).ok_or_else(|| exhausted(pool, home))
}

/// All slots of the pool are taken.
#[cold]
pub(super) fn exhausted<T: Slot>(pool: Pool<T>, home: Home) -> ArenaError {
    ArenaError::Exhausted { what: home.plural(), capacity: pool.capacity() }
}
