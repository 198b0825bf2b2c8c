//! A bounded buffer out of a chain of cells, one value each: what goes in at one end comes out at the other in order,
//! and whoever puts into a full one waits.
//!
//! Knows nothing of schedules.

use crate::drive::Server;
use csproc::prelude::*;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

const CELLS: usize = 3;

#[process]
fn cell(input: Reader<u8>, out: Writer<u8>, takes_two: bool) -> csproc::Result<()> {
    for value in &input {
        out.write(value)?;
        // The mistake: what comes at once is dropped.
        if takes_two
            && let Ok(next) = input.try_read()
            && next > value
        {
            continue;
        }
    }
    Ok(())
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Model {
    server: Server,
    items: VecDeque<u8>,
    /// Whether the last transition has put something in, or what it has got.
    has_put: bool,
    got: Option<u8>,
}

impl Model {
    fn served_by(self, server: Server) -> Model {
        Model { server, ..self }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    /// Waits for a moment, if it is full.
    Put(u8),
    /// Waits for a moment, if it is empty.
    Get,
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        prop_oneof![3 => any::<u8>().prop_map(Step::Put), 2 => Just(Step::Get)].boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        (model.has_put, model.got) = (false, None);
        match step {
            Step::Put(value) if model.items.len() < CELLS => {
                model.items.push_back(*value);
                model.has_put = true;
            }
            Step::Put(_) => (),
            Step::Get => model.got = model.items.pop_front(),
        }
        model
    }
}

struct BoundedBuffer {
    put: Writer<u8>,
    get: Reader<u8>,
    cells: Vec<Child<csproc::Result<()>>>,
}

/// How long a step may take: for ever, as far as a test knows, if something is to come of it.
fn patience(succeeds: bool) -> Duration {
    Duration::from_millis(if succeeds { 60_000 } else { 2 })
}

impl StateMachineTest for BoundedBuffer {
    type SystemUnderTest = BoundedBuffer;
    type Reference = Model;

    fn init_test(model: &Model) -> BoundedBuffer {
        let channels: Vec<Channel<u8>> = (0..=CELLS).map(|_| Channel::new()).collect();
        let cells = (0..CELLS).map(|number| {
            let is_wrong = model.server.is_wrong && number == 1;
            let cell = cell(channels[number].reader(), channels[number + 1].writer(), is_wrong);
            Spawn!(cell.on(model.server.placement())).expect("a process")
        });
        BoundedBuffer { cells: cells.collect(), put: channels[0].writer(), get: channels[CELLS].reader() }
    }

    fn apply(buffer: BoundedBuffer, model: &Model, step: Step) -> BoundedBuffer {
        match step {
            Step::Put(value) => {
                let put = buffer.put.write_timeout(value, patience(model.has_put));
                assert!(
                    put.as_ref().is_ok_and(|()| model.has_put) || put.is_err_and(|error| error.fate.is_timed_out())
                );
            }
            Step::Get => {
                let got = buffer.get.read_timeout(patience(model.got.is_some()));
                assert_eq!(got.ok(), model.got);
            }
        }
        buffer
    }

    fn teardown(buffer: BoundedBuffer, model: Model) {
        drop(buffer.put);
        assert_eq!(buffer.get.into_iter().collect::<VecDeque<u8>>(), model.items);
        for cell in buffer.cells {
            cell.join().expect("it has ended").expect("in order");
        }
    }
}

machine!(BoundedBuffer: found by 2 transitions);
