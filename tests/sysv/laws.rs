//! What a queue is: which message comes out, how long one waits, and what becomes of it.
//!
//! Knows nothing of alternation.

use crate::harness::place::Place;
use crate::{asleep, is_listed, queue};
use csproc::sysv::{Key, MessageQueue};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

fn fill(queue: &MessageQueue) -> usize {
    (0..).take_while(|_| queue.try_send([7; 1000], 1).is_ok()).count()
}

once! {
    fn a_receiver_gets_the_message_that_its_kind_says() {
        let queue = queue();
        for (bytes, kind) in [("c1", 3), ("a1", 1), ("b1", 2), ("a2", 1), ("c2", 3)] {
            queue.send(bytes, kind).unwrap();
        }
        let text = |(bytes, kind): (Vec<u8>, i64)| (String::from_utf8(bytes).unwrap(), kind);
        assert_eq!(queue.receive(3).map(text), Ok(("c1".to_string(), 3)), "the first of a kind");
        assert_eq!(queue.receive(0).map(text), Ok(("a1".to_string(), 1)), "the first");
        assert_eq!(queue.receive(-3).map(text), Ok(("a2".to_string(), 1)), "of the lowest kind");
        assert_eq!(queue.receive_except(2).map(text), Ok(("c2".to_string(), 3)), "of another kind");
        assert!(queue.try_receive(-1).unwrap_err().is_would_block());
        assert!(queue.try_receive(3).unwrap_err().is_would_block());
        assert_eq!(queue.try_receive(i64::MIN).map(text), Ok(("b1".to_string(), 2)));
    }

    fn a_message_of_any_length_comes_out_as_it_went_in() {
        let queue = queue();
        for length in (0..40).chain([8191, 8192]) {
            let sent: Vec<u8> = (0..length).map(|place: usize| (place * 7 + length) as u8).collect();
            queue.send(&sent, i64::MAX).unwrap();
            assert_eq!(queue.receive(0), Ok((sent, i64::MAX)));
        }
    }

    fn who_waits_for_a_message_gets_it() {
        let queue = queue();
        let other = (*queue).clone();
        let receiver = asleep(move || other.receive(2));
        queue.send("not this", 1).unwrap();
        queue.send("this", 2).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok((b"this".to_vec(), 2)));
        assert_eq!(queue.status().unwrap().messages, 1);
    }

    fn a_full_queue_makes_senders_wait_and_loses_nothing() {
        let queue = queue();
        let room = fill(&queue);
        assert!(room > 0);
        assert!(queue.try_send([8; 1000], 2).unwrap_err().is_would_block());
        assert!(queue.send_timeout([8; 1000], 2, Duration::from_millis(3)).unwrap_err().is_timed_out());
        let other = (*queue).clone();
        let sender = asleep(move || other.send([8; 1000], 2));
        let timed = (*queue).clone();
        let timed = asleep(move || timed.send_timeout([9; 1000], 3, Duration::from_secs(3600)));
        assert_eq!(queue.status().unwrap().messages, room);
        let taken = (0..room + 2).map(|_| queue.receive(0).unwrap().0[0]).collect::<Vec<_>>();
        assert_eq!(sender.join().unwrap(), Ok(()));
        assert_eq!(timed.join().unwrap(), Ok(()));
        let mut last = taken[room..].to_vec();
        last.sort();
        assert_eq!((&taken[..room], last), (&vec![7; room][..], vec![8, 9]));
    }

    fn a_timeout_is_over_when_the_time_is_and_not_before() {
        let queue = queue();
        queue.send("another kind", 1).unwrap();
        for micros in [0, 1, 700, 20_000] {
            let (start, timeout) = (Instant::now(), Duration::from_micros(micros));
            assert!(queue.receive_timeout(2, timeout).unwrap_err().is_timed_out());
            assert!(start.elapsed() >= timeout);
        }
        assert_eq!(queue.receive_timeout(1, Duration::ZERO).unwrap().1, 1, "what is there is taken without time");
        queue.send("in time", 2).unwrap();
        assert_eq!(queue.receive_timeout(2, Duration::MAX).unwrap().1, 2);
    }

    fn a_signal_ends_no_wait_and_moves_no_deadline() {
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::new(AtomicBool::new(false))).unwrap();
        let queue = queue();
        for timeout in [None, Some(Duration::from_millis(60))] {
            let (say, said) = mpsc::channel();
            let other = (*queue).clone();
            let waiter = thread::spawn(move || {
                say.send((Place::here(), pthread_self())).unwrap();
                let start = Instant::now();
                let received = match timeout {
                    None => other.receive(1),
                    Some(timeout) => other.receive_timeout(2, timeout),
                };
                (received, start.elapsed())
            });
            let (place, thread) = said.recv().unwrap();
            place.until_asleep();
            for _ in 0..20 {
                pthread_kill(thread, Signal::SIGUSR1).unwrap();
                if timeout.is_none() {
                    place.until_asleep();
                }
            }
            match timeout {
                None => {
                    assert!(!waiter.is_finished(), "a signal has ended the wait");
                    queue.send("after signals", 1).unwrap();
                    assert_eq!(waiter.join().unwrap().0, Ok((b"after signals".to_vec(), 1)));
                }
                Some(timeout) => {
                    let (received, elapsed) = waiter.join().unwrap();
                    assert!(received.unwrap_err().is_timed_out() && elapsed >= timeout);
                }
            }
        }
    }

    fn removing_a_queue_tells_everybody_who_waits() {
        let queue = queue();
        let handle = || (*queue).clone();
        fill(&queue);
        let (one, two, three, four) = (handle(), handle(), handle(), handle());
        let waiters = [
            asleep(move || one.receive(2).map(drop)),
            asleep(move || two.receive_timeout(2, Duration::from_secs(3600)).map(drop)),
            asleep(move || three.send([0; 1000], 1)),
            asleep(move || four.send_timeout([0; 1000], 1, Duration::from_secs(3600))),
        ];
        queue.remove().unwrap();
        for waiter in waiters {
            assert!(waiter.join().unwrap().unwrap_err().is_removed());
        }
        assert!(queue.send("", 1).unwrap_err().is_removed());
        assert!(queue.receive(0).unwrap_err().is_removed());
        assert!(queue.receive_except(1).unwrap_err().is_removed());
        assert!(queue.status().unwrap_err().is_removed());
        assert!(queue.set_mode(0o600).unwrap_err().is_removed());
        assert!(queue.remove().unwrap_err().is_removed());
    }

    fn a_queue_has_a_status_that_tells_what_was_done_with_it() {
        let queue = queue();
        let fresh = queue.status().unwrap();
        assert_eq!((fresh.messages, fresh.bytes), (0, 0));
        assert_eq!((fresh.last_sender, fresh.last_receiver), (None, None));
        assert_eq!((fresh.last_sent, fresh.last_received), (None, None));
        assert_eq!(fresh.owner, rustix::process::geteuid().as_raw());
        assert_eq!(fresh.group, rustix::process::getegid().as_raw());
        queue.send("12345", 1).unwrap();
        queue.send("", 1).unwrap();
        let used = queue.status().unwrap();
        assert_eq!((used.messages, used.bytes, used.last_sender), (2, 5, Some(std::process::id())));
        queue.receive(0).unwrap();
        let used = queue.status().unwrap();
        assert_eq!((used.messages, used.bytes, used.last_receiver), (1, 0, Some(std::process::id())));
        assert!(used.last_sent.is_some() && used.last_received.is_some());
        queue.set_capacity(100).unwrap();
        queue.set_mode(0o640).unwrap();
        let changed = queue.status().unwrap();
        assert_eq!((changed.capacity, changed.mode, changed.messages), (100, 0o640, 1));
    }

    fn a_queue_ends_with_its_owner_and_with_no_handle() {
        let owner = queue();
        let handle = (*owner).clone();
        drop(handle.clone());
        assert!(is_listed(handle.id()));
        drop(owner);
        assert!(!is_listed(handle.id()));
        let kept = queue().keep();
        assert!(is_listed(kept.id()));
        kept.remove().unwrap();
        assert!(!is_listed(kept.id()));
    }

    fn a_key_names_one_queue_for_everybody() {
        let key = Key::from_path(std::env::current_exe().unwrap(), b'k').unwrap();
        let owner = MessageQueue::create_new(key).unwrap().remove_on_drop();
        let text = format!("{:?}", *owner);
        assert!(text.contains(&i32::from(key).to_string()) && text.contains(&owner.id().to_string()), "{text}");
        let opened = MessageQueue::open(i32::from(key)).unwrap();
        let made = MessageQueue::create(key).unwrap();
        assert_eq!((opened.id(), made.id(), opened.key()), (owner.id(), owner.id(), key));
        opened.send("x", 1).unwrap();
        assert_eq!(made.receive(0).unwrap().0, b"x");
    }

    fn a_handle_means_the_same_queue_wherever_it_is_decoded() {
        let queue = queue();
        let bytes = postcard::to_stdvec(&*queue).unwrap();
        let decoded: MessageQueue = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(decoded, *queue);
        assert_ne!(decoded, *crate::queue());
    }
}
