//! What stands in a message for an end, and makes a `Reader` inside a message arrive as a `Reader`.
//!
//! Knows nothing of formats, nor of how ends are counted on their way: that is the engine's
//! ([`journey`](crate::engine)).

use super::end::{End, NOWHERE};
use crate::engine::{ChannelName, Direction, EndName, Stranded, actor};
use serde::{Deserialize, Serialize};

/// What stands in a message for an end. Whoever reads it as this leaves the end where it is.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Ticket {
    index: u32,
    generation: u32,
}

/// An end departs: one more end of its channel, held by the packet.
pub(super) fn depart<S: serde::Serializer>(end: &End, direction: Direction, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error;
    let departed = actor(|actor| {
        actor.travels_into()?;
        Ok(if end.channel() == NOWHERE { None } else { Some(actor.depart(end.channel(), direction)?) })
    });
    match departed {
        Ok(Some(EndName { index, generation })) => Ticket { index, generation }.serialize(serializer),
        Ok(None) => Err(S::Error::custom(end.refusal())),
        Err(Stranded::Refused(error)) => Err(S::Error::custom(error)),
        Err(Stranded::NoJourney | Stranded::Unknown) => Err(S::Error::custom(
            "the end of a channel can only travel in a csproc message, argument or result, not into a file or a socket",
        )),
    }
}

/// An end arrives: from the packet to the process that the calling thread acts for.
pub(super) fn arrive<'de, D: serde::Deserializer<'de>>(
    direction: Direction,
    deserializer: D,
) -> Result<(ChannelName, EndName), D::Error> {
    use serde::de::Error;
    const NO_JOURNEY: &str = "the end of a channel can only arrive in a csproc message, argument or result";
    if !actor(crate::engine::Actor::travels_out) {
        return Err(D::Error::custom(NO_JOURNEY));
    }
    let Ticket { index, generation } = Ticket::deserialize(deserializer)?;
    let end = EndName { index, generation };
    match actor(|actor| actor.arrive(end, direction)) {
        Ok(channel) => Ok((channel, end)),
        Err(Stranded::NoJourney) => Err(D::Error::custom(NO_JOURNEY)),
        Err(Stranded::Unknown) => Err(D::Error::custom("it names an end of a channel that does not exist")),
        Err(Stranded::Refused(error)) => Err(D::Error::custom(error)),
    }
}

/// What is nothing but an end of this side travels as one more, and a clone of it is one more.
macro_rules! travels {
    ($($name:ident: $side:ident by $make:ident),+) => {$(
        impl Clone for $name {
            fn clone(&self) -> $name {
                $name(self.0.one_more(crate::engine::Direction::$side))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::channel::travel::depart(&self.0, crate::engine::Direction::$side, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let (channel, end) = crate::channel::travel::arrive(crate::engine::Direction::$side, deserializer)?;
                Ok($name(crate::channel::end::End::$make(channel, end)))
            }
        }
    )+};
}
pub(super) use travels;
