//! A value that cannot travel says why, in the words of its own type and of no other value; and it leaves nothing
//! behind.
//!
//! Knows nothing of sizes; those that do not fit are tested beside this.

use csproc::prelude::*;
use csproc::{Cause, Failure, MessageError};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Seven is never sent, and odd numbers are not taken.
#[derive(Debug, PartialEq)]
struct Even(u64);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 7 { Err(S::Error::custom("seven is never sent")) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Even, D::Error> {
        let n = u64::deserialize(deserializer)?;
        if n % 2 == 1 { Err(D::Error::custom(format!("{n} is odd"))) } else { Ok(Even(n)) }
    }
}

/// Writes one value and gives what a reader of another type says of it.
fn misread<W: Message, R: Message>(value: W) -> String {
    let c = Channel::<Relabelled<W, R>>::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    w.write(Relabelled::Written(value)).unwrap();
    match r.read() {
        Err(ChannelError::Invalid(MessageError::Decode { reason, .. })) => reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was read"),
    }
}

/// What is written as one type, and read as another.
enum Relabelled<W, R> {
    Written(W),
    Read(R),
}

impl<W: Serialize, R> Serialize for Relabelled<W, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Relabelled::Written(value) => value.serialize(serializer),
            Relabelled::Read(_) => unreachable!("it is written"),
        }
    }
}

impl<'de, W, R: Deserialize<'de>> Deserialize<'de> for Relabelled<W, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Relabelled<W, R>, D::Error> {
        R::deserialize(deserializer).map(Relabelled::Read)
    }
}

fn unsent<T: Message>(value: T) -> String {
    let c = Channel::<T>::buffered(Buffer::Fifo(1));
    let (w, _r) = (c.writer(), c.reader());
    let error = w.write(value).expect_err("it is not sent").fate;
    match error {
        ChannelError::Invalid(MessageError::Encode { reason, .. }) => reason,
        error => panic!("{error}"),
    }
}

#[derive(Debug, Deserialize, Serialize)]
enum Old {
    One,
    Two,
    Three,
}

#[derive(Debug, Deserialize, Serialize)]
enum New {
    One,
    Two,
}

once! {
    fn the_reason_is_that_of_the_value_itself() {
        assert_eq!(unsent(Even(7)), "seven is never sent");
        assert_eq!(misread::<u64, Even>(3), "3 is odd");
        assert_eq!(misread::<(u8, Vec<u64>), (u8, Vec<Even>)>((1, vec![2, 4, 9])), "9 is odd");
        let _ = (Old::One, Old::Two, New::One, New::Two);
        let unknown = misread::<Old, New>(Old::Three);
        assert!(unknown.contains("expected variant index 0 <= i < 2"), "{unknown}");
        let length = misread::<Vec<u8>, Sized3>(vec![1, 2]);
        assert_eq!(length, "invalid length 2, expected three numbers");
    }
}

/// Three numbers in a sequence of its own length.
struct Sized3;

impl Serialize for Sized3 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [0_u8; 3].as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sized3 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sized3, D::Error> {
        match Vec::<u8>::deserialize(deserializer)?.len() {
            3 => Ok(Sized3),
            length => Err(D::Error::invalid_length(length, &"three numbers")),
        }
    }
}

once! {
    fn a_path_that_is_no_text_says_so() {
        use std::os::unix::ffi::OsStringExt;
        let path = std::path::PathBuf::from(std::ffi::OsString::from_vec(vec![0xff, 0xfe]));
        assert_eq!(unsent(path), "path contains invalid UTF-8 characters");
    }
}

once! {
    fn what_the_format_cannot_do_comes_with_the_remedy() {
        #[derive(Deserialize, Serialize)]
        #[serde(untagged)]
        enum Loose {
            Number(u8),
        }
        let reason = misread::<Loose, Loose>(Loose::Number(1));
        assert!(reason.contains("untagged"), "{reason}");
        let reason = misread::<(), u64>(());
        assert!(reason.contains("ends too early"), "{reason}");
    }
}

/// Ends before what cannot be read: they are gone when the reason is asked for.
#[derive(Deserialize, Serialize)]
struct WithEnds {
    before: Writer<u64>,
    number: Even,
    after: Reader<u64>,
}

once! {
    fn ends_in_a_value_do_not_hide_its_reason_and_are_closed_with_it() {
        for _ in 0..100 {
            let (c, d, e) = (Channel::buffered(Buffer::Fifo(1)), Channel::new(), Channel::new());
            let (w, r) = (c.writer(), c.reader());
            w.write(WithEnds { before: d.writer(), number: Even(5), after: e.reader() }).unwrap();
            let error = r.read().err().unwrap();
            assert!(
                matches!(&error, ChannelError::Invalid(MessageError::Decode { reason, .. }) if reason == "5 is odd")
            );
            assert_eq!(d.reader().read(), Err(ChannelError::Retired));
            assert_eq!(e.writer().write(1).unwrap_err().fate, ChannelError::Retired);
            let error = w.write(WithEnds { before: d.writer(), number: Even(7), after: e.reader() }).err().unwrap();
            assert!(error.to_string().contains("seven is never sent"), "{error}");
        }
    }
}

struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("mine"))
    }
}

impl<'de> Deserialize<'de> for Fails {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Fails, D::Error> {
        Err(D::Error::custom("mine as well"))
    }
}

/// Fails with a text of its own after it has met another failure, which is none of its business.
struct Unmoved;

impl Serialize for Unmoved {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        assert_eq!(unsent(Fails), "mine");
        Err(S::Error::custom("its own"))
    }
}

impl<'de> Deserialize<'de> for Unmoved {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Unmoved, D::Error> {
        assert_eq!(misread::<u64, Even>(3), "3 is odd");
        Err(D::Error::custom("its own, too"))
    }
}

once! {
    fn one_failure_does_not_speak_in_the_words_of_another() {
        let d = Channel::<u64>::new();
        // Refused, as the end of a channel is no message for a file.
        assert!(postcard::to_stdvec(&d.writer()).is_err());
        assert!(postcard::from_bytes::<Writer<u64>>(&[1, 1]).is_err());
        assert_eq!(unsent(Fails), "mine");
        assert!(postcard::to_stdvec(&d.writer()).is_err());
        assert_eq!(misread::<u64, Fails>(3), "mine as well");
        assert_eq!(unsent(Unmoved), "its own");
        assert_eq!(misread::<u64, Unmoved>(3), "its own, too");
    }
}

/// Reads another message while it is read itself.
#[derive(Serialize)]
struct Nesting {
    first: Writer<u64>,
    inner: Reader<WithEnds>,
    second: Writer<u64>,
}

impl<'de> Deserialize<'de> for Nesting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nesting, D::Error> {
        let (first, inner) = Deserialize::deserialize(deserializer).map(|Halves(first, inner)| (first, inner))?;
        let inside = inner.read().map_err(D::Error::custom)?;
        inside.before.write(inside.number.0).map_err(D::Error::custom)?;
        Ok(Nesting { second: first.clone(), first, inner })
    }
}

#[derive(Deserialize)]
struct Halves(Writer<u64>, Reader<WithEnds>);

#[process]
fn nested(value: Nesting) -> csproc::Result<()> {
    value.first.write(1)?;
    value.second.write(2)?;
    drop(value.inner.read()?);
    Ok(())
}

once! {
    fn a_message_that_is_read_while_another_is_read_keeps_its_ends_apart() {
        for placement in [Placement::Process, Placement::Thread] {
            let inner = Channel::buffered(Buffer::Fifo(1));
            let (numbers, outer, unused) =
                (Channel::buffered(Buffer::Fifo(4)), Channel::buffered(Buffer::Fifo(4)), Channel::new());
            let message = WithEnds { before: numbers.writer(), number: Even(4), after: unused.reader() };
            let w = inner.writer();
            w.write(message).unwrap();
            let value = Nesting { first: outer.writer(), inner: inner.reader(), second: outer.writer() };
            let r = outer.reader();
            let child = Spawn!(nested(value).on(placement)).unwrap();
            assert_eq!(numbers.reader().read(), Ok(4));
            assert_eq!((r.read(), r.read()), (Ok(1), Ok(2)));
            inner.reader().poison();
            assert!(child.join().unwrap().is_err());
            assert_eq!(r.read(), Err(ChannelError::Poisoned), "the process was given the ends of the outer message");
            assert_eq!(numbers.reader().read(), Err(ChannelError::Retired), "and not those of the inner one");
        }
    }
}

#[process]
fn takes(x: Even) -> u64 {
    x.0
}

#[process]
fn gives(n: u64) -> Even {
    // A panic that was caught is not what the process fails of.
    let _ = catch_unwind(|| panic!("caught"));
    Even(n)
}

once! {
    fn arguments_and_results_that_cannot_travel_are_no_panics() {
        for placement in [Placement::Process, Placement::Thread] {
            let error = takes(Even(3)).on(placement).run().unwrap_err();
            let Failure::Crashed { cause: Cause::ArgumentsRefused { reason }, .. } = &error.failures()[0] else {
                panic!("{error}")
            };
            assert!(reason.contains("3 is odd"), "{error}");
            let error = takes(Even(7)).on(placement).run().unwrap_err();
            assert!(error.to_string().contains("seven is never sent"), "{error}");
            let error = gives(7).on(placement).run().unwrap_err();
            let Failure::Crashed { cause: Cause::ResultRefused { reason }, .. } = &error.failures()[0] else {
                panic!("{error}")
            };
            assert!(reason.contains("seven is never sent"), "{error}");
            let error = gives(3).on(placement).run().unwrap_err();
            assert!(
                matches!(&error.failures()[0], Failure::Unreadable { .. }) && error.to_string().contains("3 is odd")
            );
        }
    }
}

/// Panics when it is written, read or dropped, as told.
#[derive(Serialize)]
struct Panicking(u8);

impl<'de> Deserialize<'de> for Panicking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Panicking, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => panic!("deserialize"),
            n => Ok(Panicking(n)),
        }
    }
}

#[derive(Deserialize, Serialize)]
struct Cargo {
    before: Writer<u64>,
    panicking: Panicking,
    after: Writer<u64>,
}

#[process]
fn read_one(input: Reader<Cargo>) -> csproc::Result<u8> {
    Ok(input.read()?.panicking.0)
}

once! {
    fn a_panic_while_a_message_is_read_closes_the_ends_inside() {
        for placement in [Placement::Process, Placement::Thread] {
            let (c, d) = (Channel::new(), Channel::<u64>::new());
            let (w, before, answers) = (c.writer(), d.writer(), d.reader());
            let child = Spawn!(read_one(c.reader()).on(placement)).unwrap();
            let after = before.clone();
            w.write(Cargo { before, panicking: Panicking(0), after }).unwrap();
            assert!(child.join().unwrap_err().to_string().contains("deserialize"));
            let error = answers.read().unwrap_err();
            assert!(error.is_retired() || error.is_lost(), "{error}");
        }
    }
}

/// Fewer are no fault: a thread of the test before may have ended only now, with the block in its hand.
fn left_nothing(before: &csproc::Audit, after: &csproc::Audit, way: &str) {
    assert!(after.blocks() <= before.blocks() && after.ends() <= before.ends(), "{way}: {before}, then {after}");
}

alone! {
    fn a_thousand_caught_panics_leave_no_block_and_no_end() {
        let (c, d) = (Channel::buffered(Buffer::Fifo(1)), Channel::<u64>::new());
        let (w, r) = (c.writer(), c.reader());
        let cargo = |n| Cargo { before: d.writer(), panicking: Panicking(n), after: d.writer() };
        let reads: [(&str, &dyn Fn()); 5] = [
            ("read", &|| drop(r.read())),
            ("extended", &|| drop(r.extended())),
            ("results", &|| drop(r.results().next())),
            ("an arm", &|| drop(AltSelect! { v = r.read() => drop(v) })),
            ("an alternation", &|| {
                let mut alternation = Alternation::new();
                let token = alternation.read(&r);
                let fired = alternation.select().unwrap();
                drop(fired.take(token));
            }),
        ];
        for (way, read) in reads {
            let once = || {
                w.write(cargo(0)).unwrap();
                let panicked = catch_unwind(AssertUnwindSafe(read));
                assert!(panicked.is_err(), "{way}");
            };
            once();
            let before = csproc::audit();
            (0..200).for_each(|_| once());
            let after = csproc::audit();
            left_nothing(&before, &after, way);
            // The channel goes on.
            w.write(cargo(1)).unwrap();
            assert_eq!(r.read().unwrap().panicking.0, 1, "{way}");
        }
    }
}

/// Says no, or panics, when it is written, after the end in it has left.
struct Unwilling(bool);

impl Serialize for Unwilling {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        assert!(self.0, "serialize");
        Err(S::Error::custom("no"))
    }
}

impl<'de> Deserialize<'de> for Unwilling {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Unwilling, D::Error> {
        Err(D::Error::custom("nobody has written it"))
    }
}

#[derive(Deserialize, Serialize)]
struct Freight {
    end: Writer<u64>,
    /// More than a first draft holds.
    bulk: Vec<u16>,
    unwilling: Option<Unwilling>,
}

#[process]
fn pass_on(freight: Freight) -> Freight {
    freight
}

/// Reads in an extended rendezvous, and goes before it is over.
fn leave_early(r: &Reader<Freight>) -> Result<(), ChannelError> {
    let _freight = r.extended()?;
    Err(ChannelError::WouldBlock)
}

alone! {
    fn a_write_that_fails_however_leaves_no_block_and_no_end() {
        let (c, full, d) = (Channel::new(), Channel::buffered(Buffer::Fifo(1)), Channel::<u64>::new());
        let (w, _r) = (c.writer(), c.reader());
        let (into_full, out_of_full) = (full.writer(), full.reader());
        let freight = |unwilling| Freight { end: d.writer(), bulk: vec![7; 200], unwilling };
        let (well, refusing, panicking) = (|| freight(None), || freight(Some(Unwilling(true))), || {
            freight(Some(Unwilling(false)))
        });
        into_full.write(well()).unwrap();
        let gone = {
            let e = Channel::new();
            drop(e.reader());
            e.writer()
        };
        let moment = std::time::Duration::from_micros(10);
        let panics = |write: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(write)).is_err());
        let ways: [(&str, &dyn Fn()); 14] = [
            ("a value that refuses", &|| assert!(w.write(refusing()).is_err())),
            ("a value that panics", &|| panics(&|| drop(w.write(panicking())))),
            ("no reader now", &|| assert!(w.try_write(well()).is_err())),
            ("no reader in time", &|| assert!(w.write_timeout(well(), moment).is_err())),
            ("no reader ever", &|| assert!(gone.write(well()).is_err())),
            ("no room", &|| assert!(into_full.try_write(well()).is_err())),
            ("an arm that refuses", &|| assert!(PriSelect! { w.write(refusing()) => (), skip => () }.is_err())),
            ("an arm that panics", &|| panics(&|| drop(PriSelect! { w.write(panicking()) => (), skip => () }))),
            ("an arm that loses", &|| PriSelect! { w.write(well()) => (), skip => () }.unwrap()),
            ("an arm beside one that fails", &|| {
                assert!(PriSelect! { gone.write(well()) => (), w.write(well()) => () }.is_err());
            }),
            ("an alternation that is not asked", &|| {
                let mut alternation = Alternation::new();
                let _token = alternation.write(&w, well());
            }),
            ("an alternation that panics", &|| {
                panics(&|| {
                    let _token = Alternation::new().write(&w, panicking());
                });
            }),
            ("an argument that panics", &|| panics(&|| drop(pass_on(panicking()).run()))),
            ("a read that leaves early", &|| {
                assert!(leave_early(&out_of_full).is_err());
                into_full.write(well()).unwrap();
            }),
        ];
        for (way, write) in ways {
            write();
            let before = csproc::audit();
            (0..100).for_each(|_| write());
            let after = csproc::audit();
            left_nothing(&before, &after, way);
        }
    }
}

alone! {
    fn a_result_leaves_no_block_and_no_end_whether_it_is_read_or_dropped_with_the_failure_of_another_process() {
        let d = Channel::<u64>::new();
        let freight = || Freight { end: d.writer(), bulk: vec![7; 200], unwilling: None };
        for placement in [Placement::Process, Placement::Thread] {
            let once = || {
                drop(pass_on(freight()).on(placement).run().unwrap());
                drop(Parallel!(pass_on(freight()).on(placement), takes(Even(3)).on(placement)).err().unwrap());
            };
            once();
            let before = csproc::audit();
            (0..20).for_each(|_| once());
            assert_eq!(csproc::audit().ends(), before.ends(), "{placement:?}");
            // The server strikes out the slots of those that have been joined, with their names, in its own time.
            while csproc::audit().blocks() > before.blocks() {
                std::thread::yield_now();
            }
        }
    }
}
