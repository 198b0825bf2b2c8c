//! A manager of locks with names: clients ask it for one and give it back, by calls with replies. A lock is granted
//! to whoever has it already, and to others when nobody has it.
//!
//! Knows nothing of schedules.

use crate::drive::Server;
use csproc::prelude::*;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    Acquire {
        client: u8,
        lock: u8,
    },
    Release {
        client: u8,
        lock: u8,
    },
    /// All that it has.
    Leave {
        client: u8,
    },
}

#[process]
fn manages(requests: Reader<(Step, Writer<bool>)>, is_wrong: bool) -> csproc::Result<()> {
    let mut owners: BTreeMap<u8, u8> = BTreeMap::new();
    for (request, reply) in requests {
        let granted = match request {
            Step::Acquire { client, lock } => *owners.entry(lock).or_insert(client) == client,
            Step::Release { client, lock } => {
                let is_own = owners.get(&lock) == Some(&client);
                if is_own {
                    owners.remove(&lock);
                }
                is_own
            }
            Step::Leave { client } => {
                // The mistake: one lock is forgotten.
                let kept = owners.iter().filter(|(_, owner)| **owner == client).map(|(lock, _)| *lock).nth(1);
                owners.retain(|lock, owner| *owner != client || is_wrong && Some(*lock) == kept);
                true
            }
        };
        reply.write(granted)?;
    }
    Ok(())
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Model {
    server: Server,
    /// Which locks each client has.
    held: [[bool; 3]; 3],
    granted: bool,
}

impl Model {
    fn served_by(self, server: Server) -> Model {
        Model { server, ..self }
    }
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        let both = (0..3u8, 0..3u8);
        prop_oneof![
            4 => both.clone().prop_map(|(client, lock)| Step::Acquire { client, lock }),
            2 => both.prop_map(|(client, lock)| Step::Release { client, lock }),
            1 => (0..3u8).prop_map(|client| Step::Leave { client }),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.granted = match *step {
            Step::Acquire { client, lock } => {
                let others = (0..3).filter(|other| *other != usize::from(client));
                let is_free = others.into_iter().all(|other| !model.held[other][usize::from(lock)]);
                model.held[usize::from(client)][usize::from(lock)] |= is_free;
                is_free
            }
            Step::Release { client, lock } => std::mem::take(&mut model.held[usize::from(client)][usize::from(lock)]),
            Step::Leave { client } => {
                model.held[usize::from(client)] = [false; 3];
                true
            }
        };
        model
    }
}

struct LockManager {
    requests: Writer<(Step, Writer<bool>)>,
    replies: Channel<bool>,
    child: Child<csproc::Result<()>>,
}

impl StateMachineTest for LockManager {
    type SystemUnderTest = LockManager;
    type Reference = Model;

    fn init_test(model: &Model) -> LockManager {
        let requests = Channel::new();
        let server = manages(requests.reader(), model.server.is_wrong).on(model.server.placement());
        let child = Spawn!(server).expect("a process");
        LockManager { requests: requests.writer(), replies: Channel::new(), child }
    }

    fn apply(manager: LockManager, model: &Model, step: Step) -> LockManager {
        let reply = manager.replies.reader();
        manager.requests.write((step, manager.replies.writer())).expect("the manager is there");
        assert_eq!(reply.read().expect("a reply"), model.granted);
        LockManager { replies: Channel::new(), ..manager }
    }

    fn teardown(manager: LockManager, _: Model) {
        drop(manager.requests);
        manager.child.join().expect("it has ended").expect("in order");
    }
}

machine!(LockManager: found by 4 transitions);
