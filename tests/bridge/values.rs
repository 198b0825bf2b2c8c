//! Every value comes once and in order, whoever else wins in between.
//!
//! Knows nothing of priorities.

use csproc::bridge::{self, Bridge, Ipc};
use csproc::prelude::*;
use ipc_channel::ipc::{IpcOneShotServer, IpcSender};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// A program that knows of ipc-channel only.
#[process]
fn send_numbers(server: String, count: u64) -> csproc::Result<()> {
    let sender = IpcSender::connect(server)?;
    for number in 0..count {
        sender.send(number)?;
    }
    Ok(())
}

/// Waits for a program that connects by name; its first message comes apart.
fn accept<T>(server: IpcOneShotServer<T>) -> (Bridge<Ipc<T>>, T)
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let (receiver, first) = server.accept().unwrap();
    (bridge::ipc(receiver).unwrap(), first)
}

#[process]
fn count_up(out: Writer<u64>) {
    (0..).try_for_each(|number| out.write(number)).unwrap_err();
}

over_both! {
    fn values_of_an_ipc_sender_keep_their_order(placement) {
        let (server, name) = IpcOneShotServer::new().unwrap();
        let child = Spawn!(send_numbers(name, 20_000).on(placement)).unwrap();
        let (foreign, first) = accept::<u64>(server);
        assert_eq!(first, 0);
        assert!(foreign.iter().eq(1..20_000));
        assert!(foreign.read().unwrap_err().is_retired());
        child.join().unwrap().unwrap();
    }

    fn values_of_an_ipc_sender_keep_their_order_in_alternations(placement) {
        let (server, name) = IpcOneShotServer::new().unwrap();
        let child = Spawn!(send_numbers(name, 5000).on(placement)).unwrap();
        let (foreign, _) = accept::<u64>(server);
        let c = Channel::<u64>::new();
        let (_silent, silence) = (c.writer(), c.reader());
        for expected in 1..5000 {
            let number = AltSelect! {
                number = foreign.read() => number,
                number = silence.read() => number,
            };
            assert_eq!(number, Ok(expected));
        }
        child.join().unwrap().unwrap();
    }

    fn nothing_is_lost_when_others_win_ten_thousand_alternations(placement) {
        let (server, name) = IpcOneShotServer::new().unwrap();
        let c = Channel::new();
        let counter = Spawn!(count_up(c.writer()).on(placement)).unwrap();
        let child = Spawn!(send_numbers(name, 3000).on(placement)).unwrap();
        let (foreign, _) = accept::<u64>(server);
        let (sender, receiver) = crossbeam_channel::bounded(2);
        let near = bridge::crossbeam(receiver);
        let thread = std::thread::spawn(move || (0..3000).try_for_each(|number| sender.send(number)).is_ok());
        let own = c.reader();

        let (mut others, mut from_afar, mut from_near) = (0, 1, 0);
        while others < 10_000 || from_afar < 3000 || from_near < 3000 {
            AltSelect! {
                number = foreign.read() if from_afar < 3000 => {
                    assert_eq!(number, from_afar);
                    from_afar += 1;
                },
                number = own.read() => {
                    assert_eq!(number, others);
                    others += 1;
                },
                number = near.read() if from_near < 3000 => {
                    assert_eq!(number, from_near);
                    from_near += 1;
                },
            }
            .unwrap();
        }
        drop((own, c));
        assert!(thread.join().unwrap());
        child.join().unwrap().unwrap();
        counter.join().unwrap();
        assert!(foreign.read().unwrap_err().is_retired());
        assert!(near.read().unwrap_err().is_retired());
    }
}

once! {
    fn a_rendezvous_with_a_crossbeam_sender_takes_every_value_once() {
        let (sender, receiver) = crossbeam_channel::bounded(0);
        let foreign = bridge::crossbeam(receiver);
        let thread = std::thread::spawn(move || (0..5000_u32).try_for_each(|number| sender.send(number)).is_ok());
        let mut alt = Alternation::new();
        let value = alt.guard(&foreign);
        for expected in 0..5000 {
            assert_eq!(alt.select().unwrap().take(value), expected);
        }
        assert!(alt.select().unwrap_err().is_retired());
        assert!(thread.join().unwrap());
    }

    fn a_value_that_somebody_else_takes_is_not_taken_twice() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let foreign = bridge::crossbeam(receiver.clone());
                std::thread::spawn(move || {
                    let mut taken = Vec::new();
                    while let Ok(number) = AltSelect! { number = foreign.read() => number } {
                        taken.push(number);
                    }
                    taken
                })
            })
            .collect();
        drop(receiver);
        (0..6000_u32).for_each(|number| sender.send(number).unwrap());
        drop(sender);
        let mut all: Vec<u32> = Vec::new();
        for taker in takers {
            let taken = taker.join().unwrap();
            assert!(taken.is_sorted());
            all.extend(taken);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..6000));
    }

    fn back_pressure_reaches_the_foreign_sender() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let foreign = bridge::crossbeam(receiver);
        sender.send(1).unwrap();
        for _ in 0..1000 {
            let won = PriSelect! {
                at(std::time::Instant::now()) => true,
                _number = foreign.read() => false,
            };
            assert_eq!(won, Ok(true));
            assert!(sender.try_send(2).unwrap_err().is_full(), "a value was fetched ahead");
        }
        assert_eq!(foreign.try_read(), Ok(1));
        assert_eq!(sender.try_send(2), Ok(()));
    }

    fn what_is_under_way_comes_back_with_the_receiver() {
        let c = Channel::<u8>::new();
        let (_w, own) = (c.writer(), c.reader());
        let (near_sender, receiver) = crossbeam_channel::unbounded();
        let near = bridge::crossbeam(receiver);
        let (far_sender, receiver) = ipc_channel::ipc::channel().unwrap();
        let far = bridge::ipc(receiver).unwrap();
        let nothing = PriSelect! {
            _number = near.read() => false,
            _number = far.read() => false,
            _number = own.read() => false,
            skip => true,
        };
        assert_eq!(nothing, Ok(true));
        near_sender.send(1).unwrap();
        far_sender.send(2).unwrap();
        assert_eq!(near.into_inner().try_recv(), Ok(1));
        assert_eq!(far.into_inner().try_recv().unwrap(), 2);
    }
}

/// What a process reads from a bridge with that nobody writes to.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum By {
    Read,
    Try,
    Timeout,
    Deadline,
}

/// Goes on after a poison with a bridge and nothing else, until it is killed.
#[process]
fn hear_of_a_poison_and_read_elsewhere(by: By, dead: Reader<u64>, dropped: Writer<u64>) {
    const HOUR: Duration = Duration::from_secs(3600);
    let (_silent, receiver) = crossbeam_channel::unbounded::<u64>();
    let foreign = bridge::crossbeam(receiver);
    assert!(dead.read().unwrap_err().is_poisoned());
    drop(dropped);
    let read = match by {
        By::Read => foreign.read(),
        By::Try => foreign.try_read(),
        By::Timeout => foreign.read_timeout(HOUR),
        By::Deadline => foreign.read_deadline(Instant::now() + HOUR),
    };
    assert!(read.unwrap_err().is_would_block());
    loop {
        std::thread::park();
    }
}

once! {
    fn law_7_an_end_dropped_after_a_poison_retires_with_a_read_from_elsewhere() {
        for by in [By::Read, By::Try, By::Timeout, By::Deadline] {
            let [dead, dropped] = [(); 2].map(|()| Channel::new());
            let r = dropped.reader();
            dead.writer().poison();
            let child = Spawn!(hear_of_a_poison_and_read_elsewhere(by, dead.reader(), dropped.writer())).unwrap();
            drop((dead, dropped));
            assert_eq!(r.read(), Err(ChannelError::Retired), "{by:?}");
            child.kill().unwrap();
            child.join().unwrap_err();
        }
    }
}
