//! Units that occupy a gate: one word says who has the permit, until somebody else wants to know it.
//!
//! Knows nothing of locks as users have them. What comes between two steps is made by hand: a context takes the lock of
//! a gate as the protocol does, and stays there.

use super::super::channel::Channel;
use super::audit::{faults, lock_holder};
use super::standstill::ByHand;
use super::watch::{alone, apart, found, until};
use super::wire::{here, offer, signal};
use crate::channel::{Channel as Typed, Gate, Patience, Reader, Writer};
use crate::engine::view::{Action, Suspects};
use crate::engine::{
    ChannelKind, ChannelName, Closing, Direction, EndName, Guard, Holder, Opened, Order, along, member, tables,
};
use crate::{Spawn, process};
use rustix::process::Signal;
use std::panic::Location;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;

/// A gate of one permit, as a lock has it.
struct Lock {
    name: ChannelName,
    handle: EndName,
}

impl Drop for Lock {
    fn drop(&mut self) {
        here(|local| local.close_end(self.handle, Closing::Retire));
    }
}

fn gate() -> Lock {
    let (kind, me) = (ChannelKind::Gate { permits: 1, opened: Opened::ByHolders }, me());
    let (name, handle) = here(|local| local.create_channel("", kind, me)).unwrap();
    Lock { name, handle }
}

fn channel(gate: ChannelName) -> &'static Channel {
    super::super::Tables::channel(tables(), gate).unwrap()
}

fn me() -> Holder {
    Holder::Member(member().unwrap())
}

/// Passes without an offer.
fn pass(gate: &Lock) -> Option<EndName> {
    let (me, place) = (member().unwrap(), Location::caller());
    here(|local| local.pass_at_once(gate.name, 1, me, place)).map(|passed| passed.unit())
}

/// Waits until it passes.
fn wait(gate: &Lock) -> EndName {
    let guard = Guard::Pass { gate: gate.name, weight: 1, holder: Some(me()) };
    offer(&[guard], Order::Priority).unit().unwrap()
}

fn give_back(unit: EndName) {
    here(|local| local.give_back(unit));
}

/// Passes with a unit that it has had before.
fn occupy(gate: &Lock) -> EndName {
    give_back(wait(gate));
    let unit = pass(gate).unwrap();
    assert_eq!(channel(gate.name).lock.occupant(), Some(unit.index), "the word of the lock is all");
    unit
}

/// Makes whoever has the permit be written down, as everybody does who wants the lock.
fn write_down(gate: &Lock) {
    here(|local| drop(local.lock(gate.name).unwrap()));
}

/// What the gate says of itself: the permits in use, and the units.
fn written(gate: &Lock) -> (u32, u32) {
    let gate = channel(gate.name);
    (gate.permits_in_use(), gate.count(Direction::Unit).load(Ordering::Relaxed))
}

/// What everybody is told: how many permits are in use.
fn in_use(gate: &Lock) -> u32 {
    let (permits, in_use) = gate.name.facts().permits();
    assert_eq!(permits, 1);
    in_use
}

/// Nobody has the permit, and somebody can have it.
fn is_free(gate: &Lock) {
    assert_eq!((in_use(gate), written(gate), channel(gate.name).lock.is_free()), (0, (0, 0), true));
    give_back(wait(gate));
}

#[test]
fn a_free_gate_is_occupied_by_one_word_and_vacated_by_one() {
    apart("a_free_gate_is_occupied_by_one_word", || {
        let gate = gate();
        assert!(pass(&gate).is_none(), "there is no unit yet to occupy it with");
        let first = occupy(&gate);
        assert_eq!((in_use(&gate), written(&gate)), (1, (0, 0)), "nothing is written down");
        assert_eq!(tables().holder(first), None);
        give_back(first);
        assert_eq!((in_use(&gate), channel(gate.name).lock.is_free()), (0, true));
        let second = pass(&gate).unwrap();
        assert_eq!(second.index, first.index, "the same record");
        assert_ne!(second.generation, first.generation, "and another unit");
        assert!(pass(&gate).is_none(), "it has one permit");
        give_back(second);
        is_free(&gate);
    });
}

#[test]
fn who_wants_the_lock_takes_it_from_the_unit_and_writes_down_what_that_has() {
    apart("who_wants_the_lock_takes_it_from_the_unit", || {
        let gate = gate();
        let unit = occupy(&gate);
        let mine = me();
        thread::scope(|threads| {
            let other = along(|| {
                here(|local| {
                    let locked = local.lock(gate.name).unwrap();
                    // Under the lock it is a unit as any other.
                    let seen = (tables().holder(unit), locked.permits_in_use(), locked.lock.occupant());
                    assert_eq!(seen, (Some(mine), 1, None));
                });
            });
            threads.spawn(other).join().unwrap();
        });
        assert_eq!((in_use(&gate), written(&gate)), (1, (1, 1)));
        assert!(channel(gate.name).lock.is_free());
        assert!(pass(&gate).is_none());
        give_back(unit);
        is_free(&gate);
    });
}

#[test]
fn whoever_waits_at_an_occupied_gate_has_the_permit_next() {
    apart("whoever_waits_at_an_occupied_gate_has_the_permit_next", || {
        let gate = &gate();
        let unit = occupy(gate);
        thread::scope(|threads| {
            let waiters = [(); 3].map(|()| {
                threads.spawn(along(|| {
                    let unit = wait(gate);
                    assert_eq!((in_use(gate), written(gate)), (1, (1, 1)));
                    give_back(unit);
                }))
            });
            until(|| super::audit::queue(channel(gate.name), false).len() == 3);
            give_back(unit);
            waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        });
        is_free(gate);
    });
}

/// The word of the lock is a holder's already, and the permit is not in use yet.
#[test]
fn a_permit_that_is_just_being_written_down_is_in_use() {
    apart("a_permit_that_is_just_being_written_down_is_in_use", || {
        let gate = gate();
        let unit = occupy(&gate);
        let lock = &channel(gate.name).lock;
        here(|local| {
            let from = lock.take(local.holder, false, |said| local.hear(gate.name.index, said));
            assert_eq!(from, Some(unit.index));
        });
        let between = (in_use(&gate), written(&gate));
        here(|local| local.write_down_occupant(channel(gate.name), unit.index));
        let afterwards = (in_use(&gate), written(&gate));
        lock.release();
        assert_eq!((between, afterwards), ((1, (0, 0)), (1, (1, 1))));
        give_back(unit);
        is_free(&gate);
    });
}

#[test]
fn of_nested_gates_one_is_occupied_and_the_others_are_held() {
    apart("of_nested_gates_one_is_occupied_and_the_others_are_held", || {
        let (outer, inner, third) = (gate(), gate(), gate());
        for inner_first in [true, false] {
            let held = occupy(&outer);
            assert!(pass(&inner).is_none(), "the unit in hand is at the outer one");
            let place = Location::caller();
            let mine = member().unwrap();
            assert!(here(|local| local.pass_soon(inner.name, 1, mine, place)).is_none());
            give_back(wait(&inner));
            // From here on there is one more unit, but a context occupies one gate at most.
            let second = pass(&inner).unwrap();
            assert_eq!((channel(inner.name).lock.occupant(), written(&inner)), (None, (1, 1)));
            assert_eq!(tables().holder(second), Some(me()));
            let last = wait(&third);
            assert_eq!([&outer, &inner, &third].map(in_use), [1; 3]);
            assert_eq!(channel(outer.name).lock.occupant(), Some(held.index), "it still occupies the outer one");
            let order = if inner_first { [last, second, held] } else { [held, second, last] };
            order.into_iter().for_each(give_back);
            [&outer, &inner, &third].into_iter().for_each(is_free);
        }
    });
}

#[test]
fn a_unit_that_somebody_has_written_down_does_not_keep_its_context_from_occupying() {
    apart("a_unit_that_somebody_has_written_down_does_not_keep", || {
        let (one, other) = (gate(), gate());
        let unit = occupy(&one);
        write_down(&one);
        let second = occupy(&other);
        [unit, second].into_iter().for_each(give_back);
        [&one, &other].into_iter().for_each(is_free);
    });
}

#[test]
fn another_thread_gives_a_unit_back_that_occupies_a_gate() {
    apart("another_thread_gives_a_unit_back_that_occupies_a_gate", || {
        let gate = gate();
        let unit = occupy(&gate);
        thread::scope(|threads| threads.spawn(along(|| give_back(unit))).join().unwrap());
        assert_eq!((in_use(&gate), written(&gate)), (0, (0, 0)));
        // Its context finds out, and occupies gates again.
        give_back(unit);
        give_back(occupy(&gate));
        is_free(&gate);
    });
}

#[test]
fn nobody_gives_a_unit_back_by_the_name_that_it_had_before() {
    apart("nobody_gives_a_unit_back_by_the_name_that_it_had_before", || {
        let gate = gate();
        let before = occupy(&gate);
        give_back(before);
        let now = pass(&gate).unwrap();
        assert_eq!(now.index, before.index);
        give_back(before);
        thread::scope(|threads| threads.spawn(along(|| give_back(before))).join().unwrap());
        here(|local| local.close_end(before, Closing::Retire));
        assert_eq!(in_use(&gate), 1);
        give_back(now);
        is_free(&gate);
    });
}

/// Whoever ends closes all that its process holds, while another thread of the process is still inside; and somebody
/// else passes with the same record.
#[test]
fn a_unit_that_was_closed_is_not_vacated_for_the_next_one_with_its_number() {
    apart("a_unit_that_was_closed_is_not_vacated_for_the_next_one", || {
        let gate = &gate();
        let (inside, given_back) = (&Barrier::new(2), &Barrier::new(2));
        let unit = occupy(gate);
        thread::scope(|threads| {
            let next = threads.spawn(along(move || {
                write_down(gate);
                here(|local| local.close_end(unit, Closing::Resign));
                let mine = occupy(gate);
                inside.wait();
                given_back.wait();
                let seen = (in_use(gate), channel(gate.name).lock.occupant());
                give_back(mine);
                (mine, seen)
            }));
            inside.wait();
            give_back(unit);
            given_back.wait();
            let (next, seen) = next.join().unwrap();
            assert_eq!(next.index, unit.index, "the record is to be the same");
            assert_eq!(seen, (1, Some(next.index)), "it is still inside");
        });
        is_free(gate);
    });
}

#[test]
fn what_a_thread_occupies_at_its_end_is_its_processes() {
    apart("what_a_thread_occupies_at_its_end_is_its_processes", || {
        let gate = &gate();
        let unit = thread::scope(|threads| threads.spawn(along(|| occupy(gate))).join().unwrap());
        until(|| tables().census().contexts == 1);
        assert_eq!((in_use(gate), written(gate), tables().holder(unit)), (1, (1, 1), Some(me())));
        here(|local| local.close_held(member().unwrap(), Closing::Retire));
        assert_eq!(tables().channel(gate.name).map(|_| ()), None, "the handles went, too");
    });
}

/// Takes the gate twice, so that its unit occupies it, and gives it back when it may.
#[process]
fn occupy_until(gate: Gate, may: Reader<u8>) -> crate::Result<()> {
    let place = Location::caller();
    drop(gate.take(1, Patience::ForEver, place)?);
    let _inside = gate.take(1, Patience::ForEver, place)?;
    may.read()?;
    Ok(())
}

/// Takes the lock from the unit that occupies it, once there is one, and writes nothing down.
#[process]
fn take_from_the_unit(gate: Gate, _alive: Writer<u8>) {
    let name = gate.channel();
    until(|| is_occupied(&gate));
    here(|local| {
        local.about_to_lock(name.index);
        channel(name).lock.take(local.holder, false, |said| local.hear(name.index, said)).unwrap();
    });
    loop {
        thread::park();
    }
}

fn is_occupied(gate: &Gate) -> bool {
    channel(gate.channel()).lock.occupant().is_some()
}

#[test]
fn a_holder_that_dies_while_it_occupies_a_gate_is_named_to_whoever_has_it_next() {
    alone("a_holder_that_dies_while_it_occupies_a_gate", || {
        let (gate, c) = (Gate::new(1, Opened::ByHolders), Typed::<u8>::new());
        let _may = c.writer();
        let holder = Spawn!(occupy_until(gate.clone(), c.reader()).named("who died")).unwrap();
        until(|| is_occupied(&gate));
        signal(holder.pid().unwrap(), Signal::KILL);
        holder.join().unwrap_err();
        assert_eq!(gate.permits(), (1, 0), "nobody but the reaper has asked");
        let unit = gate.take(1, Patience::Not, Location::caller()).unwrap();
        let (name, cause) = unit.abandoner().unwrap();
        assert!(name.contains("who died") && cause.to_string().contains("SIGKILL"), "{name}: {cause}");
        unit.recover();
        drop(unit);
        assert!(gate.take(1, Patience::Not, Location::caller()).unwrap().abandoner().is_none());
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[test]
fn a_permit_that_the_dead_were_about_to_write_down_stays_its_holders() {
    alone("a_permit_that_the_dead_were_about_to_write_down_stays_its_holders", || {
        let (gate, c, d) = (Gate::new(1, Opened::ByHolders), Typed::<u8>::new(), Typed::<u8>::new());
        let (may, _alive) = (c.writer(), d.reader());
        // With a handle of its own from before, for whose sake the unit would be written down.
        let other = Spawn!(take_from_the_unit(gate.clone(), d.writer())).unwrap();
        let holder = Spawn!(occupy_until(gate.clone(), c.reader())).unwrap();
        found(|| tables().contexts.get(lock_holder(gate.channel().index)?)?.occupant());
        assert_eq!((gate.permits(), channel(gate.channel()).permits_in_use()), ((1, 1), 0));
        signal(other.pid().unwrap(), Signal::KILL);
        other.join().unwrap_err();
        assert_eq!((gate.permits(), channel(gate.channel()).permits_in_use()), ((1, 1), 1));
        let refused = gate.take(1, Patience::Not, Location::caller()).unwrap_err();
        assert!(refused.is_would_block(), "{refused}");
        may.write(1).unwrap();
        holder.join().unwrap().unwrap();
        assert!(gate.take(1, Patience::Not, Location::caller()).unwrap().abandoner().is_none());
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[test]
fn two_that_occupy_what_the_other_one_waits_for_are_a_deadlock_with_both_units() {
    alone("two_that_occupy_what_the_other_one_waits_for_are_a_deadlock", || {
        let gates = &[gate(), gate()];
        let mut names = gates.each_ref().map(|gate| gate.name);
        names.sort_by_key(|gate| gate.index);
        let _by_hand = ByHand::begin();
        let before = tables().view();
        assert!(gates.iter().all(|gate| before.channel(gate.name).is_some_and(|gate| gate.in_use == 0)));
        let both = &Barrier::new(2);
        thread::scope(|threads| {
            let waiters = [0, 1].map(|mine: usize| {
                threads.spawn(move || {
                    let unit = occupy(&gates[mine]);
                    both.wait();
                    let guard = Guard::Pass { gate: gates[1 - mine].name, weight: 1, holder: Some(me()) };
                    let fired = offer(&[guard], Order::Priority);
                    give_back(unit);
                    fired.outcome
                })
            });
            let groups = found(|| {
                let suspects = tables().view().standstill(&Suspects::default()).suspects;
                let groups = tables().view().standstill(&suspects).groups;
                (!groups.is_empty()).then_some(groups)
            });
            let view = tables().view();
            let units = view.ends.iter().filter(|end| end.direction == Direction::Unit);
            let mut held: Vec<_> = units.map(|unit| (unit.channel, unit.holder, unit.weight)).collect();
            held.sort_by_key(|(gate, ..)| gate.index);
            here(|local| local.poison_all(gates.iter().map(|gate| gate.name), None));
            let outcomes = waiters.map(|waiter| waiter.join().unwrap());
            // Now that nobody waits any more.
            assert_eq!(held, names.map(|gate| (gate, me(), 1)));
            let [group] = &groups[..] else { panic!("{groups:?}") };
            let mut waits: Vec<_> = group.iter().flat_map(|stuck| &stuck.guards).collect();
            waits.sort_by_key(|guard| guard.channel.index);
            let seen: Vec<_> = waits.iter().map(|guard| (guard.action, guard.channel)).collect();
            assert_eq!(seen, names.map(|gate| (Action::Pass, gate)));
            assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
        });
        gates.iter().for_each(is_free);
        assert_eq!(faults(), Vec::<String>::new());
    });
}
