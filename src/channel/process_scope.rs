//! The life of one process on the calling thread, as far as its channels are concerned.
//!
//! Knows nothing of how processes start or end. Why a dropped end is sometimes closed later is said in
//! [`deferral`](crate::engine).

use super::error::ChannelError;
use crate::engine::{Closing, EndName, Fate, Holder, actor};

/// The life of one process on the calling thread.
#[derive(Debug)]
pub(crate) struct Scope {
    member: u32,
    given: Vec<EndName>,
}

impl Scope {
    /// From now on the thread acts for this process.
    pub(crate) fn enter(member: u32) -> Scope {
        actor(|actor| actor.begin_process(member));
        Scope { member, given: Vec::new() }
    }

    /// The ends that came with the arguments.
    pub(crate) fn give(&mut self, ends: Vec<EndName>) {
        self.given = ends;
    }

    /// The process is over. Ends it was given go as `closing` says, all others retire unless the process crashed.
    pub(crate) fn leave(self, closing: Closing) {
        let crashed = matches!(closing, Closing::Lost { .. });
        actor(|actor| {
            let mut rest = actor.end_process();
            let is_left = |end: &&EndName| end.is_held_by(Holder::Member(self.member)) && !end.keeps_memory();
            rest.extend(self.given.iter().filter(is_left));
            actor.abandon_writers(crashed);
            for end in rest {
                let mine = crashed || self.given.contains(&end);
                actor.close_end(end, if mine { closing } else { Closing::Retire });
            }
            actor.keep_room(self.given);
            actor.act_for(None);
        });
    }
}

/// Closes what an earlier operation has deferred: the thread goes on, so its process has not ended.
#[inline]
pub(crate) fn settle() {
    actor(crate::engine::Actor::settle);
}

/// An operation of this thread has come to its channel's end.
pub(crate) fn failed(fate: Fate) -> ChannelError {
    let error = ChannelError::from(fate);
    notice(&error);
    error
}

/// An operation of this thread has failed: if with poison, the process may be about to return it.
pub(crate) fn notice(error: &ChannelError) {
    if error.spreads_poison() {
        actor(crate::engine::Actor::alarm);
    }
}
