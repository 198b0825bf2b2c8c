//! Processes killed between the count of a reference and its name, or before a slot names what is its own: nothing is
//! kept for nobody.
//!
//! Knows nothing of chance: each test dies at one chosen place.

use super::super::member::Phase;
use super::audit::faults;
use super::watch::{alone, until};
use super::wire::{here, signal, stop};
use crate::engine::{ChannelName, Holder, host, member, tables};
use crate::memory::Slot;
use crate::{Channel, Placement, Reader, Spawn, Writer, process};
use rustix::process::Signal;

fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

#[process]
fn end_at_a_word(word: Reader<u8>) {
    let _ = word.read();
}

/// Counts a reference, as if the name came next.
#[process]
fn count_and_stay(of: u32) {
    here(|local| local.retain_member(of));
    stay()
}

fn counted(slot: u32) -> u32 {
    tables().members.get(slot).unwrap().references().named()
}

fn is_free(slot: u32) -> bool {
    tables().members.get(slot).unwrap().state().taken().is_none()
}

/// The slot of the process that was started last.
fn newest() -> u32 {
    let own = host().unwrap();
    let members = tables().members.taken().filter(|(index, _, member)| *index != own && member.is_process());
    members.max_by_key(|(_, _, member)| member.serial()).unwrap().0
}

/// The slot of a process that runs, and how that ends.
fn somebody_to_be_counted() -> (u32, impl FnOnce()) {
    let word = Channel::<u8>::new();
    let kept = Spawn!(end_at_a_word(word.reader())).unwrap();
    let end = move || {
        word.writer().write(1).unwrap();
        kept.join().unwrap();
    };
    (newest(), end)
}

#[test]
fn a_reference_that_was_counted_and_never_named_goes_with_whoever_counted() {
    alone("a_reference_that_was_counted_and_never_named_goes_with_whoever_counted", || {
        let (slot, end) = somebody_to_be_counted();
        let counting = Spawn!(count_and_stay(slot)).unwrap();
        until(|| counted(slot) == 1);
        end();
        assert!(!is_free(slot), "it is kept");
        assert!(faults().iter().any(|fault| fault.contains("counts 1 references, and 0 name it")), "{:?}", faults());
        counting.kill().unwrap();
        counting.join().unwrap_err();
        until(|| is_free(slot));
        assert_eq!(faults(), Vec::<String>::new());
    });
}

/// A look at the counts is not true while somebody counts: it is made again at the next burial.
#[test]
fn somebody_who_is_stopped_while_it_counts_puts_the_look_off() {
    alone("somebody_who_is_stopped_while_it_counts_puts_the_look_off", || {
        let (slot, end) = somebody_to_be_counted();
        let [first, second] = [1, 2].map(|count| {
            let counting = Spawn!(count_and_stay(slot)).unwrap();
            until(|| counted(slot) == count);
            counting
        });
        stop(second.pid().unwrap());
        end();
        first.kill().unwrap();
        first.join().unwrap_err();
        assert_eq!(counted(slot), 2, "nobody knows yet which of them is named");
        signal(second.pid().unwrap(), Signal::KILL);
        second.join().unwrap_err();
        until(|| is_free(slot));
        assert_eq!(faults(), Vec::<String>::new());
    });
}

/// Begins a thread, and is killed before its slot names the ends of its exit; or ends and leaves its slot to that one.
#[process]
fn begin_a_thread_or_end(told: Writer<u32>, is_to_begin: Reader<bool>, ready: Writer<u8>) {
    let parent = member().unwrap();
    told.write(parent).unwrap();
    if !is_to_begin.read().unwrap() {
        return;
    }
    until(|| tables().members.taken().all(|(_, _, member)| member.is_program() || member.phase() != Phase::Gone));
    here(|local| {
        let (child, _) = local.tables().create_member_beside(parent).unwrap();
        let (exit, ..) = local.create_exit(child.index, parent).unwrap();
        assert!(tables().held_by(Holder::Exit(child.index)).len() == 2 && tables().channel(exit).is_some());
        assert!(child.index < parent, "{child:?} is to come before {parent}");
    });
    ready.write(1).unwrap();
    stay()
}

#[process]
fn have_a_thread_that_begins_one(ready: Writer<u8>) {
    let threads = [(); 2].map(|()| {
        let (told, word) = (Channel::<u32>::new(), Channel::<bool>::new());
        let thread = begin_a_thread_or_end(told.writer(), word.reader(), ready.clone());
        let thread = Spawn!(thread.on(Placement::Thread)).unwrap();
        (told.reader().read().unwrap(), word.writer(), thread)
    });
    let [(one, ..), (other, ..)] = &threads;
    let first_begins = one > other;
    let [(_, first_word, first), (_, second_word, second)] = threads;
    let ([begins, ends], [begun, ended]) = if first_begins {
        ([first_word, second_word], [first, second])
    } else {
        ([second_word, first_word], [second, first])
    };
    ends.write(false).unwrap();
    ended.join().unwrap();
    begins.write(true).unwrap();
    let _ = begun.join();
}

/// The slot of the thread that was never begun comes before that of its starter, so it is buried first.
#[test]
fn the_exit_of_a_thread_that_was_never_begun_goes_with_its_starter() {
    alone("the_exit_of_a_thread_that_was_never_begun_goes_with_its_starter", || {
        let ready = Channel::<u8>::new();
        let reader = ready.reader();
        let process = Spawn!(have_a_thread_that_begins_one(ready.writer())).unwrap();
        reader.read().unwrap();
        process.kill().unwrap();
        process.join().unwrap_err();
        drop((ready, reader));
        assert_eq!(faults(), Vec::<String>::new());
        let left: Vec<ChannelName> =
            tables().channels.taken().map(|(index, generation, _)| ChannelName { index, generation }).collect();
        assert_eq!(left, []);
    });
}
