//! A queue that is served to other programs: what a client asks for is done here, on its behalf.
//!
//! Knows nothing of names and of keys. A request is served by the thread of its connection, which waits for the queue
//! and for the connection at once: for a client that has gone nothing is put and nothing is taken.
//!
//! **What is sure.** An item is with at most one who got it. It is in the queue, or in the hand of a thread here, or
//! its client has said that it has it; and what is in a hand is put back, before all others, when the client goes or
//! the server ends. How both sides come to know alike whether it was taken is drawn in [`remote`](crate::shared). So an
//! item that a client's `get` has come back with is gone here, exactly once, and one that it has not come back with is
//! here, unless the client was killed between its word and its own next step, as a process of this program is that dies
//! with an item.
//!
//! ```text
//!     this thread                              client                    queue
//!  1  waits for both                           dies                      empty
//!     the connection has ended: nothing taken
//!  2  waits for both                           dies                   ◄─ put
//!     the connection first: nothing taken
//!     the queue first: in hand; the client has not said that it has it: put back
//!  3  in hand, sent                            stands still
//!     waits: as it would with one of its own processes that is stopped with an item
//!  4  in hand, sent                            says that it has it, dies
//!     done: gone with the client, and open among what it got (`task_done`)
//!  5  in hand; killed, with the whole process of the server
//!     gone, as with any consumer that is killed with an item; the client is told that nobody knows (`Io`)
//! ```
//! While an item is in a hand, others may get what stands behind it, and whoever looks finds one less: an item that was
//! put back may come after one that was put behind it. For the same moment a closed queue may look as if it were empty.
//! Who wants to be sure that all is done joins it: what is in a hand is open.
//!
//! **A put** whose client goes while it waits is withdrawn; one that has been done is done, whether its client hears of
//! it or not.

use super::session::Session;
use super::{Queue, Wait};
use crate::alternation::{Alternation, Arm, Content, Guard, Offered, Outcome, Stowed, Take, Verdict, no_value};
use crate::channel::{
    ChannelEnd, ChannelError, End, Message, MessageError, Patience, WriteError, decode_head, decode_once, encode_once,
};
use crate::engine::{self, Actor, Packet, actor};
use crate::shared::remote::{Held, Line, Reply, fits};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Weak};

/// The clients of a queue, each by its number.
pub(in crate::shared) struct Sessions<T>(Mutex<BTreeMap<u128, Weak<Session<T>>>>);

impl<T> Default for Sessions<T> {
    fn default() -> Sessions<T> {
        Sessions(Mutex::default())
    }
}

impl<T: Message + 'static> Sessions<T> {
    /// Answers what a client asks over this line. `None` if it is no request, or the client has gone.
    pub(in crate::shared) fn answer(
        &self,
        queue: &Queue<T>,
        name: &str,
        line: &Line,
        arguments: &[u8],
    ) -> Option<Reply> {
        let ((number, wait), item) = decode_head::<(u128, Wait)>(arguments)?;
        let session = match line.keep(number, || self.session(queue, number, line))? {
            Ok(session) => session,
            Err(error) => return Some(told::<()>(Err(error))),
        };
        let queue = &session.queue;
        Some(match name {
            "put" => told(put(queue, line, wait, item)?),
            "get" => match get(&session, line, wait)? {
                Ok(taken) => Reply::Held(Box::new(taken)),
                Err(error) => told::<()>(Err(error)),
            },
            "join" => told(join(queue, line, wait)?),
            "task_done" => told(Ok(queue.task_done().is_ok())),
            "len" => told(Ok(queue.len())),
            "capacity" => told(Ok(queue.capacity())),
            "close" => {
                queue.close();
                told(Ok(()))
            }
            "poison" => {
                queue.poison();
                told(Ok(()))
            }
            _ => return None,
        })
    }

    fn session(&self, queue: &Queue<T>, number: u128, line: &Line) -> Result<Arc<Session<T>>, ChannelError> {
        let mut sessions = self.0.lock();
        if let Some(session) = sessions.get(&number).and_then(Weak::upgrade) {
            return Ok(session);
        }
        sessions.retain(|_, session| session.strong_count() > 0);
        let session = Arc::new(Session::begin(queue, line.pid())?);
        sessions.insert(number, Arc::downgrade(&session));
        Ok(session)
    }
}

fn told<R: Serialize>(result: Result<R, ChannelError>) -> Reply {
    // A result without a type of the user's in it can always be encoded.
    Reply::Done(encode_once(&result, None).unwrap_or_default())
}

/// What a wait beside a line has come to.
enum Came<V> {
    Value(V),
    TimedOut,
}

/// Waits for a guard as long as the client does. `None` if that has gone, which comes first.
fn wait_for<G: Guard>(guard: &G, line: &Line, wait: Wait) -> Option<Result<Came<G::Output>, ChannelError>>
where
    G::Output: 'static,
{
    let mut alternation = Alternation::new();
    let gone = alternation.guard(line.gone());
    let value = alternation.guard(guard);
    match wait {
        Wait::ForEver => (),
        Wait::For(time) => drop(alternation.after(time)),
        Wait::Not => drop(alternation.skip()),
    }
    match alternation.pri_select() {
        Ok(fired) if fired.index() == gone.index() => None,
        Ok(fired) if fired.index() == value.index() => Some(Ok(Came::Value(fired.take(value)))),
        Ok(_) => Some(Ok(Came::TimedOut)),
        Err(error) => Some(Err(error)),
    }
}

fn put<T: Message>(queue: &Queue<T>, line: &Line, wait: Wait, item: &[u8]) -> Option<Result<(), ChannelError>> {
    let value = match decode_once::<T>(item, None) {
        Ok(value) => value,
        Err(error) => return Some(Err(error.about::<T>().into())),
    };
    if line.is_gone() {
        return None;
    }
    let value = match queue.try_put(value) {
        Err(WriteError { value, fate: ChannelError::WouldBlock }) if !matches!(wait, Wait::Not) => value,
        other => return Some(other.map_err(|error| error.fate)),
    };
    let mut alternation = Alternation::new();
    let gone = alternation.guard(line.gone());
    let put = alternation.write(&queue.writer, value);
    if let Wait::For(time) = wait {
        alternation.after(time);
    }
    match alternation.pri_select() {
        Ok(fired) if fired.index() == gone.index() => None,
        Ok(fired) if fired.index() == put.index() => Some(Ok(())),
        Ok(_) => Some(Err(ChannelError::TimedOut)),
        Err(error) => Some(Err(error)),
    }
}

fn get<T: Message>(session: &Arc<Session<T>>, line: &Line, wait: Wait) -> Option<Result<Taken<T>, ChannelError>> {
    if line.is_gone() {
        return None;
    }
    let end = session.queue.reader.end();
    // Mostly there is one, and then nothing has to be waited for.
    let packet = match session.queue.reader.read_packet(Patience::Not, Location::caller()) {
        Err(ChannelError::WouldBlock) if !matches!(wait, Wait::Not) => match wait_for(&Taking(end), line, wait)? {
            Ok(Came::Value(packet)) => packet,
            Ok(Came::TimedOut) => return Some(Err(ChannelError::TimedOut)),
            Err(error) => return Some(Err(error)),
        },
        Ok(packet) => packet,
        Err(error) => return Some(Err(error)),
    };
    let taken = Taken { session: session.clone(), packet: Some(packet) };
    Some(taken.can_travel().map(|()| taken).map_err(ChannelError::Invalid))
}

fn join<T: Message>(queue: &Queue<T>, line: &Line, wait: Wait) -> Option<Result<(), ChannelError>> {
    Some(match wait_for(&Joining(queue.reader.end()), line, wait)? {
        Ok(Came::Value(())) => Ok(()),
        Ok(Came::TimedOut) if matches!(wait, Wait::Not) => Err(ChannelError::WouldBlock),
        Ok(Came::TimedOut) => Err(ChannelError::TimedOut),
        Err(error) => Err(error),
    })
}

/// An item in hand, for a client. Dropped, it is put back, before all others.
struct Taken<T> {
    session: Arc<Session<T>>,
    /// As it lay in the queue. Always there until it is taken or put back.
    packet: Option<Packet>,
}

impl<T> Taken<T> {
    /// Whether it can go to another program; it goes as it is.
    fn can_travel(&self) -> Result<(), MessageError> {
        let Some(packet) = &self.packet else { return Ok(()) };
        if packet.has_ends() {
            let type_name = String::from(std::any::type_name::<T>());
            let reason = "the end of a channel in it cannot go to another program; it is in the queue again".into();
            return Err(MessageError::Encode { type_name, reason });
        }
        fits(packet.bytes().len())
    }
}

impl<T> Held for Taken<T> {
    fn bytes(&self) -> &[u8] {
        self.packet.as_ref().map_or(&[], Packet::bytes)
    }

    fn taken(mut self: Box<Self>) {
        drop(self.packet.take());
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        if let Some(packet) = self.packet.take() {
            self.session.queue.reader.end().put_back(packet);
        }
    }
}

/// Takes an item as it is.
struct Taking<'a>(&'a End);

impl Guard for Taking<'_> {
    type Output = Packet;
    type Arm<'a>
        = TakingArm<'a>
    where
        Self: 'a;

    fn arm(&self) -> TakingArm<'_> {
        TakingArm { end: self.0, packet: None }
    }
}

struct TakingArm<'a> {
    end: &'a End,
    packet: Option<Packet>,
}

impl Arm for TakingArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.end.check()?;
        Ok(Offered(Some(self.end.taking(false))))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.packet = outcome.came.map_err(ChannelError::from)?;
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        self.packet.take().map_or(Stowed::NOTHING, |packet| Stowed(Content::Message(packet)))
    }
}

impl Take for TakingArm<'_> {
    type Output = Packet;

    fn unpack(mut stowed: Stowed) -> Result<Packet, ChannelError> {
        match stowed.open() {
            Content::Message(packet) => Ok(packet),
            _ => no_value(),
        }
    }
}

/// Waits until every item was got and is done.
struct Joining<'a>(&'a End);

impl Guard for Joining<'_> {
    type Output = ();
    type Arm<'a>
        = JoiningArm<'a>
    where
        Self: 'a;

    fn arm(&self) -> JoiningArm<'_> {
        JoiningArm(self.0)
    }
}

struct JoiningArm<'a>(&'a End);

impl Arm for JoiningArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.0.check()?;
        Ok(Offered(Some(engine::Guard::Join { queue: self.0.channel() })))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let joined = outcome.came.map_err(ChannelError::from);
        if joined.is_err() {
            actor(Actor::forget_leaver);
        }
        joined.map(|_| Verdict::Done)
    }
}

impl Take for JoiningArm<'_> {
    type Output = ();

    fn unpack(_: Stowed) -> Result<(), ChannelError> {
        Ok(())
    }
}
