//! The conductor: goes through the script of a simulated run, and has a driven network do the same.
//!
//! Knows nothing of what the network is for. At each step it waits until those who have been told something stand still
//! again, and compares where they stand with what the script says. The first difference ends the run: from there on
//! nobody could say what is to come.

use super::super::live::{Baton, Said, Stand, Told};
use super::super::sim::{Answer, Choice, Ended, Kind, Note, Record};
use super::super::{Actor, ArenaError, Direction, MemberName, Packet, Phase, actor, host, tables, with_local};
use super::side::drive_main;
use crate::memory::{Block, NONE};
use crate::sys::atomic::Ordering;
use crate::sys::clock::{Deadline, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Whoever goes on stands still again within this time, or is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whoever has been answered says so within this time.
const WAKES: Duration = Duration::from_secs(10);

/// A deadlock is found within this time, unless others who run in the program could still act, as far as anybody knows.
const FOUND: Duration = Duration::from_secs(3);

/// So many more processes than the script says may be started, by those that go on without it.
const MORE: usize = 64;

/// So often it is looked whether somebody still lives who does not stand still.
const GLANCE: Duration = Duration::from_millis(200);

/// Where the network did something else than the script says.
#[derive(Clone, Debug)]
pub(crate) struct Parting {
    /// So many events of the script were the same.
    pub(crate) after: usize,
    /// What happened instead, in words.
    pub(crate) what: String,
    /// It cannot be done outside of the simulation, and nothing is wrong.
    pub(crate) is_refused: bool,
}

/// Kills a process of the operating system.
pub(crate) type Killer = fn(MemberName);

/// Goes through a script.
pub(crate) struct Conductor {
    baton: Baton,
    record: Arc<Record>,
    /// It has let go of the network.
    is_done: bool,
    kill: Killer,
    /// What is to come of the offer of a task, by its number.
    answers: BTreeMap<u32, Answer>,
    dead: BTreeSet<u32>,
    panicking: BTreeSet<u32>,
    /// So many events have been seen to be the same.
    after: usize,
}

impl fmt::Debug for Conductor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conductor").field("after", &self.after).finish_non_exhaustive()
    }
}

impl Conductor {
    /// One for the script of this record. The calling thread is the main process of the network, with this name, until
    /// [`Actor::end_if_driven`]; it keeps the baton.
    ///
    /// # Errors
    /// The arena has no room for the baton.
    pub(crate) fn new(record: Arc<Record>, main: MemberName, kill: Killer) -> Result<(Conductor, Kept), ArenaError> {
        let owner = with_local(|local| local.claimant())?;
        let baton = Baton::new(tables(), record.processes.len() + MORE, record.channels.len(), owner)?;
        actor(|actor| actor.be_driven(drive_main(baton, main)));
        let (answers, dead, panicking) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let conductor = Conductor { baton, record, is_done: false, kill, answers, dead, panicking, after: 0 };
        Ok((conductor, Kept(baton)))
    }

    /// Goes through the script, and lets go of the network: it has come to its end, or what is left of it goes on by
    /// itself, or is brought to an end.
    ///
    /// # Errors
    /// The network did something else.
    pub(crate) fn play(mut self, ended: Ended) -> Result<(), Parting> {
        let record = self.record.clone();
        let played = self.play_script(&record).and_then(|()| self.see_who_is_left(&record, ended));
        self.is_done = played.is_ok() && matches!(ended, Ended::Stuck | Ended::Completed) && self.everybody_goes();
        played
    }

    fn play_script(&mut self, record: &Record) -> Result<(), Parting> {
        let script = record.script.as_deref().unwrap_or_default();
        for (place, note) in script.iter().enumerate() {
            match note {
                Note::Decided { choice, before, elapsed, coming } => {
                    self.after = *before;
                    let rest = &script[place + 1..];
                    let mut coming = coming.clone();
                    if choice.kind == Kind::Time {
                        // Whoever is answered first has come first, for it has waited longest.
                        coming
                            .sort_by_key(|task| rest.iter().position(|note| note.answers(*task)).unwrap_or(rest.len()));
                    }
                    self.decide(record, *choice, &coming, rest)?;
                    self.baton.set_elapsed(*elapsed);
                }
                Note::Answered(task, answer) => drop(self.answers.insert(*task, answer.clone())),
                Note::Resumed(task) => self.resume(record, *task)?,
                Note::Killed(task) => self.bury(record, *task)?,
                Note::Panics(task) => drop(self.panicking.insert(*task)),
            }
        }
        self.after = record.happenings.len();
        match self.baton.tasks() as usize {
            more if more > record.processes.len() => self.parted("one more process was started".into()),
            _ => Ok(()),
        }
    }

    fn parted<R>(&self, what: String) -> Result<R, Parting> {
        Err(Parting { after: self.after, what, is_refused: false })
    }

    fn refused<R>(&self, what: String) -> Result<R, Parting> {
        Err(Parting { after: self.after, what, is_refused: true })
    }

    fn stand(&self, record: &Record, task: u32) -> Result<&'static Stand, Parting> {
        match self.baton.stand(task) {
            Some(stand) => Ok(stand),
            None => self.parted(format!("there is no {}", name_of(record, task))),
        }
    }

    fn tell(&self, stand: &Stand, told: Told, argument: u32) {
        stand.tell(self.baton.tables(), told, argument);
    }

    fn decide(&mut self, record: &Record, choice: Choice, coming: &[u32], rest: &[Note]) -> Result<(), Parting> {
        match choice.kind {
            Kind::Timer if coming.is_empty() => {
                let stand = self.stand(record, choice.who)?;
                self.tell(stand, Told::Withdraw, 0);
                Ok(())
            }
            Kind::Effect if self.dead.contains(&choice.who) => Ok(()),
            Kind::Effect => self.settle(record, choice.who),
            Kind::Poison => match self.baton.channel(choice.channel) {
                Some(channel) => {
                    let _ = with_local(|local| local.poison(channel, Direction::Writer));
                    Ok(())
                }
                None => self.parted("a channel was not made".into()),
            },
            Kind::Lose => {
                let stand = self.stand(record, choice.who)?;
                let guard = rest.iter().find_map(|note| note.answer_of(choice.who)).map_or(0, |answer| answer.guard);
                self.tell(stand, Told::Answer, guard as u32);
                Ok(())
            }
            Kind::Double | Kind::Hold | Kind::Arrive => self.refused(
                "a channel that doubles messages, or has them overtake each other, is there in the simulation only"
                    .into(),
            ),
            _ => coming.iter().try_for_each(|task| self.come(record, *task, rest)),
        }
    }

    /// A task makes its offer.
    fn come(&self, record: &Record, task: u32, rest: &[Note]) -> Result<(), Parting> {
        let (stand, name) = (self.stand(record, task)?, name_of(record, task));
        let said = self.hear(record, task, stand, WAKES)?;
        if said != Said::Offers {
            return self.parted(format!("{name} {}, and was to offer something", words_for(said)));
        }
        if stand.effects.load(Ordering::Relaxed) > 0 {
            return self.parted(format!("{name} has closed or poisoned something more"));
        }
        let next = rest.iter().find_map(|note| note.answer_of(task));
        self.tell(stand, Told::Come, next.map_or(0, |answer| answer.guard as u32));
        match self.hear(record, task, stand, PATIENCE)? {
            Said::Waits => Ok(()),
            Said::Fired if is_answered_now(rest, task) => Ok(()),
            Said::Fired => self.parted(format!(
                "{name} did not wait: guard {} has fired at once",
                stand.fired.load(Ordering::Relaxed)
            )),
            said => self.parted(format!("{name} {}, when it was to make an offer", words_for(said))),
        }
    }

    /// The next thing that a task has done takes effect.
    fn settle(&self, record: &Record, task: u32) -> Result<(), Parting> {
        let (stand, name) = (self.stand(record, task)?, name_of(record, task));
        let said = self.hear(record, task, stand, WAKES)?;
        if !matches!(said, Said::Offers | Said::Ends) || stand.effects.load(Ordering::Relaxed) == 0 {
            return self.parted(format!("{name} {}, and has nothing left to close or to poison", words_for(said)));
        }
        let is_last = said == Said::Ends && stand.effects.load(Ordering::Relaxed) == 1;
        self.tell(stand, Told::Settle, 0);
        self.hear(record, task, stand, PATIENCE)?;
        if is_last && is_process_of_its_own(stand.member()) {
            return self.wait_until_buried(record, task);
        }
        Ok(())
    }

    /// A task goes on, until it stands still again.
    fn resume(&mut self, record: &Record, task: u32) -> Result<(), Parting> {
        if self.dead.contains(&task) {
            return Ok(());
        }
        let (stand, name) = (self.stand(record, task)?, name_of(record, task));
        if self.panicking.remove(&task) {
            if stand.is_held(self.baton.tables()) {
                return self.refused(format!("{name} waits until its message is done with, and cannot panic there"));
            }
            self.tell(stand, Told::Panic, 0);
        } else if let Some(answer) = self.answers.remove(&task) {
            let said = self.hear_of_its_answer(record, task, stand)?;
            if said != Said::Fired {
                return self.parted(format!("{name} {}, although its offer was answered", words_for(said)));
            }
            self.compare(record, &name, stand, &answer)?;
            self.tell(stand, Told::GoOn, 0);
        } else {
            let said = self.hear(record, task, stand, PATIENCE)?;
            if said != Said::Begins {
                return self.parted(format!("{name} {}, and was to begin", words_for(said)));
            }
            self.tell(stand, Told::GoOn, 0);
        }
        let said = self.hear(record, task, stand, PATIENCE)?;
        if matches!(said, Said::Offers | Said::Ends | Said::Over) {
            return Ok(());
        }
        self.parted(format!("{name} {}, and was to go on", words_for(said)))
    }

    /// Compares what an offer has come to with what it was to come to.
    fn compare(&self, record: &Record, name: &str, stand: &Stand, answer: &Answer) -> Result<(), Parting> {
        let guard = stand.fired.load(Ordering::Relaxed) as usize;
        if guard != answer.guard {
            return self.parted(format!("guard {guard} of {name} has fired, and not guard {}", answer.guard));
        }
        let (fate, wanted) = (stand.fate(), answer.fate.map_or(0, super::super::Fate::number));
        if fate != wanted {
            let [fate, wanted] = [fate, wanted].map(words_for_fate);
            return self.parted(format!("{name} was told that its channel is {fate}, and not {wanted}"));
        }
        if let Some(range) = &answer.message
            && let Some(message) = bytes_of(stand.block.load(Ordering::Relaxed))
            && message != record.bytes[range.clone()]
        {
            return self.parted(format!("{name} has read another message"));
        }
        Ok(())
    }

    /// Waits until somebody stands still.
    fn hear(&self, record: &Record, task: u32, stand: &'static Stand, patience: Duration) -> Result<Said, Parting> {
        let deadline = Deadline::at(Instant::now() + patience);
        loop {
            let said = stand.hear(GLANCE);
            if !matches!(said, Said::Runs | Said::Absent) {
                return Ok(said);
            }
            let name = name_of(record, task);
            // Looked at again: what it said last it has said before it was gone.
            if stand.member().is_gone() && stand.said() == said {
                let what = if said == Said::Absent { "was not started" } else { "has died" };
                return self.parted(format!("{name} {what}"));
            }
            if deadline.is_past() {
                return self.parted(format!("{name} {} for {} seconds", words_for(said), patience.as_secs()));
            }
        }
    }

    /// The same for one whose offer has been answered: it is about to wake.
    fn hear_of_its_answer(&self, record: &Record, task: u32, stand: &'static Stand) -> Result<Said, Parting> {
        let deadline = Deadline::at(Instant::now() + WAKES);
        loop {
            let said = self.hear(record, task, stand, PATIENCE)?;
            if said != Said::Waits || deadline.is_past() {
                return Ok(said);
            }
            std::thread::yield_now();
        }
    }

    /// A process is killed, if it is not dead already, and buried.
    fn bury(&mut self, record: &Record, task: u32) -> Result<(), Parting> {
        let stand = self.stand(record, task)?;
        self.dead.insert(task);
        let member = stand.member();
        match member.slot().map(super::super::Member::host) {
            Some(its) if host().is_ok_and(|mine| mine == its) => {
                self.refused(format!("{} runs on a thread, which cannot be killed", name_of(record, task)))
            }
            _ => {
                if is_process_of_its_own(member) {
                    // What it has closed or poisoned it has done before, and nobody has noticed yet.
                    while stand.said() == Said::Offers && stand.effects.load(Ordering::Relaxed) > 0 {
                        self.tell(stand, Told::Settle, 0);
                        self.hear(record, task, stand, PATIENCE)?;
                    }
                    (self.kill)(member);
                }
                self.wait_until_buried(record, task)
            }
        }
    }

    /// Waits until everybody has been told that a process is gone.
    fn wait_until_buried(&self, record: &Record, task: u32) -> Result<(), Parting> {
        let member = self.stand(record, task)?.member();
        let deadline = Deadline::at(Instant::now() + PATIENCE);
        while !is_buried(member) {
            if deadline.is_past() {
                return self.parted(format!("{} was not buried", name_of(record, task)));
            }
            std::thread::sleep(Duration::from_micros(50));
        }
        Ok(())
    }

    /// The script is at its end.
    fn see_who_is_left(&self, record: &Record, ended: Ended) -> Result<(), Parting> {
        let left = || (0..self.baton.tasks()).filter(|task| !self.dead.contains(task));
        if ended == Ended::Completed {
            for task in left() {
                let said = self.hear(record, task, self.stand(record, task)?, PATIENCE)?;
                if said != Said::Over {
                    return self.parted(format!("{} {}, and was to be over", name_of(record, task), words_for(said)));
                }
            }
        }
        if ended == Ended::Stuck {
            for task in left() {
                if self.stand(record, task)?.said() == Said::Offers {
                    self.come(record, task, &[])?;
                }
            }
            for task in left() {
                let stand = self.stand(record, task)?;
                if stand.said() != Said::Over {
                    self.tell(stand, Told::Free, 0);
                }
            }
        }
        Ok(())
    }

    /// Whether everybody who was let go is over soon.
    fn everybody_goes(&self) -> bool {
        let deadline = Deadline::at(Instant::now() + FOUND);
        loop {
            let left: Vec<&Stand> = self.stands().filter(|stand| !is_over(stand)).collect();
            if left.is_empty() || deadline.is_past() {
                return left.is_empty();
            }
            // Who was started meanwhile.
            for stand in left.into_iter().filter(|stand| stand.said() == Said::Begins) {
                self.tell(stand, Told::Free, 0);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn stands(&self) -> impl Iterator<Item = &'static Stand> + use<> {
        let baton = self.baton;
        (0..baton.tasks()).filter_map(move |task| baton.stand(task))
    }

    /// Brings everybody to an end: processes are killed, and threads unwind. Nobody is waited for who does not stand
    /// still; when it does, it comes to its end.
    fn end_all(&self) {
        self.baton.end();
        let deadline = Deadline::at(Instant::now() + WAKES);
        loop {
            let left: Vec<&Stand> = self.stands().filter(|stand| !is_over(stand)).collect();
            if left.is_empty() {
                return;
            }
            if deadline.is_past() {
                return left.into_iter().for_each(|stand| self.tell(stand, Told::End, 0));
            }
            for stand in left {
                if is_process_of_its_own(stand.member()) {
                    (self.kill)(stand.member());
                    let _ = stand.member().wait_until_gone(&deadline);
                } else if !matches!(stand.said(), Said::Runs | Said::Absent) {
                    self.tell(stand, Told::End, 0);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Nobody waits for it in vain.
impl Drop for Conductor {
    fn drop(&mut self) {
        if !self.is_done {
            self.end_all();
        }
    }
}

/// The baton, as long as somebody may look at it. The network has ended.
#[derive(Debug)]
pub(crate) struct Kept(Baton);

impl Drop for Kept {
    fn drop(&mut self) {
        let mut stands = (0..self.0.tasks()).filter_map(|task| self.0.stand(task));
        // One that has never stood still again keeps it for ever.
        if stands.all(is_over) {
            self.0.give_back();
        }
    }
}

impl Note {
    fn answers(&self, task: u32) -> bool {
        self.answer_of(task).is_some()
    }

    /// What it says that the offer of a task comes to.
    fn answer_of(&self, task: u32) -> Option<&Answer> {
        match self {
            Note::Answered(answered, answer) if *answered == task => Some(answer),
            _ => None,
        }
    }
}

/// Whether an offer is answered before anything else is decided, or anybody goes on.
fn is_answered_now(rest: &[Note], task: u32) -> bool {
    let now = rest.iter().take_while(|note| !matches!(note, Note::Decided { .. } | Note::Resumed(_)));
    now.into_iter().any(|note| note.answers(task))
}

/// The bytes of a message that somebody else has, who stands still; `None` if ends travel in it, whose names are other
/// ones in each run.
fn bytes_of(block: Block) -> Option<Vec<u8>> {
    let message = (block != NONE).then(|| Packet::from_raw(block)).flatten()?;
    let bytes = (!message.has_ends()).then(|| message.bytes().to_vec());
    let _ = message.into_raw();
    bytes
}

/// Whether nobody stands there any more.
fn is_over(stand: &Stand) -> bool {
    stand.said() == Said::Over || stand.member().is_gone()
}

fn is_process_of_its_own(member: MemberName) -> bool {
    member.slot().is_some_and(|slot| slot.host() == member.index)
}

/// Whether everybody has been told that a process is gone.
fn is_buried(member: MemberName) -> bool {
    match member.slot() {
        Some(slot) => slot.phase() == Phase::Gone && slot.is_left(),
        None => true,
    }
}

fn name_of(record: &Record, task: u32) -> String {
    match record.processes.get(task as usize) {
        Some(name) => format!("`{name}`"),
        None => String::from("a process that was not to be there"),
    }
}

fn words_for(said: Said) -> &'static str {
    match said {
        Said::Absent => "has not come",
        Said::Runs => "runs",
        Said::Begins => "is about to begin",
        Said::Offers => "is about to offer something",
        Said::Waits => "waits",
        Said::Fired => "was answered",
        Said::Refused => "could not make its offer",
        Said::Ends => "has ended, but for what it has closed",
        Said::Over => "is over",
    }
}

fn words_for_fate(number: u32) -> &'static str {
    match number {
        0 => "usable",
        1 => "poisoned",
        2 => "retired",
        3 => "lost",
        _ => "abandoned",
    }
}

impl Actor {
    /// Runs `work` as somebody else: with a context of its own, and without what runs on the thread otherwise.
    pub(crate) fn as_another<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Back<'a>(&'a Actor, Actor);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.exchange(&self.1);
            }
        }
        let other = Actor::new();
        self.exchange(&other);
        let _back = Back(self, other);
        self.stand_in(&mut None, work)
    }
}
