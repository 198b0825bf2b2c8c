//! Two-phase commit, with somebody who crashes (Gray, 1978).
//!
//! Knows nothing of recovery: who has voted and hears nothing of the coordinator is undecided.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Run, explore, schedule};

#[process]
fn coordinates(votes: Vec<Reader<bool>>, decisions: Vec<Writer<bool>>, waits_for_all: bool) -> bool {
    let mut votes = votes.iter().map(|vote| vote.read().unwrap_or(false));
    let commits = if waits_for_all { votes.all(|vote| vote) } else { votes.any(|vote| vote) };
    drop(votes);
    for decision in &decisions {
        // Who has crashed needs no decision.
        let _ = decision.write(commits);
    }
    commits
}

#[process]
fn takes_part(votes: bool, vote: Writer<bool>, decision: Reader<bool>) -> Option<bool> {
    // The coordinator does not ask any more when it has seen a `no`.
    let _ = vote.write(votes);
    decision.read().ok()
}

type Outcome = (bool, Vec<Option<bool>>);

fn transaction(votes: &[bool], waits_for_all: bool) -> Network<Outcome> {
    let vote: Vec<Channel<bool>> = votes.iter().map(|_| Channel::buffered(Buffer::Fifo(1))).collect();
    let decision: Vec<Channel<bool>> = votes.iter().map(|_| Channel::new()).collect();
    let coordinator = coordinates(
        vote.iter().map(Channel::reader).collect(),
        decision.iter().map(Channel::writer).collect(),
        waits_for_all,
    );
    network!(
        coordinator.on_crash(OnCrash::Retire),
        for (place, mine) in votes.iter().copied().enumerate() =>
            takes_part(mine, vote[place].writer(), decision[place].reader()).on_crash(OnCrash::Retire)
    )
}

/// Nobody commits what somebody has refused, and nobody waits for ever.
fn is_sound(votes: &[bool], run: &Run<Outcome>) -> bool {
    let all = votes.iter().all(|vote| *vote);
    run.is_deadlock_free()
        && run.result().is_none_or(|(_, decided)| decided.iter().flatten().all(|commits| !commits || all))
}

#[test]
fn nobody_commits_what_somebody_has_refused_whoever_crashes() {
    for votes in [[true, true, true], [true, false, true], [false, false, true]] {
        let bad =
            smallest_without(300, &schedule().crashes(1), || transaction(&votes, true), |run| is_sound(&votes, run));
        assert!(bad.is_none(), "{}", bad.unwrap());
    }
}

#[test]
fn a_coordinator_that_takes_one_vote_for_all_is_found_without_a_crash() {
    let votes = [true, false];
    let bad = smallest_without(300, &schedule().crashes(1), || transaction(&votes, false), |run| is_sound(&votes, run));
    let bad = bad.expect("it commits too early");
    assert!(!bad.trace().iter().any(|event| event.kind().is_fault()), "{bad}");
    // Two votes are put, one is taken, and two decisions are communicated.
    assert_eq!(bad.trace().len(), 5, "{bad}");
}

/// With any one of them killed at any moment, or nobody.
#[test]
fn three_participants_agree_in_every_schedule_with_a_crash() {
    for votes in [[true, true, true], [true, false, true]] {
        let explored =
            explore().max_crashes(1).check_with(|| transaction(&votes, true), |run| is_sound(&votes, run)).unwrap();
        assert!(explored.complete, "{explored}");
        println!("votes {votes:?}: {explored}");
    }
}

#[test]
fn every_schedule_has_one_in_which_a_vote_for_all_is_too_early() {
    let votes = [true, false];
    let found = explore().check_with(|| transaction(&votes, false), |run| is_sound(&votes, run)).unwrap_err();
    assert_eq!(found.trace().len(), 5, "{found}");
}
