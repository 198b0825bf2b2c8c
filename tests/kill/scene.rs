//! Scenes for the tracer: a process that is killed in the middle of one operation, its peers, and what must be true of
//! them afterwards.
//!
//! Knows nothing of which instructions it is killed after.

use crate::explore::{
    Peer, assert_all_well, assert_lost, follow, follow_and_stop, is_lost, read_all, read_all_with, spawn, warm_up,
    write_all,
};
use crate::harness::cast::nothing;
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;

#[process]
fn write_one(out: Writer<u64>) {
    warm_up();
    stepped(|| out.write(1)).unwrap();
}

pub(crate) fn read_all_extended(r: &Reader<u64>) -> (Vec<u64>, ChannelError) {
    read_all_with(|| r.read_extended(|value| value))
}

/// A writer, and a reader that takes its values as `read` does.
pub(crate) fn write_scene(
    read: fn(&Reader<u64>) -> (Vec<u64>, ChannelError),
    reader_waits: bool,
    policy: OnCrash,
    cut: Cut,
) -> Walk {
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    let work = || {
        let r = r.clone();
        move || read(&r)
    };
    let mut reader = reader_waits.then(|| Peer::waiting(work()));
    let walk = follow(spawn(write_one(c.writer()), policy), cut, &mut || {
        reader.get_or_insert_with(|| Peer::start(work()));
    });
    let reader = reader.unwrap_or_else(|| Peer::start(work()));
    let last = w.write(2);
    drop(w);
    let (values, fate) = reader.end();
    if walk.killed && policy == OnCrash::Poison {
        assert_lost(&last.unwrap_err().fate);
        assert_lost(&fate);
        assert!(values.is_empty() || values == [1], "{values:?}");
    } else {
        last.unwrap();
        assert!(fate.is_retired(), "{fate:?}");
        assert!(values == [1, 2] || !walk.finished && values == [2], "{values:?}");
    }
    walk
}

#[process]
pub(crate) fn read_one(input: Reader<u64>) {
    warm_up();
    assert_eq!(stepped(|| input.read()), Ok(1));
}

#[process]
pub(crate) fn read_one_extended(input: Reader<u64>) {
    warm_up();
    assert_eq!(stepped(|| input.read_extended(|value| value)), Ok(1));
}

pub(crate) fn read_scene(
    reader: fn(Reader<u64>) -> Process<()>,
    writer_waits: bool,
    policy: OnCrash,
    cut: Cut,
) -> Walk {
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    let mut writer = writer_waits.then(|| {
        let w = w.clone();
        Peer::waiting(move || write_all(&w, &[1, 2]))
    });
    let walk = follow(spawn(reader(c.reader()), policy), cut, &mut || {
        let w = w.clone();
        writer.get_or_insert_with(|| Peer::start(move || write_all(&w, &[1, 2])));
    });
    let writer = writer.unwrap_or_else(|| {
        let w = w.clone();
        Peer::start(move || write_all(&w, &[1, 2]))
    });
    drop(w);
    let (values, fate) = read_all(&r);
    let written = writer.end();
    if walk.killed && policy == OnCrash::Poison {
        assert_lost(&fate);
        assert_eq!(values, []);
        assert_lost(written[1].as_ref().unwrap_err());
        assert!(written[0].as_ref().err().is_none_or(is_lost), "{written:?}");
        return walk;
    }
    assert!(fate.is_retired(), "{fate:?}");
    assert_eq!(written[1], Ok(()));
    // Somebody has read it, or its writer was told that its reader died.
    assert!(values == [2] || !walk.finished && values == [1, 2] && written[0].is_ok(), "{values:?}, {written:?}");
    assert!(written[0].is_ok() || walk.killed && is_lost(written[0].as_ref().unwrap_err()), "{written:?}");
    walk
}

#[process]
fn choose(inputs: Vec<Reader<u64>>, outputs: Vec<Writer<u64>>) {
    warm_up();
    let mut alternation = Alternation::new();
    for r in &inputs {
        alternation.read(r);
    }
    for w in &outputs {
        alternation.write(w, 1);
    }
    stepped(|| alternation.pri_select().map(drop)).unwrap();
}

/// Writers wait on all inputs and readers on all outputs, or none of them comes before the victim sleeps.
pub(crate) fn choice_scene(count: usize, peers_wait: bool, policy: OnCrash, cut: Cut) -> Walk {
    let channels: Vec<Channel<u64>> = (0..count * 2).map(|_| Channel::new()).collect();
    let (inputs, outputs) = channels.split_at(count);
    let start = |wait: bool| {
        let start_writer = |c: &Channel<u64>| {
            let w = c.writer();
            let work = move || write_all(&w, &[1, 2]);
            if wait { Peer::waiting(work) } else { Peer::start(work) }
        };
        let start_reader = |c: &Channel<u64>| {
            let r = c.reader();
            let work = move || read_all(&r);
            if wait { Peer::waiting(work) } else { Peer::start(work) }
        };
        (inputs.iter().map(start_writer).collect::<Vec<_>>(), outputs.iter().map(start_reader).collect::<Vec<_>>())
    };
    let (rest, last): (Vec<Reader<u64>>, Vec<Writer<u64>>) =
        (inputs.iter().map(Channel::reader).collect(), outputs.iter().map(Channel::writer).collect());
    let mut peers = peers_wait.then(|| start(true));
    let victim = choose(inputs.iter().map(Channel::reader).collect(), outputs.iter().map(Channel::writer).collect());
    let walk = follow(spawn(victim, policy), cut, &mut || {
        peers.get_or_insert_with(|| start(false));
    });
    let (writers, readers) = peers.unwrap_or_else(|| start(false));
    let lost = walk.killed && policy == OnCrash::Poison;
    let mut taken = 0;
    for (writer, r) in writers.into_iter().zip(rest) {
        let (values, fate) = read_all(&r);
        let written = writer.end();
        if lost {
            assert_lost(&fate);
            assert_lost(written[1].as_ref().unwrap_err());
            taken += u32::from(written[0].is_ok());
        } else {
            assert!(fate.is_retired(), "{fate:?}");
            assert_all_well(&written);
            assert!(values == [1, 2] || values == [2], "{values:?}");
            taken += u32::from(values == [2]);
        }
    }
    for (reader, w) in readers.into_iter().zip(last) {
        let written = w.write(3);
        drop(w);
        let (values, fate) = reader.end();
        if lost {
            assert_lost(&fate);
            assert_lost(&written.unwrap_err().fate);
            assert!(values.is_empty() || values == [1], "{values:?}");
        } else {
            written.unwrap();
            assert!(fate.is_retired(), "{fate:?}");
            assert!(values == [1, 3] || values == [3], "{values:?}");
        }
        taken += u32::from(values.contains(&1));
    }
    assert!(taken == 1 || !walk.finished && taken == 0, "{taken} guards of one alternation have fired");
    walk
}

#[process]
fn fill(out: Writer<u64>) {
    warm_up();
    stepped(|| out.write(9)).unwrap();
}

/// A writer of a buffered channel that holds some messages already. What is in it afterwards is as before the write, or
/// as after it.
pub(crate) fn store_scene(buffer: Buffer, held: &[u64], after: &[u64], policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(buffer);
    let (r, w) = (c.reader(), c.writer());
    assert_all_well(&write_all(&w, held));
    let victim = spawn(fill(c.writer()), policy);
    drop((c, w));
    let mut taken = Vec::new();
    let walk = follow(victim, cut, &mut || taken.push(r.read().unwrap()));
    let (rest, fate) = read_all(&r);
    taken.extend(rest);
    if walk.killed && policy == OnCrash::Poison {
        assert_lost(&fate);
    } else {
        assert!(fate.is_retired(), "{fate:?}");
    }
    assert!(taken == after || !walk.finished && taken == held, "{taken:?}");
    walk
}

/// A reader of a full buffer, at which a writer waits: the reader lets its message in.
pub(crate) fn refill_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(Buffer::Fifo(1));
    let (r, w) = (c.reader(), c.writer());
    let writer = Peer::waiting(move || write_all(&w, &[1, 2, 3]));
    let walk = follow(spawn(read_one(c.reader()), policy), cut, &mut || unreachable!());
    drop(c);
    let (values, fate) = read_all(&r);
    let written = writer.end();
    if walk.killed && policy == OnCrash::Poison {
        assert_lost(&fate);
        // What a reader poisons is not read to the end.
        assert_eq!(values, []);
        assert_lost(written[2].as_ref().unwrap_err());
        return walk;
    }
    assert!(fate.is_retired(), "{fate:?}");
    assert_all_well(&written);
    assert!(values == [2, 3] || !walk.finished && values == [1, 2, 3], "{values:?}");
    walk
}

/// A reader of a full buffer is stopped for so long that the block of the message it let in comes back to the writer.
pub(crate) fn stopped_refill_scene(count: usize, policy: OnCrash, cut: Cut) -> Walk {
    let (c, other) = (Channel::buffered(Buffer::Fifo(1)), Channel::new());
    // Made before: the stopped one may hold the lock of the channel.
    let (mut ends, w) = (vec![c.reader()], c.writer());
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let mut wait = Some(wait);
    let writer = Peer::waiting(move || write_all(&w, &(1..=40).collect::<Vec<_>>()));
    let mut reader = None;
    let mut start = || {
        let (r, wait) = (ends.pop().unwrap(), wait.take().unwrap());
        Peer::start(move || {
            let mut values: Vec<u64> = (0..count).map(|_| r.read().unwrap()).collect();
            wait.recv().unwrap();
            let (rest, fate) = read_all(&r);
            values.extend(rest);
            (values, fate)
        })
    };
    let walk = follow_and_stop(spawn(read_one(c.reader()), policy), cut, &mut || unreachable!(), &mut || {
        let peer = reader.insert(start());
        // It has read as many as it wants and the writer waits for room, or both wait for the stopped one.
        let mut looks = 0;
        while looks < 50 {
            looks = if peer.is_asleep() && writer.is_asleep() { looks + 1 } else { 0 };
            std::thread::yield_now();
        }
    });
    let reader = reader.unwrap_or_else(start);
    drop(c);
    // Whoever takes blocks now gets those that were freed last.
    let r = other.reader();
    let newcomers: Vec<_> = (0..6)
        .map(|_| {
            let w = other.writer();
            Peer::waiting(move || write_all(&w, &[100]))
        })
        .collect();
    go.send(()).unwrap();
    let (values, fate) = reader.end();
    let written = writer.end();
    assert_eq!((0..6).map(|_| r.read()).collect::<Vec<_>>(), vec![Ok(100); 6]);
    for newcomer in newcomers {
        assert_all_well(&newcomer.end());
    }
    assert!(fate.is_retired(), "{fate:?}");
    assert_all_well(&written);
    let all: Vec<u64> = (1..=40).collect();
    assert!(values == all[1..] || !walk.finished && values == all, "{values:?}");
    walk
}

#[process]
pub(crate) fn sync(barrier: Barrier) {
    warm_up();
    stepped(|| barrier.sync()).unwrap();
}

#[process]
pub(crate) fn leave(barrier: Barrier) {
    warm_up();
    stepped(|| drop(barrier));
}

#[process]
pub(crate) fn resign(barrier: Barrier) {
    warm_up();
    stepped(|| barrier.resign());
}

/// One of three parties. Without it the others go on, and the barrier has two.
pub(crate) fn barrier_scene(party: fn(Barrier) -> Process<()>, others_wait: bool, policy: OnCrash, cut: Cut) -> Walk {
    let barrier = Barrier::new(3);
    let parties: Vec<Barrier> = (0..2).map(|_| barrier.clone()).collect();
    let (go, ready) = (Channel::<()>::new(), Channel::<()>::new());
    let start = |parties: Vec<Barrier>, wait: bool| -> Vec<_> {
        let party = |barrier: Barrier| {
            let (go, ready) = (go.reader(), ready.writer());
            let work = move || {
                let first = barrier.sync();
                ready.write(()).unwrap();
                go.read().unwrap();
                (first, barrier.sync())
            };
            if wait { Peer::waiting(work) } else { Peer::start(work) }
        };
        parties.into_iter().map(party).collect()
    };
    let mut parties = Some(parties);
    let mut peers = if others_wait { parties.take().map(|parties| start(parties, true)) } else { None };
    let victim = spawn(party(barrier), policy);
    let walk = follow(victim, cut, &mut || {
        if let Some(parties) = parties.take() {
            peers = Some(start(parties, false));
        }
    });
    let peers = peers.unwrap_or_else(|| start(parties.take().unwrap(), false));
    let (go, ready) = (go.writer(), ready.reader());
    for _ in 0..2 {
        ready.read().unwrap();
    }
    for _ in 0..2 {
        go.write(()).unwrap();
    }
    for peer in peers {
        assert_eq!(peer.end(), (Ok(()), Ok(())));
    }
    walk
}

/// The last party of a barrier is stopped, while a writer offers its value to another party, which waits for either.
/// Whatever the last party was about, the writer is served or sleeps; and when the last party is killed, all others
/// come to an end.
pub(crate) fn stopped_party_scene(policy: OnCrash, cut: Cut) -> Walk {
    let (barrier, c) = (Barrier::new(2), Channel::<u64>::new());
    let (party, r) = (barrier.clone(), c.reader());
    let chooser = Peer::waiting(move || {
        let chosen = AltSelect! { party.sync() => 0, v = r.read() => v };
        // The barrier goes on without the one that is killed, and alone.
        (chosen, party.sync(), r.read())
    });
    let mut writer = None;
    let mut ends = vec![c.writer()];
    let mut start = || {
        let w = ends.pop().unwrap();
        Peer::start(move || w.write(1).is_ok() && w.write(2).is_ok())
    };
    let walk = follow_and_stop(spawn(sync(barrier), policy), cut, &mut || (), &mut || {
        let peer = writer.insert(start());
        while !peer.is_finished() && !peer.is_asleep() {
            std::thread::yield_now();
        }
    });
    let writer = writer.unwrap_or_else(start);
    drop(c);
    let (chosen, synced, read) = chooser.end();
    assert_eq!(synced, Ok(()));
    match chosen {
        // Its second value finds nobody.
        Ok(1) => assert_eq!(read, Ok(2)),
        Ok(0) => assert_eq!(read, Ok(1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(writer.end(), chosen == Ok(1));
    walk
}

#[process]
fn send_end(out: Writer<Writer<u64>>, end: Writer<u64>) {
    warm_up();
    stepped(|| out.write(end).map_err(|refused| refused.to_string())).unwrap();
}

#[process]
fn receive_end(input: Reader<Writer<u64>>) {
    warm_up();
    drop(stepped(|| input.read()).unwrap());
}

/// An end travels from the victim, or to it.
pub(crate) fn mobile_scene(from: bool, policy: OnCrash, cut: Cut) -> Walk {
    let (c, inner) = (Channel::<Writer<u64>>::new(), Channel::<u64>::new());
    let r = inner.reader();
    if from {
        let input = c.reader();
        let peer = Peer::waiting(move || input.read().map(|end| end.write(5).map_err(|error| error.fate)));
        let victim = spawn(send_end(c.writer(), inner.writer()), policy);
        drop((c, inner));
        let walk = follow(victim, cut, &mut || ());
        let (values, fate) = read_all(&r);
        let got = peer.end();
        let lost = walk.killed && policy == OnCrash::Poison;
        let got_it = got.is_ok();
        match got {
            Ok(written) => {
                assert!(written.is_ok() && values == [5] || lost && values.is_empty(), "{written:?} {values:?}")
            }
            Err(error) => {
                assert!(!walk.finished && values.is_empty());
                assert!(if lost { is_lost(&error) } else { error.is_retired() }, "{error:?}");
            }
        }
        // Once its message is delivered, the victim drops its own end, and has nothing more to lose.
        assert!(fate.is_retired() && (!lost || got_it) || lost && is_lost(&fate), "{fate:?}");
        return walk;
    }
    let (out, end) = (c.writer(), inner.writer());
    let peer = Peer::waiting(move || out.write(end).map_err(|error| error.fate));
    let victim = spawn(receive_end(c.reader()), policy);
    drop((c, inner));
    let walk = follow(victim, cut, &mut || ());
    let written = peer.end();
    let (values, fate) = read_all(&r);
    assert_eq!(values, []);
    let lost = walk.killed && policy == OnCrash::Poison;
    match written {
        Ok(()) => assert!(if lost { is_lost(&fate) } else { fate.is_retired() }, "{fate:?}"),
        Err(error) => {
            assert!(!walk.finished && fate.is_retired(), "{fate:?}");
            assert!(if lost { is_lost(&error) } else { error.is_retired() }, "{error:?}");
        }
    }
    walk
}

/// The first thing it does is to make a channel: it has no context yet.
#[process]
pub(crate) fn make_and_drop() {
    stepped(|| {
        let c = Channel::<u64>::buffered(Buffer::Fifo(2));
        let (w, r) = (c.writer(), c.reader());
        w.write(1).unwrap();
        drop((w, r));
    });
}

#[process]
pub(crate) fn have_a_child() {
    warm_up();
    stepped(|| Parallel!(nothing())).unwrap();
}

#[process]
fn let_go(out: Writer<u64>, how: u32) {
    warm_up();
    stepped(|| match how {
        0 => drop(out),
        1 => out.poison(),
        _ => out.retire(),
    });
}

/// The last end of a side goes, or poisons, while the other side waits.
pub(crate) fn let_go_scene(how: u32, policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::new();
    let r = c.reader();
    let peer = Peer::waiting(move || read_all(&r));
    let victim = spawn(let_go(c.writer(), how), policy);
    drop(c);
    let walk = follow(victim, cut, &mut || ());
    let (values, fate) = peer.end();
    assert_eq!(values, []);
    let went = if how == 1 { fate.is_poisoned() } else { fate.is_retired() };
    let died = if policy == OnCrash::Poison { is_lost(&fate) } else { fate.is_retired() };
    assert!(went || walk.killed && died, "{fate:?}");
    walk
}

#[process]
fn read_in_vain(input: Reader<u64>) {
    warm_up();
    assert!(stepped(|| input.read_timeout(std::time::Duration::from_micros(200))).unwrap_err().is_timed_out());
}

/// A reader withdraws at its deadline.
pub(crate) fn timeout_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::new();
    let (r, w) = (c.reader(), c.writer());
    let victim = spawn(read_in_vain(c.reader()), policy);
    let walk = follow(victim, cut, &mut || ());
    drop(c);
    let writer = Peer::start(move || write_all(&w, &[1, 2]));
    let (values, fate) = read_all(&r);
    let written = writer.end();
    if walk.killed && policy == OnCrash::Poison {
        assert_lost(&fate);
        assert_lost(written[0].as_ref().unwrap_err());
    } else {
        assert_all_well(&written);
        assert_eq!(values, [1, 2]);
    }
    walk
}
