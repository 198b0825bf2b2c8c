//! Where work is given, and what is known of work that was given.
//!
//! Knows nothing of who does it. Each chunk has a channel of its own for its answer.

use super::failure::{TaskError, TaskFailure};
use super::retry::Errand;
use super::work::{Answer, Begin, Chunk, Deed, Done, Head, InOrder, Work};
use crate::channel::{Buffer, Channel, ChannelError, Message, MessageError, Patience, Reader, Writer, encode};
use crate::engine::Direction;
use std::iter::Peekable;
use std::ops::Range;
use std::panic::Location;
use std::vec::IntoIter;

/// Where work is given to the workers of a pool.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) work: Writer<Chunk>,
    pub(super) workers: usize,
    /// No worker does more tasks than this.
    pub(super) limit: Option<usize>,
    /// So often is work tried again whose worker has died.
    pub(super) retries: u32,
}

impl Desk {
    /// Gives work, for which there is one answer. If that fails, the arguments come back.
    ///
    /// With `begin`, whoever takes the message out of there decides whether it begins, and then it is done whether or
    /// not somebody waits for the answer; without, it need not be done if nobody waits.
    #[track_caller]
    pub(super) fn give<A: Message, R: Message>(
        &self,
        deed: &Deed,
        arguments: Vec<A>,
        begin: Option<Reader<()>>,
    ) -> Result<Reader<Answer<R>>, (TaskFailure, Vec<A>)> {
        // One answer, so that it waits for nobody.
        let channel = match Channel::builder().buffer(Buffer::Fifo(1)).build() {
            Ok(channel) => channel,
            Err(error) => return Err((TaskFailure::Invalid(error), arguments)),
        };
        let answer = channel.reader();
        let (begins, begin) = match begin {
            None => (Begin::IfWanted, None),
            Some(begin) if self.retries == 0 => (Begin::Permitted(begin), None),
            Some(begin) => (Begin::Surely, Some(begin)),
        };
        let work = Work::new(Head::new(deed, channel.writer(), begins), deed, arguments);
        let message = if self.retries == 0 {
            work.pack().map_err(ChannelError::from)
        } else {
            // The keeper has a writing end, too, and goes on.
            answer.end().bear_crashes_of(Direction::Writer);
            Errand::pack(deed, &work, channel.writer(), begin)
        };
        let given = message.and_then(|message| self.work.write_packet(message, Patience::ForEver, Location::caller()));
        match given {
            Ok(()) => Ok(answer),
            Err(ChannelError::Invalid(error)) => Err((TaskFailure::Invalid(error.about::<A>()), work.into_arguments())),
            Err(error) => Err((TaskFailure::of_channel(error), work.into_arguments())),
        }
    }

    /// Gives a chunk of a job. What cannot be given is refused at once, each task for itself.
    #[track_caller]
    pub(super) fn give_chunk<A: Message, R: Message>(&self, deed: &Deed, first: usize, arguments: Vec<A>) -> Open<R> {
        let count = arguments.len();
        let (error, arguments) = match self.give(deed, arguments, None) {
            Ok(answer) => return Open { answer: Some(answer), first, count, refused: Vec::new() },
            Err(failed) => failed,
        };
        let mut refused = Vec::new();
        let mut sound = Vec::new();
        for (place, argument) in arguments.into_iter().enumerate() {
            match (&error, encode(&argument)) {
                (TaskFailure::Invalid(MessageError::Encode { .. }), Ok(_)) => sound.push((place, argument)),
                (_, Err(own)) => refused.push((place, TaskFailure::Invalid(own))),
                (_, Ok(_)) => refused.push((place, error.clone())),
            }
        }
        let mut answer = None;
        if !sound.is_empty() {
            let (places, arguments): (Vec<usize>, _) = sound.into_iter().unzip();
            match self.give(deed, arguments, None) {
                Ok(given) => answer = Some(given),
                Err((error, _)) => refused.extend(places.into_iter().map(|place| (place, error.clone()))),
            }
        }
        refused.sort_unstable_by_key(|(place, _)| *place);
        Open { answer, first, count, refused }
    }
}

/// A chunk that was given.
#[derive(Debug)]
pub(super) struct Open<R> {
    /// Where the answer comes; `None` if none of it could be given.
    pub(super) answer: Option<Reader<Answer<R>>>,
    /// The place of its first task among all.
    first: usize,
    count: usize,
    /// The tasks that could not be given, by their places in the chunk.
    refused: Vec<(usize, TaskFailure)>,
}

impl<R: Message> Open<R> {
    /// One of which nothing can be done.
    pub(super) fn refused(first: usize, count: usize, failure: &TaskFailure) -> Open<R> {
        Open { answer: None, first, count, refused: (0..count).map(|place| (place, failure.clone())).collect() }
    }

    /// Whether nobody has to wait for its answer.
    pub(super) fn is_answered(&self) -> bool {
        self.answer.as_ref().is_none_or(|answer| !answer.is_empty() || !answer.is_open())
    }

    /// Waits for its answer.
    pub(super) fn wait(&self, location: &'static Location<'static>) -> Came<R> {
        self.answer.as_ref().map(|answer| answer.read_at(location).map_err(TaskFailure::of_channel))
    }

    /// What became of each task, with its place among all.
    pub(super) fn settle(self, came: Came<R>) -> Settling<R> {
        let (done, otherwise) = match came {
            Some(Ok(Answer::Done(done))) => (done, TaskFailure::Cancelled),
            Some(Ok(Answer::Refused(failure))) => (Done::nothing(), failure),
            Some(Err(failure)) => (Done::nothing(), failure),
            None => (Done::nothing(), TaskFailure::Cancelled),
        };
        let Open { first, count, refused, .. } = self;
        Settling { first, places: 0..count, refused: refused.into_iter().peekable(), done: done.into_iter(), otherwise }
    }
}

/// The tasks of a chunk whose answer has come, one after the other.
pub(super) struct Settling<R> {
    first: usize,
    places: Range<usize>,
    refused: Peekable<IntoIter<(usize, TaskFailure)>>,
    done: InOrder<R>,
    /// What became of those that the answer does not tell of.
    otherwise: TaskFailure,
}

impl<R> Settling<R> {
    /// How many are left.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds all results, if none has failed.
    pub(super) fn append_to(self, all: &mut Vec<R>) -> Result<(), TaskError> {
        if self.done.succeeded() == self.places.len() {
            all.extend(self.done.into_results());
            return Ok(());
        }
        for (_, result) in self {
            all.push(result?);
        }
        Ok(())
    }
}

impl<R> Iterator for Settling<R> {
    type Item = Settled<R>;

    fn next(&mut self) -> Option<Settled<R>> {
        let place = self.places.next()?;
        let index = self.first + place;
        let result = match self.refused.next_if(|(refused, _)| *refused == place) {
            Some((_, failure)) => Err(failure),
            None => self.done.next().unwrap_or_else(|| Err(self.otherwise.clone())),
        };
        Some((index, result.map_err(|failure| TaskError { index: Some(index), failure })))
    }
}

/// An answer, if one was to come.
pub(super) type Came<R> = Option<Result<Answer<R>, TaskFailure>>;

/// What became of a task, with its place among all.
pub(super) type Settled<R> = (usize, Result<R, TaskError>);
