//! The laws of the rendezvous, of buffers and of ends, under every schedule that is tried.
//!
//! Knows nothing of alternation.

use super::cast::{always, named, read_once, relay, sees_all, sink, source, write_once};
use csproc::prelude::*;
use csproc::testing::{EventKind, Outcome, replay, schedule};

#[test]
fn a_pipeline_keeps_the_order_whoever_goes_first() {
    let pipeline = || {
        let (c, d) = (named("in"), named("out"));
        network!(source(c.writer(), 5), relay(c.reader(), d.writer()), sink(d.reader()))
    };
    always(300, &schedule(), pipeline, |run| {
        let values = [0, 1, 2, 3, 4];
        run.completed() && run.result().is_some_and(|(.., got)| *got == values) && run.messages::<u32>("out") == values
    });
}

#[test]
fn each_message_goes_to_one_reader_and_each_reader_can_have_it() {
    let network = || {
        let c = Channel::new();
        network!(for value in 0..2 => write_once(c.writer(), value), for _ in 0..2 => read_once(c.reader()))
    };
    let seen = sees_all(200, &schedule(), network, |run| {
        let (_, read) = run.result().expect("nobody crashes");
        read.iter().map(|value| *value.as_ref().expect("everybody reads")).collect::<Vec<u32>>()
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [[0, 1], [1, 0]]);
}

#[test]
fn values_of_one_writer_keep_their_order_among_others() {
    let network = || {
        let c = Channel::new();
        network!(source(c.writer(), 3), source(c.writer(), 3), sink(c.reader()))
    };
    always(200, &schedule(), network, |run| {
        let (.., got) = run.result().expect("nobody crashes");
        let mut next = [0, 0];
        // Two sources of the same values: at each step it is the turn of one of them.
        got.iter().all(|value| match next.iter().position(|next| next == value) {
            Some(place) => {
                next[place] += 1;
                true
            }
            None => false,
        })
    });
}

#[process]
fn try_all(out: Writer<u32>) -> usize {
    (0..5).take_while(|value| out.try_write(*value).is_ok()).count()
}

#[process]
fn three_at_once(out: Writer<u32>, done: Writer<()>) -> csproc::Result<()> {
    (0..3).try_for_each(|value| out.write(value))?;
    Ok(done.write(())?)
}

#[process]
fn read_after(done: Reader<()>, input: Reader<u32>) -> Vec<u32> {
    let _ = done.read();
    input.into_iter().collect()
}

#[test]
fn buffers_hold_what_they_are_made_for() {
    let kept = |buffer: Buffer| {
        let network = || {
            let (c, done) = (Channel::buffered(buffer), Channel::new());
            network!(three_at_once(c.writer(), done.writer()), read_after(done.reader(), c.reader()))
        };
        let seen = sees_all(100, &schedule(), network, |run| match run.result() {
            Some((_, got)) => format!("{got:?}"),
            None => String::from("stands still"),
        });
        seen.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(kept(Buffer::Fifo(3)), ["[0, 1, 2]"]);
    assert_eq!(kept(Buffer::Unbounded), ["[0, 1, 2]"]);
    assert_eq!(kept(Buffer::Fifo(2)), ["stands still"]);
    assert_eq!(kept(Buffer::OverwriteOldest(2)), ["[1, 2]"]);
    assert_eq!(kept(Buffer::OverwriteNewest(2)), ["[0, 2]"]);
    assert_eq!(kept(Buffer::DropNewest(2)), ["[0, 1]"]);
    let full = || {
        let c = Channel::buffered(Buffer::Fifo(3));
        network!(try_all(c.writer()), keep(c.reader()))
    };
    let run = replay("csp1:00", full);
    assert!(matches!(run.result(), Some((3, ()))), "{run}");
}

#[process]
fn keep(_input: Reader<u32>) {
    csproc::time::sleep(std::time::Duration::from_secs(1));
}

#[process]
fn poisons(out: Writer<u32>) -> csproc::Result<()> {
    out.write(1)?;
    out.poison();
    Ok(())
}

#[process]
fn read_twice(input: Reader<u32>) -> [Result<u32, ChannelError>; 2] {
    [input.read(), input.read()]
}

#[test]
fn poison_comes_after_what_was_communicated_and_retirement_when_all_writers_have_gone() {
    let poisoned = || {
        let c = Channel::new();
        network!(poisons(c.writer()), read_twice(c.reader()))
    };
    always(100, &schedule(), poisoned, |run| {
        run.result().is_some_and(|(_, got)| *got == [Ok(1), Err(ChannelError::Poisoned)])
    });
    let retired = || {
        let c = Channel::new();
        network!(write_once(c.writer(), 1), read_twice(c.reader()))
    };
    always(100, &schedule(), retired, |run| {
        run.result().is_some_and(|(_, got)| *got == [Ok(1), Err(ChannelError::Retired)])
    });
}

#[process]
fn poisons_at_once(out: Writer<u32>) {
    out.poison();
}

#[test]
fn whoever_communicates_may_do_so_before_poison_or_after_it() {
    let network = || {
        let c = Channel::new();
        network!(write_once(c.writer(), 1), read_once(c.reader()), poisons_at_once(c.writer()))
    };
    let seen = sees_all(300, &schedule(), network, |run| {
        let (written, read, ()) = run.result().expect("nobody crashes");
        assert_eq!(written.is_ok(), read.is_ok(), "{run}");
        assert!(written.is_ok() || *written == Err(ChannelError::Poisoned), "{run}");
        written.is_ok()
    });
    assert_eq!(seen.len(), 2);
}

#[process]
fn returns_poison(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    loop {
        out.write(input.read()?)?;
    }
}

#[test]
fn a_process_that_returns_poison_poisons_what_it_was_given() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(poisons(c.writer()), returns_poison(c.reader(), d.writer()), read_twice(d.reader()))
    };
    always(100, &schedule(), network, |run| {
        run.result().is_some_and(|(.., got)| *got == [Ok(1), Err(ChannelError::Poisoned)])
    });
}

#[process]
fn sends_its_end(ends: Writer<Writer<u32>>, end: Writer<u32>) -> csproc::Result<()> {
    Ok(ends.write(end)?)
}

#[process]
fn writes_into_what_comes(ends: Reader<Writer<u32>>) -> csproc::Result<()> {
    Ok(ends.read()?.write(7)?)
}

#[test]
fn ends_travel_and_retire_with_whoever_has_them() {
    let network = || {
        let (ends, c) = (Channel::new(), Channel::new());
        network!(
            sends_its_end(ends.writer(), c.writer()),
            writes_into_what_comes(ends.reader()),
            read_twice(c.reader())
        )
    };
    always(100, &schedule(), network, |run| {
        run.result().is_some_and(|(.., got)| *got == [Ok(7), Err(ChannelError::Retired)])
    });
    // Nobody reads the message: the end in it goes with it.
    let unread = || {
        let (ends, c) = (Channel::buffered(Buffer::Fifo(1)), Channel::new());
        network!(sends_its_end(ends.writer(), c.writer()), drops(ends.reader()), read_once(c.reader()))
    };
    always(100, &schedule(), unread, |run| run.result().is_some_and(|(.., got)| *got == Err(ChannelError::Retired)));
}

/// Each sixteenth run is made twice: the ends have the same names then.
#[test]
fn ends_that_are_sent_do_not_make_two_runs_different() {
    let network = || {
        let (ends, values) = (Channel::new(), Channel::new());
        network!(
            sends_its_end(ends.writer(), values.writer()),
            writes_into_what_comes(ends.reader()),
            sink(values.reader())
        )
    };
    always(40, &schedule(), network, |run| run.completed());
}

#[process]
fn drops(_ends: Reader<Writer<u32>>) {}

#[process]
fn says_written(out: Writer<u32>, log: Writer<String>) -> csproc::Result<()> {
    out.write(1)?;
    Ok(log.write(String::from("written"))?)
}

#[process]
fn reads_slowly(input: Reader<u32>, log: Writer<String>) -> csproc::Result<u32> {
    Ok(input.read_extended(|value| {
        let _ = log.write(String::from("read"));
        value
    })?)
}

#[process]
fn takes_two(log: Reader<String>) -> csproc::Result<Vec<String>> {
    Ok(vec![log.read()?, log.read()?])
}

#[test]
fn the_writer_of_an_extended_rendezvous_goes_on_when_its_reader_has_finished() {
    let network = || {
        let (c, log) = (Channel::new(), Channel::new());
        network!(
            says_written(c.writer(), log.writer()),
            reads_slowly(c.reader(), log.writer()),
            takes_two(log.reader())
        )
    };
    always(100, &schedule(), network, |run| {
        let (.., log) = run.result().expect("nobody crashes");
        log.as_ref().is_ok_and(|log| *log == ["read", "written"])
    });
}

#[process]
fn meets(barrier: Barrier, out: Writer<u32>, number: u32) -> csproc::Result<()> {
    out.write(number)?;
    barrier.sync()?;
    Ok(out.write(number + 10)?)
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come() {
    let network = || {
        let (barrier, c) = (Barrier::new(3), Channel::new());
        network!(for number in 0..3 => meets(barrier.clone(), c.writer(), number), sink(c.reader()))
    };
    always(200, &schedule(), network, |run| {
        let (_, got) = run.result().unwrap_or_else(|| panic!("{run}"));
        let syncs = run.trace().iter().filter(|event| event.kind() == EventKind::Synchronized).count();
        got[..3].iter().all(|number| *number < 10) && got[3..].iter().all(|number| *number >= 10) && syncs == 1
    });
}

#[process]
fn starts_children(count: u32) -> csproc::Result<u32> {
    let c = Channel::new();
    let children = Spawn!(for value in 0..count => write_once(c.writer(), value))?;
    let input = c.reader();
    let sum = (0..count).map(|_| input.read()).sum::<Result<u32, _>>()?;
    drop(children.join()?);
    Ok(sum)
}

#[test]
fn children_run_and_are_joined() {
    always(100, &schedule(), || starts_children(3), |run| run.completed() && matches!(run.result(), Some(Ok(3))));
}

#[process]
fn square(x: u32) -> u32 {
    x * x
}

#[test]
fn sequences_run_one_after_the_other() {
    let network = || {
        let c = Channel::buffered(Buffer::Fifo(2));
        network!(Sequence!(write_once(c.writer(), 1), write_once(c.writer(), 2)), sink(c.reader()), square(3))
    };
    always(100, &schedule(), network, |run| {
        run.completed() && run.result().is_some_and(|(_, got, nine)| *got == [1, 2] && *nine == 9)
    });
}

#[test]
fn a_run_that_is_made_again_is_the_same() {
    let network = || {
        let c = named("c");
        network!(source(c.writer(), 3), source(c.writer(), 3), sink(c.reader()))
    };
    always(50, &schedule(), network, |run| {
        let again = replay(run.token(), network);
        again.trace() == run.trace()
            && again.token() == run.token()
            && again.result().map(|(.., got)| got) == run.result().map(|(.., got)| got)
            && again.parts_from_schedule().is_none()
            && again.outcome() == &Outcome::Completed
    });
}
