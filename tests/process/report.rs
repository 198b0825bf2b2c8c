//! What is told of a deadlock: every process in it, where it waits, what for, and who could answer.
//!
//! Knows nothing of which standstills are found; that is in `deadlock.rs`.

use crate::deadlock::{End, blocked, cycle, deadlock, named, outer, place, read_first, read_once, waits};
use csproc::DeadlockReport;
use csproc::prelude::*;

#[process]
fn choose(inputs: (Reader<u64>, Reader<u64>), output: Writer<u64>, barrier: Barrier, _kept: Writer<u64>) -> End {
    let (first, second) = inputs;
    // blocks: choose
    AltSelect! {
        _v = first.read() => (),
        _v = second.read() if false => (),
        output.write(1) => (),
        barrier.sync() => (),
    }
}

#[process]
fn choose_freely(first: Reader<u64>, second: Reader<u64>, kept: Writer<u64>) -> End {
    let mut alternation = Alternation::new();
    alternation.read(&first);
    alternation.read(&second);
    let _fired = alternation.fair_select()?; // blocks: choose freely
    drop(kept);
    Ok(())
}

#[process]
fn keep_reading(input: Reader<u64>, own: Writer<u64>, other: Writer<u64>) -> End {
    input.read()?;
    drop((own, other));
    Ok(())
}

#[process]
fn keep(input: Reader<u64>, outputs: (Writer<u64>, Writer<u64>), other: Reader<u64>, barrier: Option<Barrier>) -> End {
    input.read()?;
    drop((outputs, other, barrier));
    Ok(())
}

/// The child tells nobody else of what it gets.
#[process]
fn leave_a_child(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    drop(Spawn!(read_first(input, output).named("child"))?); // blocks: spawn
    Ok(())
}

over_both! {
    alone:

    fn law_9_a_deadlock_is_told_with_names_places_offers_and_partners(placement) {
        let (c, d) = (named("there"), named("back"));
        let network = network!(
            read_first(c.reader(), d.writer()).named("ping").on(placement),
            read_first(d.reader(), c.writer()).named("pong").on(placement),
        );
        let error = network.run().unwrap_err(); // blocks: run
        let report = error.deadlock().unwrap();
        // The third is the program, which waits for both.
        let program = csproc::current();
        assert_eq!(report.processes().len(), 3, "{report}");
        assert_eq!(waits(report, "ping"), [("read", "there", vec!["pong"])]);
        assert_eq!(waits(report, "pong"), [("read", "back", vec!["ping"])]);
        let joins = waits(report, program.name());
        assert!(joins == [("join", "", vec!["ping"])] || joins == [("join", "", vec!["pong"])], "{report}");
        assert_eq!(cycle(report), ["ping", "pong"]);
        assert_eq!(blocked(report, "ping").location, place("read", "read()"));
        assert_eq!(blocked(report, program.name()).location, place("run", "run()"));
        assert_eq!(blocked(report, program.name()).id, program.id());
        assert_ne!(blocked(report, "ping").id, blocked(report, "pong").id);

        let text = report.to_string();
        assert_eq!(error.to_string(), text);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "deadlock: 3 processes wait for each other");
        assert!(lines.contains(&format!("  process `ping` at {}", place("read", "read()")).as_str()), "{text}");
        assert!(lines.contains(&"    waits to read from channel `there`, which `pong` could answer"), "{text}");
        assert!(["  cycle: ping -> pong -> ping", "  cycle: pong -> ping -> pong"].contains(lines.last().unwrap()));

        let dot = report.to_dot();
        assert!(dot.starts_with("digraph deadlock {\n") && dot.ends_with("}\n"), "{dot}");
        assert_eq!(dot.matches("[shape=box, label=\"").count(), 3, "{dot}");
        assert_eq!(dot.matches(" -> ").count(), 3, "{dot}");
        assert!(dot.contains("[label=\"read there\"]") && dot.contains("[label=\"join\"]"), "{dot}");

        let bytes = postcard::to_allocvec(report).unwrap();
        assert_eq!(&postcard::from_bytes::<DeadlockReport>(&bytes).unwrap(), report);
        let results = error.results();
        for place in [0, 1] {
            // The blocked call hears of poison, and of the deadlock.
            let blocked = results.get::<End>(place).unwrap().unwrap_err();
            assert!(blocked.is_poisoned() && !blocked.is_lost(), "{blocked:?}");
            assert_eq!(blocked.deadlock(), Some(report));
            assert_eq!(blocked.to_string(), "the channel is poisoned: part of a deadlock");
        }
    }

    fn law_9_every_guard_of_an_alternation_is_told(placement) {
        let (c, never, d, e) = (named("c"), named("never"), named("d"), named::<u64>("e"));
        let barrier = Barrier::new(2);
        let report = deadlock(network!(
            choose((c.reader(), never.reader()), d.writer(), barrier.clone(), e.writer()).named("a").on(placement),
            keep(e.reader(), (c.writer(), never.writer()), d.reader(), Some(barrier.clone())).named("b").on(placement),
            keep(e.reader(), (never.writer(), never.writer()), d.reader(), None).named("c").on(placement),
        ));
        let mut waits_of_a = waits(&report, "a");
        assert_eq!(waits_of_a.len(), 3, "{report}");
        waits_of_a.sort_unstable();
        assert_eq!(waits_of_a[0], ("read", "c", vec!["b"]));
        assert_eq!((waits_of_a[1].0, &waits_of_a[1].2), ("sync", &vec!["b"]));
        assert_eq!(waits_of_a[2], ("write", "d", vec!["b", "c"]), "all who could answer");
        assert!(blocked(&report, "a").location.starts_with(file!()), "{report}");
        assert!(report.to_string().contains(", or waits "), "{report}");

        let (c, d, e) = (named("c"), named("d"), named("e"));
        let report = deadlock(network!(
            choose_freely(c.reader(), d.reader(), e.writer()).named("a").on(placement),
            read_first(e.reader(), c.writer()).named("b").on(placement),
            read_first(e.reader(), d.writer()).named("c").on(placement),
        ));
        assert_eq!(waits(&report, "a"), [("read", "c", vec!["b"]), ("read", "d", vec!["c"])]);
        assert_eq!(blocked(&report, "a").location, place("choose freely", "fair_select"));
    }

    fn law_9_whoever_runs_a_process_waits_where_it_says_so(placement) {
        let c = named("own");
        let alone = keep_reading(c.reader(), c.writer(), c.writer()).on(placement);
        let error = alone.run().unwrap_err(); // blocks: run one
        let report = error.deadlock().unwrap();
        assert_eq!(blocked(report, csproc::current().name()).location, place("run one", "run()"));
    }

    fn law_9_whoever_ends_waits_for_its_child_where_it_was_spawned(placement) {
        let (c, d) = (named("to the child"), named("from the child"));
        let (kept, r) = (c.writer(), d.reader());
        let parent = leave_a_child(c.reader(), d.writer()).named("parent").on(placement);
        drop((c, d));
        let parent = Spawn!(parent).unwrap();
        let error = r.read().unwrap_err();
        let report = error.deadlock().unwrap();
        assert_eq!(waits(report, "parent"), [("join", "", vec!["child"])]);
        assert_eq!(blocked(report, "parent").location, place("spawn", "Spawn!"));
        drop(kept);
        parent.join().unwrap().unwrap();
    }

    fn law_9_in_a_nested_network_it_is_the_inner_network_s_error(placement) {
        let (text, report) = outer(placement, None).on(placement).run().unwrap();
        let report = report.unwrap_or_else(|| panic!("no deadlock: {text}"));
        assert_eq!(cycle(&report), ["a", "b"]);
        assert_eq!(waits(&report, "outer")[0].0, "join");
        assert_eq!(blocked(&report, "outer").location, place("outer", "run()"));
        // The one who runs `outer` is in it if it had begun to wait by then.
        assert!(text.starts_with("deadlock: ") && text.contains(" processes wait for each other"), "{text}");
    }

    fn who_waits_for_nobody_is_told_so(placement) {
        // It holds the only writer of the channel that it reads from, and another waits for it. That may begin later;
        // then it is no part of the deadlock.
        let report = loop {
            let (c, d) = (named("own"), named("d"));
            let network = network!(
                keep_reading(c.reader(), c.writer(), d.writer()).named("a").on(placement),
                read_once(d.reader()).named("b").on(placement),
            );
            let report = deadlock(network);
            if report.processes().iter().any(|process| process.name == "b") {
                break report;
            }
        };
        assert_eq!(waits(&report, "a"), [("read", "own", vec![])]);
        assert_eq!(waits(&report, "b"), [("read", "d", vec!["a"])]);
        assert_eq!(report.cycle(), Vec::<usize>::new());
        assert!(report.to_string().contains("from channel `own`, which nobody answers"), "{report}");
        assert!(!report.to_string().contains("cycle:"), "{report}");
    }

    fn a_process_that_was_never_run_is_named_as_one_that_could_answer(placement) {
        let (c, own) = (named("c"), named("own"));
        let never = read_first(own.reader(), c.writer()).on(placement).named("never");
        let report = deadlock(network!(read_once(c.reader()).named("a").on(placement)));
        assert_eq!(blocked(&report, "a").waits_for[0].never_run, ["never"]);
        let text = "channel `c`, which nobody answers; an end is kept for `never`, which was never run";
        assert!(report.to_string().contains(text), "{report}");
        drop(never);
        // Neither one that is gone nor one that runs.
        let d = named("d");
        drop(read_first(d.reader(), d.writer()).on(placement));
        let d = named("d");
        let report = deadlock(network!(keep_reading(d.reader(), d.writer(), d.writer()).named("b").on(placement)));
        assert_eq!(blocked(&report, "b").waits_for[0].never_run, Vec::<String>::new());
    }

    fn a_cycle_is_found_behind_partners_that_lead_nowhere(placement) {
        // `a` could be answered by `b`, which waits for itself, and by `c`, which waits for `a`. As before, `b` may be
        // alone.
        let report = loop {
            let (shared, own, back) = (named("shared"), named("own"), named("back"));
            let network = network!(
                read_first(shared.reader(), back.writer()).named("a").on(placement),
                keep_reading(own.reader(), own.writer(), shared.writer()).named("b").on(placement),
                read_first(back.reader(), shared.writer()).named("c").on(placement),
            );
            let error = network.run().unwrap_err();
            let report = error.deadlock().unwrap();
            if report.processes().len() == 4 {
                break report.clone();
            }
        };
        assert_eq!(waits(&report, "a"), [("read", "shared", vec!["b", "c"])]);
        assert_eq!(cycle(&report), ["a", "c"]);
    }
}
