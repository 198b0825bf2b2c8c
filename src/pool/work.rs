//! What travels: a chunk of work to a worker, and its answer back.
//!
//! Knows nothing of pools. A chunk is one message: which function does it, the channel of its answer, and the
//! arguments. Whoever does not know their types reads as much of it as has none.
//!
//! **Nobody has to search for the tasks of the dead.** The one writing end of the answer's channel lies in the message:
//! it is held by whoever has the message, and goes with it. A worker that dies loses the channel, at whichever
//! instruction, and whoever reads there is told of it. A message that is dropped retires it.

use super::failure::TaskFailure;
use super::state::Bench;
use crate::channel::{Message, MessageError, Patience, Reader, Ticket, Words, Writer, decode, encode, told, words};
use crate::engine::Packet;
use crate::forkserver::told_by;
use crate::sys::image::{ChangesWith, Signature, Takes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::iter::Peekable;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::vec::IntoIter;

/// The messages of a pool's channel, whatever they hold.
pub(super) enum Chunk {}

/// Does what a message says, and says how many tasks it has begun.
type Perform<S> = ChangesWith<Bench<S>, Packet, usize>;

/// What is done with each argument of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    perform: Words,
    function: Words,
    pub(super) reopen: Words,
}

impl Deed {
    /// Calls `function`.
    pub(super) fn call<S, A: Message, R: Message>(function: fn(A) -> R) -> Result<Deed, MessageError> {
        Deed::of::<S, A, R, Takes<A, R>>(function, call::<S, A, R>)
    }

    /// Calls `function` with the state of the worker.
    pub(super) fn call_with<S, A: Message, R: Message>(function: fn(&mut S, A) -> R) -> Result<Deed, MessageError> {
        Deed::of::<S, A, R, ChangesWith<S, A, R>>(function, call_with::<S, A, R>)
    }

    fn of<S, A: Message, R: Message, F: Signature>(
        function: F::Function,
        perform: fn(&mut Bench<S>, Packet) -> usize,
    ) -> Result<Deed, MessageError> {
        let reopen = words::<Reopen<'_>>(reopen::<A, R>)?;
        Ok(Deed { perform: words::<Perform<S>>(perform)?, function: words::<F>(function)?, reopen })
    }
}

/// What everybody can read of a message.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Head<R> {
    perform: Words,
    answer: Writer<Answer<R>>,
    begin: Begin<Reader<()>>,
}

/// Whether work begins.
#[derive(Serialize, Deserialize)]
pub(super) enum Begin<E> {
    /// If somebody waits for the answer.
    IfWanted,
    /// Whoever takes the message out of here decides. Then it is done even if nobody waits for the answer.
    Permitted(E),
    /// That was decided before.
    Surely,
}

impl<R> Head<R> {
    pub(super) fn new(deed: &Deed, answer: Writer<Answer<R>>, begin: Begin<Reader<()>>) -> Head<R> {
        Head { perform: deed.perform, answer, begin }
    }

    /// That of a message. To be asked once: its ends come with it.
    fn of(message: &Packet) -> Option<Head<R>> {
        decode(message).ok().map(|(head, _)| head)
    }

    /// Whether it begins. To be asked once, by whoever then does it.
    fn begins(&self) -> bool {
        match &self.begin {
            Begin::IfWanted => self.answer.is_open(),
            Begin::Permitted(begin) => begin.try_read().is_ok(),
            Begin::Surely => true,
        }
    }
}

/// A chunk of work, as it is written.
#[derive(Serialize)]
#[serde(bound(serialize = "A: Serialize"))]
pub(super) struct Work<A, R> {
    head: Head<R>,
    function: Words,
    arguments: Vec<A>,
}

/// The same for whoever has read the head already: whatever the arguments' `Deserialize` does, the answer can be given.
#[derive(Deserialize)]
#[serde(bound(deserialize = "A: DeserializeOwned"))]
struct Body<A> {
    _head: (Words, Ticket, Begin<Ticket>),
    function: Words,
    arguments: Vec<A>,
}

impl<A: Message, R> Work<A, R> {
    pub(super) fn new(head: Head<R>, deed: &Deed, arguments: Vec<A>) -> Work<A, R> {
        Work { head, function: deed.function, arguments }
    }

    pub(super) fn pack(&self) -> Result<Packet, MessageError> {
        encode(self)
    }

    pub(super) fn into_arguments(self) -> Vec<A> {
        self.arguments
    }
}

/// Work whose types nobody knows, as messages of it are made.
pub(super) trait Again {
    fn message(&self) -> Result<Packet, TaskFailure>;
}

impl<A: Message, R> Again for Work<A, R> {
    fn message(&self) -> Result<Packet, TaskFailure> {
        try_encode(self)
    }
}

/// Takes work out of its message.
pub(super) type Reopen<'w> = Takes<Packet, Reopened<'w>>;
pub(super) type Reopened<'w> = Result<Box<dyn Again + 'w>, TaskFailure>;

fn reopen<'w, A: Message + 'w, R: Message + 'w>(message: Packet) -> Reopened<'w> {
    let (head, _) = decode::<Head<R>>(&message).map_err(TaskFailure::Invalid)?;
    let Body { function, arguments, .. } = try_decode::<A>(&message)?;
    Ok(Box::new(Work { head, function, arguments }))
}

/// What became of a chunk.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: DeserializeOwned"))]
pub(super) enum Answer<R> {
    /// The same for each of its tasks. It comes first, so that whoever does not know the type can say it.
    Refused(TaskFailure),
    Done(Done<R>),
}

/// What became of the tasks of a chunk that were begun, in the order in which they were given.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: DeserializeOwned"))]
pub(super) struct Done<R> {
    /// Of those that have one.
    results: Vec<R>,
    /// Those that have none, by their places among all.
    failed: Vec<(usize, TaskFailure)>,
}

impl<R> Done<R> {
    fn with_capacity(tasks: usize) -> Done<R> {
        Done { results: Vec::with_capacity(tasks), failed: Vec::new() }
    }

    pub(super) fn nothing() -> Done<R> {
        Done::with_capacity(0)
    }

    fn len(&self) -> usize {
        self.results.len() + self.failed.len()
    }

    fn push(&mut self, result: Result<R, TaskFailure>) {
        match result {
            Ok(result) => self.results.push(result),
            Err(failure) => self.failed.push((self.len(), failure)),
        }
    }
}

impl<R> IntoIterator for Done<R> {
    type Item = Result<R, TaskFailure>;
    type IntoIter = InOrder<R>;

    fn into_iter(self) -> InOrder<R> {
        InOrder { place: 0, results: self.results.into_iter(), failed: self.failed.into_iter().peekable() }
    }
}

/// What became of the tasks, one after the other.
pub(super) struct InOrder<R> {
    place: usize,
    results: IntoIter<R>,
    failed: Peekable<IntoIter<(usize, TaskFailure)>>,
}

impl<R> InOrder<R> {
    /// How many have a result.
    pub(super) fn succeeded(&self) -> usize {
        self.results.len()
    }

    /// The results alone.
    pub(super) fn into_results(self) -> IntoIter<R> {
        self.results
    }
}

impl<R> Iterator for InOrder<R> {
    type Item = Result<R, TaskFailure>;

    fn next(&mut self) -> Option<Result<R, TaskFailure>> {
        let failed = self.failed.next_if(|(place, _)| *place == self.place);
        self.place += 1;
        match failed {
            Some((_, failure)) => Some(Err(failure)),
            None => self.results.next().map(Ok),
        }
    }
}

/// Does the work in a message, on the bench of a worker. Gives the number of tasks that were begun.
pub(super) fn perform<S>(bench: &mut Bench<S>, message: Packet) -> usize {
    match decode::<Words>(&message) {
        Ok((words, _)) => told::<Perform<S>>(words)(bench, message),
        Err(error) => unreachable!("a message of a pool begins with a function: {error}"),
    }
}

/// Answers a message without doing its work.
pub(super) fn refuse(message: &Packet, failure: TaskFailure) {
    if let Some(head) = Head::<()>::of(message).filter(Head::begins) {
        reply(&head.answer, &Answer::Refused(failure));
    }
}

fn call<S, A: Message, R: Message>(bench: &mut Bench<S>, message: Packet) -> usize {
    let find = |words| {
        let call = told::<Takes<A, R>>(words);
        move |_: &mut Bench<S>, argument| call(argument)
    };
    run(bench, message, find, |_| ())
}

fn call_with<S, A: Message, R: Message>(bench: &mut Bench<S>, message: Packet) -> usize {
    let find = |words| {
        let call = told::<ChangesWith<S, A, R>>(words);
        move |bench: &mut Bench<S>, argument| call(bench.state(), argument)
    };
    run(bench, message, find, Bench::clear)
}

fn run<S, A: Message, R: Message, F: Fn(&mut Bench<S>, A) -> R>(
    bench: &mut Bench<S>,
    message: Packet,
    find: impl FnOnce(Words) -> F,
    after_panic: fn(&mut Bench<S>),
) -> usize {
    let Some(head) = Head::of(&message).filter(Head::begins) else { return 0 };
    let Body { function, arguments, .. } = match try_decode(&message) {
        Ok(body) => body,
        Err(failure) => {
            bench.finish();
            reply(&head.answer, &Answer::<R>::Refused(failure));
            return 0;
        }
    };
    drop(message);
    let call = find(function);
    let mut done = Done::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    // One look at a flag for each task: a writing end is here, so the channel is there.
    let answer = head.answer.end().channel().facts();
    let is_wanted = || !matches!(head.begin, Begin::IfWanted) || answer.fate().is_none();
    while arguments.len() > 0 && (done.len() == 0 || is_wanted()) {
        let until_a_panic = AssertUnwindSafe(|| {
            for argument in arguments.by_ref() {
                done.results.push(call(bench, argument));
                if !is_wanted() {
                    break;
                }
            }
        });
        if let Err(payload) = catch_unwind(until_a_panic) {
            after_panic(bench);
            done.push(Err(panicked(&*payload)));
        }
    }
    let begun = done.len();
    bench.finish();
    hand_over(&head.answer, done);
    begun
}

fn panicked(payload: &(dyn Any + Send)) -> TaskFailure {
    let (message, location) = told_by(payload);
    TaskFailure::Panicked { message, location }
}

/// Answers with results. One that cannot be serialized is the failure of its own task.
fn hand_over<R: Message>(to: &Writer<Answer<R>>, done: Done<R>) {
    let whole = Answer::Done(done);
    let Err(failure) = try_reply(to, &whole) else { return };
    let Answer::Done(done) = whole else { return };
    let mut checked = Done::with_capacity(done.len());
    for result in done {
        checked.push(result.and_then(|result| try_encode(&result).map(|_| result)));
    }
    if try_reply(to, &Answer::Done(checked)).is_err() {
        reply(to, &Answer::<R>::Refused(failure));
    }
}

/// Answers with what can always be serialized. If even for that there is no room, the worker ends, so that nobody waits
/// for ever.
fn reply<R: Message>(to: &Writer<Answer<R>>, answer: &Answer<R>) {
    if let Err(failure) = try_reply(to, answer) {
        std::panic::panic_any(format!("the answer of a task cannot be handed over: it {failure}"));
    }
}

/// `Err` if there is no message of it. That nobody waits for it any more is no error.
pub(super) fn try_reply<R: Message>(to: &Writer<Answer<R>>, answer: &Answer<R>) -> Result<(), TaskFailure> {
    let message = try_encode(answer)?;
    // There is room for one answer, and there is one.
    let _ = to.write_packet(message, Patience::Not, Location::caller());
    Ok(())
}

fn try_decode<A: Message>(message: &Packet) -> Result<Body<A>, TaskFailure> {
    match catch_unwind(AssertUnwindSafe(|| decode(message))) {
        Ok(decoded) => decoded.map(|(body, _)| body).map_err(|error| TaskFailure::Invalid(error.about::<A>())),
        Err(payload) => Err(panicked(&*payload)),
    }
}

fn try_encode<T: Serialize>(value: &T) -> Result<Packet, TaskFailure> {
    match catch_unwind(AssertUnwindSafe(|| encode(value))) {
        Ok(encoded) => encoded.map_err(TaskFailure::Invalid),
        Err(payload) => Err(panicked(&*payload)),
    }
}
