//! What is lent keeps the laws of messages: it arrives once, whole, where it was written, or it comes back; and what is
//! dropped is free again, whoever drops it.
//!
//! Knows nothing of who is killed; that is tested beside this, in `tests/kill`.

use crate::harness::scenario::{Scenario, command, output};
use csproc::prelude::*;
use csproc::shared::bytemuck;
use csproc::{Flat, Loan, MessageError, View};
use std::sync::Mutex;
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("loans in a small arena", loans_in_a_small_arena),
    ("loans are counted", loans_are_counted),
    ("a reader on a thread has ended", a_reader_on_a_thread_has_ended),
];

#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "csproc::shared::bytemuck")]
#[repr(C)]
struct Sample {
    number: u64,
    values: [f32; 4],
}

/// Adds one to the first byte of each, and sends it on.
#[process]
fn pass_on<T: csproc::shared::Plain>(input: Reader<Flat<T>>, out: Writer<Flat<T>>) -> csproc::Result<()> {
    loop {
        match input.read_loan() {
            Ok(mut view) => {
                bytemuck::cast_slice_mut::<T, u8>(&mut view).iter_mut().take(1).for_each(|byte| *byte += 1);
                out.send(view.into_loan())?;
            }
            Err(ChannelError::Retired) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends these there and back, and looks at where they lie.
fn round_trip<T: csproc::shared::Plain + PartialEq + std::fmt::Debug>(
    placement: Placement,
    value: T,
    lengths: &[usize],
) {
    let (there, back) = (Channel::new(), Channel::new());
    let (w, r) = (there.writer(), back.reader());
    let child = Spawn!(pass_on::<T>(there.reader(), back.writer()).on(placement)).unwrap();
    for length in lengths {
        let mut loan = w.loan(*length).unwrap();
        assert!(loan.iter().all(|seen| *seen == T::zeroed()), "{length}: a loan begins with zeros");
        loan.fill(value);
        let (place, mut sent) = (loan.as_ptr(), loan.to_vec());
        assert!(place.addr().is_multiple_of(64));
        w.send(loan).unwrap();
        bytemuck::cast_slice_mut::<T, u8>(&mut sent).iter_mut().take(1).for_each(|byte| *byte += 1);
        let came = r.read_loan().unwrap();
        assert!(*came == *sent, "{length} values");
        assert_eq!(came.as_ptr(), place, "{length} values were copied");
        assert!(came.into_vec() == sent);
    }
    drop(w);
    child.join().unwrap().unwrap();
}

over_both! {
    fn what_is_lent_arrives_whole_and_where_it_was_written(placement) {
        round_trip(placement, 7_u8, &[0, 1, 23, 24, 25, 63, 64, 65, 4095, 4096, 4097, 1 << 20, (64 << 20) + 1]);
        round_trip(placement, 1.5_f64, &[0, 1, 5, 8, 512, 1000, 1 << 17]);
        round_trip(placement, 1_u128, &[0, 1, 3, 1000]);
        round_trip(placement, Sample { number: 3, values: [0.5; 4] }, &[1, 2, 1000]);
    }

    fn what_one_writer_sends_keeps_its_order_and_each_goes_to_one_reader(placement) {
        let c = Channel::<Flat<u64>>::new();
        let readers = Spawn!(for _ in 0..2 => numbers(c.reader()).on(placement)).unwrap();
        let w = c.writer();
        (0..100).for_each(|number| w.send(w.loan_from(&[number]).unwrap()).unwrap());
        drop((c, w));
        let mut all: Vec<u64> = Vec::new();
        for numbers in readers.join().unwrap().into_iter().map(Result::unwrap) {
            assert!(numbers.is_sorted());
            all.extend(numbers);
        }
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    fn an_alternation_takes_what_is_ready_and_sends_what_is_wanted(placement) {
        let (c, d) = (Channel::<Flat<u64>>::new(), Channel::<Flat<u64>>::new());
        let (input, out) = (c.reader(), d.writer());
        let (sender, receiver) = (send_numbers(c.writer(), 50).on(placement), numbers(d.reader()).on(placement));
        let children = network!(sender, receiver).spawn().unwrap();
        let (mut came, mut sent) = (Vec::new(), Vec::new());
        {
            let mut alt = Alternation::new();
            let token = alt.guard(&input);
            let sending = alt.send(&out, out.loan_from(&[0]).unwrap());
            for round in 1.. {
                match alt.fair_select() {
                    Ok(fired) if fired.is(token) => came.extend_from_slice(&fired.take(token)),
                    Ok(_) => {
                        sent.push(round);
                        alt.set_loan(sending, out.loan_from(&[round]).unwrap());
                    }
                    Err(error) => {
                        assert!(error.is_retired() && alt.has_failed(token), "{error}");
                        break;
                    }
                }
            }
            let left = alt.take_loan(sending).unwrap();
            assert_eq!(*left, [*sent.last().unwrap_or(&0)]);
        }
        assert_eq!(came, (0..50).collect::<Vec<_>>());
        drop((d, out));
        let (_, received) = children.join().unwrap();
        assert_eq!(received.unwrap().len(), sent.len());
    }
}

#[process]
fn numbers(input: Reader<Flat<u64>>) -> csproc::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    loop {
        match input.read_loan() {
            Ok(view) => numbers.extend_from_slice(&view),
            Err(ChannelError::Retired) => return Ok(numbers),
            Err(error) => return Err(error.into()),
        }
    }
}

#[process]
fn send_numbers(out: Writer<Flat<u64>>, count: u64) -> csproc::Result<()> {
    for number in 0..count {
        out.send(out.loan_from(&[number])?)?;
    }
    Ok(())
}

fn pair() -> (Writer<Flat<u8>>, Reader<Flat<u8>>) {
    csproc::channel()
}

once! {
    fn a_loan_that_nobody_takes_comes_back_with_the_reason() {
        let (w, r) = pair();
        let loan = w.loan_from(b"mine").unwrap();
        let place = loan.as_ptr();
        let error = w.try_send(loan).unwrap_err();
        assert!(error.is_would_block());
        let error = w.send_timeout(error.into_value(), Duration::from_millis(1)).unwrap_err();
        assert!(error.is_timed_out());
        let waiting = std::thread::spawn(move || w.send(error.into_value()).unwrap_err());
        r.poison();
        let error = waiting.join().unwrap();
        assert!(error.is_poisoned());
        assert_eq!((error.value.as_ptr(), &*error.value), (place, &b"mine"[..]));
        let (w, r) = pair();
        drop(r);
        let error = w.send(error.into_value()).unwrap_err();
        assert!(error.is_retired());
        let (w, r) = pair();
        let reader = std::thread::spawn(move || r.read_loan().unwrap());
        w.send(error.into_value()).unwrap();
        let view = reader.join().unwrap();
        assert_eq!((view.as_ptr(), &*view), (place, &b"mine"[..]));
    }

    fn a_loan_begins_with_zeros_whatever_was_there_and_as_it_is_if_that_is_asked_for() {
        let (w, r) = pair();
        for length in [100, 10_000, 3 << 20] {
            w.loan(length).unwrap().fill(9);
            assert!(w.loan(length).unwrap().iter().all(|byte| *byte == 0));
            assert_eq!(w.loan_as_is(length).unwrap().len(), length);
        }
        assert!(r.try_read_loan().unwrap_err().is_would_block());
    }

    fn a_channel_with_a_buffer_keeps_what_is_sent_by_its_policy() {
        for (buffer, kept) in [
            (Buffer::Fifo(4), vec![0, 1, 2, 3]),
            (Buffer::Unbounded, vec![0, 1, 2, 3]),
            (Buffer::OverwriteOldest(2), vec![2, 3]),
            (Buffer::OverwriteNewest(2), vec![0, 3]),
            (Buffer::DropNewest(2), vec![0, 1]),
        ] {
            let c = Channel::<Flat<u8>>::buffered(buffer);
            let (w, r) = (c.writer(), c.reader());
            (0..4).for_each(|number| w.send(w.loan_from(&[number]).unwrap()).unwrap());
            drop(w);
            let came: Vec<u8> = std::iter::from_fn(|| r.read_loan().ok()).map(|view| view[0]).collect();
            assert_eq!(came, kept, "{buffer:?}");
        }
    }

    fn an_end_that_was_given_up_lends_nothing() {
        let (w, _r) = pair();
        w.retire();
        assert!(w.loan(1).unwrap_err().is_retired());
    }

    fn a_channel_whose_values_travel_beside_its_messages_lends_nothing_and_says_so() {
        let c = Channel::<Flat<u8>>::builder().name("beside").carrier(Carrier::Ipc).build().unwrap();
        let (w, r) = (c.writer(), c.reader());
        let (other, _r) = pair();
        let mut alt = Alternation::new();
        alt.guard(&r);
        for error in [
            w.loan(1).unwrap_err(),
            w.try_send(other.loan(1).unwrap()).unwrap_err().fate,
            r.try_read_loan().unwrap_err(),
            alt.select().unwrap_err(),
        ] {
            assert!(matches!(error, ChannelError::Invalid(MessageError::Carrier { .. })), "{error:?}");
            assert!(error.to_string().contains("`beside`") && error.to_string().contains("Carrier::Ipc"), "{error}");
        }
    }

    fn the_macros_take_what_was_sent_without_a_copy() {
        let (w, r) = pair();
        let loan = w.loan_from(&[5]).unwrap();
        let place = loan.as_ptr().addr();
        let writer = std::thread::spawn(move || w.send(loan).is_ok());
        let came = AltSelect! {
            view = r.read() => Some((view[0], view.as_ptr().addr())),
            after(Duration::from_secs(3600)) => None,
        };
        assert_eq!(came.unwrap(), Some((5, place)));
        assert!(writer.join().unwrap());
    }

    fn loans_fill_the_arena_no_further_than_it_goes_and_make_room_when_they_go() {
        let (mut command, _) = command("loans in a small arena");
        command.env("CSPROC_ARENA", "64M");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn a_loan_that_is_dropped_leaves_no_trace_whoever_drops_it() {
        let remains = output(command("loans are counted").0);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn a_view_outlives_the_process_on_a_thread_that_has_read_it() {
        let remains = output(command("a reader on a thread has ended").0);
        assert!(remains.status.success(), "{remains:?}");
    }
}

fn loans_in_a_small_arena() {
    const MEBIBYTE: usize = 1 << 20;
    let (w, _r) = pair();
    for length in [64 * MEBIBYTE, 3 << 30, usize::MAX] {
        let error = w.loan(length).unwrap_err();
        assert!(matches!(error, ChannelError::Invalid(MessageError::Memory { .. })), "{error:?}");
    }
    assert!(w.loan(64 * MEBIBYTE).unwrap_err().to_string().contains("CSPROC_ARENA"));
    for _ in 0..200 {
        drop(w.loan(MEBIBYTE).unwrap());
    }
    for _ in 0..3 {
        let mut all: Vec<Loan<u8>> = std::iter::from_fn(|| w.loan(4 * MEBIBYTE).ok()).collect();
        assert!(all.len() >= 10, "{}", all.len());
        assert!(w.loan(4 * MEBIBYTE).is_err());
        all.pop();
        assert!(w.loan(4 * MEBIBYTE).is_ok());
    }
}

/// Blocks that somebody owns, besides those that a thread keeps for its next message.
fn blocks() -> usize {
    csproc::audit().blocks()
}

fn loans_are_counted() {
    let (w, r) = pair();
    // Afterwards the thread has what it keeps.
    w.try_send(w.loan(1).unwrap()).unwrap_err();
    let before = blocks();
    let loans: Vec<Loan<u8>> = (0..10).map(|_| w.loan(100_000).unwrap()).collect();
    assert_eq!(blocks(), before + 10);
    // Their thread ends, and another one drops them.
    let w = std::thread::spawn(move || {
        let more: Vec<Loan<u8>> = (0..10).map(|_| w.loan(100_000).unwrap()).collect();
        (w, more)
    });
    let (w, more) = w.join().unwrap();
    assert_eq!(blocks(), before + 20);
    assert!(csproc::audit().is_clean(), "{}", csproc::audit());
    drop(more);
    std::thread::spawn(move || drop(loans)).join().unwrap();
    assert_eq!(blocks(), before);
    let reader = std::thread::spawn(move || (r.read_loan().unwrap(), r));
    w.send(w.loan(100_000).unwrap()).unwrap();
    let (view, _r) = reader.join().unwrap();
    // And the block that the reader gave for it.
    let with_it = blocks();
    drop(view);
    assert_eq!(blocks(), with_it - 1);
}

static KEPT: Mutex<Option<View<u8>>> = Mutex::new(None);

#[process(thread)]
fn read_and_keep(input: Reader<Flat<u8>>) -> csproc::Result<()> {
    *KEPT.lock().unwrap() = Some(input.read_loan()?);
    Ok(())
}

#[process]
fn use_much(out: Writer<Flat<u8>>) -> csproc::Result<()> {
    for _ in 0..100 {
        let mut loan = out.loan(5000)?;
        loan.fill(1);
        out.send(loan)?;
    }
    Ok(())
}

/// Nobody else is given the memory meanwhile.
fn a_reader_on_a_thread_has_ended() {
    let (w, r) = pair();
    let child = Spawn!(read_and_keep(r)).unwrap();
    let mut loan = w.loan(5000).unwrap();
    loan.fill(7);
    w.send(loan).unwrap();
    child.join().unwrap().unwrap();
    let (other, r) = pair();
    let busy = Spawn!(use_much(other)).unwrap();
    while let Ok(view) = r.read_loan() {
        assert!(view.iter().all(|byte| *byte == 1));
    }
    busy.join().unwrap().unwrap();
    let kept = KEPT.lock().unwrap().take().unwrap();
    assert!(kept.len() == 5000 && kept.iter().all(|byte| *byte == 7));
}
