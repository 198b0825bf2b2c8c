//! An event: all who wait go on when it is set, and nobody before.
//!
//! Knows nothing of what happens.

use crate::harness::place::Place;
use csproc::prelude::*;
use std::time::Duration;

#[process]
fn wait(event: Event, ready: Writer<Place>) -> csproc::Result<bool> {
    Place::announce(&ready);
    event.wait()?;
    Ok(event.is_set())
}

over_both! {
    fn all_who_wait_go_on(placement) {
        let (event, ready) = (Event::new(), Channel::new());
        let r = ready.reader();
        let mut waiting = Vec::new();
        for _ in 0..4 {
            waiting.push(Spawn!(wait(event.clone(), ready.writer()).on(placement)).unwrap());
            r.read().unwrap().until_asleep();
        }
        event.set();
        assert!(waiting.into_iter().all(|child| child.join().unwrap().unwrap()));
    }

    fn whoever_waited_goes_on_although_it_is_cleared_at_once(placement) {
        let (event, ready) = (Event::new(), Channel::new());
        let child = Spawn!(wait(event.clone(), ready.writer()).on(placement)).unwrap();
        ready.reader().read().unwrap().until_asleep();
        event.set();
        event.clear();
        let _ = child.join().unwrap().unwrap();
        assert!(!event.wait_timeout(Duration::from_millis(1)).unwrap());
    }
}

once! {
    fn an_event_fires_while_it_is_set() {
        let event = Event::new();
        assert!(!PriSelect! { event => true, skip => false }.unwrap());
        event.set();
        for _ in 0..3 {
            assert!(PriSelect! { event => true, skip => false }.unwrap());
        }
        event.clear();
        assert!(!PriSelect! { event => true, skip => false }.unwrap());
    }
}
