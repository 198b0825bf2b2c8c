//! Dining philosophers (Dijkstra, 1971; as processes: Hoare, 1985).
//!
//! Knows nothing of how long anybody thinks.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Event, schedule};

/// Takes one fork, then the other, eats, and puts both back.
#[process]
fn philosopher(meals: usize, first: Writer<()>, second: Writer<()>) -> csproc::Result<()> {
    for _ in 0..meals {
        first.write(())?;
        second.write(())?;
        first.write(())?;
        second.write(())?;
    }
    Ok(())
}

/// Is taken by one neighbour or the other, and put back by the same.
#[process]
fn fork(meals: usize, neighbours: Vec<Reader<()>>) -> csproc::Result<()> {
    for _ in 0..2 * meals {
        let (who, ()) = select_read(&neighbours)?;
        neighbours[who].read()?;
    }
    Ok(())
}

type Dinner = Network<(Vec<csproc::Result<()>>, Vec<csproc::Result<()>>)>;

/// All take the left fork first; or one of them the right one.
fn dinner(count: usize, meals: usize, one_is_left_handed: bool) -> Dinner {
    let channels = |side: &str| -> Vec<Channel<()>> {
        (0..count).map(|place| Channel::builder().name(format!("{side} of {place}")).build().unwrap()).collect()
    };
    let (left, right) = (channels("left"), channels("right"));
    let hands = |place: usize| match (left[place].writer(), right[place].writer()) {
        (left, right) if one_is_left_handed && place == 0 => (right, left),
        hands => hands,
    };
    let seat = |place: usize| {
        let (first, second) = hands(place);
        philosopher(meals, first, second)
    };
    network!(
        for place in 0..count => seat(place),
        // Between a philosopher's left hand and the right hand of the one before.
        for place in 0..count => fork(meals, vec![left[place].reader(), right[(place + count - 1) % count].reader()])
    )
}

/// Each fork is put back by whoever has taken it, before anybody takes it again: so no two neighbours eat at a time.
fn forks_have_one_holder(trace: &[Event], count: usize) -> bool {
    (0..count).all(|place| {
        let name = format!("fork[{place}]");
        let holders: Vec<&str> =
            trace.iter().filter(|event| event.partner() == Some(&name)).map(Event::process).collect();
        holders.chunks(2).all(|pair| pair.len() < 2 || pair[0] == pair[1])
    })
}

/// Somebody has both forks, and so does somebody else.
fn two_eat_at_a_time(trace: &[Event]) -> bool {
    let mut eats: Vec<(&str, usize)> = Vec::new();
    trace.iter().any(|event| {
        match eats.iter_mut().find(|(name, _)| *name == event.process()) {
            Some((_, count)) => *count = (*count + 1) % 4,
            None => eats.push((event.process(), 1)),
        }
        eats.iter().filter(|(_, count)| *count == 2).count() > 1
    })
}

#[test]
fn with_one_who_is_left_handed_all_eat_and_no_two_neighbours_at_a_time() {
    for count in [2, 3, 5] {
        let bad = smallest_without(
            200,
            &schedule(),
            || dinner(count, 2, true),
            |run| run.completed() && forks_have_one_holder(run.trace(), count),
        );
        assert!(bad.is_none(), "{}", bad.unwrap());
    }
}

#[test]
fn two_who_are_no_neighbours_can_eat_at_a_time() {
    let both = smallest_without(500, &schedule(), || dinner(4, 1, true), |run| !two_eat_at_a_time(run.trace()));
    assert!(both.is_some());
}

#[test]
fn if_all_take_the_left_fork_first_all_can_starve() {
    let bad = smallest_without(2000, &schedule(), || dinner(5, 2, false), |run| run.is_deadlock_free());
    let bad = bad.expect("all can have one fork");
    // One fork each.
    assert_eq!(bad.trace().len(), 5, "{bad}");
    assert!(bad.trace().iter().all(|event| event.channel().starts_with("left")), "{bad}");
}
