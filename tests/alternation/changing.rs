//! A set that grows and shrinks is served evenly, its tokens stay valid, and what it owned comes back.
//!
//! Knows nothing of how ends work. Before each selection every client is ready, so that the counts depend on the choice
//! alone.

use crate::policy::POLICIES;
use csproc::prelude::*;
use csproc::{Read, Write};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

const SPAMMERS: usize = 4;
const SELECTIONS: usize = 100_000;

/// Writes its number until nobody reads it any more.
#[process]
fn spam(out: Writer<u32>, number: u32) {
    while out.write(number).is_ok() {}
}

/// Four clients that always have something to say.
fn spammed(placement: Placement, test: impl FnOnce(Vec<Reader<u32>>, &dyn Fn())) {
    let channels: Vec<_> = (0..SPAMMERS).map(|_| Channel::buffered(Buffer::Fifo(16))).collect();
    let parts = channels.iter().zip(0..).map(|(c, number)| spam(c.writer(), number).on(placement));
    let spammers = Spawn!(parts.collect::<Vec<_>>()).unwrap();
    let gauges: Vec<_> = channels.iter().map(Channel::reader).collect();
    let wait_for_all = || {
        while gauges.iter().any(Reader::is_empty) {
            std::thread::yield_now();
        }
    };
    test(channels.iter().map(Channel::reader).collect(), &wait_for_all);
    drop(gauges);
    spammers.join().unwrap();
}

/// Channels that hold so many times their own number.
fn full(messages: usize) -> (Vec<Writer<u32>>, Vec<Reader<u32>>) {
    let channels: Vec<_> = (0..SPAMMERS).map(|_| Channel::buffered(Buffer::Unbounded)).collect();
    let writers: Vec<_> = channels.iter().map(Channel::writer).collect();
    for (writer, number) in writers.iter().zip(0..) {
        (0..messages).for_each(|_| writer.write(number).unwrap());
    }
    (writers, channels.iter().map(Channel::reader).collect())
}

/// Each has a quarter, give or take three hundredths of all.
fn assert_even(hits: [usize; SPAMMERS]) {
    let selections: usize = hits.iter().sum();
    let even = hits.iter().all(|hits| (22 * selections..=28 * selections).contains(&(100 * hits)));
    assert!(even, "{selections} selections, hits: {hits:?}");
}

over_both! {
    /// One client leaves and comes back between any two selections.
    fn clients_that_come_and_go_are_served_evenly(placement) {
        spammed(placement, |readers, wait_for_all| {
            let mut alt = Alternation::new();
            let mut clients = BTreeMap::new();
            for reader in readers {
                let token = alt.own_reader(reader);
                clients.insert(token.index(), token);
            }
            let mut hits = [0; SPAMMERS];
            let mut seed = 1_u64;
            for _ in 0..SELECTIONS {
                wait_for_all();
                let fired = alt.fair_select().unwrap();
                let client: Read<u32, Reader<u32>> = clients[&fired.index()];
                hits[fired.take(client) as usize] += 1;

                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let leaving = *clients.keys().nth((seed >> 33) as usize % SPAMMERS).unwrap();
                let reader = alt.remove(clients.remove(&leaving).unwrap());
                let token = alt.own_reader(reader);
                clients.insert(token.index(), token);
            }
            assert_even(hits);
        });
    }

    /// The set is made anew for each selection, and only the turn is kept.
    fn a_set_made_anew_for_each_selection_is_served_evenly(placement) {
        spammed(placement, |readers, wait_for_all| {
            let (mut hits, mut turn) = ([0; SPAMMERS], 0);
            for _ in 0..SELECTIONS {
                wait_for_all();
                let mut alt = Alternation::new();
                let tokens: Vec<_> = readers.iter().map(|reader| alt.read(reader)).collect();
                alt.start_at(turn);
                let fired = alt.fair_select().unwrap();
                turn = fired.index() + 1;
                let from = fired.index();
                hits[fired.take(tokens[from]) as usize] += 1;
            }
            assert_even(hits);
        });
    }

    /// Random choice needs no turn, whatever is made anew.
    fn readers_of_a_slice_are_served_evenly(placement) {
        spammed(placement, |readers, wait_for_all| {
            let mut hits = [0; SPAMMERS];
            for _ in 0..SELECTIONS / 4 {
                wait_for_all();
                let (from, value) = select_read(&readers).unwrap();
                assert_eq!(from, value as usize);
                hits[from] += 1;
            }
            assert_even(hits);
        });
    }

    /// What an alternation owned ends with it, as if it had been dropped by hand.
    fn owned_ends_retire_with_the_alternation(placement) {
        let (c, d) = (Channel::<u32>::new(), Channel::<u32>::new());
        let (w, r) = (c.writer(), d.reader());
        let served = hold_and_leave(c.reader(), d.writer()).on(placement).run().unwrap();
        assert_eq!(served, 0);
        assert!(w.write(1).unwrap_err().is_retired());
        assert!(r.read().unwrap_err().is_retired());
    }
}

once! {
    /// The guard that fired is removed each time, and comes back later: the turn goes on behind it.
    fn the_turn_survives_the_removal_of_the_guard_that_fired() {
        let (_writers, readers) = full(1000);
        let mut alt = Alternation::new();
        let tokens = readers.into_iter().map(|reader| alt.own_reader(reader));
        let mut clients: BTreeMap<usize, _> = tokens.map(|token| (token.index(), token)).collect();
        let mut order = Vec::new();
        for _ in 0..400 {
            let fired = alt.fair_select().unwrap();
            let client = clients.remove(&fired.index()).unwrap();
            order.push(fired.take(client));
            let client = alt.remove(client);
            let client = alt.own_reader(client);
            clients.insert(client.index(), client);
        }
        let expected: Vec<u32> = (0..4).cycle().take(400).collect();
        assert_eq!(order, expected);
    }

    /// A channel that has ended has its turn, and then the next one has.
    fn a_channel_that_has_ended_does_not_starve_a_ready_one() {
        let (writers, readers) = full(200);
        readers[0].poison();
        drop(writers);
        let ended = Channel::<u32>::new();
        drop(ended.writer());
        let gone = ended.reader();

        let mut alt = Alternation::new();
        let tokens = [alt.read(&gone), alt.read(&readers[0]), alt.read(&readers[1]), alt.read(&readers[2])];
        let mut other = Alternation::new();
        let of_the_other = other.read(&gone);
        let mut seen = [0; 4];
        for _ in 0..400 {
            match alt.fair_select() {
                Ok(fired) => {
                    let index = fired.index();
                    assert_eq!(fired.take(tokens[index]) as usize, index - 1);
                    seen[index] += 1;
                }
                Err(error) => {
                    let index = alt.failed().unwrap();
                    assert_eq!(tokens.map(|token| alt.has_failed(token)), [0, 1, 2, 3].map(|place| place == index));
                    assert!(!alt.has_failed(of_the_other));
                    assert_eq!(error.is_poisoned(), index == 1);
                    seen[index] += 1;
                }
            }
        }
        assert_eq!(seen, [100; 4]);

        let (mut good, mut bad) = (0, 0);
        for _ in 0..100 {
            let chosen = FairSelect! {
                _v = gone.read() => (),
                v = readers[3].read() => assert_eq!(v, 3),
            };
            if chosen.is_ok() { good += 1 } else { bad += 1 }
        }
        assert_eq!((good, bad), (50, 50));
    }
}

#[process]
fn hold_and_leave(input: Reader<u32>, out: Writer<u32>) -> u32 {
    let mut server = Server::default();
    server.clients.push(server.alt.own_reader(input));
    let token = server.alt.own_writer(out);
    server.alt.set(token, 1);
    server.replies.push(token);
    server.served
}

/// Says its number again and again, or dies of it.
#[process]
fn client(out: Writer<u32>, number: u32, dies: bool) -> csproc::Result<()> {
    for _ in 0..10 {
        out.write(number)?;
    }
    if dies {
        std::process::abort();
    }
    Ok(())
}

once! {
    /// The error says how a client has ended, and the token which one it was; the others are served on.
    fn a_client_that_ends_is_known_by_its_token() {
        let channels: Vec<_> = (0..4).map(|_| Channel::new()).collect();
        let mut alt = Alternation::new();
        let mut tokens: Vec<_> = channels.iter().map(|c| Some(alt.own_reader(c.reader()))).collect();
        let parts = channels.iter().zip(0..).map(|(c, number)| client(c.writer(), number, number % 2 == 1));
        let children = Spawn!(parts.collect::<Vec<_>>()).unwrap();
        let mut heard = [0; 4];
        while !alt.is_empty() {
            match alt.fair_select() {
                Ok(fired) => {
                    let token = tokens[fired.index()].unwrap();
                    heard[fired.take(token) as usize] += 1;
                }
                Err(error) => {
                    let index = alt.failed().unwrap();
                    let token = tokens[index].take().unwrap();
                    assert!(alt.has_failed(token));
                    assert_eq!(error.is_lost(), index % 2 == 1, "client {index}: {error}");
                    let reader: Reader<u32> = alt.remove(token);
                    assert_eq!(reader.channel_id(), channels[index].id());
                    assert_eq!(reader.read().unwrap_err(), error);
                }
            }
        }
        assert_eq!(heard, [10; 4]);
        let error = children.join().unwrap_err();
        assert_eq!(error.failures().len(), 2);
    }
}

/// What a program would have: a set without a borrow in a struct.
#[derive(Default)]
struct Server {
    alt: Alternation<'static>,
    clients: Vec<Read<u32, Reader<u32>>>,
    replies: Vec<Write<u32, Writer<u32>>>,
    served: u32,
}

/// The text of a panic.
fn panic_of<R>(act: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(act)).err().expect("a panic");
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_string())
}

once! {
    /// Removed, or of another alternation: a token that stands for nothing says so, and changes nothing.
    fn a_token_that_stands_for_nothing_panics() {
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        w.write(7_u32).unwrap();
        let (mut one, mut other) = (Alternation::new(), Alternation::new());
        let mine = one.skip();
        let foreign = other.read(&r);
        let writer = other.write(&w, 1);
        for said in [
            panic_of(|| one.enable(foreign, false)),
            panic_of(|| one.set(writer, 1)),
            panic_of(|| one.remove(foreign)),
        ] {
            assert_eq!(said, "the token is of another alternation");
        }
        assert!(!one.contains(foreign));
        assert!(one.select().unwrap().is(mine), "the guard of the same number is as before");

        other.remove(writer);
        let gone = other.own_writer(c.writer());
        drop(other.remove(gone));
        for said in [
            panic_of(|| other.enable(gone, true)),
            panic_of(|| other.set(gone, 1)),
            panic_of(|| other.remove(gone)),
        ] {
            assert_eq!(said, "guard 2 has been removed: ask `alternation.contains(token)`");
        }
        let fired = other.select().unwrap();
        assert!(fired.is(foreign) && !fired.is(gone) && !fired.is(mine));
        let said = panic_of(|| fired.take(mine));
        let expected = "guard 0 did not fire, but guard 0 of another alternation: ask `fired.is(token)` before `take`";
        assert_eq!(said, expected);
    }

    /// A message that waits to be written goes with its guard: nobody sees it, and its block is free.
    fn a_removed_writer_leaves_nothing() {
        let c = Channel::<Writer<u8>>::new();
        let inner = Channel::<u8>::new();
        let (w, r) = (c.writer(), c.reader());
        let mut alt = Alternation::new();
        let lent = alt.write(&w, inner.writer());
        let own = alt.own_writer(w.clone());
        alt.set(own, inner.writer());
        alt.remove(lent);
        let back: Writer<Writer<u8>> = alt.remove(own);
        assert_eq!(back.channel_id(), c.id());
        assert_eq!(alt.select().unwrap_err(), ChannelError::NoGuards);
        assert!(r.try_read().unwrap_err().is_would_block());
        // The ends in the messages are gone, too.
        assert!(inner.reader().try_read().unwrap_err().is_retired());
    }

    /// Every kind of guard can be owned, and comes back as it was.
    fn any_guard_can_be_owned() {
        let (sender, receiver) = ipc_channel::ipc::channel::<u32>().unwrap();
        let barrier = Barrier::new(1);
        let mut alt = Alternation::new();
        let foreign = alt.own(csproc::bridge::ipc(receiver).unwrap());
        let ticks = alt.own(tick(Duration::ZERO));
        let all = alt.own(barrier);
        sender.send(5).unwrap();
        assert_eq!(alt.pri_select().unwrap().take(foreign), 5);
        assert!(alt.pri_select().unwrap().take(ticks) <= Instant::now());
        assert_eq!(alt.remove(ticks).period(), Duration::ZERO);
        alt.pri_select().unwrap().take(all);
        sender.send(6).unwrap();
        assert_eq!(alt.remove(foreign).into_inner().recv().unwrap(), 6);
        drop(alt.remove(all));
        assert!(alt.is_empty());
    }

    /// A set keeps the guards of one selection for the next: whatever has changed in between counts.
    fn what_has_changed_between_two_selections_counts() {
        let channels = [(); 3].map(|()| Channel::buffered(Buffer::Fifo(8)));
        let [to_a, to_b, to_c] = channels.each_ref().map(|c| c.writer());
        // The channel of one that is given up goes on.
        let [a, b, c, _other_b] = [0, 1, 2, 1].map(|place| channels[place].reader());
        let mut alt = Alternation::new();
        let (on_a, on_b, nothing) = (alt.read(&a), alt.read(&b), alt.skip());
        let ready = |alt: &mut Alternation<'_>| alt.pri_select().map(|fired| fired.index());
        assert_eq!(ready(&mut alt), Ok(nothing.index()));
        [&to_a, &to_b].iter().for_each(|w| w.write(1).unwrap());
        alt.enable(on_a, false);
        assert_eq!(ready(&mut alt), Ok(on_b.index()));
        alt.enable(on_a, true);
        assert_eq!(ready(&mut alt), Ok(on_a.index()));
        // As many guards as before, and another one in the place of the first.
        alt.remove(on_a);
        let on_c = alt.read(&c);
        to_a.write(2).unwrap();
        assert_eq!(ready(&mut alt), Ok(nothing.index()));
        alt.enable(nothing, false);
        to_c.write(3_u64).unwrap();
        assert_eq!(alt.pri_select().unwrap().take(on_c), 3);
        alt.enable(nothing, true);
        assert_eq!(ready(&mut alt), Ok(nothing.index()));
        b.retire();
        assert_eq!(ready(&mut alt), Err(ChannelError::Retired));
        assert_eq!(alt.failed(), Some(on_b.index()));
    }

    /// A guard that has written is absent until it has another value, and one that has not writes the value that it was
    /// given last.
    fn a_guard_writes_the_value_that_it_has_when_it_fires() {
        let (input, output) = (Channel::buffered(Buffer::Fifo(1)), Channel::buffered(Buffer::Fifo(4)));
        let (w, r, out, written) = (input.writer(), input.reader(), output.writer(), output.reader());
        let mut alt = Alternation::new();
        let (reads, writes) = (alt.read(&r), alt.write(&out, vec![0_u64; 100]));
        for value in 1..4_u64 {
            w.write(value).unwrap();
            assert_eq!(alt.pri_select().unwrap().take(reads), value);
            // It was on offer, and takes another block.
            alt.set(writes, vec![value; 1000]);
            assert!(alt.pri_select().unwrap().is(writes));
            alt.set(writes, vec![0; 100]);
        }
        assert!(written.iter().take(3).eq((1..4).map(|value| vec![value; 1000])));
    }

    /// Numbers are never used twice, so a set that has changed a million times is not slower, and knows its guards
    /// apart.
    fn numbers_are_not_used_twice() {
        let c = Channel::<u8>::new();
        let mut alt = Alternation::new();
        let mut reader = c.reader();
        for number in 0..10_000 {
            let token = alt.own_reader(reader);
            assert_eq!((token.index(), alt.len()), (number, 1));
            reader = alt.remove(token);
        }
    }
}

/// What is done to a set.
#[derive(Clone, Copy, Debug)]
enum Step {
    Add { owned: bool },
    Remove(usize),
    Switch(usize, bool),
    Select,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<bool>().prop_map(|owned| Step::Add { owned }),
        any::<usize>().prop_map(Step::Remove),
        (any::<usize>(), any::<bool>()).prop_map(|(which, on)| Step::Switch(which, on)),
        Just(Step::Select),
        Just(Step::Select),
    ]
}

/// A guard of the model.
#[derive(Clone, Copy)]
enum Held {
    Owned(Read<u64, Reader<u64>>),
    Lent(Read<u64>),
}

once! {
    /// Against a model: of the guards that are there and enabled, the fair one is the first after the one that had its
    /// turn last, and the value is that of its own channel.
    fn a_changing_set_behaves_as_its_model() {
        let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(steps in prop::collection::vec(step(), 0..60))| {
        let lent = Channel::buffered(Buffer::Unbounded);
        let (spare, lent_reader) = (lent.writer(), lent.reader());
        spare.write(u64::MAX).unwrap();
        let mut alt = Alternation::new();
        // Number, whether it is enabled, token; and the writers that keep the channels open.
        let mut model: VecDeque<(usize, bool, Held)> = VecDeque::new();
        let mut writers = BTreeMap::new();
        let (mut next, mut turn) = (0, 0);
        for step in steps {
            match step {
                Step::Add { owned: true } => {
                    let c = Channel::buffered(Buffer::Unbounded);
                    let w = c.writer();
                    w.write(next as u64).unwrap();
                    writers.insert(next, w);
                    let token = alt.own_reader(c.reader());
                    prop_assert_eq!(token.index(), next);
                    model.push_back((next, true, Held::Owned(token)));
                    next += 1;
                }
                Step::Add { owned: false } => {
                    let token = alt.read(&lent_reader);
                    prop_assert_eq!(token.index(), next);
                    model.push_back((next, true, Held::Lent(token)));
                    next += 1;
                }
                Step::Remove(which) if !model.is_empty() => {
                    let (number, _, token) = model.remove(which % model.len()).unwrap();
                    match token {
                        Held::Owned(token) => {
                            let back = alt.remove(token);
                            prop_assert_eq!(back.channel_id(), writers[&number].channel_id());
                            prop_assert!(!alt.contains(token));
                        }
                        Held::Lent(token) => alt.remove(token),
                    }
                }
                Step::Switch(which, on) if !model.is_empty() => {
                    let which = which % model.len();
                    model[which].1 = on;
                    match model[which].2 {
                        Held::Owned(token) => alt.enable(token, on),
                        Held::Lent(token) => alt.enable(token, on),
                    }
                }
                Step::Remove(_) | Step::Switch(..) => (),
                Step::Select => {
                    let there: Vec<_> = model.iter().filter(|(_, enabled, _)| *enabled).collect();
                    let expected = there.iter().find(|(number, ..)| *number >= turn).or(there.first());
                    match (alt.fair_select(), expected) {
                        (Ok(fired), Some((number, _, token))) => {
                            prop_assert_eq!(fired.index(), *number);
                            turn = number + 1;
                            match token {
                                Held::Owned(token) => {
                                    prop_assert_eq!(fired.take(*token), *number as u64);
                                    writers[number].write(*number as u64).unwrap();
                                }
                                Held::Lent(token) => {
                                    prop_assert_eq!(fired.take(*token), u64::MAX);
                                    spare.write(u64::MAX).unwrap();
                                }
                            }
                        }
                        (Err(ChannelError::NoGuards), None) => (),
                        (got, expected) => prop_assert!(false, "{:?} instead of {:?}", got, expected.map(|e| e.0)),
                    }
                }
            }
            prop_assert_eq!(alt.len(), model.len());
        }
        });
    }
}

once! {
    /// All three policies choose among owned and borrowed guards alike.
    fn owned_and_borrowed_guards_mix() {
        for policy in POLICIES {
            let (writers, readers) = full(5);
            drop(writers);
            let mut readers = readers.into_iter();
            let (first, second) = (readers.next().unwrap(), readers.next().unwrap());
            let mut alt = Alternation::new();
            let lent = [alt.read(&first), alt.read(&second)];
            let own = [alt.own_reader(readers.next().unwrap()), alt.own_reader(readers.next().unwrap())];
            let (mut read, mut ended) = ([0; 4], 0);
            while ended < 4 {
                match policy.select(&mut alt) {
                    Ok(fired) => {
                        let index = fired.index();
                        let value = if index < 2 { fired.take(lent[index]) } else { fired.take(own[index - 2]) };
                        assert_eq!(value as usize, index);
                        read[index] += 1;
                    }
                    Err(error) => {
                        assert!(error.is_retired());
                        match alt.failed().unwrap() {
                            index @ 0..2 => alt.remove(lent[index]),
                            index => drop(alt.remove(own[index - 2])),
                        }
                        ended += 1;
                    }
                }
            }
            assert_eq!(read, [5; 4]);
        }
    }
}
