//! The processes of a network, without their types.
//!
//! Knows nothing of how they are run.

use super::blueprint::Blueprint;

/// What runs, and in which order.
#[derive(Debug)]
pub(super) enum Plan {
    Process(Box<Blueprint>),
    Parallel(Vec<Plan>),
    Sequence(Vec<Plan>),
    /// A `for` part or a vector: runs as what it stands in runs.
    List(Vec<Plan>),
}

impl Plan {
    pub(super) fn leaves<'a>(&'a self, found: &mut Vec<&'a Blueprint>) {
        match self {
            Plan::Process(leaf) => found.push(leaf),
            Plan::Parallel(parts) | Plan::Sequence(parts) | Plan::List(parts) => {
                parts.iter().for_each(|part| part.leaves(found));
            }
        }
    }

    /// How many processes there are.
    pub(super) fn size(&self) -> usize {
        match self {
            Plan::Process(_) => 1,
            Plan::Parallel(parts) | Plan::Sequence(parts) | Plan::List(parts) => parts.iter().map(Plan::size).sum(),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        self.leaves(&mut leaves);
        leaves.into_iter().map(|leaf| leaf.role.name().to_string()).collect()
    }

    pub(super) fn each(&mut self, change: &mut dyn FnMut(&mut Blueprint)) {
        match self {
            Plan::Process(leaf) => change(leaf),
            Plan::Parallel(parts) | Plan::Sequence(parts) | Plan::List(parts) => {
                parts.iter_mut().for_each(|part| part.each(change));
            }
        }
    }
}
