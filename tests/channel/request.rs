//! Request and reply with one time limit: an answer, or at once the reason why none will come.
//!
//! Knows nothing of the two channels beneath.

use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What a server is to do with a request.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum Order {
    Square(u64),
    Ignore,
    Poison,
    Crash,
    Keep,
}

#[derive(Deserialize, Serialize)]
struct Request {
    order: Order,
    reply: Writer<u64>,
}

#[process]
fn serve(requests: Reader<Request>) -> csproc::Result<usize> {
    let mut kept = Vec::new();
    for request in requests.results() {
        let Request { order, reply } = request?;
        match order {
            Order::Square(n) => drop(reply.write(n * n)),
            Order::Ignore => (),
            Order::Poison => reply.poison(),
            Order::Crash => panic!("the server crashes"),
            Order::Keep => kept.push(reply),
        }
    }
    // Whoever asked has given up.
    Ok(kept.into_iter().filter(|reply| reply.write(0).is_err_and(|error| error.is_retired())).count())
}

const LONG: Duration = Duration::from_secs(3600);

once! {
    fn a_question_has_an_answer_or_at_once_the_reason_why_not() {
        for placement in [Placement::Process, Placement::Thread] {
            let (w, r) = csproc::channel();
            let server = Spawn!(serve(r).on(placement)).unwrap();
            let ask = |order, timeout| csproc::ask(&w, |reply| Request { order, reply }, timeout);
            for n in 0..50 {
                assert_eq!(ask(Order::Square(n), LONG), Ok(n * n));
            }
            assert_eq!(ask(Order::Square(9), Duration::MAX), Ok(81));
            assert_eq!(ask(Order::Ignore, LONG), Err(ChannelError::Retired));
            assert_eq!(ask(Order::Poison, LONG), Err(ChannelError::Poisoned));
            let (begun, timeout) = (Instant::now(), Duration::from_millis(20));
            assert_eq!(ask(Order::Keep, timeout), Err(ChannelError::TimedOut));
            assert!(begun.elapsed() >= timeout);
            drop(w);
            assert_eq!(server.join().unwrap().unwrap(), 1, "an answer that comes too late finds nobody");
        }
    }
}

once! {
    fn a_server_that_dies_with_a_question_in_hand_is_told_at_once() {
        for placement in [Placement::Process, Placement::Thread] {
            let (w, r) = csproc::channel();
            let server = Spawn!(serve(r).on(placement)).unwrap();
            let ask = |order| csproc::ask(&w, |reply| Request { order, reply }, LONG);
            let error = ask(Order::Crash).unwrap_err();
            assert!(error.is_lost() || error.is_retired(), "{error}");
            let later = ask(Order::Square(1)).unwrap_err();
            assert!(matches!(&later, ChannelError::Lost { process, .. } if process == "serve"), "{later}");
            assert!(server.join().is_err());
        }
    }
}

once! {
    fn a_question_that_nobody_takes_times_out() {
        let (w, r) = csproc::channel();
        let request = |reply| Request { order: Order::Ignore, reply };
        assert_eq!(csproc::ask(&w, request, Duration::from_millis(5)), Err(ChannelError::TimedOut));
        assert_eq!(csproc::ask(&w, request, Duration::ZERO), Err(ChannelError::TimedOut));
        drop(r);
        assert_eq!(csproc::ask(&w, request, LONG), Err(ChannelError::Retired));
    }
}

once! {
    fn a_channel_is_poisoned_from_outside_and_not_kept_open() {
        let c = Channel::<u64>::buffered(Buffer::Fifo(4));
        let (w, r) = (c.writer(), c.reader());
        w.write(1).unwrap();
        let handle = c.clone();
        drop(c);
        handle.poison();
        assert_eq!(r.read(), Err(ChannelError::Poisoned), "what lies in the buffer is dropped");
        assert_eq!(w.write(2).unwrap_err().fate, ChannelError::Poisoned);
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        drop(w);
        assert_eq!(r.read(), Err(ChannelError::Retired), "a `Channel` does not keep the writing side open");
    }
}
