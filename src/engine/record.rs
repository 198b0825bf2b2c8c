//! Events: what a recorder writes down, as it lies in a ring, 64 bytes each.
//!
//! Knows nothing of rings, nor of who reads them. The format is the first one; what is added later has a kind of its
//! own, and no field ever moves:
//! ```text
//!      0  time, as the counter says it      8  number, as the engine counts (`live::number`)
//!     16  the block of a message that may lie in a buffer meanwhile; 0 is none
//!     24  kind (8 bits), outcome (8), flags (16)          28  place: how far its `Location` lies from one of ours
//!     32  channel, generation of that      40  partner, plus one    44  bytes of the message
//!     48  guard that fired (16 bits), of how many (16)    52  messages that lay in the buffer then
//!     56  the serial number of another process
//! ```
//! Where there is text, it stands from byte 32 on, or, if a channel is named, from byte 40. Text that goes on has a
//! flag, and goes on in the next event.
#![expect(unsafe_code, reason = "a place in the program as it was written down; listed in the architecture page")]

use super::ChannelName;
use crate::memory::WORDS;
use std::panic::Location;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Begin = 1,
    Return = 2,
    Crash = 3,
    Spawn = 4,
    Join = 5,
    Wait = 7,
    Write = 8,
    Read = 9,
    Sync = 10,
    Time = 11,
    Release = 12,
    Poison = 13,
    Close = 14,
    Gone = 15,
    Mark = 16,
    Span = 17,
    SpanEnd = 18,
    Deadlock = 19,
    Pass = 20,
    GiveBack = 21,
    Finish = 22,
}

impl EventKind {
    const ALL: [EventKind; 21] = [
        EventKind::Begin,
        EventKind::Return,
        EventKind::Crash,
        EventKind::Spawn,
        EventKind::Join,
        EventKind::Wait,
        EventKind::Write,
        EventKind::Read,
        EventKind::Sync,
        EventKind::Time,
        EventKind::Release,
        EventKind::Poison,
        EventKind::Close,
        EventKind::Gone,
        EventKind::Mark,
        EventKind::Span,
        EventKind::SpanEnd,
        EventKind::Deadlock,
        EventKind::Pass,
        EventKind::GiveBack,
        EventKind::Finish,
    ];

    fn of(raw: u8) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| *kind as u8 == raw)
    }
}

/// What an event came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Came {
    #[default]
    Done = 0,
    Poisoned = 1,
    Retired = 2,
    Lost = 3,
    Late = 4,
    NotAtOnce = 5,
    Abandoned = 6,
    Refused = 7,
}

impl Came {
    fn of(raw: u8) -> Came {
        [
            Came::Done,
            Came::Poisoned,
            Came::Retired,
            Came::Lost,
            Came::Late,
            Came::NotAtOnce,
            Came::Abandoned,
            Came::Refused,
        ]
        .get(usize::from(raw))
        .copied()
        .unwrap_or_default()
    }
}

/// It committed its partner, and did not wait.
pub(crate) const COMMITTED: u16 = 1;
/// The channel has a buffer.
pub(crate) const BUFFERED: u16 = 2;
/// The writer is held until its reader has finished.
pub(crate) const EXTENDED: u16 = 4;
/// There was a timer.
pub(crate) const TIMED: u16 = 16;
/// Its text goes on in the next event.
pub(crate) const CONTINUED: u16 = 64;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventRecord {
    pub(crate) time: u64,
    pub(crate) number: u64,
    pub(crate) message: u64,
    pub(crate) kind: EventKind,
    pub(crate) came: Came,
    pub(crate) flags: u16,
    pub(crate) place: Place,
    /// The last four words, for what the kind says.
    rest: [u64; 4],
}

/// What somebody says of an event on its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventOf<'a> {
    pub(crate) kind: EventKind,
    /// If it has one already.
    pub(crate) number: Option<u64>,
    pub(crate) came: Came,
    pub(crate) channel: Option<ChannelName>,
    /// The serial number of another process.
    pub(crate) subject: Option<u64>,
    pub(crate) text: Option<&'a str>,
    pub(crate) location: Option<&'static Location<'static>>,
}

impl EventOf<'_> {
    /// Nothing but that it has happened.
    pub(crate) fn new(kind: EventKind) -> EventOf<'static> {
        EventOf { kind, number: None, came: Came::Done, channel: None, subject: None, text: None, location: None }
    }
}

/// No channel.
const NOWHERE: ChannelName = ChannelName { index: u32::MAX, generation: 0 };

/// Bytes of text where there is no channel, and where there is one.
const TEXT: usize = 32;
const TEXT_BESIDE: usize = 24;

impl EventRecord {
    /// One that says nothing more yet.
    pub(crate) fn new(kind: EventKind, number: u64, place: Place) -> EventRecord {
        let rest = [u64::from(NOWHERE.index), 0, 0, 0];
        EventRecord { time: 0, number, message: 0, kind, came: Came::Done, flags: 0, place, rest }
    }

    pub(crate) fn at(mut self, channel: ChannelName) -> EventRecord {
        self.rest[0] = u64::from(channel.index) | u64::from(channel.generation) << 32;
        self
    }

    /// With this context, if it is known, and so many bytes.
    pub(crate) fn with(mut self, partner: Option<u32>, bytes: usize) -> EventRecord {
        let partner = partner.map_or(0, |partner| partner + 1);
        self.rest[1] = u64::from(partner) | u64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) << 32;
        self
    }

    /// By this guard of so many; so many messages lay in the buffer.
    pub(crate) fn by(mut self, guard: usize, of: usize, buffered: u32) -> EventRecord {
        let [guard, of] = [guard, of].map(|number| u64::from(u16::try_from(number).unwrap_or(u16::MAX)));
        self.rest[2] = guard | of << 16 | u64::from(buffered) << 32;
        self
    }

    /// About the process of this serial number.
    pub(crate) fn about(mut self, serial: u64) -> EventRecord {
        self.rest[3] = serial + 1;
        self
    }

    /// Of one who waits: for an event of this kind.
    pub(crate) fn for_what(mut self, kind: EventKind) -> EventRecord {
        self.rest[1] = u64::from(kind as u8) << 32;
        self
    }

    /// What somebody waits for.
    pub(crate) fn what(&self) -> Option<EventKind> {
        EventKind::of((self.rest[1] >> 32) as u8)
    }

    pub(crate) fn channel(&self) -> Option<ChannelName> {
        let name = ChannelName { index: self.rest[0] as u32, generation: (self.rest[0] >> 32) as u32 };
        let has_text_alone = matches!(self.kind, EventKind::Mark | EventKind::Span | EventKind::SpanEnd);
        (name.index != NOWHERE.index && !has_text_alone).then_some(name)
    }

    pub(crate) fn partner(&self) -> Option<u32> {
        (self.rest[1] as u32).checked_sub(1)
    }

    pub(crate) fn bytes(&self) -> u32 {
        (self.rest[1] >> 32) as u32
    }

    /// How many guards there were.
    pub(crate) fn guards(&self) -> usize {
        (self.rest[2] >> 16) as usize & 0xffff
    }

    /// The serial number of another process.
    pub(crate) fn subject(&self) -> Option<u64> {
        self.rest[3].checked_sub(1)
    }

    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// As many events as the text needs, all of this kind.
    pub(crate) fn texts(self, text: &str) -> impl Iterator<Item = EventRecord> {
        let beside = self.kind == EventKind::Gone;
        let room = if beside { TEXT_BESIDE } else { TEXT };
        let pieces: Vec<&[u8]> = if text.is_empty() { vec![&[]] } else { text.as_bytes().chunks(room).collect() };
        let last = pieces.len() - 1;
        let pieces: Vec<[u8; TEXT]> = pieces
            .into_iter()
            .map(|piece| {
                let mut bytes = [0; TEXT];
                bytes[..piece.len()].copy_from_slice(piece);
                bytes
            })
            .collect();
        pieces.into_iter().enumerate().map(move |(number, bytes)| {
            let mut record = self;
            record.flags |= if number < last { CONTINUED } else { 0 };
            let from = usize::from(beside);
            for (word, piece) in record.rest[from..].iter_mut().zip(bytes.chunks_exact(8)) {
                *word = u64::from_le_bytes(std::array::from_fn(|byte| piece[byte]));
            }
            record
        })
    }

    /// The bytes of its text.
    pub(crate) fn text(&self) -> Vec<u8> {
        let words = self.rest.iter().skip(usize::from(self.kind == EventKind::Gone));
        words.flat_map(|word| word.to_le_bytes()).take_while(|byte| *byte != 0).collect()
    }

    #[inline]
    pub(super) fn to_words(self) -> [u64; WORDS] {
        let [a, b, c, d] = self.rest;
        let said = u64::from(self.kind as u8) | u64::from(self.came as u8) << 8 | u64::from(self.flags) << 16;
        [self.time, self.number, self.message, said | u64::from(self.place.0.cast_unsigned()) << 32, a, b, c, d]
    }

    /// `None` for what nobody has written.
    pub(super) fn of_words(words: [u64; WORDS]) -> Option<EventRecord> {
        let [time, number, message, said, rest @ ..] = words;
        Some(EventRecord {
            time,
            number,
            message,
            kind: EventKind::of(said as u8)?,
            came: Came::of((said >> 8) as u8),
            flags: (said >> 16) as u16,
            place: Place(((said >> 32) as u32).cast_signed()),
            rest,
        })
    }
}

/// Where in the program something has happened: how far the `Location` lies from a place of this library, which is the
/// same in all processes that run one image. 0 is nowhere, or somewhere in a library that lies far away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(i32);

/// All places are told from here.
static HERE: u8 = 0;

fn here() -> usize {
    std::ptr::from_ref(&HERE).expose_provenance()
}

impl Place {
    #[inline]
    pub(crate) fn of(location: &'static Location<'static>) -> Place {
        let there = std::ptr::from_ref(location).expose_provenance();
        let distance = there.wrapping_sub(here()).cast_signed();
        Place(i32::try_from(distance).unwrap_or(0))
    }

    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        if self.0 == 0 {
            return None;
        }
        let address = here().wrapping_add_signed(self.0 as isize);
        // SAFETY: `of` is the only one that makes such a distance, from a `Location` in the read-only data of an image
        // that all processes of a program run at one place; and a record is looked at only if it was read as it was
        // written.
        unsafe { std::ptr::with_exposed_provenance::<Location<'static>>(address).as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelName = ChannelName { index: 7, generation: 0x8000_0001 };

    #[test]
    fn what_is_written_down_is_read_again() {
        let here = Location::caller();
        let mut record = EventRecord::new(EventKind::Write, 1203, Place::of(here))
            .at(CHANNEL)
            .with(Some(3), 9)
            .by(2, 5, 1)
            .about(44);
        (record.time, record.message, record.came, record.flags) = (99, 12, Came::Lost, COMMITTED | BUFFERED);
        let read = EventRecord::of_words(record.to_words()).unwrap();
        assert_eq!(read, record);
        assert_eq!((read.channel(), read.partner(), read.bytes()), (Some(CHANNEL), Some(3), 9));
        assert_eq!((read.guards(), read.subject()), (5, Some(44)));
        assert!(read.has(BUFFERED) && !read.has(TIMED));
        assert_eq!(read.place.location().unwrap().line(), here.line());
        assert_eq!(EventRecord::of_words([0; WORDS]), None, "nothing was written");
    }

    #[test]
    fn text_goes_on_in_the_next_event() {
        for text in ["", "round 3", &"a".repeat(32), &"ä".repeat(40)] {
            let events: Vec<EventRecord> = EventRecord::new(EventKind::Mark, 1, Place(0)).texts(text).collect();
            assert!(events.iter().rev().skip(1).all(|event| event.has(CONTINUED)), "{events:?}");
            assert!(events.last().is_some_and(|event| !event.has(CONTINUED) && event.channel().is_none()));
            let bytes: Vec<u8> = events.iter().flat_map(EventRecord::text).collect();
            assert_eq!(String::from_utf8(bytes).unwrap(), text);
        }
        let gone: Vec<EventRecord> =
            EventRecord::new(EventKind::Gone, 1, Place(0)).at(CHANNEL).texts("results of all").collect();
        assert_eq!((gone.len(), gone[0].channel()), (1, Some(CHANNEL)));
        assert_eq!(gone[0].text(), b"results of all");
    }

    #[test]
    fn each_kind_is_known_by_its_number() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of(kind as u8), Some(kind));
        }
        assert_eq!((EventKind::of(0), EventKind::of(200)), (None, None));
    }
}
