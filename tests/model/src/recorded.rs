//! Scenarios of processes whose events are recorded: what is in the rings when they have ended, or were killed, and
//! what somebody reads there meanwhile.
//!
//! Knows nothing of names and texts. Rings are left behind by their owners, so they can be read at the end.

use crate::engine::{Came, ChannelName, EventKind, EventOf, EventRecord, Recording, tables};
use crate::party::{Part, Party, Seen};
use crate::scenario::{self, READER, Scenario, WRITER};
use crate::shorts;
use crate::stage::Stage;
use crate::sys::clock::Counter;
use std::collections::{BTreeMap, BTreeSet};

impl Stage {
    /// From now on events are recorded, so many of each context.
    fn record_events(&mut self, rows: u32) {
        tables().arena.control().switch_on(rows, Counter::Monotonic);
    }
}

impl Party {
    /// An event that says one number everywhere.
    fn note_number(&mut self, number: u64) {
        let half = u32::try_from(number).expect("a small number");
        let channel = Some(ChannelName { index: half, generation: half });
        let event = EventOf { number: Some(number), channel, subject: Some(number), ..EventOf::new(EventKind::Spawn) };
        self.local.note(event);
        self.see(Seen::Wrote(number));
    }
}

/// How many events the rings of numbers have had. None of those that are there is torn, and none is missing before the
/// last one.
fn whole_so_far() -> u64 {
    let is_of_numbers = |ring: &&Recording| ring.records.iter().all(|record| record.kind == EventKind::Spawn);
    let rings = tables().recordings();
    let latest = rings.iter().filter(is_of_numbers).map(|ring| {
        let numbers: Vec<u64> = ring.records.iter().map(whole).collect();
        let all: Vec<u64> = (ring.lost + 1..).take(numbers.len()).collect();
        assert_eq!(numbers, all, "{ring:?}");
        ring.lost + numbers.len() as u64
    });
    latest.max().unwrap_or(0)
}

fn whole(record: &EventRecord) -> u64 {
    let channel = record.channel().map(|channel| [channel.index, channel.generation].map(u64::from));
    assert_eq!((channel, record.subject()), (Some([record.number; 2]), Some(record.number)), "{record:?}");
    record.number
}

/// How many events a writer records.
const EVENTS: u64 = 4;

/// One records more than its ring has room for, while another one reads.
pub static READ_MEANWHILE: Scenario = Scenario {
    name: "a ring that is read while it is written",
    parties: 2,
    prepare: |stage| {
        stage.record_events(2);
        stage.party(&[], move |me| (1..=EVENTS).for_each(|number| me.note_number(number)));
        stage.party(&[], move |me| {
            me.local.note(EventOf::new(EventKind::Return));
            let (first, second) = (whole_so_far(), whole_so_far());
            assert!(first <= second, "{second} after {first}");
        });
    },
    judge: |parts| {
        let latest = whole_so_far();
        assert!(latest == EVENTS || parts[0].is_none() && latest < EVENTS, "{latest} {parts:?}");
    },
};

/// The same of as few events as overwrite one.
pub static READ_ONCE: Scenario = Scenario {
    name: "a ring whose first record is overwritten while it is read",
    parties: 2,
    prepare: |stage| {
        stage.record_events(2);
        stage.party(&[], move |me| (1..=3).for_each(|number| me.note_number(number)));
        stage.party(&[], move |_| _ = whole_so_far());
    },
    judge: |_| _ = whole_so_far(),
};

/// Both sides of each communication are recorded, with one number and with each other's name, but for what somebody
/// who was killed has not come to; and numbers rise.
fn both_sides_agree(parts: &[Part]) {
    let rings = tables().recordings();
    let mut met: BTreeMap<(ChannelName, u64), Vec<(u32, EventRecord)>> = BTreeMap::new();
    let mut put = BTreeSet::new();
    for ring in &rings {
        let mut before = 0;
        for record in ring.records.iter().filter(|record| record.kind != EventKind::Wait) {
            assert!(record.number > before, "{:?}", ring.records);
            before = record.number;
            let is_message = matches!(record.kind, EventKind::Write | EventKind::Read);
            if let Some(channel) = record.channel().filter(|_| is_message && record.came == Came::Done) {
                met.entry((channel, record.number)).or_default().push((ring.context, *record));
                if record.kind == EventKind::Write {
                    put.insert((channel, record.message));
                }
            }
        }
        assert_eq!(ring.lost, 0, "there is room for all");
    }
    let mut alone = 0;
    for ((channel, _), sides) in met {
        match sides.as_slice() {
            [(_, one)] => {
                let is_stored =
                    one.message != 0 && (one.kind == EventKind::Write || put.contains(&(channel, one.message)));
                alone += usize::from(!is_stored);
            }
            [(context, one), (other, two)] => {
                assert_ne!((context, one.kind), (other, two.kind));
                let named = [one.partner(), two.partner()];
                assert!(named == [Some(*other), None] || named == [None, Some(*context)], "{one:?} {two:?}");
            }
            more => panic!("a communication of {}: {more:?}", more.len()),
        }
    }
    let killed = parts.iter().filter(|part| part.is_none()).count();
    assert!(alone <= killed, "{alone} without the other side, and {killed} were killed: {rings:?}");
}

/// The same scenarios with a recorder.
macro_rules! recorded {
    ($($name:ident: $scenario:path, $title:literal;)*) => {
        $(
            /// As the scenario that it is named after.
            pub static $name: Scenario = Scenario {
                name: $title,
                parties: $scenario.parties,
                prepare: |stage| {
                    stage.record_events(64);
                    ($scenario.prepare)(stage);
                },
                judge: |parts| {
                    ($scenario.judge)(parts);
                    both_sides_agree(parts);
                },
            };
        )*

        /// All of them.
        pub static ALL: [&Scenario; 1 + [$(stringify!($name)),*].len()] = [&READ_MEANWHILE, $(&$name),*];
    };
}

recorded! {
    ONCE: scenario::ONCE, "one message, recorded";
    CHOOSER: scenario::CHOOSER, "a choice of two, recorded";
    EXTENDED: scenario::EXTENDED, "an extended rendezvous, recorded";
    DEADLINE: scenario::DEADLINE, "a deadline against a commit, recorded";
    POISON: scenario::POISON, "poison against a commit, recorded";
    BUFFER: scenario::BUFFER, "a buffer for one message, recorded";
    REFILL: scenario::REFILL, "a full buffer, a writer that waits, two readers, recorded";
    SAID: shorts::SAID, "two short messages, and one in a block, recorded";
}
