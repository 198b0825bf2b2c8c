//! Measures choice against crossbeam's, in one run: a stressed alternation, opposite selections, many guards.
//!
//! Knows nothing of the library's inside. Every figure is taken in turn with its peers; what counts is the ratio.

mod go;
mod table;

use crossbeam::channel::{Receiver, Select, Sender, bounded};
use csproc::prelude::*;
use rustix::thread::futex;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

const CHANNELS: usize = 8;
const WRITERS: usize = 8;

#[process]
fn write_for_ever(output: Writer<usize>, number: usize) {
    while output.write(number).is_ok() {}
}

/// Gives nanoseconds per selection, and the hits of the writer that was heard least and most, in percent of the mean.
#[process]
fn select_fairly(inputs: Vec<Reader<usize>>, selections: usize) -> csproc::Result<(f64, f64, f64)> {
    let mut alternation = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alternation.read(input)).collect();
    let mut hits = vec![0; CHANNELS * WRITERS];
    let mut start = Instant::now();
    for selection in 0..selections + selections / 10 {
        if selection == selections / 10 {
            start = Instant::now();
            hits.fill(0);
        }
        let fired = alternation.fair_select()?;
        let token = tokens[fired.index()];
        hits[fired.take(token)] += 1;
    }
    let time = nanoseconds(start, selections as u64);
    let (least, most) = spread(&hits);
    Ok((time, least, most))
}

fn spread(hits: &[usize]) -> (f64, f64) {
    let mean = hits.iter().sum::<usize>() as f64 / hits.len() as f64;
    let percent = |hits: Option<&usize>| hits.map_or(0.0, |hits| *hits as f64 / mean * 100.0);
    (percent(hits.iter().min()), percent(hits.iter().max()))
}

/// The widest spread of all rounds.
type Spread = Cell<(f64, f64)>;

fn note(spread: &Spread, least: f64, most: f64) {
    let (low, high) = spread.get();
    spread.set((low.min(least), high.max(most)));
}

fn stressed(placement: Placement, selections: usize, spread: &Spread) -> f64 {
    let links: Vec<Channel<usize>> = (0..CHANNELS).map(|_| Channel::new()).collect();
    let (_, (time, least, most)) = Parallel!(
        for number in 0..CHANNELS * WRITERS => write_for_ever(links[number / WRITERS].writer(), number).on(placement),
        select_fairly(links.iter().map(Channel::reader).collect(), selections).on(placement),
    )
    .values()
    .expect("the writers write until the reader has what it wants");
    note(spread, least, most);
    time
}

fn stressed_crossbeam(selections: usize, notes: &Spread) -> f64 {
    let links: Vec<(Sender<usize>, Receiver<usize>)> = (0..CHANNELS).map(|_| bounded(0)).collect();
    std::thread::scope(|scope| {
        for number in 0..CHANNELS * WRITERS {
            let sender = links[number / WRITERS].0.clone();
            scope.spawn(move || while sender.send(number).is_ok() {});
        }
        let inputs: Vec<_> = links.into_iter().map(|(_, receiver)| receiver).collect();
        let mut select = Select::new();
        for input in &inputs {
            select.recv(input);
        }
        let mut hits = vec![0; CHANNELS * WRITERS];
        let mut start = Instant::now();
        for selection in 0..selections + selections / 10 {
            if selection == selections / 10 {
                start = Instant::now();
                hits.fill(0);
            }
            let operation = select.select();
            let index = operation.index();
            hits[operation.recv(&inputs[index]).expect("the writers write")] += 1;
        }
        let time = nanoseconds(start, selections as u64);
        let (least, most) = spread(&hits);
        note(notes, least, most);
        time
    })
}

#[process]
fn alternate(output: Writer<u64>, input: Reader<u64>, count: u64) -> csproc::Result<f64> {
    let mut start = Instant::now();
    for round in 0..count + count / 10 {
        if round == count / 10 {
            start = Instant::now();
        }
        AltSelect! {
            output.write(round) => (),
            _ = input.read() => (),
        }?;
    }
    Ok(nanoseconds(start, count))
}

fn opposite(placement: Placement, count: u64) -> f64 {
    let (c, d) = (Channel::new(), Channel::new());
    let (_, time) = Parallel!(
        alternate(c.writer(), d.reader(), count).on(placement),
        alternate(d.writer(), c.reader(), count).on(placement),
    )
    .values()
    .expect("each meets the other");
    time
}

fn opposite_crossbeam(count: u64) -> f64 {
    let alternate = |output: Sender<u64>, input: Receiver<u64>| {
        let mut start = Instant::now();
        for round in 0..count + count / 10 {
            if round == count / 10 {
                start = Instant::now();
            }
            crossbeam::channel::select! {
                send(output, round) -> sent => sent.expect("the other one receives"),
                recv(input) -> received => assert!(received.is_ok(), "the other one sends"),
            }
        }
        nanoseconds(start, count)
    };
    let ((c_sender, c_receiver), (d_sender, d_receiver)) = (bounded(0), bounded(0));
    // An end that is gone would end the other one's last selection.
    let kept = (c_sender.clone(), c_receiver.clone(), d_sender.clone(), d_receiver.clone());
    let time = std::thread::scope(|scope| {
        let other = scope.spawn(move || alternate(d_sender, c_receiver));
        let time = alternate(c_sender, d_receiver);
        other.join().expect("the other one returns").max(time)
    });
    drop(kept);
    time
}

/// Writes to one of many channels after the other, far from each other.
#[process]
fn scatter(outputs: Vec<Writer<u64>>, count: u64) -> csproc::Result<()> {
    for round in 0..count {
        outputs[(round * 7919) as usize % outputs.len()].write(round)?;
    }
    Ok(())
}

/// Selects among many guards; gives nanoseconds per guard.
#[process]
fn gather(inputs: Vec<Reader<u64>>, count: u64) -> csproc::Result<f64> {
    let mut alternation = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alternation.read(input)).collect();
    let start = Instant::now();
    for round in 0..count {
        let fired = alternation.select()?;
        let token = tokens[fired.index()];
        assert_eq!(fired.take(token), round);
    }
    Ok(nanoseconds(start, count * tokens.len() as u64))
}

fn many(placement: Placement, guards: usize, count: u64) -> f64 {
    let links: Vec<Channel<u64>> = (0..guards).map(|_| Channel::new()).collect();
    let ((), time) = Parallel!(
        scatter(links.iter().map(Channel::writer).collect(), count).on(placement),
        gather(links.iter().map(Channel::reader).collect(), count).on(placement),
    )
    .values()
    .expect("all values come");
    time
}

fn many_crossbeam(guards: usize, count: u64) -> f64 {
    let (outputs, inputs): (Vec<_>, Vec<_>) = (0..guards).map(|_| bounded::<u64>(0)).unzip();
    std::thread::scope(|scope| {
        let outputs = &outputs;
        scope.spawn(move || {
            for round in 0..count {
                outputs[(round * 7919) as usize % outputs.len()].send(round).expect("the other one receives");
            }
        });
        let mut select = Select::new();
        for input in &inputs {
            select.recv(input);
        }
        let start = Instant::now();
        for round in 0..count {
            let operation = select.select();
            let index = operation.index();
            assert_eq!(operation.recv(&inputs[index]), Ok(round));
        }
        nanoseconds(start, count * guards as u64)
    })
}

/// What any way of it costs that lets writers sleep who have offered: each selection takes what one of them has offered
/// and wakes it, and it offers again and sleeps. Nothing is chosen, transferred, or kept in order.
fn woken_in_turn(selections: usize) -> f64 {
    let offers: Vec<AtomicU32> = (0..CHANNELS * WRITERS).map(|_| AtomicU32::new(0)).collect();
    let over = AtomicBool::new(false);
    let flags = futex::Flags::PRIVATE;
    std::thread::scope(|scope| {
        for offer in &offers {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    offer.store(1, Ordering::SeqCst);
                    while offer.load(Ordering::SeqCst) == 1 && !over.load(Ordering::SeqCst) {
                        let _ = futex::wait(offer, flags, 1, None);
                    }
                }
            });
        }
        let mut start = Instant::now();
        let mut turn = offers.iter().cycle();
        for selection in 0..selections + selections / 10 {
            if selection == selections / 10 {
                start = Instant::now();
            }
            let mut looks = 0;
            let offer = loop {
                let offer = turn.next().expect("it goes round");
                if offer.load(Ordering::Acquire) == 1 {
                    break offer;
                }
                looks += 1;
                if looks % offers.len() == 0 {
                    std::thread::yield_now();
                }
            };
            offer.store(0, Ordering::SeqCst);
            let _ = futex::wake(offer, flags, 1);
        }
        let time = nanoseconds(start, selections as u64);
        over.store(true, Ordering::SeqCst);
        for offer in &offers {
            offer.store(0, Ordering::SeqCst);
            let _ = futex::wake(offer, flags, 1);
        }
        time
    })
}

fn main() {
    suite("alternation", measure_all);
}

fn measure_all(scale: u64) {
    let go = go::go();
    let go = go.as_ref();
    let selections = 64_000 / scale as usize;
    let spreads: [Spread; 4] = std::array::from_fn(|_| Cell::new((f64::MAX, 0.0)));
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| stressed(Placement::Process, selections, &spreads[0]))),
        ("csproc, threads", Box::new(|| stressed(Placement::Thread, selections, &spreads[1]))),
        ("crossbeam Select over bounded(0), threads", Box::new(|| stressed_crossbeam(selections, &spreads[2]))),
    ];
    let stressed_go = |go: &go::Go| {
        let figures = go.measures("stressed", &[selections as u64]);
        note(&spreads[3], figures[1], figures[2]);
        figures[0]
    };
    rows.extend(go.map(|go| -> Row<'_> { ("Go, goroutines", Box::new(move || stressed_go(go))) }));
    rows.push(("threads that are woken in turn by a raw futex", Box::new(|| woken_in_turn(selections))));
    table("stressed alternation, 8 channels of 8 writers", "ns per selection", &rows);
    for (title, side) in
        [("least", |(least, _)| least), ("most", |(_, most)| most)] as [(&str, fn((f64, f64)) -> f64); 2]
    {
        let mut rows: Vec<Row<'_>> = vec![
            ("csproc, processes", Box::new(|| side(spreads[0].get()))),
            ("csproc, threads", Box::new(|| side(spreads[1].get()))),
            ("crossbeam Select over bounded(0), threads", Box::new(|| side(spreads[2].get()))),
        ];
        rows.extend(go.map(|_| -> Row<'_> { ("Go, goroutines", Box::new(|| side(spreads[3].get()))) }));
        let title = format!("stressed alternation, the writer heard {title}");
        table(&title, "percent of the mean in all rounds", &rows);
    }
    let count = 20_000 / scale;
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| opposite(Placement::Process, count))),
        ("csproc, threads", Box::new(|| opposite(Placement::Thread, count))),
        ("crossbeam select! over bounded(0), threads", Box::new(|| opposite_crossbeam(count))),
    ];
    rows.extend(go::row(go, "opposite", &[count]));
    table("opposite selections, each writes one channel and reads the other", "ns per communication", &rows);
    for guards in [10, 100, 1000] {
        let count = 200_000 / guards as u64 / scale;
        let mut rows: Vec<Row<'_>> = vec![
            ("csproc, processes", Box::new(move || many(Placement::Process, guards, count))),
            ("csproc, threads", Box::new(move || many(Placement::Thread, guards, count))),
            ("crossbeam Select over bounded(0), threads", Box::new(move || many_crossbeam(guards, count))),
        ];
        rows.extend(go::row(go, "many", &[guards as u64, count]));
        table(&format!("one selection among {guards} guards"), "ns per guard", &rows);
    }
}
