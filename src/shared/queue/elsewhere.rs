//! `Elsewhere`: a queue of another program, as a link leads to it.
//!
//! Knows nothing of how it is served. Each operation is a request, and waits there, not here: so an item is taken out
//! of the queue when there is one for a client that still waits. What came is this program's only once the system has
//! taken the word that it is ([`Link`]).

use super::Wait;
use crate::channel::{
    ChannelError, Message, MessageError, Patience, WriteError, decode_once, encode_once, notice, settle,
};
use crate::engine::now;
use crate::shared::remote::{Answer, Asks, Broken, Link, fits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long after its time an answer may come. Then the other program is taken for one that stands still.
const LATE: Duration = Duration::from_secs(5);

/// A queue of another program. A clone is one more way to it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Elsewhere {
    /// For this queue alone: the connections of the process go with its last handle.
    link: Link,
    object: u32,
    /// As it is shared.
    name: String,
}

impl Elsewhere {
    pub(super) fn new(link: Link, object: u32, name: String) -> Elsewhere {
        Elsewhere { link, object, name }
    }

    /// Asks for what comes of a method; the item, if there is one, stands behind the rest.
    fn ask(&self, name: &str, wait: Wait, item: &[u8]) -> Result<Answer, Unanswered> {
        settle();
        let until = match wait {
            Wait::ForEver => None,
            Wait::Not => now().checked_add(LATE),
            Wait::For(time) => now().checked_add(time).and_then(|until| until.checked_add(LATE)),
        };
        let number = self.link.number()?;
        let head = encode_once(&(Asks::Method { object: self.object, name }, number, wait), None)?;
        fits(head.len() + item.len())?;
        Ok(self.link.ask([&head, item], until)?)
    }

    /// Asks for what takes no time.
    fn told<R: DeserializeOwned>(&self, name: &str) -> Result<R, ChannelError> {
        result(self.ask(name, Wait::ForEver, &[]).map_err(|unanswered| self.why(unanswered, None))?)
    }

    /// What is told of a question without an answer. Who has waited so long for what is not done when it comes too late
    /// is told that alone. And that the other program has ended is no end of the queue: nobody has closed it.
    fn why(&self, unanswered: Unanswered, wait: Option<Wait>) -> ChannelError {
        match (unanswered, wait) {
            (Unanswered::Unasked(error), _) => ChannelError::Invalid(error),
            (Unanswered::Broken(Broken::Ended), _) => ChannelError::Io {
                reason: format!("the program that has the queue `{self}` has ended; what was asked for was not done"),
            },
            (Unanswered::Broken(Broken::Late(_)), Some(Wait::For(_))) => ChannelError::TimedOut,
            (Unanswered::Broken(Broken::Late(_)), Some(Wait::Not)) => ChannelError::WouldBlock,
            (Unanswered::Broken(Broken::Failed(reason) | Broken::Late(reason)), _) => ChannelError::Io { reason },
        }
    }

    /// Puts an item in; what it may fail of is told, and whether it may be there all the same.
    pub(super) fn put<T: Message>(&self, value: T, patience: Patience) -> Result<(), WriteError<T>> {
        let put = || {
            let item = encode_once(&value, None)?;
            let wait = Wait::of(patience);
            result(self.ask("put", wait, &item).map_err(|unanswered| self.why(unanswered, None))?)
        };
        match put() {
            Ok(()) => Ok(()),
            Err(fate) => Err(WriteError { value, fate }),
        }
    }

    pub(super) fn get<T: Message>(&self, patience: Patience) -> Result<T, ChannelError> {
        let wait = Wait::of(patience);
        // One that comes too late is not taken: it is still there.
        let answer = self.ask("get", wait, &[]).map_err(|unanswered| self.why(unanswered, Some(wait)))?;
        match answer.was_held() {
            true => Ok(decode_once(answer.bytes(), None)?),
            false => result::<()>(answer).and(Err(ChannelError::Invalid(MessageError::System {
                reason: format!("the queue `{self}` has answered without an item"),
            }))),
        }
    }

    pub(super) fn join(&self, patience: Patience) -> Result<(), ChannelError> {
        let wait = Wait::of(patience);
        result(self.ask("join", wait, &[]).map_err(|unanswered| self.why(unanswered, Some(wait)))?)
    }

    pub(super) fn task_done(&self) -> bool {
        self.told("task_done").unwrap_or(false)
    }

    pub(super) fn len(&self) -> usize {
        self.told("len").unwrap_or(0)
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.told("capacity").unwrap_or(None)
    }

    /// If there is nobody who could be told, there is nothing to be closed.
    pub(super) fn close(&self) {
        let _: Result<(), ChannelError> = self.told("close");
    }

    pub(super) fn poison(&self) {
        let _: Result<(), ChannelError> = self.told("poison");
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.link.path().display())
    }
}

/// Why there is no answer.
enum Unanswered {
    Unasked(MessageError),
    Broken(Broken),
}

impl From<MessageError> for Unanswered {
    fn from(error: MessageError) -> Unanswered {
        Unanswered::Unasked(error)
    }
}

impl From<Broken> for Unanswered {
    fn from(broken: Broken) -> Unanswered {
        Unanswered::Broken(broken)
    }
}

fn result<R: DeserializeOwned>(answer: Answer) -> Result<R, ChannelError> {
    let result = decode_once::<Result<R, ChannelError>>(answer.bytes(), None)?;
    // Who returns poison poisons what it was given, also for poison of another program.
    result.inspect_err(notice)
}
