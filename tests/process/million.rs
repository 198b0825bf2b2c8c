//! A thousand processes, a million channels and ten million messages, one after the other: memory stays flat, and
//! nothing is left behind. Ordinary runs try a part of it; `CSPROC_LONG` asks for all.
//!
//! Knows nothing of time: what each of them costs is measured by `cargo bench --bench scale`.

use csproc::prelude::*;
use serde::{Deserialize, Serialize};

fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some()
}

/// What must not grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Figures {
    processes: usize,
    channels: usize,
    ends: usize,
    blocks: usize,
    /// Bytes of shared memory that this process has seen.
    seen: usize,
}

impl Figures {
    fn now() -> Figures {
        let audit = csproc::audit();
        assert!(audit.is_clean(), "{audit}");
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let seen = status.lines().find_map(|line| line.strip_prefix("RssShmem:")).unwrap();
        let seen: usize = seen.trim().trim_end_matches(" kB").parse().unwrap();
        Figures {
            processes: audit.processes(),
            channels: audit.channels(),
            ends: audit.ends(),
            blocks: audit.blocks(),
            seen: seen << 10,
        }
    }

    /// Everything is as it was; of blocks, a thread keeps a few in hand, and of memory a page that nobody had seen may
    /// be seen now.
    fn check(&self, later: &Figures) {
        let counts = |figures: &Figures| [figures.processes, figures.channels, figures.ends];
        assert_eq!(counts(self), counts(later));
        assert!(later.blocks <= self.blocks + 8, "{self:?}, {later:?}");
        assert!(later.seen <= self.seen + (256 << 10), "{self:?}, {later:?}");
    }
}

/// Messages of all sizes up to a few pages.
#[process]
fn send(output: Writer<Vec<u64>>, count: usize) -> csproc::Result<()> {
    Ok((0..count).try_for_each(|number| output.write(vec![number as u64; number % 60 * (number % 7)]))?)
}

/// What there is after a beginning, and at the end.
#[process]
fn receive(input: Reader<Vec<u64>>, count: usize) -> csproc::Result<[usize; 2]> {
    let mut blocks = [0; 2];
    for number in 0..count {
        let message = input.read()?;
        assert!(message.iter().all(|each| *each == number as u64));
        if number == count / 10 || number == count - 1 {
            blocks[usize::from(number != count / 10)] = csproc::audit().blocks();
        }
    }
    Ok(blocks)
}

/// Answers one question.
#[process]
fn answer(input: Reader<usize>, output: Writer<usize>) -> csproc::Result<()> {
    Ok(output.write(input.read()? + 1)?)
}

/// Asks all of them, then hears all of them.
#[process]
fn ask(outputs: Vec<Writer<usize>>, inputs: Vec<Reader<usize>>) -> csproc::Result<usize> {
    outputs.iter().enumerate().try_for_each(|(place, output)| output.write(place))?;
    inputs.iter().try_fold(0, |sum, input| Ok(sum + input.read()?))
}

fn ends<T: Message>(count: usize) -> (Vec<Writer<T>>, Vec<Reader<T>>) {
    (0..count).map(|_| Channel::new()).map(|c| (c.writer(), c.reader())).unzip()
}

over_both! {
    alone:
    fn messages_leave_shared_memory_as_it_was(placement) {
        let count = if is_long() { 10_000_000 } else { 20_000 };
        let run = |count: usize| {
            let c = Channel::buffered(Buffer::Fifo(16));
            let (sent, received) =
                Parallel!(send(c.writer(), count).on(placement), receive(c.reader(), count).on(placement)).unwrap();
            sent.unwrap();
            received.unwrap()
        };
        run(2000);
        let before = Figures::now();
        let [first, last] = run(count);
        assert!(last <= first + 32, "{first} blocks after a tenth of all messages, and {last} at the end");
        before.check(&Figures::now());
    }

    fn processes_that_exist_at_once_leave_nothing_behind(placement) {
        let count = if is_long() { 1000 } else { 50 };
        let run = || {
            let ((outputs, questions), (answers, inputs)) = (ends(count), ends(count));
            let ends = questions.into_iter().zip(answers);
            let (sum, answered) = Parallel!(
                ask(outputs, inputs).on(placement),
                for (input, output) in ends => answer(input, output).on(placement),
            )
            .unwrap();
            assert_eq!(sum, Ok(count * (count + 1) / 2));
            assert!(answered.iter().all(Result::is_ok));
        };
        run();
        let before = Figures::now();
        run();
        before.check(&Figures::now());
    }
}

alone! {
    fn channels_that_exist_at_once_leave_nothing_behind() {
        let count = if is_long() { 1_000_000 } else { 20_000 };
        let fresh = Figures::now();
        let run = || {
            let (writers, readers) = ends::<u64>(count);
            let there = Figures::now();
            assert_eq!((there.channels, there.ends), (fresh.channels + count, fresh.ends + 2 * count));
            drop((writers, readers));
        };
        run();
        let before = Figures::now();
        assert_eq!((before.channels, before.ends), (fresh.channels, fresh.ends));
        // Those that come now are where the others were.
        run();
        before.check(&Figures::now());
    }
}
