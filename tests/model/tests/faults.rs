//! Faults seeded in the protocol on purpose: each of them is found. So the models look where they seem to look.
//!
//! Knows nothing of what a fault does: `faults/table.rs` says it by its name. Each one is given a scenario
//! and a search that finds it; with `CSPROC_LONG=1` the same search is made without the fault, too, and finds nothing.

mod long;

use csproc_model::execution::{Death, Victim};
use csproc_model::scenario::{self, Scenario};
use csproc_model::search::{Kill, Search, search};
use csproc_model::{
    apart, areas, barriers, calls, cells, ends, futures, gates, queues, recorded, references, seeded, shorts, tasks,
};
use long::is_long;

const PRIORITIES: Search = Search::Pct { depth: 3, times: 500 };
const RANDOM: Search = Search::Random { times: 500 };

fn is_found(fault: &'static str, scenario: &'static Scenario, how: Search, kill: Kill, symptom: &str) {
    let Some(_turn) = apart() else { return };
    match search(scenario, how, kill, Some(fault)) {
        Ok(report) => panic!("{fault}: not found in {} executions of {}", report.executions, scenario.name),
        Err(found) => {
            println!("{fault}: after {} executions: {}", found.executions, found.what);
            assert!(found.what.contains(symptom), "{fault}: found, but it looks otherwise: {}", found.what);
        }
    }
    if is_long()
        && let Err(found) = search(scenario, how, kill, None)
    {
        panic!("found without the fault: {}", found.what);
    }
}

/// The party is killed before each of its steps.
fn killing(party: usize) -> Kill {
    Kill::Everywhere { victim: Victim::Party(party), stride: 1 }
}

const FEW: Search = Search::Pct { depth: 3, times: 30 };

#[test]
fn every_fault_of_the_table_is_looked_for() {
    let tests = include_str!("faults.rs");
    let forgotten: Vec<_> = seeded::names().filter(|fault| !tests.contains(&format!("{fault:?}"))).collect();
    assert!(seeded::names().count() > 20 && forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn an_offer_is_queued_before_it_waits() {
    is_found("an offer is queued before it waits", &scenario::PAIR, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn the_mark_stays_after_a_failed_commit() {
    is_found("the mark stays after a failed commit", &scenario::CHOOSER, PRIORITIES, Kill::Nobody, "but marked are");
}

#[test]
fn a_reader_meets_a_reader() {
    is_found("a reader meets a reader", &scenario::ANY_TO_ANY, RANDOM, Kill::Nobody, "");
}

#[test]
fn a_partner_is_removed_after_the_commit() {
    let how = Search::Bounded { preemptions: 1 };
    is_found("a partner is removed after the commit", &scenario::ELSEWHERE, how, Kill::Nobody, "");
}

#[test]
fn a_deadline_beats_a_commit() {
    // One step in which it is seen, of all that there are.
    let how = Search::Random { times: 5000 };
    is_found("a deadline beats a commit", &scenario::DEADLINE, how, Kill::Nobody, "");
}

#[test]
fn a_short_message_is_read_behind_the_commit() {
    is_found("a short message is read behind the commit", &shorts::SAID, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn a_short_message_is_written_behind_the_commit() {
    is_found("a short message is written behind the commit", &shorts::SAID, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn a_message_is_stowed_and_the_hand_keeps_its_block() {
    let fault = "a message is stowed, and the hand keeps its block";
    is_found(fault, &shorts::SAID_EXTENDED, RANDOM, Kill::Nobody, "");
}

#[test]
fn a_reader_that_gave_no_block_holds_nobody() {
    let fault = "a reader that gave no block holds nobody";
    is_found(fault, &shorts::SAID_EXTENDED, FEW, killing(1), "");
}

#[test]
fn a_spare_is_tagged_when_the_channel_names_it() {
    is_found("a spare is tagged when the channel names it", &scenario::BUFFER, FEW, killing(1), "");
}

#[test]
fn a_spare_is_taken_while_the_channel_names_it() {
    is_found("a spare is taken while the channel names it", &scenario::BUFFER, FEW, killing(0), "");
}

#[test]
fn a_channel_goes_without_its_spare() {
    is_found("a channel goes without its spare", &scenario::BUFFER, FEW, Kill::Nobody, "");
}

#[test]
fn an_unlock_wakes_nobody() {
    is_found("an unlock wakes nobody", &scenario::PAIR, RANDOM, Kill::Nobody, "deadlock");
}

#[test]
fn a_release_wakes_nobody() {
    is_found("a release wakes nobody", &scenario::ABANDON, RANDOM, Kill::Nobody, "deadlock");
}

#[test]
fn a_reply_wakes_nobody() {
    is_found("a reply wakes nobody", &calls::CALLS, RANDOM, Kill::Nobody, "deadlock");
}

#[test]
fn a_spare_block_is_not_taken_back_for_a_reply() {
    let fault = "a spare block is not taken back for a reply";
    is_found(fault, &calls::CALLS, RANDOM, Kill::Nobody, "");
}

#[test]
fn a_reply_is_taken_for_what_the_word_said_before() {
    let fault = "a reply is taken for what the word said before";
    is_found(fault, &calls::CALLS, RANDOM, Kill::Nobody, "");
}

#[test]
fn a_reply_is_tagged_when_the_word_is_idle() {
    let fault = "a reply is tagged when the word is idle";
    is_found(fault, &calls::CALLS, FEW, killing(0), "killed before step");
}

#[test]
fn a_claim_is_not_taken_back() {
    is_found("a claim is not taken back", &barriers::BARRIER_OF_THREE, PRIORITIES, Kill::Nobody, "max_steps");
}

#[test]
fn the_reaper_rings_nobody() {
    is_found("the reaper rings nobody", &scenario::ONCE, FEW, killing(0), "deadlock");
}

#[test]
fn the_reaper_breaks_no_locks() {
    is_found("the reaper breaks no locks", &scenario::OPPOSITE, FEW, killing(0), "max_steps");
}

#[test]
fn the_reaper_waits_patiently() {
    let how = Search::Pct { depth: 3, times: 300 };
    is_found("the reaper waits patiently", &scenario::OPPOSITE, how, killing(0), "max_steps");
}

/// A bug that the engine had until the models killed two: the reaper needs a lock whose holder lives, but sleeps on one
/// that nobody else would break.
#[test]
fn the_reaper_waits_for_the_living_alone() {
    let kill = Kill::Both { victims: [Victim::Party(1), Victim::Party(2)], strides: [3, 1] };
    is_found("the reaper waits for the living alone", &scenario::CHOOSER, FEW, kill, "max_steps");
}

#[test]
fn the_reaper_does_not_let_partners_finish() {
    let how = Search::Pct { depth: 3, times: 150 };
    is_found("the reaper does not let partners finish", &scenario::BORROWED, how, killing(1), "");
}

#[test]
fn the_reaper_settles_no_exchanges() {
    is_found("the reaper settles no exchanges", &scenario::ONCE, FEW, killing(0), "which is gone");
}

/// A bug that the engine had until the models killed the server, too: the program buries again, and knows no more what
/// the dead were given.
#[test]
fn the_word_of_the_dead_is_forgotten_when_they_are_buried() {
    let kill = Kill::Both { victims: [Victim::Party(1), Victim::Server], strides: [1, 3] };
    is_found("the word of the dead is forgotten when they are buried", &scenario::ONCE, FEW, kill, "");
}

/// A bug that the engine has had.
#[test]
fn a_lent_block_counts_as_owned() {
    is_found("a lent block counts as owned", &scenario::EXTENDED, FEW, killing(0), "");
}

#[test]
fn a_refill_is_not_announced() {
    is_found("a refill is not announced", &scenario::BUFFER, FEW, killing(1), "which is gone");
}

/// A bug that the engine had until the models found it.
#[test]
fn a_dead_party_keeps_its_mark() {
    let how = Search::Pct { depth: 3, times: 60 };
    is_found("a dead party keeps its mark", &barriers::BARRIER_OF_THREE, how, killing(0), "but marked are");
}

/// A bug that the engine had until the models found it.
#[test]
fn closed_ends_are_not_given_back() {
    is_found("closed ends are not given back", &scenario::RETIRE, FEW, killing(0), "held by None");
}

/// A bug that the engine has had: an end is closed by the name of one that had its slot before.
#[test]
fn an_end_is_known_by_its_slot_alone() {
    let how = Search::Bounded { preemptions: 1 };
    is_found("an end is known by its slot alone", &scenario::CLOSED_TWICE, how, Kill::Nobody, "");
}

/// A bug that the engine has had: two give up one process, and the second one takes another's reference.
#[test]
fn a_process_is_disowned_by_its_slot_alone() {
    let how = Search::Bounded { preemptions: 2 };
    let fault = "a process is disowned by its slot alone";
    is_found(fault, &scenario::DISOWNED_TWICE, how, Kill::Nobody, "somebody else has freed the record");
}

/// A bug that the engine has had: another process is noted as one of a deadlock, or the record is kept for ever.
#[test]
fn a_deadlock_is_noted_by_the_slot_alone() {
    let how = Search::Bounded { preemptions: 2 };
    is_found("a deadlock is noted by the slot alone", &scenario::NOTED_TOO_LATE, how, Kill::Nobody, "");
}

/// A bug that the engine has had: the lock of the dead is taken over from the living one that has its number by now.
#[test]
fn holders_of_locks_have_no_generation() {
    let how = Search::Bounded { preemptions: 2 };
    // While it holds the lock, as it does at step 21 and beyond 24: the search is at its largest here, with two who
    // bury, and one who begins anew.
    let kill = Kill::At(Death { victim: Victim::Party(0), step: 22 });
    is_found("holders of locks have no generation", &scenario::TWO_REAPERS, how, kill, "");
}

#[test]
fn nobody_rings_the_bell() {
    is_found("nobody rings the bell", &futures::FUTURES, RANDOM, Kill::Nobody, "deadlock");
}

#[test]
fn the_bell_is_heard_after_the_look() {
    is_found("the bell is heard after the look", &futures::FUTURES, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn a_dropped_read_keeps_its_message() {
    is_found("a dropped read keeps its message", &futures::DROPPED_READ, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn what_was_put_back_is_given_to_nobody_who_waits() {
    let fault = "what was put back is given to nobody who waits";
    is_found(fault, &futures::DROPPED_FOR_ANOTHER, PRIORITIES, Kill::Nobody, "deadlock");
}

/// A bug that the first version of futures had: only buffers were repaired.
#[test]
fn only_a_buffer_is_repaired() {
    let how = Search::Pct { depth: 3, times: 100 };
    is_found("only a buffer is repaired", &futures::DROPPED_READ, how, killing(1), "");
}

#[test]
fn a_crash_poisons_what_bears_it() {
    is_found("a crash poisons what bears it", &queues::CRASHES, FEW, killing(0), "Lost");
}

#[test]
fn the_end_of_writing_is_told_to_nobody_who_waits() {
    let fault = "the end of writing is told to nobody who waits";
    is_found(fault, &queues::CLOSED, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn permits_are_given_to_nobody_who_waits() {
    is_found("permits are given to nobody who waits", &gates::TWO, RANDOM, Kill::Nobody, "deadlock");
}

#[test]
fn a_look_at_a_cell_is_not_followed_by_one_at_its_gate() {
    let fault = "a look at a cell is not followed by one at its gate";
    is_found(fault, &cells::FREED, PRIORITIES, Kill::Nobody, "77 was never in the cell");
}

/// A bug that conditions have had: whoever had seen one turn more kept the other one waiting, whose turn had come.
#[test]
fn turns_are_taken_in_the_order_of_arrival() {
    let fault = "turns are taken in the order of arrival";
    is_found(fault, &gates::IN_TURN, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn who_gives_back_at_once_does_not_look_who_waits() {
    let fault = "who gives back at once does not look who waits";
    is_found(fault, &gates::TWO, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn a_spare_unit_keeps_its_name() {
    let how = Search::Bounded { preemptions: 1 };
    is_found("a spare unit keeps its name", &gates::RENEWED, how, Kill::Nobody, "permits are taken");
}

#[test]
fn a_unit_of_the_dead_that_was_just_renewed_stays() {
    let fault = "a unit of the dead that was just renewed stays";
    is_found(fault, &gates::TWICE, FEW, killing(0), "held by None");
}

#[test]
fn who_gives_up_keeps_those_behind_it_waiting() {
    let fault = "who gives up keeps those behind it waiting";
    is_found(fault, &gates::BEHIND, PRIORITIES, Kill::Nobody, "deadlock");
}

#[test]
fn permits_of_the_dead_who_were_let_in_are_lost() {
    // Somebody waits for them for ever, or they are missing at the end.
    is_found("permits of the dead who were let in are lost", &gates::LOCK, FEW, killing(0), "");
}

/// The permits are counted again with the gate's lock, while somebody who was let in has not held its unit yet.
#[test]
fn a_unit_in_hand_counts_for_nothing() {
    let how = Search::Pct { depth: 3, times: 100 };
    is_found("a unit in hand counts for nothing", &gates::LOCK, how, killing(0), "");
}

/// The same, while somebody is between the two.
#[test]
fn a_unit_is_held_after_the_word_says_so() {
    let how = Search::Random { times: 300 };
    is_found("a unit is held after the word says so", &gates::LOCK, how, killing(0), "");
}

#[test]
fn what_the_dead_took_out_of_a_buffer_goes_as_if_nobody_had_wanted_it() {
    let fault = "what the dead took out of a buffer goes as if nobody had wanted it";
    is_found(fault, &ends::TRAVELLING, FEW, killing(1), "Ended(Retired)");
}

#[test]
fn nobody_says_from_which_unit_it_takes_a_lock() {
    is_found("nobody says from which unit it takes a lock", &gates::TWICE, FEW, killing(1), "");
}

#[test]
fn who_takes_a_lock_over_does_not_ask_from_which_unit_that_was() {
    let fault = "who takes a lock over does not ask from which unit that was";
    is_found(fault, &gates::TWICE, FEW, killing(1), "");
}

#[test]
fn a_unit_that_is_just_being_written_down_is_freed_with_the_dead() {
    let fault = "a unit that is just being written down is freed with the dead";
    is_found(fault, &gates::TWICE, PRIORITIES, killing(0), "");
}

#[test]
fn who_occupies_a_lock_does_not_look_again() {
    let fault = "who occupies a lock does not look again";
    is_found(fault, &gates::TWICE, Search::Bounded { preemptions: 2 }, Kill::Nobody, "permits are taken");
}

#[test]
fn a_process_that_closes_all_does_not_write_its_unit_down() {
    let fault = "a process that closes all does not write its unit down";
    is_found(fault, &gates::KEPT_AGAIN, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn a_task_that_was_handed_to_the_dead_is_nobodys() {
    let fault = "a task that was handed to the dead is nobody's";
    is_found(fault, &tasks::HANDED, FEW, killing(1), "not all is done");
}

#[test]
fn a_task_that_the_dead_took_out_is_nobodys() {
    let fault = "a task that the dead took out is nobody's";
    is_found(fault, &tasks::BUFFERED, FEW, killing(1), "not all is done");
}

#[test]
fn a_task_that_the_dead_took_from_a_writer_is_nobodys() {
    let fault = "a task that the dead took from a writer is nobody's";
    is_found(fault, &tasks::HANDED, FEW, killing(1), "not all is done");
}

#[test]
fn a_task_counts_when_its_reader_runs() {
    // The other one is killed while it has the lock, and everything is counted again.
    is_found("a task counts when its reader runs", &tasks::HANDED, FEW, killing(2), "");
}

#[test]
fn an_end_takes_its_tasks_along() {
    is_found("an end takes its tasks along", &tasks::LEFT, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn what_is_put_back_is_a_task_still() {
    is_found("what is put back is a task still", &tasks::DROPPED, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn an_area_is_somebodys_own_although_others_have_it() {
    let fault = "an area is somebody's own although others have it";
    is_found(fault, &areas::SENT, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn what_a_thread_looks_at_is_closed_when_the_function_of_its_process_returns() {
    let fault = "what a thread looks at is closed when the function of its process returns";
    is_found(fault, &areas::KEPT, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn a_handle_in_a_message_does_not_count() {
    is_found("a handle in a message does not count", &areas::SENT, PRIORITIES, Kill::Nobody, "");
}

#[test]
fn nobody_says_that_it_counts() {
    is_found("nobody says that it counts", &references::TOLD_AGAIN, PRIORITIES, killing(1), "name it");
}

#[test]
fn a_lock_is_taken_without_a_word() {
    is_found("a lock is taken without a word", &ends::GIVEN_UP, FEW, killing(0), "");
}

#[test]
fn a_channel_is_made_without_a_word() {
    is_found("a channel is made without a word", &ends::MADE, FEW, killing(0), "that are left");
}

#[test]
fn an_end_in_hand_leaves_no_trace() {
    is_found("an end in hand leaves no trace", &scenario::RETIRE, FEW, killing(0), "held by None");
}

#[test]
fn an_end_that_is_held_leaves_no_trace() {
    is_found("an end that is held leaves no trace", &scenario::RETIRE, FEW, killing(0), "");
}

#[test]
fn a_block_leaves_no_trace() {
    is_found("a block leaves no trace", &scenario::ONCE, FEW, killing(0), "would not be found");
}

#[test]
fn an_end_leaves_no_place_in_its_channel() {
    is_found("an end leaves no place in its channel", &scenario::RETIRE, FEW, killing(0), "would not be counted");
}

#[test]
fn a_record_that_is_being_overwritten_is_kept() {
    let fault = "a record that is being overwritten is kept";
    is_found(fault, &recorded::READ_MEANWHILE, RANDOM, Kill::Nobody, "left == right");
}

#[test]
fn the_head_of_a_ring_moves_before_its_record_is_there() {
    let fault = "the head of a ring moves before its record is there";
    is_found(fault, &recorded::READ_MEANWHILE, RANDOM, Kill::Nobody, "left == right");
}

#[test]
fn each_side_of_a_communication_has_a_number_of_its_own() {
    let fault = "each side of a communication has a number of its own";
    is_found(fault, &recorded::SAID, FEW, Kill::Nobody, "without the other side");
}

#[test]
fn the_rings_of_the_dead_are_not_closed() {
    is_found("the rings of the dead are not closed", &recorded::ONCE, FEW, killing(0), "which is gone");
}
