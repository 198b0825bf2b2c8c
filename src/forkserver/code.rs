//! `Code`: the functions of a process, as a process calls them that knows them or was told them.
//!
//! Knows nothing of what they do. A process on a thread is run by the process that has made it, which knows its
//! functions, wherever they lie. A process of the operating system finds them by the words in its slot.

use crate::engine::{Functions, Member, MemberName};
use crate::sys::image::{AnyFn, NoImageFn, Takes};

/// The functions of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// Runs the process; of the signature [`Entry`].
    pub(crate) entry: AnyFn,
    /// What the user wrote.
    pub(crate) body: AnyFn,
    /// Says in which way it ended.
    pub(crate) ending: AnyFn,
}

/// The entry point of a member: runs its function, and says whether it returned.
pub(crate) type Entry = Takes<(MemberName, Code), bool>;

impl Code {
    /// As a slot tells it to another process.
    ///
    /// # Errors
    /// A function is not one of the program's image.
    pub(crate) fn to_words(self) -> Result<Functions, NoImageFn> {
        let Code { entry, body, ending } = self;
        Ok(Functions { entry: entry.to_words()?, body: body.to_words()?, ending: ending.to_words()? })
    }

    /// As the slot of a process tells it.
    ///
    /// # Errors
    /// The slot was never filled.
    pub(super) fn told_by(member: &Member) -> Result<Code, NoImageFn> {
        let Functions { entry, body, ending } = member.functions();
        let [entry, body, ending] = [entry, body, ending].map(AnyFn::from_words);
        Ok(Code { entry: entry?, body: body?, ending: ending? })
    }

    /// Runs the member of this name; `false` if it does not return.
    pub(crate) fn run(self, name: MemberName) -> bool {
        self.entry.get::<Entry>().is_ok_and(|entry| entry((name, self)))
    }
}
