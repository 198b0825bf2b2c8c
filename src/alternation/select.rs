//! Choosing: asks every arm what it offers, has the engine choose, and tells the arm that fired.
//!
//! Knows nothing of what the arms are.

use super::arm::{Arm, Offered, Outcome, Verdict};
use crate::channel::{ChannelError, settle};
use crate::engine::{Actor, ArenaError, Fired, Order, Selection, actor};
use std::cell::Cell;
use std::panic::Location;
use std::thread::LocalKey;

/// A numbered set of arms.
pub(super) trait Arms {
    fn count(&self) -> usize;
    fn arm(&mut self, number: usize) -> &mut dyn Arm;

    /// Whether the arm is there, and offers the same at each selection.
    #[inline]
    fn is_steady(&self, _number: usize) -> bool {
        false
    }
}

impl Arms for [&mut dyn Arm] {
    fn count(&self) -> usize {
        self.len()
    }

    fn arm(&mut self, number: usize) -> &mut dyn Arm {
        self[number]
    }
}

/// A selection that came to nothing: why, and because of which arm.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) number: Option<usize>,
    pub(super) error: ChannelError,
}

impl Failed {
    fn at(number: usize) -> impl FnOnce(ChannelError) -> Failed {
        move |error| Failed { number: Some(number), error }
    }
}

impl From<ArenaError> for Failed {
    fn from(error: ArenaError) -> Failed {
        Failed { number: None, error: error.into() }
    }
}

/// Waits until one arm fires, and says which.
///
/// An arm whose channel has ended fires in its turn, too: then the error names it.
pub(super) fn choose<A: Arms + ?Sized>(
    arms: &mut A,
    order: Order,
    location: &'static Location<'static>,
) -> Result<usize, Failed> {
    let mut selection = actor(Actor::take_selection);
    selection.clear();
    let chosen = choose_again(&mut selection, arms, order, location);
    actor(|actor| actor.keep_selection(selection));
    chosen
}

/// The same by somebody who keeps the table of guards of one selection for the next, and clears it when an arm goes.
pub(super) fn choose_again<A: Arms + ?Sized>(
    selection: &mut Selection,
    arms: &mut A,
    order: Order,
    location: &'static Location<'static>,
) -> Result<usize, Failed> {
    settle();
    begin(arms);
    loop {
        let order = gather(selection, arms, order)?;
        let fired = actor(|actor| actor.offer(&selection.guards, order, location))?;
        if let Some(number) = fire(selection, arms, fired)? {
            return Ok(number);
        }
    }
}

/// A selection begins.
#[inline]
pub(super) fn begin<A: Arms + ?Sized>(arms: &mut A) {
    for number in 0..arms.count() {
        if !arms.is_steady(number) {
            arms.arm(number).begin();
        }
    }
}

/// Asks every arm for its guard, but those whose guard is in the table still. Gives the order among those that there
/// are.
#[inline]
pub(super) fn gather<A: Arms + ?Sized>(selection: &mut Selection, arms: &mut A, order: Order) -> Result<Order, Failed> {
    // With as many as there are arms, the guard of each is at its number.
    if selection.guards.is_empty() || selection.guards.len() != arms.count() || !ask_again(selection, arms)? {
        ask_all(selection, arms)?;
    }
    Ok(match order {
        // Absent arms have no guard: the first one that is there from this number on.
        Order::From(first) => Order::From(selection.numbers.partition_point(|number| (*number as usize) < first)),
        order => order,
    })
}

/// Asks the arms that may offer something else than before. `false` if one of them is absent now.
fn ask_again<A: Arms + ?Sized>(selection: &mut Selection, arms: &mut A) -> Result<bool, Failed> {
    for (number, place) in selection.guards.iter_mut().enumerate() {
        if arms.is_steady(number) {
            continue;
        }
        let Offered(Some(guard)) = arms.arm(number).offer().map_err(Failed::at(number))? else { return Ok(false) };
        *place = guard;
    }
    Ok(true)
}

fn ask_all<A: Arms + ?Sized>(selection: &mut Selection, arms: &mut A) -> Result<(), Failed> {
    selection.clear();
    for number in 0..arms.count() {
        if let Offered(Some(guard)) = arms.arm(number).offer().map_err(Failed::at(number))? {
            selection.guards.push(guard);
            selection.numbers.push(number as u32);
        }
    }
    if selection.guards.is_empty() {
        return Err(Failed { number: None, error: ChannelError::NoGuards });
    }
    Ok(())
}

/// Tells the arm whose guard fired. Gives its number if it stands by it.
#[inline]
pub(super) fn fire<A: Arms + ?Sized>(
    selection: &Selection,
    arms: &mut A,
    fired: Fired,
) -> Result<Option<usize>, Failed> {
    let number = selection.numbers[fired.index] as usize;
    let verdict = arms.arm(number).fire(Outcome::of(fired)).map_err(Failed::at(number))?;
    Ok((verdict == Verdict::Done).then_some(number))
}

/// Chooses, and has the arms that did not fire withdraw what they staged before the body of the one that did runs.
fn choose_once(arms: &mut [&mut dyn Arm], order: Order, location: &'static Location<'static>) -> Result<usize, Failed> {
    let chosen = choose(arms, order, location);
    for (number, arm) in arms.iter_mut().enumerate() {
        if !chosen.as_ref().is_ok_and(|chosen| *chosen == number) {
            arm.lose();
        }
    }
    chosen
}

/// Waits until this one arm fires.
#[track_caller]
pub(crate) fn wait_for(arm: &mut dyn Arm) -> Result<(), ChannelError> {
    let location = Location::caller();
    choose([arm].as_mut_slice(), Order::Priority, location).map(drop).map_err(|failed| failed.error)
}

/// What `AltSelect!` asks.
#[track_caller]
pub fn alt_select(arms: &mut [&mut dyn Arm]) -> Result<usize, ChannelError> {
    choose_once(arms, Order::Random, Location::caller()).map_err(|failed| failed.error)
}

/// What `PriSelect!` asks.
#[track_caller]
pub fn pri_select(arms: &mut [&mut dyn Arm]) -> Result<usize, ChannelError> {
    choose_once(arms, Order::Priority, Location::caller()).map_err(|failed| failed.error)
}

/// Whose turn it is at one `FairSelect!` of one process.
#[derive(Debug, Default)]
pub struct Turn(Cell<usize>);

impl Turn {
    /// The first arm's.
    pub const fn new() -> Turn {
        Turn(Cell::new(0))
    }
}

/// What `FairSelect!` asks.
#[track_caller]
pub fn fair_select(turn: &'static LocalKey<Turn>, arms: &mut [&mut dyn Arm]) -> Result<usize, ChannelError> {
    let first = turn.try_with(|turn| turn.0.get()).unwrap_or(0);
    let chosen = choose_once(arms, Order::From(first), Location::caller());
    // An arm whose channel has ended had its turn, too: it would keep the turn for ever otherwise.
    let served = chosen.as_ref().map_or_else(|failed| failed.number, |number| Some(*number));
    if let Some(served) = served {
        // While the thread's locals are destroyed nothing is remembered.
        let _ = turn.try_with(|turn| turn.0.set(served + 1));
    }
    chosen.map_err(|failed| failed.error)
}
