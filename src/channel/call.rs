//! A call: a message whose reader answers, over one rendezvous; the answer goes with the release of the writer.
//!
//! Knows nothing of what is asked for. The caller waits from its offer until the answer has come, whoever of the two
//! was first, and there is no second channel: an answer is a reply of the engine's extended rendezvous. Whoever waits
//! for calls serves: as long as nobody calls, he is at rest and no part of a deadlock.
//!
//! A message is a *header*, by which the called one knows what it is about, with the argument behind it, which is read
//! once its type is known.

use super::codec::{Message, decode, encode};
use super::end::{End, Patience};
use super::error::{ChannelError, MessageError};
use super::extended::Hold;
use super::travel::travels;
use crate::engine::{ChannelKind, Direction, Store, actor};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::panic::Location;

/// A channel of calls. It is neither side itself: it hands out callers and callees, and keeps the channel in existence.
/// A clone, or one that is sent to a process, is one more of the same.
///
/// A caller that crashes, or ends with poison, takes nothing along. When the last one is gone, the called one is told
/// that the channel has retired; when that one crashes, the callers are told who was lost.
#[derive(Debug)]
pub(crate) struct CallChannel(End);

impl CallChannel {
    /// # Errors
    /// There is no room for it.
    pub(crate) fn new() -> Result<CallChannel, MessageError> {
        let kind = ChannelKind::Channel(Store::Fifo(0));
        let (channel, handle) = actor(|actor| actor.create_channel("", kind))?;
        let handle = End::new(channel, handle);
        handle.is_served();
        channel.bears_crashes_of(Direction::Writer);
        Ok(CallChannel(handle))
    }

    /// One that could not be made: whoever calls is told why.
    pub(crate) fn unmade(error: MessageError) -> CallChannel {
        CallChannel(End::unmade(error))
    }

    /// One more caller. When the last one has gone, no other one is one any more.
    pub(crate) fn caller(&self) -> Caller {
        Caller(self.0.another(Direction::Writer))
    }

    /// One more who is called.
    pub(crate) fn callee(&self) -> Callee {
        Callee(self.0.another(Direction::Reader))
    }

    /// The end itself.
    pub(crate) fn end(&self) -> &End {
        &self.0
    }
}

travels!(CallChannel: Handle by new, Caller: Writer by new, Callee: Reader by new);

/// Who calls. A clone, or one that is sent to a process, is one more caller.
#[derive(Debug)]
pub(crate) struct Caller(End);

impl Caller {
    /// Calls, and waits for the answer.
    ///
    /// # Blocking
    /// Until the called one has answered, or is gone. A call cannot be withdrawn.
    ///
    /// # Errors
    /// Nobody will answer ([`Retired`](ChannelError::Retired), [`Poisoned`](ChannelError::Poisoned),
    /// [`Lost`](ChannelError::Lost)); the called one has not ([`Abandoned`](ChannelError::Abandoned), `Lost`); or the
    /// argument or the answer cannot travel ([`Invalid`](ChannelError::Invalid)). After `Abandoned` and `Lost` nobody
    /// knows whether what was asked for was done.
    pub(crate) fn call<H: Serialize, A: Serialize, R: DeserializeOwned>(
        &self,
        header: H,
        argument: A,
        place: &'static Location<'static>,
    ) -> Result<R, ChannelError> {
        self.0.check_open()?;
        let message = (header, &argument);
        let packet = encode(&message).map_err(|error| error.about::<A>())?;
        let answer = self.0.ask(&mut Some(packet), place)?;
        // Only now: the ends inside were requested again for the message.
        drop((message.0, argument));
        let (answer, _) = decode::<Result<R, MessageError>>(&answer).map_err(|error| error.about::<R>())?;
        Ok(answer?)
    }

    /// The end itself.
    pub(crate) fn end(&self) -> &End {
        &self.0
    }
}

/// Who is called. Several of them share the calls.
#[derive(Debug)]
pub(crate) struct Callee(End);

impl Callee {
    /// Waits for a call.
    ///
    /// # Errors
    /// [`Retired`](ChannelError::Retired) when nobody is left who could call, and the other fates of a channel. A call
    /// whose header is not one of these is refused, and the next one awaited.
    #[track_caller]
    pub(crate) fn accept<H: Message>(&self) -> Result<Call<H>, ChannelError> {
        loop {
            let hold = Hold::take(&self.0, Patience::ForEver, Location::caller())?;
            match hold.look::<H>(0) {
                Ok((header, end)) => return Ok(Call { header, hold, behind: end }),
                Err(error) => answer(hold, &Err::<(), _>(error)),
            }
        }
    }
}

/// A call that waits for its answer, in the thread that has accepted it. Dropped, it tells the caller that there will
/// be none.
#[derive(Debug)]
#[must_use]
pub(crate) struct Call<H> {
    pub(crate) header: H,
    hold: Hold,
    /// Where the header ends in the message.
    behind: usize,
}

impl<H: Message> Call<H> {
    /// What the caller asks with.
    ///
    /// # Errors
    /// It is not of this type; the call is to be [refused](Call::refuse) then.
    pub(crate) fn argument<A: DeserializeOwned>(&mut self) -> Result<A, MessageError> {
        Ok(self.hold.look(self.behind)?.0)
    }

    /// Answers. An answer that cannot travel is refused, and the caller is told why.
    pub(crate) fn answer<R: Serialize>(self, result: &R) {
        answer(self.hold, &Ok::<&R, _>(result));
    }

    /// Tells the caller why there is no answer.
    pub(crate) fn refuse(self, error: MessageError) {
        answer(self.hold, &Err::<(), _>(error));
    }
}

fn answer<R: Serialize>(hold: Hold, answer: &Result<R, MessageError>) {
    let packet = encode(answer).or_else(|error| encode(&Err::<(), _>(error.about::<R>())));
    // If there is no room for a word, the caller is told by the drop that nobody has answered.
    if let Ok(packet) = packet {
        hold.reply(packet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::channel::{Channel, Reader, Writer};
    use serde::{Deserialize, Serializer};
    use std::panic::catch_unwind;
    use std::thread::spawn;

    fn calls() -> (Caller, Callee) {
        let channel = CallChannel::new().unwrap();
        (channel.caller(), channel.callee())
    }

    fn call<A: Message, R: Message>(caller: &Caller, header: u8, argument: A) -> Result<R, ChannelError> {
        caller.call(header, argument, Location::caller())
    }

    #[test]
    fn whoever_comes_first_the_caller_gets_the_answer_to_its_own_call() {
        let (caller, callee) = calls();
        let callers: Vec<_> = (0..4_u64)
            .map(|number| {
                let caller = caller.clone();
                spawn(move || {
                    for argument in 0..500 {
                        let sum: u64 = call(&caller, 1, (number, argument)).unwrap();
                        assert_eq!(sum, number * 1000 + argument);
                    }
                })
            })
            .collect();
        drop(caller);
        let mut answered = 0;
        while let Ok(mut call) = callee.accept::<u8>() {
            assert_eq!(call.header, 1);
            let (number, argument) = call.argument::<(u64, u64)>().unwrap();
            call.answer(&(number * 1000 + argument));
            answered += 1;
        }
        assert_eq!(answered, 2000);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    }

    #[test]
    fn ends_travel_in_arguments_and_in_answers() {
        let (caller, callee) = calls();
        let asks = spawn(move || {
            let c = Channel::<String>::new();
            let (given, kept) = (c.writer(), c.reader());
            let answer: Reader<String> = call(&caller, 0, given).unwrap();
            (answer.read(), kept.read())
        });
        let mut call = callee.accept::<u8>().unwrap();
        let writer: Writer<String> = call.argument().unwrap();
        let c = Channel::<String>::new();
        let other = c.writer();
        call.answer(&c.reader());
        other.write(String::from("one")).unwrap();
        writer.write(String::from("two")).unwrap();
        assert_eq!(asks.join().unwrap(), (Ok(String::from("one")), Ok(String::from("two"))));
    }

    #[test]
    fn who_is_not_answered_is_told_why() {
        let (caller, callee) = calls();
        let asks = spawn(move || [(); 4].map(|()| call::<_, u8>(&caller, 0, 1_u8)));
        drop(callee.accept::<u8>().unwrap());
        let panicked = catch_unwind(|| {
            let _call = callee.accept::<u8>().unwrap();
            std::panic::resume_unwind(Box::new("with a call in hand"));
        });
        assert!(panicked.is_err());
        let mut wrong = callee.accept::<u8>().unwrap();
        let error = wrong.argument::<String>().unwrap_err();
        wrong.refuse(error.clone());
        drop(callee);
        let answers = asks.join().unwrap();
        assert!(matches!(answers[0], Err(ChannelError::Abandoned { .. })), "{answers:?}");
        // Resumed, it has passed no hook; but it was no other death.
        assert!(matches!(answers[1], Err(ChannelError::Lost { cause: Cause::Panicked { .. }, .. })), "{answers:?}");
        assert_eq!(answers[2], Err(error.into()));
        assert_eq!(answers[3], Err(ChannelError::Retired));
    }

    #[test]
    fn what_cannot_travel_is_refused_on_its_own_side() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Never;
        impl Serialize for Never {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("never"))
            }
        }
        let (caller, callee) = calls();
        let asks = spawn(move || (call::<_, u8>(&caller, 0, Never), call::<_, Never>(&caller, 0, 1_u8)));
        callee.accept::<u8>().unwrap().answer(&Never);
        let (argument, answer) = asks.join().unwrap();
        for error in [argument.unwrap_err(), answer.unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("Never` cannot be serialized") && text.contains("never"), "{text}");
        }
        assert_eq!(callee.accept::<u8>().unwrap_err(), ChannelError::Retired);
    }
}
