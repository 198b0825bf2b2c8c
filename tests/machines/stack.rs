//! A stack: whoever pushes and whoever pops meet the one process that has it, which takes no pop while it is empty.
//!
//! Knows nothing of schedules.

use crate::drive::Server;
use csproc::prelude::*;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[process]
fn keeps(push: Reader<u8>, pop: Writer<u8>, is_wrong: bool) -> csproc::Result<()> {
    let mut stack = Vec::new();
    loop {
        let top = stack.last().copied();
        let served = FairSelect! {
            value = push.read() => {
                // The mistake: what is pushed a third time is put below.
                let place = if is_wrong && stack.len() == 2 { 1 } else { stack.len() };
                stack.insert(place, value);
            },
            pop.write(top.unwrap_or(0)) if top.is_some() => drop(stack.pop()),
        };
        match served {
            Ok(()) => (),
            Err(error) if error.is_retired() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Model {
    server: Server,
    items: Vec<u8>,
    /// What the last transition is to give.
    heard: Option<u8>,
}

impl Model {
    fn served_by(self, server: Server) -> Model {
        Model { server, ..self }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    Push(u8),
    /// Waits for a moment, if there is nothing.
    Pop,
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        prop_oneof![3 => any::<u8>().prop_map(Step::Push), 2 => Just(Step::Pop)].boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.heard = match step {
            Step::Push(value) => {
                model.items.push(*value);
                None
            }
            Step::Pop => model.items.pop(),
        };
        model
    }
}

struct Stack {
    push: Writer<u8>,
    pop: Reader<u8>,
    child: Child<csproc::Result<()>>,
}

impl StateMachineTest for Stack {
    type SystemUnderTest = Stack;
    type Reference = Model;

    fn init_test(model: &Model) -> Stack {
        let (push, pop) = (Channel::new(), Channel::new());
        let server = keeps(push.reader(), pop.writer(), model.server.is_wrong).on(model.server.placement());
        Stack { push: push.writer(), pop: pop.reader(), child: Spawn!(server).expect("a process") }
    }

    fn apply(stack: Stack, model: &Model, step: Step) -> Stack {
        let heard = match step {
            Step::Push(value) => {
                stack.push.write(value).expect("the stack is there");
                None
            }
            Step::Pop => {
                match stack.pop.read_timeout(Duration::from_millis(if model.heard.is_some() { 60_000 } else { 2 })) {
                    Ok(value) => Some(value),
                    Err(error) => {
                        assert!(error.is_timed_out(), "{error}");
                        None
                    }
                }
            }
        };
        assert_eq!(heard, model.heard);
        stack
    }

    fn teardown(stack: Stack, _: Model) {
        drop((stack.push, stack.pop));
        stack.child.join().expect("it has ended").expect("in order");
    }
}

machine!(Stack: found by 4 transitions);
