//! The public contract compiles and behaves as it is written: every snippet and every promised name of processes,
//! compositions, channels and alternation.
//!
//! Knows nothing of what happens in corners; the other files of the tests ask for those.

use crate::harness::watchdog::watched;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

#[process]
fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
    for i in 0..n {
        out.write(i)?; // `?` ends the process on poison or retire: a normal CSP ending
    }
    Ok(())
}

#[process]
fn sum(input: Reader<u64>) -> u64 {
    input.into_iter().sum()
} // iteration ends on retire or poison

#[test]
fn the_first_program() {
    fn main() -> csproc::Result<()> {
        let c = Channel::<u64>::new();
        let (sent, total) = Parallel!(source(c.writer(), 10), sum(c.reader()))?;
        sent?; // you get back exactly what each function returned
        assert_eq!(total, 45);
        Ok(())
    }
    watched("the_first_program", || main().unwrap());
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Job(u64);

#[process]
fn worker(place: usize, jobs: Reader<Job>) -> (usize, u64) {
    (place, jobs.into_iter().map(|job| job.0).sum())
}

#[process]
fn boss(jobs: Writer<Job>) -> csproc::Result<()> {
    for i in 0..10 {
        jobs.write(Job(i))?;
    }
    Ok(())
}

#[process]
fn one() -> u8 {
    1
}

#[process(thread)]
fn on_a_thread() -> (String, Placement) {
    (csproc::current().name().to_owned(), csproc::current().placement())
}

#[process(name = "a name of its own")]
fn named() -> String {
    csproc::current().name().to_owned()
}

#[process(on_crash = "poison")]
fn poisons(out: Writer<u8>) {
    drop(out);
    std::process::abort()
}

#[process(on_crash = "retire")]
fn retires(out: Writer<u8>) {
    let _held = out;
    std::process::abort()
}

/// Documentation, `pub`, attributes, type and const parameters and `where` clauses are a process's as a function's.
#[process(crate = csproc)]
#[inline]
#[expect(unreachable_pub, reason = "a process may be `pub`")]
pub fn generic<T, const N: usize>(value: T) -> Vec<T>
where
    T: Message + Clone,
{
    vec![value; N]
}

#[test]
fn what_an_attribute_makes_of_a_function() {
    watched("what_an_attribute_makes_of_a_function", || {
        let process: Process<u8> = one();
        assert_eq!(process.run().unwrap(), 1);
        assert_eq!(on_a_thread().run().unwrap(), (String::from("on_a_thread"), Placement::Thread));
        assert_eq!(named().run().unwrap(), "a name of its own");
        assert_eq!(named().named("worker 3").run().unwrap(), "worker 3");
        assert_eq!(generic::<_, 2>(7).run().unwrap(), [7, 7]);

        let crash = |process: Process<()>, reader: Reader<u8>| {
            assert_eq!(process.run().unwrap_err().failures().len(), 1);
            reader.read().unwrap_err()
        };
        let c = Channel::new();
        assert!(crash(retires(c.writer()), c.reader()).is_retired());
        let c = Channel::new();
        assert!(crash(retires(c.writer()).on_crash(OnCrash::Poison), c.reader()).is_lost());
        let c = Channel::new();
        assert_eq!(poisons(c.writer()).on_crash(OnCrash::Retire).run().unwrap_err().failures().len(), 1);
        assert!(c.reader().read().unwrap_err().is_retired());
    });
}

#[test]
fn what_compositions_give() {
    fn main() -> csproc::Result<()> {
        let jobs = Channel::<Job>::new();
        let vec_of_processes: Vec<Process<u8>> = one() * 4;
        let (sent, (), workers, ones) = Parallel!(
            boss(jobs.writer()),
            Parallel!(),
            for i in 0..4 => worker(i, jobs.reader()),
            vec_of_processes
        )?;
        sent?;
        let workers: Vec<(usize, u64)> = workers;
        assert_eq!(workers.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(workers.iter().map(|(_, sum)| sum).sum::<u64>(), 45);
        assert_eq!(ones, [1; 4]);

        let bare: u8 = Parallel!(one())?;
        assert_eq!(bare, 1);
        let () = Parallel!()?;
        assert_eq!(Sequence!(one(), for _ in 0..2 => one())?, (1, vec![1, 1]));

        let jobs = Channel::<Job>::new();
        let ((), results) = Parallel!(boss(jobs.writer()), for i in 0..2 => worker(i, jobs.reader())).values()?;
        assert_eq!(results.len(), 2);
        Ok(())
    }
    watched("what_compositions_give", || main().unwrap());
}

#[test]
fn what_a_child_and_a_network_can_do() {
    fn main() -> csproc::Result<()> {
        let child: Child<u8> = Spawn!(one())?;
        assert!(csproc::current().id() != child.id());
        assert_eq!(child.name(), "one");
        while child.try_join().is_none() {
            std::thread::yield_now();
        }

        let jobs = Channel::<Job>::builder().name("jobs").build()?;
        let waiting = Spawn!(worker(0, jobs.reader()))?;
        waiting.kill()?;
        let error: NetworkError = waiting.join().unwrap_err();
        let Failure::Crashed { process, cause: Cause::Killed { signal }, .. } = &error.failures()[0] else {
            panic!("{error}")
        };
        assert_eq!((process.as_str(), *signal), ("worker", 9));

        let jobs = Channel::<Job>::builder().name("jobs").build()?;
        let network = network!(boss(jobs.writer()), worker(0, jobs.reader()));
        let dot = network.to_dot();
        assert!(["jobs", "boss", "worker"].iter().all(|name| dot.contains(name)), "{dot}");
        let (sent, worked) = network.run()?;
        sent?;
        assert_eq!(worked, (0, 45));
        assert_eq!(network!(one(), one()).spawn()?.join()?, (1, 1));
        Ok(())
    }
    watched("what_a_child_and_a_network_can_do", || main().unwrap());
}

#[process]
fn meets(barrier: Barrier, out: Writer<u8>) {
    drop((barrier, out));
}

#[test]
fn a_drawing_shows_a_barrier_as_one_and_its_parties_without_an_arrow() {
    let (barrier, (w, _r)) = (Barrier::new(2), csproc::channel());
    let network = network!(meets(barrier.clone(), w.clone()).named("one"), meets(barrier, w).named("two"),);
    let dot = network.to_dot();
    let count = |text: &str| dot.matches(text).count();
    assert_eq!((count("shape=octagon"), count("shape=ellipse")), (1, 1), "{dot}");
    assert_eq!((count("[dir=none]"), count(" -> ")), (2, 4), "{dot}");
    assert!(dot.lines().all(|line| !line.trim_start().starts_with('c') || !line.contains(" -> ")), "{dot}");
    let chart = network.to_mermaid();
    let count = |text: &str| chart.matches(text).count();
    assert_eq!((count("{{\""), count(" --- "), count("([\""), count(" --> ")), (1, 2, 1, 2), "{chart}");
    assert_eq!(network.structure().to_string().matches("meets at").count(), 2);
}

#[process]
fn panics() {
    panic!("of its own accord")
}

#[process]
fn exits() {
    std::process::exit(3)
}

#[process]
fn parses(text: String) -> csproc::Result<u8> {
    Ok(text.parse::<u8>()?) // `?` works on everything
}

#[test]
fn what_errors_tell() {
    watched("what_errors_tell", || {
        let error = Parallel!(panics(), one(), exits()).unwrap_err();
        let [
            Failure::Crashed { cause: Cause::Panicked { message, location }, .. },
            Failure::Crashed { process, cause: Cause::Exited { code: 3 }, .. },
        ] = error.failures()
        else {
            panic!("{error}")
        };
        assert_eq!(message, "of its own accord");
        assert!(format!("{location:?}").contains("contract.rs"), "{location:?}");
        assert_eq!(process, "exits");
        assert_eq!(error.results().get::<u8>(1), Some(1));
        let printed = error.to_string();
        assert!(printed.lines().count() > 1 && printed.contains("of its own accord"), "{printed}");
        let _: &dyn std::error::Error = &error;
        postcard::to_stdvec(&error).unwrap();

        let returned = parses(String::from("x")).run().unwrap().unwrap_err();
        assert!(returned.to_string().contains("invalid digit"), "{returned}");
        let error: csproc::Error = Parallel!(one(), parses(String::from("x"))).values().unwrap_err();
        assert_eq!(error.process(), Some("parses"));
    });
}

#[test]
fn an_ordinary_end_is_none() {
    watched("an_ordinary_end_is_none", || {
        let c = Channel::<u64>::new();
        drop(c.reader());
        let (sent, one) = Parallel!(source(c.writer(), 10), one()).values_or_end().unwrap();
        assert_eq!((sent, one), (None, 1));
    });
}

#[test]
fn what_channels_are_built_from() {
    fn main() -> csproc::Result<()> {
        let c = Channel::<Job>::new(); // any-to-any rendezvous
        let b = Channel::<Job>::buffered(Buffer::Fifo(16));
        for buffer in [Buffer::OverwriteOldest(1), Buffer::OverwriteNewest(1), Buffer::DropNewest(1), Buffer::Unbounded]
        {
            let (w, r) = {
                let c = Channel::<Job>::buffered(buffer);
                (c.writer(), c.reader())
            };
            w.write(Job(1))?;
            assert_eq!(r.read()?, Job(1));
        }
        let n = Channel::<Job>::builder().name("jobs").buffer(Buffer::Fifo(4)).build()?;
        let h = Channel::<Job>::builder().carrier(Carrier::Ipc).build()?;
        let (w, r): (Writer<Job>, Reader<Job>) = (c.writer(), c.reader());
        assert!(w.try_write(Job(0)).is_err());
        assert_eq!(w.channel_id(), r.channel_id());
        assert_eq!(n.name(), "jobs");
        drop((b, h));
        Ok(())
    }
    watched("what_channels_are_built_from", || main().unwrap());
}

#[test]
fn what_ends_can_do() {
    fn main() -> csproc::Result<()> {
        let moment = Duration::from_millis(1);
        let (w, r) = csproc::channel::<Job>();
        let WriteError { value, fate } = w.try_write(Job(1)).unwrap_err();
        assert_eq!(value, Job(1));
        assert!(fate.is_would_block());
        assert!(w.write_timeout(Job(1), moment).unwrap_err().is_timed_out());
        assert!(w.write_deadline(Job(1), Instant::now() + moment).unwrap_err().is_timed_out());
        assert!(r.try_read().unwrap_err().is_would_block());
        assert!(r.read_timeout(moment).unwrap_err().is_timed_out());
        assert!(r.read_deadline(Instant::now() + moment).unwrap_err().is_timed_out());
        let error: ChannelError = w.try_write(Job(1)).unwrap_err().into();
        let _: csproc::Error = error.into();
        let _: csproc::Error = w.try_write(Job(1)).unwrap_err().into();

        let b = Channel::<Job>::buffered(Buffer::Fifo(9));
        let (w, r) = (b.writer(), b.reader());
        for i in 0..5 {
            w.write(Job(i))?;
        }
        assert_eq!(r.read_extended(|job| job.0)?, 0);
        assert_eq!(r.iter().next(), Some(Job(1)));
        assert_eq!((&r).into_iter().next(), Some(Job(2)));
        let one_more = w.clone();
        retire!(w, one_more);
        assert_eq!(r.results().collect::<Result<Vec<_>, ChannelError>>()?, [Job(3), Job(4)]);
        assert_eq!(r.read_all()?, []);
        assert!(r.read().unwrap_err().is_retired());
        assert_eq!(r.into_iter().next(), None);

        let (c, d) = (Channel::<Job>::new(), Channel::<Job>::new());
        let (w, r) = (c.writer(), d.reader());
        poison!(w, r);
        assert_eq!(c.reader().read(), Err(ChannelError::Poisoned));
        assert!(c.reader().results().next().is_some_and(|last| last.is_err()));
        let e = Channel::<Job>::new();
        e.poison();
        assert!(e.writer().write(Job(1)).unwrap_err().is_poisoned());
        Ok(())
    }
    watched("what_ends_can_do", || main().unwrap());
}

#[derive(Serialize, Deserialize)]
struct Question {
    number: u64,
    reply: Writer<u64>,
}

#[process]
fn server(questions: Reader<Question>) -> csproc::Result<()> {
    for question in questions {
        question.reply.write(question.number * 2)?; // ends are mobile
    }
    Ok(())
}

#[test]
fn a_question_has_an_answer() {
    fn main() -> csproc::Result<()> {
        let (writer, reader) = csproc::channel();
        let server = Spawn!(server(reader))?;
        let answer = csproc::ask(&writer, |reply| Question { number: 4, reply }, Duration::from_secs(60))?;
        assert_eq!(answer, 8);
        drop(writer);
        server.join()??;
        Ok(())
    }
    watched("a_question_has_an_answer", || main().unwrap());
}

/// One selection as the contract writes it, over ends of which those that are ready decide.
fn select(input: &Reader<u64>, log: &Writer<u64>, other: &Reader<u64>, credit: u64) -> csproc::Result<u64> {
    let total = 3;
    let out: u64 = AltSelect! {
        v = input.read() => v + 1,
        log.write(total) => 0,
        v = other.read() if credit > 0 => v,
        after(Duration::from_millis(50)) => 7,
        skip => 9,
    }?;
    Ok(out)
}

#[test]
fn the_alternation_of_the_contract() {
    fn main() -> csproc::Result<()> {
        let (input, other) = (Channel::<u64>::buffered(Buffer::Fifo(1)), Channel::<u64>::buffered(Buffer::Fifo(1)));
        let log = Channel::<u64>::new();
        let (fills, fills_other, logs) = (input.writer(), other.writer(), log.writer());
        let (from_input, from_other) = (input.reader(), other.reader());

        assert_eq!(select(&from_input, &logs, &from_other, 1)?, 9, "nothing else is ready");
        fills_other.write(6)?;
        assert_eq!(select(&from_input, &logs, &from_other, 0)?, 9, "a precondition that is false: absent");
        assert_eq!(select(&from_input, &logs, &from_other, 1)?, 6);
        fills.write(4)?;
        assert_eq!(select(&from_input, &logs, &from_other, 0)?, 5);
        drop(fills);
        assert!(select(&from_input, &logs, &from_other, 0).is_err(), "a retired channel is ready with that error");

        let began = Instant::now();
        let late = PriSelect! { v = from_other.read() => v, after(Duration::from_millis(5)) => 7 }?;
        assert!(late == 7 && began.elapsed() >= Duration::from_millis(5));
        assert_eq!(FairSelect! { v = from_other.read() => v, at(Instant::now()) => 8 }?, 8);
        Ok(())
    }
    watched("the_alternation_of_the_contract", || main().unwrap());
}

#[test]
fn an_arm_may_leave() {
    fn first(r: &Reader<u64>) -> csproc::Result<u64> {
        PriSelect! { v = r.read() => return Ok(v), skip => () }?;
        Ok(100)
    }
    fn main() -> csproc::Result<()> {
        let c = Channel::buffered(Buffer::Fifo(4));
        let (w, r) = (c.writer(), c.reader());
        assert_eq!(first(&r)?, 100);
        for i in 0..4 {
            w.write(i)?;
        }
        assert_eq!(first(&r)?, 0);
        let mut seen = Vec::new();
        loop {
            PriSelect! {
                v = r.read() => {
                    if v == 1 {
                        continue;
                    }
                    seen.push(v);
                }
                skip => break,
            }?;
        }
        assert_eq!(seen, [2, 3]);
        let fails: csproc::Result<u8> = (|| PriSelect! { skip => Err("x".parse::<u8>().unwrap_err())? }?)();
        assert!(fails.is_err());
        Ok(())
    }
    watched("an_arm_may_leave", || main().unwrap());
}

#[test]
fn sets_that_change() {
    fn main() -> csproc::Result<()> {
        let (c, d) = (Channel::<u64>::buffered(Buffer::Fifo(2)), Channel::<u64>::buffered(Buffer::Fifo(1)));
        let (w, r, v) = (c.writer(), c.reader(), 5);
        let second = d.writer();
        {
            let mut alt = Alternation::new();
            let a = alt.read(&r);
            let b = alt.write(&second, v);
            alt.after(Duration::from_secs(60));
            alt.skip();
            w.write(1)?;
            let fired = alt.pri_select()?;
            assert_eq!(fired.index(), 0);
            assert_eq!(fired.take(a), 1);
            let fired = alt.pri_select()?;
            assert_eq!(fired.index(), 1);
            fired.take(b);
        }
        {
            let mut alt = Alternation::new();
            let a = alt.read(&r);
            w.write(2)?;
            assert_eq!(alt.select()?.take(a), 2);
            w.write(3)?;
            assert_eq!(alt.fair_select()?.take(a), 3);
        }
        w.write(2)?;
        assert_eq!(select_read(std::slice::from_ref(&r))?, (0, 2));

        let mut alt = Alternation::new();
        let a = alt.own_reader(r);
        let b = alt.own_writer(w);
        let r = alt.remove(a);
        let w = alt.remove(b);
        w.write(3)?;
        assert_eq!(r.read()?, 3);
        let ticker = tick(Duration::from_millis(1));
        let ticked: Instant = PriSelect! { v = ticker => v }?;
        assert!(ticked <= Instant::now());
        Ok(())
    }
    watched("sets_that_change", || main().unwrap());
}
