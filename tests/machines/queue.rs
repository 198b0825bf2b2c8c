//! A shared queue that another process passes on: what is put before it is closed comes out, in order, and nothing
//! else.
//!
//! Knows nothing of schedules.

use crate::drive::Server;
use csproc::prelude::*;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

#[process]
fn passes_on(from: Queue<u8>, to: Queue<u8>, is_wrong: bool) -> csproc::Result<()> {
    let mut last = None;
    for value in &from {
        // The mistake: what comes twice is passed on once.
        if !is_wrong || last != Some(value) {
            to.put(value)?;
        }
        last = Some(value);
    }
    to.close();
    Ok(())
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Model {
    server: Server,
    items: VecDeque<u8>,
    is_closed: bool,
    /// What the last step is to give.
    heard: Heard,
}

impl Model {
    fn served_by(self, server: Server) -> Model {
        Model { server, ..self }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Heard {
    #[default]
    Nothing,
    Got(u8),
    /// It is closed.
    End,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    Put(u8),
    Get,
    Close,
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        prop_oneof![6 => (0..4u8).prop_map(Step::Put), 5 => Just(Step::Get), 1 => Just(Step::Close)].boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.heard = match step {
            Step::Put(_) if model.is_closed => Heard::End,
            Step::Put(value) => {
                model.items.push_back(*value);
                Heard::Nothing
            }
            Step::Get => match model.items.pop_front() {
                Some(value) => Heard::Got(value),
                None if model.is_closed => Heard::End,
                None => Heard::Nothing,
            },
            Step::Close => {
                model.is_closed = true;
                Heard::Nothing
            }
        };
        model
    }
}

struct Queues {
    from: Queue<u8>,
    to: Queue<u8>,
    child: Child<csproc::Result<()>>,
}

impl StateMachineTest for Queues {
    type SystemUnderTest = Queues;
    type Reference = Model;

    fn init_test(model: &Model) -> Queues {
        let (from, to) = (Queue::new(), Queue::new());
        let server = passes_on(from.clone(), to.clone(), model.server.is_wrong).on(model.server.placement());
        let child = Spawn!(server).expect("a process");
        Queues { from, to, child }
    }

    fn apply(queues: Queues, model: &Model, step: Step) -> Queues {
        let heard = match step {
            Step::Put(value) => match queues.from.put(value) {
                Ok(()) => Heard::Nothing,
                Err(error) => {
                    assert!(error.fate.is_retired(), "{error}");
                    Heard::End
                }
            },
            Step::Get => {
                let patience = Duration::from_millis(if model.heard == Heard::Nothing { 2 } else { 60_000 });
                match queues.to.get_timeout(patience) {
                    Ok(value) => Heard::Got(value),
                    Err(error) if error.is_retired() => Heard::End,
                    Err(error) => {
                        assert!(error.is_timed_out(), "{error}");
                        Heard::Nothing
                    }
                }
            }
            Step::Close => {
                queues.from.close();
                Heard::Nothing
            }
        };
        assert_eq!(heard, model.heard);
        queues
    }

    fn teardown(queues: Queues, model: Model) {
        queues.from.close();
        assert_eq!(queues.to.into_iter().collect::<VecDeque<u8>>(), model.items);
        queues.child.join().expect("it has ended").expect("in order");
    }
}

machine!(Queues: found by 2 transitions);
