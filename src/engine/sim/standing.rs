//! Who stands still: what everybody waits for who cannot go on, and who could answer it.
//!
//! Knows nothing of reports.

use super::super::view::{Action, Stuck, StuckGuard};
use super::super::{ChannelName, Direction, Guard, Holder};
use super::possible::channel_of;
use super::task::{State, Task};
use super::world::{Simulation, ask};

/// Everybody who waits, when nothing can happen any more.
pub(crate) fn stuck() -> Vec<Stuck> {
    ask(|world| world.tasks.iter().filter_map(|task| world.stuck(task)).collect())
}

impl Simulation {
    fn stuck(&self, task: &Task) -> Option<Stuck> {
        let (guards, place) = match &task.state {
            State::Offered(offer) => {
                let guards = offer.guards.iter().filter_map(|guard| self.stuck_guard(task, guard)).collect();
                (guards, offer.place)
            }
            State::Held { reader, place, .. } => {
                let partners = vec![self.tasks[*reader as usize].member.index];
                (vec![StuckGuard { action: Action::Release, channel: self.channel_name(0), partners }], *place)
            }
            _ => return None,
        };
        Some(Stuck { member: task.member, location: Some(place), guards })
    }

    fn stuck_guard(&self, task: &Task, guard: &Guard) -> Option<StuckGuard> {
        let channel = channel_of(guard)?;
        let seen = self.channel(channel);
        let action = match guard {
            Guard::Input { .. } if seen.is_some_and(|channel| channel.is_end) => Action::Join,
            Guard::Input { .. } if seen.is_some_and(|channel| channel.serves) => Action::Serve,
            Guard::Input { .. } => Action::Read,
            Guard::Output { .. } => Action::Write,
            Guard::Barrier { .. } => Action::Sync,
            Guard::Pass { .. } => Action::Pass,
            Guard::Join { .. } => Action::Finish,
            Guard::Timer { .. } | Guard::Skip => return None,
        };
        let partners = match action {
            Action::Join => self.ending_with(channel),
            action => action.answered_by().map_or_else(Vec::new, |side| self.holders(channel, side)),
        };
        let partners = partners.into_iter().filter(|partner| *partner != task.member.index).collect();
        Some(StuckGuard { action, channel, partners })
    }

    /// Who ends with the channel that tells of it.
    fn ending_with(&self, exit: ChannelName) -> Vec<u32> {
        self.exits.iter().filter(|(_, channel)| **channel == exit).map(|(member, _)| *member).collect()
    }

    /// Who has ends of one side of a channel.
    fn holders(&self, channel: ChannelName, side: Direction) -> Vec<u32> {
        let mut holders: Vec<u32> = Vec::new();
        for end in self.ends.iter().filter(|end| end.channel == channel && end.direction == side) {
            if let Some(Holder::Member(member)) = end.holder
                && !holders.contains(&member)
            {
                holders.push(member);
            }
        }
        holders
    }
}
