//! Who decides: somebody who rolls dice in one of several moods, or a list of what is wanted.
//!
//! Knows nothing of processes or of how its decisions are carried out.

use super::decision::names_of;
use crate::engine::sim::{Choice, END, Kind, NOBODY, Scheduler};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many faults of each kind there may be, and whom they meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) crashes: usize,
    pub(super) panics: usize,
    pub(super) poisons: usize,
    pub(super) delays: usize,
    pub(super) losses: usize,
    /// Everybody, if there are none.
    pub(super) processes: Arc<Vec<String>>,
    pub(super) lossy: Arc<Vec<String>>,
    /// Lossy channels on which no message overtakes another one.
    pub(super) in_order: Arc<Vec<String>>,
}

impl Faults {
    fn left(&mut self, kind: Kind) -> Option<&mut usize> {
        match kind {
            Kind::Crash => Some(&mut self.crashes),
            Kind::Panic => Some(&mut self.panics),
            Kind::Poison => Some(&mut self.poisons),
            Kind::Delay => Some(&mut self.delays),
            Kind::Lose | Kind::Double | Kind::Hold => Some(&mut self.losses),
            _ => None,
        }
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Crash => self.crashes,
            Kind::Panic => self.panics,
            Kind::Poison => self.poisons,
            Kind::Delay => self.delays,
            Kind::Lose | Kind::Double | Kind::Hold => self.losses,
            _ => 0,
        }
    }

    /// Whether there may be another one.
    pub(super) fn are_left(&self) -> bool {
        self.crashes + self.panics + self.poisons + self.delays + self.losses > 0
    }

    /// One has happened.
    pub(super) fn take(&mut self, kind: Kind) {
        if let Some(left) = self.left(kind) {
            *left = left.saturating_sub(1);
        }
    }

    /// A channel of this name loses messages, and doubles them.
    pub(super) fn is_lossy(&self, channel: &str) -> bool {
        self.lossy.iter().any(|name| name == channel)
    }

    /// On a channel of this name none overtakes another one.
    pub(super) fn is_in_order(&self, channel: &str) -> bool {
        self.in_order.iter().any(|name| name == channel)
    }

    /// A process is called like this, or is one of several that are.
    pub(super) fn meets(&self, process: &str) -> bool {
        self.processes.is_empty() || names_of(process).any(|name| self.processes.iter().any(|met| met == name))
    }
}

/// Where decisions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// From dice that begin with this number.
    Dice { start: u64, faults: Faults },
    /// These, as far as they are possible; then whatever goes on with what has happened last.
    Wanted(Vec<Choice>),
    /// These, then anything but this one, if there is another one; and then as ever the first time, and the other times
    /// as dice fall.
    Around { wanted: Vec<Choice>, avoided: Choice, time: u64 },
}

impl Plan {
    /// Somebody who carries it out.
    pub(super) fn decider(&self) -> Decider {
        match self {
            Plan::Dice { start, faults } => Decider::Dice(Dice::new(*start, faults.clone())),
            Plan::Wanted(wanted) => Decider::List(List::new(wanted)),
            Plan::Around { wanted, avoided, time } => {
                let dice = (*time > 0).then(|| Dice::new(*time, Faults::default()));
                Decider::List(List { avoided: Some(*avoided), dice, ..List::new(wanted) })
            }
        }
    }
}

/// Carries out a plan.
pub(super) enum Decider {
    Dice(Dice),
    List(List),
}

impl Decider {
    /// The first thing wanted that was not possible when its turn came, by its place in the list.
    pub(super) fn parted(&self) -> Option<(usize, Choice)> {
        match self {
            Decider::Dice(_) => None,
            // What is left was wanted after everything had ended.
            Decider::List(list) => list.parted.or_else(|| Some((list.done, *list.wanted.front()?))),
        }
    }
}

impl Scheduler for Decider {
    fn decide(&mut self, options: &[Choice]) -> usize {
        match self {
            Decider::Dice(dice) => dice.decide(options),
            Decider::List(list) => list.decide(options),
        }
    }

    fn allows_any(&self) -> bool {
        match self {
            Decider::Dice(dice) => dice.faults.are_left(),
            Decider::List(list) => list.fault.is_some(),
        }
    }

    fn pass_over(&mut self, choice: Choice) {
        if let Decider::List(list) = self
            && let Some(place) = list.wanted.iter().position(|wanted| *wanted == choice)
        {
            list.wanted.remove(place);
            list.done += 1;
        }
    }

    fn allows(&self, fault: Kind) -> bool {
        match self {
            Decider::Dice(dice) => dice.faults.count(fault) > 0,
            Decider::List(list) => list.wants(fault),
        }
    }

    fn goes_on(&self) -> bool {
        match self {
            Decider::Dice(_) => false,
            Decider::List(list) => list.wanted.front().is_some_and(|next| next.kind.is_fault()),
        }
    }

    fn meets(&self, process: &str) -> bool {
        match self {
            Decider::Dice(dice) => dice.faults.meets(process),
            Decider::List(_) => true,
        }
    }

    fn is_lossy(&self, channel: &str) -> bool {
        match self {
            Decider::Dice(dice) => dice.faults.is_lossy(channel),
            Decider::List(_) => true,
        }
    }

    fn is_in_order(&self, channel: &str) -> bool {
        match self {
            Decider::Dice(dice) => dice.faults.is_in_order(channel),
            Decider::List(_) => false,
        }
    }
}

/// In which way dice decide: schedules that go wrong are seldom those in which everybody has the same luck.
#[derive(Clone, Debug)]
enum Mood {
    /// Each possibility is as likely as any other.
    Uniform,
    /// Processes have priorities, which change at random moments (Burckhardt and others, ASPLOS 2010).
    Priorities,
    /// Whoever can goes on before one process.
    Starve(u32),
    /// The first possibility, or the last, nearly always.
    First,
    Last,
}

/// Numbers that look random, the same ones after the same start (xorshift, Marsaglia 2003).
#[derive(Clone, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn after(start: u64) -> Numbers {
        // Zero would stay zero.
        Numbers(start | 1)
    }

    /// One below this one.
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % most.max(1) as u64) as usize
    }
}

/// Rolls dice.
pub(super) struct Dice {
    numbers: Numbers,
    mood: Mood,
    priorities: Vec<u64>,
    faults: Faults,
    /// Something was communicated just now.
    is_fresh: bool,
    /// One decision in so many is a fault, as long as there may be one: in a short run they must be likely to come at
    /// all, in a long one they must not all come at its beginning.
    rarity: usize,
    /// So often, one after the other, somebody has found nothing ready.
    polls: u32,
}

/// Whoever polls more often than this lets others come.
const PATIENCE: u32 = 8;

impl Dice {
    fn new(start: u64, faults: Faults) -> Dice {
        let mut dice = Dice {
            numbers: Numbers::after(start),
            mood: Mood::Uniform,
            priorities: Vec::new(),
            faults,
            is_fresh: false,
            rarity: 2,
            polls: 0,
        };
        (0..4).for_each(|_| _ = dice.roll(2));
        dice.rarity = [2, 6, 18][dice.roll(3)];
        dice.mood = match dice.roll(8) {
            0..3 => Mood::Uniform,
            3 | 4 => Mood::Priorities,
            5 => Mood::Starve(dice.roll(8) as u32),
            6 => Mood::First,
            _ => Mood::Last,
        };
        dice
    }

    fn roll(&mut self, below: usize) -> usize {
        self.numbers.below(below)
    }

    fn decide(&mut self, options: &[Choice]) -> usize {
        // Faults stand behind all others, and mostly there are none.
        let ordinary = match options.last() {
            Some(last) if last.kind.is_fault() => options.iter().take_while(|option| !option.kind.is_fault()).count(),
            _ => options.len(),
        };
        // Right after a communication, a crash leaves most behind.
        let odds = if self.is_fresh { self.rarity.div_ceil(3).max(2) } else { self.rarity };
        if ordinary < options.len() && (ordinary == 0 || self.roll(odds) == 0) {
            let chosen = ordinary + self.roll(options.len() - ordinary);
            self.faults.take(options[chosen].kind);
            return chosen;
        }
        let chosen = match self.polls {
            _ if ordinary == 1 => 0,
            ..PATIENCE => self.choose(&options[..ordinary]),
            _ => self.choose_no_poll(&options[..ordinary]),
        };
        self.polls = if options[chosen].kind == Kind::Skip { self.polls + 1 } else { 0 };
        self.is_fresh = options[chosen].kind.is_communication();
        chosen
    }

    /// Fair to those who come while somebody polls: no process starves for ever because another one does not wait.
    fn choose_no_poll(&mut self, options: &[Choice]) -> usize {
        self.choose_among(options, |option| option.kind != Kind::Skip)
    }

    /// One of those that are such, or any one, if none is.
    fn choose_among(&mut self, options: &[Choice], is_such: impl Fn(&Choice) -> bool) -> usize {
        let count = options.iter().filter(|option| is_such(option)).count();
        if count == 0 {
            return self.roll(options.len());
        }
        let chosen = self.roll(count);
        let mut places = (0..options.len()).filter(|place| is_such(&options[*place]));
        places.nth(chosen).unwrap_or(0)
    }

    fn choose(&mut self, options: &[Choice]) -> usize {
        let count = options.len();
        let keeps_to_mood = self.roll(16) != 0;
        match self.mood {
            Mood::Uniform => self.roll(count),
            Mood::First if keeps_to_mood => 0,
            Mood::Last if keeps_to_mood => count - 1,
            Mood::First | Mood::Last => self.roll(count),
            Mood::Starve(task) => self.choose_among(options, |option| !option.involves(task)),
            Mood::Priorities => {
                let chosen = self.highest(options);
                if self.roll(12) == 0 {
                    let lowered = options[chosen].who as usize;
                    let lowest = self.priorities.iter().copied().min().unwrap_or(0);
                    if let Some(priority) = self.priorities.get_mut(lowered) {
                        *priority = lowest.saturating_sub(1);
                    }
                }
                chosen
            }
        }
    }

    fn highest(&mut self, options: &[Choice]) -> usize {
        let tasks = options.iter().flat_map(|option| [option.who, option.with]).filter(|task| *task != NOBODY);
        let most = tasks.max().map_or(0, |task| task as usize + 1);
        while self.priorities.len() < most {
            let priority = 1000 + self.roll(1_000_000) as u64;
            self.priorities.push(priority);
        }
        let priority = |task: u32| self.priorities.get(task as usize).copied().unwrap_or(0);
        let of = |option: &Choice| priority(option.who).max(priority(option.with));
        let best = options.iter().map(of).max().unwrap_or(0);
        options.iter().position(|option| of(option) == best).unwrap_or(0)
    }
}

/// Goes by a list.
pub(super) struct List {
    wanted: VecDeque<Choice>,
    /// The first fault among them.
    fault: Option<Kind>,
    /// How many of them were done, or were not possible.
    done: usize,
    parted: Option<(usize, Choice)>,
    last: Option<Choice>,
    /// What the first decision that is not in the list is not to be.
    avoided: Option<Choice>,
    /// Who decides when the list is at its end, if anybody does.
    dice: Option<Dice>,
}

fn next_fault(wanted: &VecDeque<Choice>) -> Option<Kind> {
    wanted.iter().map(|choice| choice.kind).find(|kind| kind.is_fault())
}

impl List {
    fn new(wanted: &[Choice]) -> List {
        let wanted: VecDeque<Choice> = wanted.iter().copied().collect();
        let fault = next_fault(&wanted);
        List { wanted, fault, done: 0, parted: None, last: None, avoided: None, dice: None }
    }

    fn decide(&mut self, options: &[Choice]) -> usize {
        let mut chosen = None;
        while let Some(wanted) = self.wanted.pop_front() {
            self.done += 1;
            if wanted.kind.is_fault() {
                self.fault = next_fault(&self.wanted);
            }
            chosen = options.iter().position(|option| *option == wanted);
            if chosen.is_some() {
                break;
            }
            self.parted.get_or_insert((self.done - 1, wanted));
        }
        // Nobody can go on, and what was to be done to somebody is not possible.
        if chosen.is_none() && options.iter().all(|option| option.kind.is_fault()) {
            return END;
        }
        let chosen = chosen.unwrap_or_else(|| self.choose(options));
        self.last = Some(options[chosen]);
        chosen
    }

    /// One that is not in the list.
    fn choose(&mut self, options: &[Choice]) -> usize {
        let Some(avoided) = self.avoided.take().filter(|avoided| options.len() > 1 && options.contains(avoided)) else {
            return self.go_on_or_roll(options);
        };
        let allowed: Vec<usize> = (0..options.len()).filter(|place| options[*place] != avoided).collect();
        let options: Vec<Choice> = allowed.iter().map(|place| options[*place]).collect();
        allowed[self.go_on_or_roll(&options)]
    }

    fn go_on_or_roll(&mut self, options: &[Choice]) -> usize {
        match &mut self.dice {
            Some(dice) => dice.decide(options),
            None => self.go_on(options),
        }
    }

    /// Whether a fault of this kind is next.
    fn wants(&self, fault: Kind) -> bool {
        self.fault == Some(fault) || fault == Kind::Lose && self.fault.is_some_and(Kind::is_of_a_line)
    }

    /// What goes on with the processes that have communicated last; and nothing that only passes the time, if there is
    /// anything else.
    fn go_on(&self, options: &[Choice]) -> usize {
        let rank = |option: &Choice| {
            let goes_on = self.last.is_some_and(|last| option.involves(last.who) || option.involves(last.with));
            match option.kind {
                fault if fault.is_fault() => 5,
                Kind::Skip => 4,
                Kind::Time => 3,
                // One is enough to be overtaken by.
                Kind::Arrive => 0,
                _ if goes_on => 1,
                _ => 2,
            }
        };
        let ranked = options.iter().enumerate().min_by_key(|(place, option)| (rank(option), *place));
        ranked.map_or(0, |(place, _)| place)
    }
}
