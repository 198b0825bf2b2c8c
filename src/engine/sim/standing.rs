//! Who stands still: what everybody waits for who cannot go on, and who could answer it.
//!
//! Knows nothing of reports.

use super::super::view::{Action, Stuck, StuckGuard};
use super::super::{ChannelName, Direction, Guard, Holder, Opened};
use super::channel::{Channel, End};
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
        let action = self.action(guard)?;
        let me = task.member.index;
        let mut partners = match action {
            Action::Join => self.ending_with(channel),
            // Those who have tasks open, if there are any.
            Action::Finish => {
                let open = self.holders(channel, Direction::Reader, |end| end.weight > 0);
                if open.is_empty() { self.holders(channel, Direction::Reader, |end| !end.is_held_by(me)) } else { open }
            }
            // Who waits for permits, or tasks, that it has itself is told so.
            Action::Pass => self.holders(channel, Direction::Unit, |_| true),
            action => action
                .answered_by()
                .map_or_else(Vec::new, |side| self.holders(channel, side, |end| !end.is_held_by(me))),
        };
        let by_anybody = seen.and_then(Channel::opened).is_some_and(|opened| opened != Opened::ByHolders);
        if action == Action::Pass && by_anybody {
            partners.extend(self.holders(channel, Direction::Handle, |end| !end.is_held_by(me)));
        }
        partners.sort_unstable();
        partners.dedup();
        Some(StuckGuard { action, channel, partners })
    }

    /// Who ends with the channel that tells of it.
    fn ending_with(&self, exit: ChannelName) -> Vec<u32> {
        self.exits.members_of(exit)
    }

    /// Who has ends of one side of a channel, such as these.
    fn holders(&self, channel: ChannelName, side: Direction, is_such: impl Fn(&End) -> bool) -> Vec<u32> {
        let mut holders: Vec<u32> = Vec::new();
        let ends = self.ends.iter().filter(|end| end.channel == channel && end.direction == side);
        for end in ends.filter(|end| is_such(end)) {
            if let Some(Holder::Member(member)) = end.holder
                && !holders.contains(&member)
            {
                holders.push(member);
            }
        }
        holders
    }
}
