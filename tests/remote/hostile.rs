//! Whoever comes with anything else than the key and the language of a client is not let in, costs nothing that stays,
//! and harms nobody.
//!
//! Knows nothing of what clients ask for; it speaks to the socket byte by byte. `CSPROC_LONG=1` tries a hundred
//! thousand cases instead of two thousand.

use crate::harness::system::descriptors;
use crate::{KEY, served};
use csproc::shared::{CallError, List, Manager, Queue, ServeError};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseError, TestRunner};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const WELCOME: u8 = 1;
const BUSY: u8 = 2;
const ADMITTED: u8 = 4;
const WRONG_KEY: u8 = 5;
const DONE: u8 = 0;
const HELD: u8 = 2;
const TAKEN: u8 = 3;

/// How a connection begins, on both sides.
fn greeting() -> [u8; 32] {
    let mut greeting = [0; 32];
    let text = concat!("csproc manager ", env!("CARGO_PKG_VERSION"));
    greeting[..text.len()].copy_from_slice(text.as_bytes());
    greeting
}

/// A connection of somebody who knows the protocol.
struct Stranger {
    stream: UnixStream,
    nonce: [u8; 16],
}

impl Stranger {
    fn come(path: &Path) -> Stranger {
        let mut stream = UnixStream::connect(path).unwrap();
        // A server that does not answer is found out.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut word = [0; 65];
        stream.read_exact(&mut word).unwrap();
        assert_eq!((&word[..32], word[32]), (&greeting()[..], WELCOME));
        Stranger { stream, nonce: word[49..].try_into().unwrap() }
    }

    fn hello(&self, key: &[u8]) -> Vec<u8> {
        let length = u16::try_from(key.len()).unwrap().to_le_bytes();
        [&greeting()[..], &self.nonce, &length, key].concat()
    }

    /// Comes in with the key.
    fn admitted(path: &Path) -> Stranger {
        let mut stranger = Stranger::come(path);
        stranger.send(&stranger.hello(KEY));
        let mut verdict = [0];
        stranger.stream.read_exact(&mut verdict).unwrap();
        assert_eq!(verdict, [ADMITTED]);
        stranger
    }

    /// Sends what the server takes of it.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Everything that the server says until it closes the connection, once nothing more comes from here.
    fn rest(mut self) -> Vec<u8> {
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => rest,
        }
    }
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_le_bytes()[..], payload].concat()
}

/// That a method of an object is asked for, as messages have it: the second of the two things that can be.
fn method(object: u32, name: &str) -> Vec<u8> {
    [&[1][..], &object.to_le_bytes(), &[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat()
}

/// Asks for the list, as a client does; a number of the object that does not matter here.
fn request() -> Vec<u8> {
    frame(&method(0, "len"))
}

/// How long an operation of a queue is to wait: for ever is what nobody here has the time for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    For(Duration),
    Not,
}

impl Wait {
    fn bytes(self) -> Vec<u8> {
        match self {
            Wait::For(time) => [&[1][..], &time.as_secs().to_le_bytes(), &time.subsec_nanos().to_le_bytes()].concat(),
            Wait::Not => vec![2],
        }
    }
}

/// Asks for an operation of the queue, as a client with this number does.
fn request_of_queue(name: &str, number: u128, wait: Wait, item: u64) -> Vec<u8> {
    let behind: &[u8] = if name == "put" { &item.to_le_bytes() } else { &[] };
    frame(&[&method(1, name)[..], &number.to_le_bytes(), &wait.bytes(), behind].concat())
}

/// What somebody does who does not belong here.
#[derive(Clone, Debug)]
enum Attack {
    /// Says anything.
    Garbage(Vec<u8>),
    /// Goes in the middle of the hello.
    Truncated(Index),
    /// Says what was said to let another connection in.
    Replayed,
    /// Has another key.
    WrongKey(Vec<u8>),
    /// Changes a byte of a hello that is right.
    Altered(Index, u8),
    /// Promises a key that is too long.
    LongKey(u16),
    /// Has the key, and then says anything.
    GarbageInside(Vec<u8>),
    /// Has the key, and sends frames of anything.
    FramesInside(Vec<Vec<u8>>),
    /// Has the key, promises so many bytes, and sends few.
    Promise(u32, Vec<u8>),
    /// Has the key, and changes a byte of what it asks.
    AlteredInside(Index, u8),
    /// Has the key, asks, and goes in the middle or before it is answered.
    LeavesInside(Index),
    /// Has the key, asks for something of the queue, changes a byte of that or not, and says anything but that it has
    /// what comes.
    AtQueue { name: &'static str, number: u128, waits: bool, altered: Option<(Index, u8)>, then: Vec<u8> },
    /// Has the key, asks for an item, and goes at once, or when it has come.
    LeavesQueue { waits: bool, reads: bool },
}

fn attack() -> impl Strategy<Value = Attack> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most);
    prop_oneof![
        bytes(300).prop_map(Attack::Garbage),
        any::<Index>().prop_map(Attack::Truncated),
        Just(Attack::Replayed),
        prop_oneof![bytes(40), bytes(4096)].prop_map(Attack::WrongKey),
        (any::<Index>(), 1_u8..).prop_map(|(place, by)| Attack::Altered(place, by)),
        (4097_u16..).prop_map(Attack::LongKey),
        bytes(300).prop_map(Attack::GarbageInside),
        proptest::collection::vec(bytes(60), 1..4).prop_map(Attack::FramesInside),
        (any::<u32>(), bytes(100)).prop_map(|(promise, bytes)| Attack::Promise(promise, bytes)),
        (any::<Index>(), 1_u8..).prop_map(|(place, by)| Attack::AlteredInside(place, by)),
        any::<Index>().prop_map(Attack::LeavesInside),
        at_queue(),
        any::<(bool, bool)>().prop_map(|(waits, reads)| Attack::LeavesQueue { waits, reads }),
    ]
}

fn at_queue() -> impl Strategy<Value = Attack> {
    let name = prop::sample::select(&["get", "put", "len", "capacity", "join", "task_done"]);
    let (number, then) = (prop_oneof![Just(7), any::<u128>()], prop::collection::vec(any::<u8>(), 0..20));
    let altered = proptest::option::of((any::<Index>(), 1_u8..));
    (name, number, any::<bool>(), altered, then)
        .prop_filter("it is not to say that it has it", |(.., then)| !then.starts_with(&frame(&[TAKEN])))
        .prop_map(|(name, number, waits, altered, then)| Attack::AtQueue { name, number, waits, altered, then })
}

fn wait(waits: bool) -> Wait {
    if waits { Wait::For(Duration::from_millis(1)) } else { Wait::Not }
}

/// Attacks, and says what the server has answered that it should not have.
fn run(attack: &Attack, path: &Path, recorded: &[u8]) -> Result<(), TestCaseError> {
    // Nobody who is outside is answered: neither the hello nor what is asked behind it.
    let outside = |bytes: &[u8], refused: &[u8]| {
        let mut stranger = Stranger::come(path);
        stranger.send(bytes);
        stranger.send(&request());
        let rest = stranger.rest();
        prop_assert!(rest.is_empty() || rest == refused, "{rest:?}");
        Ok(())
    };
    // Whoever is inside gets answers that are whole, or is cut off.
    let inside = |mut stranger: Stranger, bytes: &[u8]| {
        stranger.send(bytes);
        let rest = stranger.rest();
        let mut left = &rest[..];
        while let Some((length, more)) = left.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            prop_assert!(length > 0 && length <= more.len(), "{rest:?}");
            prop_assert!(more[0] == DONE || more[0] == HELD, "{rest:?}");
            left = &more[length..];
        }
        prop_assert!(left.is_empty(), "{rest:?}");
        Ok(())
    };
    match attack {
        // What is as long as a hello may be told that the key is wrong.
        Attack::Garbage(bytes) => outside(bytes, &[WRONG_KEY]),
        Attack::Truncated(place) => {
            let mut stranger = Stranger::come(path);
            let hello = stranger.hello(KEY);
            stranger.send(&hello[..place.index(hello.len())]);
            let rest = stranger.rest();
            prop_assert!(rest.is_empty(), "{rest:?}");
            Ok(())
        }
        Attack::Replayed => outside(recorded, &[WRONG_KEY]),
        Attack::WrongKey(key) => {
            let mut stranger = Stranger::come(path);
            prop_assume!(key != KEY);
            stranger.send(&stranger.hello(key));
            stranger.send(&request());
            let rest = stranger.rest();
            prop_assert!(rest == [WRONG_KEY] || rest.is_empty(), "{rest:?}");
            Ok(())
        }
        Attack::Altered(place, by) => {
            let mut stranger = Stranger::come(path);
            let mut hello = stranger.hello(KEY);
            let place = place.index(hello.len());
            hello[place] ^= by;
            stranger.send(&hello);
            stranger.send(&request());
            let rest = stranger.rest();
            prop_assert!(rest.is_empty() || rest == [WRONG_KEY], "byte {place}: {rest:?}");
            Ok(())
        }
        Attack::LongKey(length) => {
            let mut stranger = Stranger::come(path);
            let mut hello = stranger.hello(b"");
            hello[48..].copy_from_slice(&length.to_le_bytes());
            hello.extend(KEY.iter().cycle().take(usize::from(*length)));
            stranger.send(&hello);
            let rest = stranger.rest();
            prop_assert!(rest.is_empty(), "{rest:?}");
            Ok(())
        }
        Attack::GarbageInside(bytes) => inside(Stranger::admitted(path), bytes),
        Attack::FramesInside(frames) => {
            let bytes: Vec<u8> = frames.iter().flat_map(|payload| frame(payload)).collect();
            inside(Stranger::admitted(path), &bytes)
        }
        Attack::Promise(promise, bytes) => {
            let bytes = [&promise.to_le_bytes()[..], bytes].concat();
            inside(Stranger::admitted(path), &bytes)
        }
        Attack::AlteredInside(place, by) => {
            let mut bytes = request();
            let place = place.index(bytes.len());
            bytes[place] ^= by;
            inside(Stranger::admitted(path), &bytes)
        }
        Attack::LeavesInside(place) => {
            let mut stranger = Stranger::admitted(path);
            let bytes = request();
            stranger.send(&bytes[..place.index(bytes.len() + 1)]);
            Ok(())
        }
        Attack::AtQueue { name, number, waits, altered, then } => {
            let mut bytes = request_of_queue(name, *number, wait(*waits), PUT);
            if let Some((place, by)) = altered {
                let place = place.index(bytes.len());
                bytes[place] ^= by;
            }
            bytes.extend(then);
            inside(Stranger::admitted(path), &bytes)
        }
        Attack::LeavesQueue { waits, reads } => {
            let mut stranger = Stranger::admitted(path);
            stranger.send(&request_of_queue("get", 1, wait(*waits), 0));
            if *reads {
                let mut come = [0; 5];
                stranger.stream.read_exact(&mut come).unwrap();
                prop_assert!(come[4] == HELD || come[4] == DONE, "{come:?}");
            }
            Ok(())
        }
    }
}

/// What attackers put into the queue.
const PUT: u64 = u64::MAX;

/// Bytes of memory that the program may write to.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

alone! {
    fn nobody_is_let_in_or_harms_anybody_whatever_he_says() {
        let (manager, path, connect) = served();
        manager.share("list", &manager.list([1, 2, 3]).unwrap()).unwrap();
        let queue = Queue::<u64>::new();
        manager.share("queue", &queue).unwrap();
        (0..3).try_for_each(|item| queue.put(item)).unwrap();
        let list: List<i32> = connect().get("list").unwrap();
        let mut first = Stranger::come(&path);
        let recorded = first.hello(KEY);
        first.send(&recorded);
        first.send(&request());
        // It was right: admitted, and a frame with the answer.
        assert_eq!(first.rest(), [&[ADMITTED][..], &frame(&[&[DONE, 0][..], &3_u64.to_le_bytes()].concat())].concat());

        let cases = if std::env::var_os("CSPROC_LONG").is_some() { 100_000 } else { 2_000 };
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let before = memory();
        let outcome = TestRunner::new(config).run(&attack(), |attack| {
            run(&attack, &path, &recorded)?;
            // Others are served on.
            prop_assert_eq!(list.len(), Ok(3));
            Ok(())
        });
        outcome.unwrap();
        assert_eq!(list.to_vec().unwrap(), [1, 2, 3]);
        // No item was taken by anybody who has not said so.
        let mut items = Vec::new();
        while items.len() < 3 {
            let item = queue.get_timeout(Duration::from_secs(30)).expect("all three come back");
            items.extend(Some(item).filter(|item| *item < 3));
        }
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2]);
        let grown = memory().saturating_sub(before);
        assert!(grown < 512 << 20, "{grown} bytes");
    }

    fn a_promise_of_bytes_takes_no_memory() {
        let (manager, path, connect) = served();
        manager.share("list", &manager.list([1]).unwrap()).unwrap();
        let list: List<i32> = connect().get("list").unwrap();
        let before = memory();
        let promising: Vec<Stranger> = (0..100)
            .map(|_| {
                let mut stranger = Stranger::admitted(&path);
                stranger.send(&(64_u32 << 20).to_le_bytes());
                stranger.send(&[1; 1000]);
                stranger
            })
            .collect();
        assert_eq!(list.len(), Ok(1));
        // They promise 6 GiB; their threads have stacks of 2 MiB.
        let grown = memory().saturating_sub(before);
        assert!(grown < 2 << 30, "{grown} bytes");
        drop(promising);
    }

    fn as_many_as_there_is_room_for_come_in_and_the_next_are_told() {
        let (manager, path, connect) = served();
        manager.share("list", &manager.list([1]).unwrap()).unwrap();
        let remote = connect();
        let list: List<i32> = remote.get("list").unwrap();
        // One connection is the client's own.
        let inside: Vec<Stranger> = (1..256).map(|_| Stranger::admitted(&path)).collect();
        let error = Manager::connect(&path, KEY).unwrap_err();
        assert_eq!(error, ServeError::Busy { path: path.clone() });
        let mut stream = UnixStream::connect(&path).unwrap();
        let mut word = Vec::new();
        stream.read_to_end(&mut word).unwrap();
        assert_eq!((word.len(), word[32]), (65, BUSY));
        assert_eq!(list.len(), Ok(1), "who is inside is served");
        drop(inside);
        // Those who have left make room, as soon as the server has seen it.
        while let Err(error) = Manager::connect(&path, KEY) {
            assert_eq!(error, ServeError::Busy { path: path.clone() });
            std::thread::yield_now();
        }
        drop(manager);
        assert_eq!(list.len(), Err(CallError::Shutdown));
        assert!(descriptors().values().filter(|target| target.starts_with("socket:")).count() < 50);
    }

    fn a_server_ends_although_clients_stay_that_do_not_read() {
        let (manager, path, _) = served();
        manager.share("bytes", &manager.list([vec![0_u8; 8 << 20]]).unwrap()).unwrap();
        // One is silent before the hello, one in it, one inside, and one does not read what it has asked for.
        let mut begun = Stranger::come(&path);
        begun.send(&greeting()[..7]);
        let mut asks = Stranger::admitted(&path);
        let mut bytes = request();
        let place = bytes.len() - 4;
        bytes.splice(place.., [6, b't', b'o', b'_', b'v', b'e', b'c']);
        bytes[0] += 3;
        asks.send(&bytes);
        let mut some = [0; 100];
        asks.stream.read_exact(&mut some).unwrap();
        let silent = (UnixStream::connect(&path).unwrap(), Stranger::admitted(&path));
        drop(manager);
        assert!(!path.exists());
        drop((begun, asks, silent));
    }
}
