//! A queue of another program in an alternation: it is refused, with words that say what to write, and that works.
//!
//! Knows nothing of how its items travel.

use crate::queues::shared;
use csproc::prelude::*;
use std::time::Duration;

#[process]
fn hand_on(jobs: Queue<u64>, out: Writer<u64>) -> csproc::Result<()> {
    for item in jobs.results() {
        out.write(item?)?;
    }
    Ok(())
}

once! {
    fn it_is_no_guard_on_either_side_and_says_what_to_write() {
        let (_manager, here, there) = shared(Queue::<u64>::new());
        here.put(1).unwrap();
        let is_told = |refused: ChannelError, instead: &str| {
            let text = refused.to_string();
            assert!(refused.is_invalid() && text.contains("`jobs at /") && text.contains(instead), "{text}");
        };
        let got = AltSelect! { _ = &there => (), after(Duration::ZERO) => () };
        is_told(got.unwrap_err(), "so it is no guard: have a process `get` from it, and write what comes to a channel");
        let mut alternation = Alternation::new();
        let _ = alternation.own(there.clone());
        is_told(alternation.pri_select().map(drop).unwrap_err(), "have a process `get` from it");
        let put = PriSelect! { there.write(2) => (), skip => () };
        is_told(put.unwrap_err(), "so it is no guard: have a process read from a channel, and `put` what comes");
        assert_eq!((here.len(), there.get()), (1, Ok(1)), "nothing has come of it");
        // What is to be written instead.
        let (out, items) = csproc::channel();
        let hands_on = Spawn!(hand_on(there.clone(), out)).unwrap();
        for item in 2..5 {
            here.put(item).unwrap();
            assert_eq!(AltSelect! { item = items.read() => item, after(Duration::from_secs(60)) => 0 }, Ok(item));
        }
        here.close();
        assert!(items.read().unwrap_err().is_retired());
        hands_on.join().unwrap().unwrap();
    }
}
