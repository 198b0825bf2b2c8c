//! How many instructions an operation takes: counted, so that none grows unnoticed.
//!
//! Knows nothing of time. What is counted is what the tracer steps through but for its marks, with the library compiled
//! as this program is: so there is one number for tests and one for what is used (`cargo test --release --test kill
//! instructions`), with all features and without them, and both belong to one version of the compiler. Peers wait, and
//! sleep: whoever comes second has all of the work, and it is the same each time.

use crate::explore::{follow, forbidden_here, read_all, spawn, warm_up};
use crate::scene::{barrier_scene, choice_scene, read_one, read_scene, refill_scene, store_scene, sync, write_scene};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;

/// It takes a part of so many more, or fewer: then somebody is asked why.
const MORE: usize = 10;

/// An operation, and how many instructions it takes: compiled for tests, and for use.
struct Operation {
    name: &'static str,
    debug: usize,
    release: usize,
    run: fn(Cut) -> Walk,
}

const POLICY: OnCrash = OnCrash::Poison;

const OPERATIONS: [Operation; 8] = [
    Operation { name: "write", debug: 7940, release: 461, run: |cut| write_scene(read_all, true, POLICY, cut) },
    Operation { name: "read", debug: 7020, release: 509, run: |cut| read_scene(read_one, true, POLICY, cut) },
    Operation {
        name: "write into a buffer",
        debug: 6670,
        release: 598,
        run: |cut| store_scene(Buffer::Fifo(2), &[4], &[4, 9], POLICY, cut),
    },
    Operation {
        name: "read, and let the next one in",
        debug: 8310,
        release: 779,
        run: |cut| refill_scene(POLICY, cut),
    },
    Operation { name: "select among two", debug: 14500, release: 2371, run: |cut| choice_scene(1, true, POLICY, cut) },
    Operation {
        name: "select among eight",
        debug: 22250,
        release: 3992,
        run: |cut| choice_scene(4, true, POLICY, cut),
    },
    Operation {
        name: "meet at a barrier of three, as the last one",
        debug: 8700,
        release: 1291,
        run: |cut| barrier_scene(sync, true, POLICY, cut),
    },
    Operation { name: "clone a writer and drop it", debug: 6700, release: 725, run: |cut| alone(clone_and_drop, cut) },
];

/// The fewest instructions between the marks in a few runs.
fn count(run: fn(Cut) -> Walk) -> usize {
    run(Cut::Unwatched);
    (0..4).map(|_| run(Cut::Never).path.len()).min().unwrap_or(0)
}

#[process]
fn does_nothing(_: Writer<u64>) {
    warm_up();
    stepped(|| ());
}

#[process]
fn clone_and_drop(out: Writer<u64>) {
    warm_up();
    drop(out.clone());
    stepped(|| drop(out.clone()));
}

/// Nobody else takes part.
fn alone(process: fn(Writer<u64>) -> Process<()>, cut: Cut) -> Walk {
    let c = Channel::new();
    follow(spawn(process(c.writer()), POLICY), cut, &mut || unreachable!())
}

alone! {
    fn no_operation_takes_more_instructions_than_it_did() {
        if forbidden_here("instructions") {
            return;
        }
        let marks = count(|cut| alone(does_nothing, cut));
        let mut others = Vec::new();
        for Operation { name, debug, release, run } in OPERATIONS {
            let count = count(run).saturating_sub(marks);
            let noted = if cfg!(debug_assertions) { debug } else { release };
            crate::report(&format!("kill::instructions: {name}: {count}, noted: {noted}"));
            if count * MORE > noted * (MORE + 1) || count * (MORE + 1) < noted * MORE {
                others.push(format!("{name}: {count} instead of {noted}"));
            }
        }
        assert!(others.is_empty(), "look why, and note the new numbers: {others:#?}");
    }
}
