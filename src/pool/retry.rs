//! Tasks that are tried again: what the keeper has of each, and the tray by which it gives them to one worker.
//!
//! Knows nothing of how workers live. Where tasks are tried again, workers do not share one channel: each has a tray of
//! its own, with one message in it at most. So it is no guess who has what. A message that its worker has not taken is
//! taken back out of the tray, and one that it has taken went with it.
//!
//! **A message goes with whoever has it**, so the keeper takes the work apart when it is begun, keeps it, and makes a
//! message of it for each try. It does so by a function that was told where the types were known.

use super::failure::TaskFailure;
use super::work::{Again, Answer, Chunk, Deed, Reopen, Reopened, Work, try_reply};
use crate::channel::{
    Buffer, Channel, ChannelError, Message, MessageError, Patience, Reader, Words, Writer, encode, told,
};
use crate::engine::Packet;
use crate::process::Failure;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

/// Work that is tried several times, as it goes to the keeper.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Errand<R> {
    reopen: Words,
    answer: Writer<Answer<R>>,
    /// Whoever takes the message out of here decides whether it begins.
    begin: Option<Reader<()>>,
    /// One message: the keeper knows what it is about before it opens it.
    work: Reader<Chunk>,
}

impl<R> Errand<R> {
    /// A message for the keeper: work, and the channel of its answer.
    pub(super) fn pack<A: Message>(
        deed: &Deed,
        work: &Work<A, R>,
        answer: Writer<Answer<R>>,
        begin: Option<Reader<()>>,
    ) -> Result<Packet, ChannelError> {
        let channel = Channel::builder().buffer(Buffer::Fifo(1)).build()?;
        channel.writer().write_packet(work.pack()?, Patience::ForEver, Location::caller())?;
        Ok(encode(&Errand { reopen: deed.reopen, answer, begin, work: channel.reader() })?)
    }

    /// Whether it begins. To be asked once.
    fn begins(&self) -> bool {
        match &self.begin {
            Some(begin) => begin.try_read().is_ok(),
            None => self.answer.is_open(),
        }
    }

    /// Whether nobody has to do it any more.
    fn is_done(&self) -> bool {
        !self.answer.is_empty() || self.begin.is_none() && !self.answer.is_open()
    }

    /// The work itself. To be asked once.
    fn open(&self) -> Reopened<'static> {
        let message = self.work.read_packet(Patience::Not, Location::caller());
        told::<Reopen<'static>>(self.reopen)(message.map_err(TaskFailure::of_channel)?)
    }
}

/// What the keeper has of work that is tried several times.
pub(super) struct Attempt {
    errand: Errand<()>,
    /// The work itself, once it has begun.
    begun: Option<Box<dyn Again>>,
    /// How many workers have died with it.
    tries: u32,
    /// What the last of them died of, or why there was none.
    lost: Option<TaskFailure>,
}

impl Attempt {
    fn new(errand: Errand<()>) -> Attempt {
        Attempt { errand, begun: None, tries: 0, lost: None }
    }

    /// The message for the next worker; `None` if it is not to be done, or cannot.
    fn message(&mut self) -> Option<Packet> {
        if self.begun.is_none() {
            if !self.errand.begins() {
                return None;
            }
            match self.errand.open() {
                Ok(begun) => self.begun = Some(begun),
                Err(failure) => self.lost = Some(failure),
            }
        }
        match self.begun.as_ref()?.message() {
            Ok(message) => Some(message),
            Err(failure) => {
                self.lost = Some(failure);
                None
            }
        }
    }

    /// Answers with what its last worker died of.
    fn give_up(mut self) {
        if let Some(failure) = self.lost.take() {
            // Without room for the reason, whoever waits is told by the end of the channel.
            let _ = try_reply(&self.errand.answer, &Answer::Refused(failure));
        }
    }

    /// The same; if nobody has begun it, it is answered with this.
    fn refuse(mut self, failure: &TaskFailure) {
        if self.lost.is_none() && (self.begun.is_some() || self.errand.begins()) {
            self.lost = Some(failure.clone());
        }
        self.give_up();
    }
}

impl Drop for Attempt {
    /// A panic of the arguments' `Drop` is nobody's but theirs.
    fn drop(&mut self) {
        let begun = self.begun.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(begun)));
    }
}

/// By which the keeper deals with one worker.
pub(super) struct Tray {
    /// `None` when nothing more is given.
    to: Option<Writer<Chunk>>,
    back: Reader<Chunk>,
    /// Where its worker says that it has answered what it had.
    pub(super) free: Reader<()>,
    has: Option<Attempt>,
    /// So that the channel does not end before its worker has.
    _free: Writer<()>,
}

impl Tray {
    /// With the ends of its worker: where work comes, and where it says that it has answered.
    pub(super) fn new() -> Result<(Tray, Reader<Chunk>, Writer<()>), MessageError> {
        let work = Channel::builder().buffer(Buffer::Fifo(1)).build()?;
        let said = Channel::builder().buffer(Buffer::Fifo(1)).build()?;
        let tray =
            Tray { to: Some(work.writer()), back: work.reader(), free: said.reader(), has: None, _free: said.writer() };
        // Whoever waits for work, or for a word of a worker, is at rest when everybody else is.
        tray.back.end().is_served();
        tray.free.end().is_served();
        tray.back.end().bear_crashes();
        tray.free.end().bear_crashes();
        Ok((tray, work.reader(), said.writer()))
    }

    /// Whether its worker waits for work.
    pub(super) fn is_free(&self) -> bool {
        self.has.is_none() && self.to.is_some()
    }

    /// Whether its worker has work.
    pub(super) fn is_full(&self) -> bool {
        self.has.is_some()
    }

    /// Gives work, if it is to be done and can be.
    fn put(&mut self, mut attempt: Attempt) {
        let Some(to) = &self.to else { return };
        let Some(message) = attempt.message() else { return attempt.give_up() };
        // It is free, so there is room.
        if to.write_packet(message, Patience::Not, Location::caller()).is_ok() {
            self.has = Some(attempt);
        }
    }

    /// Nothing more is given: its worker ends.
    pub(super) fn close(&mut self) {
        self.to = None;
    }

    /// Its worker has answered what it had.
    pub(super) fn clear(&mut self) {
        self.has = None;
    }
}

/// The work of a pool that is tried again.
pub(super) struct Retrying {
    /// How often, at most, after the first time.
    times: u32,
    pub(super) errands: Reader<Errand<()>>,
    /// What has come and nobody has.
    waiting: VecDeque<Attempt>,
    /// Nothing more comes.
    over: bool,
    /// Nothing more is begun.
    cancelled: bool,
}

impl Retrying {
    /// Work comes out of the channel of the pool.
    pub(super) fn new(times: u32, work: Reader<Chunk>) -> Retrying {
        Retrying {
            times,
            errands: Reader::new(work.into_end()),
            waiting: VecDeque::new(),
            over: false,
            cancelled: false,
        }
    }

    /// Whether more work would be welcome, and may come.
    pub(super) fn listens(&self) -> bool {
        self.waiting.is_empty() && !self.over
    }

    /// How much has come and nobody has.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Something has come, or the end.
    pub(super) fn came(&mut self, came: Result<Errand<()>, TaskFailure>) {
        match came {
            Ok(errand) => self.waiting.push_back(Attempt::new(errand)),
            // One that cannot be read has told so by the end of its channel.
            Err(TaskFailure::Invalid(_)) => (),
            Err(_) => self.over = true,
        }
    }

    /// Gives each of these, if it is free, what is next; without anything to come, it is closed.
    pub(super) fn hand_out<'a>(&mut self, trays: impl Iterator<Item = &'a mut Tray>) {
        for tray in trays {
            while tray.is_free() {
                match self.next() {
                    Some(attempt) => tray.put(attempt),
                    None if self.over => tray.close(),
                    None => break,
                }
            }
        }
    }

    fn next(&mut self) -> Option<Attempt> {
        if self.listens() {
            match self.errands.try_read() {
                Err(ChannelError::WouldBlock) => (),
                came => self.came(came.map_err(TaskFailure::of_channel)),
            }
        }
        self.waiting.pop_front()
    }

    /// The worker of a tray has ended, and has failed if so: what it had and has not done is tried again, as long as
    /// more is done.
    pub(super) fn take_back(&mut self, tray: Tray, failure: Option<&Failure>) {
        let Tray { has: Some(mut attempt), back, free, .. } = tray else { return };
        if free.try_read().is_ok() {
            return;
        }
        // What it has not taken is no try, and who ends well has done it.
        if back.read_packet(Patience::Not, Location::caller()).is_err() {
            let Some(failure) = failure else { return };
            attempt.tries += 1;
            attempt.lost = Some(TaskFailure::of_worker(failure, attempt.tries));
        }
        if attempt.errand.is_done() {
            return;
        }
        if self.cancelled || attempt.tries > self.times {
            attempt.give_up();
        } else {
            self.waiting.push_front(attempt);
        }
    }

    /// Nothing more is begun. What was begun is answered with its loss; of what was not, nothing is said.
    pub(super) fn cancel(&mut self) {
        (self.over, self.cancelled) = (true, true);
        self.waiting.drain(..).for_each(Attempt::give_up);
    }

    /// Nothing is done any more: until the end, whatever comes is answered with its own loss, or else with this.
    pub(super) fn refuse_all(mut self, failure: &TaskFailure) {
        loop {
            self.waiting.drain(..).for_each(|attempt| attempt.refuse(failure));
            if self.over {
                return;
            }
            let came = self.errands.read().map_err(TaskFailure::of_channel);
            self.came(came);
        }
    }
}
