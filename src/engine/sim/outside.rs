//! What was made outside of a simulated world and is used in it, where no error can say so.
//!
//! Knows nothing of what is told of it. Whoever would wait is refused. But some only look, or change something at once:
//! whether an event is set, the number in an atomic. They get an answer that means nothing, so the world notes it, and
//! the run counts for nothing.

use super::super::{Actor, ChannelName, EndName, actor, tables};
use super::world::{Simulation, is_simulated};

impl Simulation {
    /// Somebody asks for a channel, and takes what comes for the truth.
    pub(super) fn asks_for(&mut self, name: ChannelName) {
        if self.number(name).is_none() && name.index != u32::MAX {
            self.is_outside(name);
        }
    }

    /// As [`asks_for`](Simulation::asks_for), for an end.
    pub(super) fn asks_for_end(&mut self, end: EndName) {
        // One of this world may be closed by now.
        if !is_simulated(end.index)
            && let Some((name, _)) = tables().end(end)
        {
            self.is_outside(name);
        }
    }

    /// The first one is kept.
    fn is_outside(&mut self, name: ChannelName) {
        if self.record.outside.is_some() {
            return;
        }
        let label = if is_simulated(name.index) { None } else { tables().facts(name).name() };
        let label = label.filter(|label| !label.is_empty()).map_or_else(String::new, |label| format!(" `{label}`"));
        let task = actor(Actor::task).and_then(|task| self.tasks.get(task as usize));
        let who = match task {
            Some(task) if task.is_process => format!("process `{}`", task.name),
            _ => String::from("the closure that builds the network"),
        };
        self.record.outside = Some(format!(
            "{who} uses a shared object{label} that was made outside of this simulation: make it in the closure"
        ));
    }
}
