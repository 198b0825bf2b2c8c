//! `Actor`: what runs on the calling thread, as far as the engine is concerned.
//!
//! Knows nothing of values or of how processes start. It is the one thread-local variable that says who runs here: for
//! which process, with which context, which closings are deferred, and which journeys are under way. So what runs on a
//! thread can be exchanged as a whole. What it can be asked is in [`door`](super::door).
//!
//! The variable has no destructor. `exit` runs the destructors of its caller's thread-local variables in the middle of
//! whatever the caller was doing, and an actor has to work until the end. What it holds is given back when the thread
//! has come to its own end ([`crate::sys::leaving`]); a thread in which `exit` runs has not, and the reaper finds what
//! it was doing with its process.

use super::deferral::Deferral;
#[cfg(feature = "testing")]
use super::drive::Side;
use super::journey::Journeys;
use super::live::{Local, Tables, become_foreign, is_foreign};
use super::{ArenaError, Guard};
#[cfg(feature = "testing")]
use crate::sys::clock::Instant;
use crate::sys::leaving::when_thread_ends;
use rustix::io::Errno;
use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
#[cfg(feature = "testing")]
use std::rc::Rc;

/// What runs on a thread.
pub(crate) struct Actor {
    /// The member that it acts for; none is the process of the operating system that it is in.
    member: Cell<Option<u32>>,
    pub(super) world: World,
    pub(super) deferral: Deferral,
    pub(super) journeys: Journeys,
    selection: Cell<Selection>,
    #[cfg(feature = "testing")]
    place: Cell<Place>,
    /// What is driven here, if something is.
    #[cfg(feature = "testing")]
    side: Cell<Option<Rc<Side>>>,
}

/// Where what runs on a thread communicates, and by whose decisions.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Live,
    /// In a simulated world, as this task.
    Simulated(u32),
    /// In the live one, when it is told to.
    Driven,
}

/// Where it communicates.
pub(super) enum World {
    /// Over shared memory. `None` is the program's. The context is away while an operation has it: one that runs inside
    /// another, in a signal handler, makes its own.
    Live { tables: Cell<Option<Tables>>, context: Cell<Option<Box<Local>>> },
}

/// The guards of one selection with the numbers of their arms; kept between selections so that none allocates.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) guards: Vec<Guard>,
    pub(crate) numbers: Vec<u32>,
}

impl Selection {
    /// Of no arm.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.guards.clear();
        self.numbers.clear();
    }
}

thread_local! {
    static ACTOR: ManuallyDrop<Actor> = const { ManuallyDrop::new(Actor::new()) };
}

/// Asks what runs on the calling thread.
#[inline]
pub(crate) fn actor<R>(work: impl FnOnce(&Actor) -> R) -> R {
    ACTOR.with(|actor| work(actor))
}

/// The tables of the world that the calling thread is in.
#[inline]
pub(crate) fn tables() -> Tables {
    actor(Actor::tables)
}

/// The member that is this process of the operating system; the program makes its own at the first call.
pub(crate) fn host() -> Result<u32, ArenaError> {
    tables().host()
}

/// This process was just forked by the server, with one thread, and is this member.
pub(crate) fn become_host(member: u32) {
    tables().become_host(member);
}

/// Maps the world that all processes of this program will share. `false` if it has one already, which is its own.
///
/// # Errors
/// The system has no memory for it.
pub(crate) fn share_world(size: usize) -> Result<bool, Errno> {
    Tables::share(size)
}

/// Work for a thread that does nothing else: it does it in this world.
pub(crate) fn within<R>(world: Tables, work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    move || {
        actor(|actor| actor.enter(world));
        work()
    }
}

/// The same in the world of the calling thread.
pub(crate) fn along<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    within(tables(), work)
}

/// The member that the calling thread acts for.
pub(crate) fn member() -> Result<u32, ArenaError> {
    actor(Actor::member)
}

/// The thread has ended.
fn give_up() {
    actor(|actor| {
        let World::Live { context, .. } = &actor.world;
        drop(context.take());
        actor.deferral.give_up();
        actor.journeys.give_up();
        drop(actor.selection.take());
    });
}

/// To be called in the child of every fork: its threads and contexts belong to the parent.
pub(crate) extern "C" fn forget_after_fork() {
    become_foreign();
    actor(|actor| {
        let World::Live { context, .. } = &actor.world;
        std::mem::forget(context.take());
    });
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("member", &self.member).finish_non_exhaustive()
    }
}

impl Actor {
    pub(super) const fn new() -> Actor {
        Actor {
            member: Cell::new(None),
            world: World::Live { tables: Cell::new(None), context: Cell::new(None) },
            deferral: Deferral::new(),
            journeys: Journeys::new(),
            selection: Cell::new(Selection { guards: Vec::new(), numbers: Vec::new() }),
            #[cfg(feature = "testing")]
            place: Cell::new(Place::Live),
            #[cfg(feature = "testing")]
            side: Cell::new(None),
        }
    }

    /// The task of the simulated world that runs here, if one does: then that world is asked.
    #[cfg(feature = "testing")]
    #[inline]
    pub(super) fn task(&self) -> Option<u32> {
        if let Place::Simulated(task) = self.place.get() { Some(task) } else { None }
    }

    /// Whether neither a simulated world nor anybody who drives is to be asked.
    #[cfg(feature = "testing")]
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.place.get() == Place::Live
    }

    /// What is driven here, if something is.
    #[cfg(feature = "testing")]
    pub(super) fn side(&self) -> Option<Rc<Side>> {
        if self.place.get() != Place::Driven {
            return None;
        }
        let side = self.side.take();
        self.side.set(side.clone());
        side
    }

    /// From now on it does what it is told, or no more.
    #[cfg(feature = "testing")]
    pub(super) fn be_driven(&self, side: Option<Rc<Side>>) {
        self.place.set(if side.is_some() { Place::Driven } else { Place::Live });
        drop(self.side.replace(side));
    }

    /// The time as what runs here sees it, if that is not the time of the system.
    #[cfg(feature = "testing")]
    pub(super) fn virtual_time(&self) -> Option<Instant> {
        match self.place.get() {
            Place::Live => None,
            Place::Simulated(_) => Some(super::sim::now()),
            Place::Driven => self.side().map(|side| side.now()),
        }
    }

    /// From now on it is the side of a task of the simulated world.
    #[cfg(feature = "testing")]
    pub(super) fn simulate(&self, task: u32) {
        self.place.set(Place::Simulated(task));
    }

    /// What runs on the thread is exchanged as a whole; only the context stays, which a simulated world does not use
    /// but for the blocks of messages.
    #[cfg(feature = "testing")]
    pub(super) fn exchange(&self, other: &Actor) {
        other.member.set(self.member.replace(other.member.get()));
        self.deferral.exchange(&other.deferral);
        self.journeys.exchange(&other.journeys);
        self.selection.swap(&other.selection);
        other.place.set(self.place.replace(other.place.get()));
        self.side.swap(&other.side);
    }

    /// It acts for nobody any more, and has nothing but rooms.
    #[cfg(feature = "testing")]
    pub(super) fn renew(&self) {
        self.member.set(None);
        self.place.set(Place::Live);
        self.deferral.renew();
        self.journeys.renew();
        let mut selection = self.selection.take();
        selection.clear();
        self.selection.set(selection);
    }

    /// One beside that of the calling thread, for a few operations on behalf of this process of the operating system:
    /// the thread then takes no room among those that communicate, and is not counted as busy while it sleeps.
    pub(crate) fn aside() -> Actor {
        let aside = Actor::new();
        aside.enter(tables());
        aside
    }

    /// The tables of its world.
    #[inline]
    pub(super) fn tables(&self) -> Tables {
        let World::Live { tables, .. } = &self.world;
        tables.get().unwrap_or_else(|| self.enter(Tables::of_program()))
    }

    /// It is in this world from now on, before it does anything in another one.
    #[cold]
    fn enter(&self, tables: Tables) -> Tables {
        let World::Live { tables: place, .. } = &self.world;
        place.set(Some(tables));
        tables
    }

    /// The member that it acts for: the process that the thread runs, or else the operating-system process it is in.
    pub(crate) fn member(&self) -> Result<u32, ArenaError> {
        self.member_in(self.tables())
    }

    /// The same, where the tables of its world are at hand.
    #[inline]
    pub(super) fn member_in(&self, tables: Tables) -> Result<u32, ArenaError> {
        self.member.get().map_or_else(|| tables.host(), Ok)
    }

    /// From now on it acts for this member; `None` is its host.
    pub(crate) fn act_for(&self, member: Option<u32>) {
        self.member.set(member);
    }

    /// Takes the room for the guards of a selection. A selection inside another one makes its own.
    #[inline]
    pub(crate) fn take_selection(&self) -> Selection {
        self.selection.take()
    }

    /// Puts the room for the guards of a selection back.
    #[inline]
    pub(crate) fn keep_selection(&self, selection: Selection) {
        self.selection.set(selection);
    }

    /// Runs `work` with the thread's side of the live engine.
    #[inline]
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Local) -> R) -> Result<R, ArenaError> {
        let World::Live { context, .. } = &self.world;
        let mut local = match context.take() {
            Some(local) => local,
            None => self.context()?,
        };
        let result = work(&mut local);
        // An operation inside this one may have left its own.
        drop(context.replace(Some(local)));
        Ok(result)
    }

    /// Runs `work` with this context in the place of the thread's: what it makes belongs to it, and the thread needs
    /// none.
    #[cfg(any(feature = "async", feature = "testing"))]
    pub(super) fn stand_in<R>(&self, context: &mut Option<Box<Local>>, work: impl FnOnce() -> R) -> R {
        struct Exchanged<'a> {
            place: &'a Cell<Option<Box<Local>>>,
            other: &'a mut Option<Box<Local>>,
        }
        impl Exchanged<'_> {
            fn exchange(&mut self) {
                *self.other = self.place.replace(self.other.take());
            }
        }
        impl Drop for Exchanged<'_> {
            fn drop(&mut self) {
                self.exchange();
            }
        }
        let World::Live { context: place, .. } = &self.world;
        let mut exchanged = Exchanged { place, other: context };
        exchanged.exchange();
        work()
    }

    #[cold]
    fn context(&self) -> Result<Box<Local>, ArenaError> {
        if is_foreign() {
            return Err(ArenaError::Foreign);
        }
        let local = Box::new(Local::acting_for(self.tables(), self.member()?)?);
        // It is also called when one that stood aside has had a context of its own: then there is nothing to give up.
        when_thread_ends(give_up);
        Ok(local)
    }
}

/// Runs `work` with the calling thread's side of the live engine.
#[inline]
pub(crate) fn with_local<R>(work: impl FnOnce(&mut Local) -> R) -> Result<R, ArenaError> {
    actor(|actor| actor.with(work))
}
