//! A queue as what a manager shares, and another program has.
//!
//! Knows nothing of how it is served there, nor of how it is reached from elsewhere.

use super::distant::Distant;
use super::error::CallError;
use super::methods::{Methods, Proxy};
use crate::channel::{Message, MessageError};
use crate::shared::queue::{Queue, Sessions};

impl<T: Message + 'static> Proxy for Queue<T> {
    fn methods() -> Methods<Queue<T>> {
        let sessions = Sessions::default();
        Methods::<Self>::of::<Self>()
            .others::<T>(move |queue, name, line, arguments| sessions.answer(queue, name, line, arguments))
    }

    fn distant(object: Distant) -> Queue<T> {
        let (link, number, name) = object.apart();
        Queue::elsewhere(link, number, name)
    }

    fn may_be_shared(&self) -> Result<(), CallError> {
        if self.is_elsewhere() {
            let reason = format!("{self:?} is in another program: let that one share it, and connect there");
            return Err(CallError::Invalid(MessageError::System { reason }));
        }
        Ok(())
    }
}
