//! A queue against a model: any number of handles that come, go, travel, close and poison.
//!
//! Knows nothing of waiting: everything happens in one thread, so each step has one right answer.

use csproc::prelude::*;
use csproc::shared::simplex;
use proptest::prelude::*;
use std::collections::VecDeque;

/// What may be done with a handle.
#[derive(Clone, Copy, Debug)]
enum Step {
    Put(u64),
    Get,
    /// By an alternation with both guards, of which the first is preferred.
    Choose(u64, bool),
    Clone,
    Drop,
    /// Into a message and out of it.
    Move,
    Close,
    Poison,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..1000_u64).prop_map(Step::Put),
        16 => Just(Step::Get),
        8 => (0..1000_u64, any::<bool>()).prop_map(|(item, first)| Step::Choose(item, first)),
        4 => Just(Step::Clone),
        4 => Just(Step::Drop),
        4 => Just(Step::Move),
        1 => Just(Step::Close),
        1 => Just(Step::Poison),
    ]
}

/// What became of an alternation.
#[derive(Debug, PartialEq)]
enum Chosen {
    Got(u64),
    Put,
    Nothing,
}

struct Model {
    items: VecDeque<u64>,
    limit: usize,
    closed: bool,
    poisoned: bool,
}

impl Model {
    fn fate(&self) -> Option<ChannelError> {
        match (self.poisoned, self.closed) {
            (true, _) => Some(ChannelError::Poisoned),
            (_, true) => Some(ChannelError::Retired),
            _ => None,
        }
    }

    fn put(&mut self, item: u64) -> Result<(), ChannelError> {
        if let Some(fate) = self.fate() {
            return Err(fate);
        }
        if self.items.len() >= self.limit {
            return Err(ChannelError::WouldBlock);
        }
        self.items.push_back(item);
        Ok(())
    }

    fn get(&mut self) -> Result<u64, ChannelError> {
        self.items.pop_front().ok_or(self.fate().unwrap_or(ChannelError::WouldBlock))
    }

    /// The first guard that is ready, and a channel that has ended is ready, too.
    fn choose(&mut self, item: u64, get_first: bool) -> Result<Chosen, ChannelError> {
        for gets in [get_first, !get_first] {
            let chosen = if gets { self.get().map(Chosen::Got) } else { self.put(item).map(|()| Chosen::Put) };
            match chosen {
                Err(ChannelError::WouldBlock) => (),
                chosen => return chosen,
            }
        }
        Ok(Chosen::Nothing)
    }
}

fn choose(queue: &Queue<u64>, item: u64, get_first: bool) -> Result<Chosen, ChannelError> {
    if get_first {
        PriSelect! { got = queue => Chosen::Got(got), queue.write(item) => Chosen::Put, skip => Chosen::Nothing }
    } else {
        PriSelect! { queue.write(item) => Chosen::Put, got = queue => Chosen::Got(got), skip => Chosen::Nothing }
    }
}

fn follow(limit: Option<usize>, steps: Vec<(prop::sample::Index, Step)>) -> Result<(), TestCaseError> {
    let queue = limit.map_or_else(Queue::new, Queue::bounded);
    let mut model =
        Model { items: VecDeque::new(), limit: limit.unwrap_or(usize::MAX), closed: false, poisoned: false };
    let mut handles = vec![queue];
    let (to, from) = simplex();
    for (which, step) in steps {
        let place = which.index(handles.len());
        let handle = &handles[place];
        match step {
            Step::Put(item) => {
                let put = handle.try_put(item).map_err(|error| {
                    assert_eq!(error.value, item, "a value that was not put comes back");
                    error.fate
                });
                prop_assert_eq!(put, model.put(item));
            }
            Step::Get => prop_assert_eq!(handle.try_get(), model.get()),
            Step::Choose(item, first) => {
                prop_assert_eq!(choose(handle, item, first), model.choose(item, first));
            }
            Step::Clone => handles.push(handle.clone()),
            // The last one is the queue.
            Step::Drop if handles.len() > 1 => drop(handles.swap_remove(place)),
            Step::Drop => (),
            Step::Move => {
                to.write(handles.swap_remove(place)).unwrap();
                handles.push(from.read().unwrap());
            }
            Step::Close => {
                handle.close();
                model.closed = true;
            }
            Step::Poison => {
                handle.poison();
                model.poisoned = true;
                model.items.clear();
            }
        }
        let handle = &handles[0];
        prop_assert_eq!((handle.len(), handle.is_empty()), (model.items.len(), model.items.is_empty()));
        prop_assert_eq!(handle.capacity(), limit);
    }
    Ok(())
}

once! {
    fn a_queue_is_a_queue() {
        let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
        let steps = prop::collection::vec((any::<prop::sample::Index>(), step()), 0..80);
        let limit = prop::option::of(0..5_usize);
        proptest!(config, |(limit in limit, steps in steps)| {
            follow(limit, steps)?;
        });
    }
}
