//! Ends are mobile: they travel in arguments, in messages and in results, count wherever they are, and go when they are
//! lost.
//!
//! Knows nothing of who sends them; every route is tried with processes and with threads.

use crate::harness::cast::{collect, count, relay, source};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Request {
    question: u64,
    answer: Writer<u64>,
}

#[derive(Serialize, Deserialize)]
enum Order {
    Say(u64),
    Join { out: Writer<u64>, more: Option<Box<Order>> },
    Read(Vec<Reader<u64>>),
}

#[process]
fn serve(requests: Reader<Request>) -> csproc::Result<u64> {
    let mut served = 0;
    for request in requests {
        request.answer.write(request.question * request.question)?;
        served += 1;
    }
    Ok(served)
}

#[process]
fn ask(server: Writer<Request>, questions: std::ops::Range<u64>) -> csproc::Result<u64> {
    let mut sum = 0;
    for question in questions {
        let answer = Channel::new();
        let r = answer.reader();
        server.write(Request { question, answer: answer.writer() })?;
        sum += r.read()?;
        // The server's end was the last one.
        assert!(r.read().unwrap_err().is_retired());
    }
    Ok(sum)
}

#[process]
fn obey(orders: Reader<Order>) -> csproc::Result<Vec<u64>> {
    let mut said = Vec::new();
    let mut waiting: Vec<Order> = orders.iter().collect();
    waiting.reverse();
    while let Some(order) = waiting.pop() {
        match order {
            Order::Say(value) => said.push(value),
            Order::Join { out, more } => {
                out.write(said.len() as u64)?;
                waiting.extend(more.map(|more| *more));
            }
            Order::Read(readers) => {
                for reader in readers {
                    said.extend(reader);
                }
            }
        }
    }
    Ok(said)
}

type Everything = (Option<Writer<u64>>, Option<Reader<u64>>, Vec<Writer<u64>>, [Reader<u64>; 2]);

#[process]
fn use_everything(ends: Everything) -> csproc::Result<u64> {
    let (some, none, writers, readers) = ends;
    assert!(none.is_none());
    for writer in writers.iter().chain(&some) {
        writer.write(1)?;
    }
    let [first, second] = readers;
    Ok(first.into_iter().chain(second).sum())
}

/// Makes a channel, keeps one end to itself and returns the other.
#[process]
fn make_reader() -> (Reader<u64>, Writer<u64>) {
    let c = Channel::new();
    (c.reader(), c.writer())
}

#[process]
fn send_end(out: Writer<Writer<u64>>, end: Writer<u64>) -> csproc::Result<()> {
    Ok(out.write(end)?)
}

#[process]
fn offer_end(
    ready: Writer<crate::harness::place::Place>,
    out: Writer<Writer<u64>>,
    end: Writer<u64>,
) -> csproc::Result<()> {
    crate::harness::place::Place::announce(&ready);
    Ok(out.write(end)?)
}

#[process]
fn take_and_ignore(input: Reader<Writer<u64>>, count: usize) -> csproc::Result<()> {
    for _ in 0..count {
        input.read()?;
    }
    Ok(())
}

over_both! {
    fn a_request_carries_the_way_to_answer_it(placement) {
        let c = Channel::new();
        let (served, sums) = Parallel!(
            serve(c.reader()).on(placement),
            for i in 0..4 => ask(c.writer(), i * 50..(i + 1) * 50).on(placement),
        )
        .unwrap();
        assert_eq!(served.unwrap(), 200);
        let sum: u64 = sums.into_iter().map(|sum| sum.unwrap()).sum();
        assert_eq!(sum, (0..200).map(|i| i * i).sum());
    }

    fn ends_travel_in_enums_options_boxes_and_vectors(placement) {
        let (orders, report, values) = (Channel::new(), Channel::new(), Channel::new());
        let (w, reported) = (orders.writer(), report.reader());
        let worker = network!(
            obey(orders.reader()).on(placement),
            for i in 0..2 => source(values.writer(), i * 10..i * 10 + 10).on(placement),
        );
        let worker = worker.spawn().unwrap();
        w.write(Order::Say(100)).unwrap();
        w.write(Order::Read(vec![values.reader()])).unwrap();
        let more = Some(Box::new(Order::Join { out: report.writer(), more: Some(Box::new(Order::Say(200))) }));
        w.write(Order::Join { out: report.writer(), more }).unwrap();
        drop((w, report, values));
        assert_eq!(reported.iter().collect::<Vec<_>>(), [21, 21]);
        let (said, sent) = worker.join().unwrap();
        sent.into_iter().for_each(|sent| sent.unwrap());
        let mut said = said.unwrap();
        assert_eq!((said[0], said[21]), (100, 200));
        said.sort_unstable();
        assert!(said.into_iter().eq((0..20).chain([100, 200])));
    }

    fn ends_travel_in_compound_arguments(placement) {
        let (a, b) = (Channel::new(), Channel::new());
        let ends = (Some(a.writer()), None, vec![a.writer(), a.writer()], [b.reader(), b.reader()]);
        let (ones, sent, sum) = Parallel!(
            count(a.reader()).on(placement),
            source(b.writer(), 0..5).on(placement),
            use_everything(ends).on(placement),
        )
        .unwrap();
        sent.unwrap();
        assert_eq!((ones, sum.unwrap()), (3, 10));
    }

    fn ends_travel_in_results(placement) {
        let (r, w) = Parallel!(make_reader().on(placement)).unwrap();
        let (sent, read) = Parallel!(source(w, 0..5).on(placement), collect(r).on(placement)).unwrap();
        sent.unwrap();
        assert_eq!(read, [0, 1, 2, 3, 4]);
    }

    fn an_end_goes_through_a_chain_of_channels(placement) {
        let channels: Vec<Channel<Writer<u64>>> = (0..4).map(|_| Channel::new()).collect();
        let values = Channel::new();
        let r = values.reader();
        let (sent, relays, ignored) = Parallel!(
            send_end(channels[0].writer(), values.writer()).on(placement),
            for i in 0..3 => relay(channels[i].reader(), channels[i + 1].writer()).on(placement),
            take_and_ignore(channels[3].reader(), 1).on(placement),
        )
        .unwrap();
        sent.and(ignored).unwrap();
        relays.into_iter().for_each(|relay| relay.unwrap());
        assert!(r.read().unwrap_err().is_retired(), "an end was left behind on the way");
    }

    fn a_channel_of_channels_of_channels(placement) {
        let outer = Channel::<Reader<Reader<u64>>>::new();
        let (middle, inner) = (Channel::new(), Channel::new());
        let reader = Spawn!(read_deep(outer.reader()).on(placement)).unwrap();
        outer.writer().write(middle.reader()).unwrap();
        middle.writer().write(inner.reader()).unwrap();
        inner.writer().write(9).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), 9);
    }

    fn an_end_in_a_message_that_waits_for_a_reader_counts(placement) {
        let (carrier, values, ready) = (Channel::new(), Channel::new(), Channel::new());
        let (take, r, announced) = (carrier.reader(), values.reader(), ready.reader());
        let offer = Spawn!(offer_end(ready.writer(), carrier.writer(), values.writer()).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        assert!(r.try_read().unwrap_err().is_would_block());
        let end = take.read().unwrap();
        offer.join().unwrap().unwrap();
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(end);
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn ends_in_a_message_that_is_never_received_are_given_up_by_poison(placement) {
        let (carrier, values, ready) = (Channel::new(), Channel::new(), Channel::new());
        let (take, r, announced) = (carrier.reader(), values.reader(), ready.reader());
        let offer = Spawn!(offer_end(ready.writer(), carrier.writer(), values.writer()).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        take.poison();
        assert!(offer.join().unwrap().unwrap_err().channel_error().unwrap().is_poisoned());
        assert!(r.read().is_err());
    }

    fn ends_in_a_message_that_is_never_received_are_given_up_by_retirement(placement) {
        let (carrier, values, ready) = (Channel::new(), Channel::new(), Channel::new());
        let (take, r, announced) = (carrier.reader(), values.reader(), ready.reader());
        let offer = Spawn!(offer_end(ready.writer(), carrier.writer(), values.writer()).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        drop(take);
        assert!(offer.join().unwrap().unwrap_err().channel_error().unwrap().is_retired());
        assert!(r.read().unwrap_err().is_retired());
    }
}

#[process]
fn read_deep(outer: Reader<Reader<Reader<u64>>>) -> csproc::Result<u64> {
    Ok(outer.read()?.read()?.read()?)
}

once! {
    fn ends_in_a_message_that_timed_out_come_back() {
        let (carrier, values) = (Channel::new(), Channel::<u64>::new());
        let (w, _take, r) = (carrier.writer(), carrier.reader(), values.reader());
        let error = w.write_timeout(values.writer(), Duration::from_millis(1)).unwrap_err();
        assert!(error.is_timed_out());
        let end = error.into_value();
        assert!(end.try_write(1).unwrap_err().is_would_block(), "the end that came back is alive");
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(end);
        assert!(r.try_read().unwrap_err().is_retired(), "the message has kept an end");
    }

    fn ends_in_a_message_that_nobody_can_take_come_back() {
        let (carrier, values) = (Channel::new(), Channel::<u64>::new());
        let (w, r) = (carrier.writer(), values.reader());
        drop(carrier.reader());
        let end = w.write(values.writer()).unwrap_err().into_value();
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(end);
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn ends_in_a_message_of_a_killed_writer_are_given_up() {
        let (carrier, values, ready) = (Channel::new(), Channel::new(), Channel::new());
        let (_take, r, announced) = (carrier.reader(), values.reader(), ready.reader());
        let offer = Spawn!(offer_end(ready.writer(), carrier.writer(), values.writer())).unwrap();
        announced.read().unwrap().until_asleep();
        offer.kill().unwrap();
        assert!(r.read().unwrap_err().is_lost());
        offer.join().unwrap_err();
    }

    fn ends_in_a_result_that_nobody_takes_are_given_up() {
        let c = Channel::<u64>::new();
        let r = c.reader();
        let child = Spawn!(give_back(c.writer())).unwrap();
        drop(child.join().unwrap());
        assert!(r.read().unwrap_err().is_retired());
    }

    fn ends_in_the_arguments_of_a_refused_process_are_given_up() {
        let c = Channel::<u64>::new();
        let r = c.reader();
        drop(give_back(c.writer()) * 3);
        assert!(r.read().unwrap_err().is_retired());
    }

    fn an_end_cannot_be_serialized_outside_a_message() {
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        assert!(postcard::to_stdvec(&w).is_err());
        assert!(postcard::to_stdvec(&Some(vec![&r])).is_err());
        drop(w);
        assert!(r.try_read().unwrap_err().is_retired(), "the attempt has made an end");
    }

    fn an_end_cannot_be_forged() {
        for index in 0..50_u32 {
            let forged = postcard::to_stdvec(&(index, 1_u32)).unwrap();
            assert!(postcard::from_bytes::<Writer<u64>>(&forged).is_err());
            assert!(postcard::from_bytes::<Reader<u64>>(&forged).is_err());
        }
    }

    fn an_end_that_is_serialized_within_the_serialization_of_a_message_is_no_part_of_it() {
        // The text of an end in a foreign format inside a message must not become an end of that message.
        let c = Channel::<Smuggled>::new();
        let (w, r) = (c.writer(), c.reader());
        let values = Channel::<u64>::new();
        let reader = values.reader();
        let writer = std::thread::spawn(move || w.write(Smuggled(values.writer())).is_ok());
        let read = r.read();
        assert!(writer.join().unwrap() || read.is_err());
        drop(read);
        assert!(reader.try_read().unwrap_err().is_retired(), "the smuggled end is still counted");
    }
}

#[process]
fn give_back(out: Writer<u64>) -> Writer<u64> {
    out
}

/// Serializes the end inside twice: once by itself, and once as it should.
struct Smuggled(Writer<u64>);

impl Serialize for Smuggled {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let _ = postcard::to_stdvec(&self.0);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Smuggled {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Smuggled, D::Error> {
        Writer::deserialize(deserializer).map(Smuggled)
    }
}
