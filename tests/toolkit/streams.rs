//! Files, lines and ticks: everything comes, in order and once, and what was cut short does not pass for the end.
//!
//! Knows nothing of commands.

use crate::harness::cast::collect;
use csproc::prelude::*;
use csproc::toolkit::{file_chunks, file_reader, file_writer, line_splitter, timer};
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file of the test's own, which is gone when the test has ended.
struct File(PathBuf);

impl File {
    fn new(name: &str, placement: Placement) -> File {
        let name = format!("{name}-{placement:?}-{}", std::process::id());
        File(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What the process writes, and how its stream ended.
fn all_of<T: Message, R: Message>(make: impl FnOnce(Writer<T>) -> Process<R>) -> (Vec<T>, Option<ChannelError>, R) {
    let c = Channel::buffered(Buffer::Unbounded);
    let r = c.reader();
    let child = Spawn!(make(c.writer())).unwrap();
    let (mut values, mut end) = (Vec::new(), None);
    for value in r.results() {
        match value {
            Ok(value) => values.push(value),
            Err(error) => end = Some(error),
        }
    }
    (values, end, child.join().unwrap())
}

fn lines_of(bytes: Vec<u8>, placement: Placement) -> (Vec<String>, Option<ChannelError>, csproc::Result<()>) {
    let c = Channel::buffered(Buffer::Unbounded);
    let w = c.writer();
    w.write(bytes).unwrap();
    drop(w);
    all_of(|out| line_splitter(c.reader(), out).on(placement))
}

over_both! {
    fn what_is_written_to_a_file_is_read_from_it(placement) {
        let file = File::new("there-and-back", placement);
        let pieces: Vec<Vec<u8>> = (0..300_u64).map(|n| n.to_ne_bytes().repeat(n as usize)).collect();
        let total: usize = pieces.iter().map(Vec::len).sum();
        let c = Channel::buffered(Buffer::Unbounded);
        let w = c.writer();
        pieces.iter().for_each(|piece| w.write(piece.clone()).unwrap());
        drop(w);
        let written = file_writer(c.reader(), file.0.clone()).on(placement).run().unwrap();
        assert_eq!(written.unwrap(), total as u64);
        for size in [1000, 4096, total, total + 1, usize::MAX] {
            let (chunks, end, ended) = all_of(|out| file_chunks(file.0.clone(), size, out).on(placement));
            assert!(end.is_none() && ended.is_ok());
            assert!(chunks.concat() == pieces.concat(), "{size}");
            let (last, others) = chunks.split_last().unwrap();
            assert!(others.iter().all(|chunk| chunk.len() == size) && last.len() <= size && !last.is_empty());
        }
        // A file that is there is emptied.
        let none = Channel::new();
        drop(none.writer());
        let emptied = file_writer(none.reader(), file.0.clone()).on(placement).run().unwrap();
        assert_eq!((emptied.unwrap(), fs::read(&file.0).unwrap()), (0, Vec::new()));
        assert!(all_of(|out| file_chunks(file.0.clone(), 7, out).on(placement)).0.is_empty());
        assert!(all_of(|out| file_reader(file.0.clone(), out).on(placement)).0.is_empty());
    }

    fn a_file_is_read_line_by_line(placement) {
        let file = File::new("lines", placement);
        let lines: Vec<String> = (0..10_000).map(|n| "ü".repeat(n % 100)).collect();
        for (end, last) in [("\n", "\n"), ("\r\n", "\r\n"), ("\n", "")] {
            let mut text = lines.join(end);
            text.push('x');
            text.push_str(last);
            fs::write(&file.0, &text).unwrap();
            let (came, end, ended) = all_of(|out| file_reader(file.0.clone(), out).on(placement));
            assert!(end.is_none() && ended.is_ok());
            assert!(came.iter().map(String::as_str).eq(text.lines()));
        }
    }

    fn what_is_cut_short_does_not_pass_for_the_end(placement) {
        let file = File::new("cut-short", placement);
        fs::write(&file.0, b"one\ntwo\n\xff\nfour\n").unwrap();
        let (came, end, ended) = all_of(|out| file_reader(file.0.clone(), out).on(placement));
        assert_eq!((came, end), (vec!["one".to_string(), "two".to_string()], Some(ChannelError::Poisoned)));
        let text = ended.unwrap_err().to_string();
        assert!(text.contains("line 3") && text.contains("cut-short"), "{text}");

        let (came, end, ended) = lines_of(b"one\nt\xc3\xbcw\xffo".to_vec(), placement);
        assert_eq!((came, end), (vec!["one".to_string()], Some(ChannelError::Poisoned)));
        assert!(ended.unwrap_err().to_string().contains("line 2 is not UTF-8 from its byte 5 on"));

        let missing = File::new("missing", placement);
        let (came, end, ended) = all_of(|out| file_reader(missing.0.clone(), out).on(placement));
        assert_eq!((came.len(), end), (0, Some(ChannelError::Poisoned)));
        assert!(ended.unwrap_err().to_string().contains("missing"));
        for (path, size) in [(missing.0.clone(), 1), (PathBuf::from("/"), 1), (file.0.clone(), 0)] {
            let (came, end, ended) = all_of(|out| file_chunks(path.clone(), size, out).on(placement));
            assert_eq!((came.len(), end), (0, Some(ChannelError::Poisoned)));
            assert!(ended.unwrap_err().to_string().contains(&*path.to_string_lossy()));
        }
    }

    fn a_file_that_cannot_be_written_ends_its_writer_with_its_name(placement) {
        let c = Channel::new();
        let w = c.writer();
        let error = file_writer(c.reader(), PathBuf::from("/no/such/file")).on(placement).run().unwrap().unwrap_err();
        assert!(error.to_string().contains("/no/such/file"), "{error}");
        assert!(w.write(vec![1]).unwrap_err().fate.is_retired());
        let c = Channel::new();
        let w = c.writer();
        let child = Spawn!(file_writer(c.reader(), PathBuf::from("/dev/full")).on(placement)).unwrap();
        while w.write(vec![1]).is_ok() {}
        assert!(child.join().unwrap().unwrap_err().to_string().contains("/dev/full"));
    }

    fn a_file_has_what_came_before_its_writer_was_poisoned(placement) {
        let file = File::new("poisoned", placement);
        let c = Channel::new();
        let w = c.writer();
        let child = Spawn!(file_writer(c.reader(), file.0.clone()).on(placement)).unwrap();
        w.write(b"before".to_vec()).unwrap();
        w.poison();
        assert!(child.join().unwrap().unwrap_err().channel_error().unwrap().is_poisoned());
        assert_eq!(fs::read(&file.0).unwrap(), b"before");
    }

    fn whoever_reads_files_and_lines_ends_when_nobody_listens(placement) {
        let file = File::new("unheard", placement);
        fs::write(&file.0, "line\n".repeat(1000)).unwrap();
        let (bytes, lines) = (Channel::new(), Channel::new());
        let r = lines.reader();
        let reader = Spawn!(file_chunks(file.0.clone(), 10, bytes.writer()).on(placement)).unwrap();
        let splitter = Spawn!(line_splitter(bytes.reader(), lines.writer()).on(placement)).unwrap();
        assert_eq!(r.read().unwrap(), "line");
        drop(r);
        for error in [splitter.join().unwrap().unwrap_err(), reader.join().unwrap().unwrap_err()] {
            assert!(error.channel_error().unwrap().is_retired(), "{error}");
        }
    }

    fn a_timer_tells_how_many_periods_have_passed_and_never_too_early(placement) {
        const PERIOD: Duration = Duration::from_millis(1);
        let c = Channel::new();
        let r = c.reader();
        let start = Instant::now();
        let child = Spawn!(timer(PERIOD, c.writer()).on(placement)).unwrap();
        let mut last = 0;
        for round in 0..20 {
            let passed = r.read().unwrap();
            assert!(passed > last && start.elapsed() >= PERIOD * passed as u32);
            last = passed;
            if round == 10 {
                // Whoever comes late gets one number for all the ticks that he has missed, after the one on offer.
                std::thread::sleep(PERIOD * 20);
                let (_offered, late) = (r.read().unwrap(), r.read().unwrap());
                assert!(late > last + 10, "{late} after {last}");
                last = late;
            }
        }
        drop(r);
        assert!(child.join().unwrap().unwrap_err().channel_error().unwrap().is_retired());
    }

    fn a_timer_without_a_period_is_refused(placement) {
        let (came, end, ended) = all_of(|out| timer(Duration::ZERO, out).on(placement));
        assert_eq!((came.len(), end), (0, Some(ChannelError::Poisoned)));
        assert!(ended.unwrap_err().to_string().contains("period"));
    }
}

once! {
    fn a_pipe_is_read_as_its_lines_come() {
        let file = File::new("fifo", Placement::Process);
        mknodat(CWD, &file.0, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let c = Channel::new();
        let r = c.reader();
        let child = Spawn!(file_reader(file.0.clone(), c.writer())).unwrap();
        let mut pipe = fs::OpenOptions::new().write(true).open(&file.0).unwrap();
        for line in ["one\n", "two\n"] {
            std::io::Write::write_all(&mut pipe, line.as_bytes()).unwrap();
            assert_eq!(r.read().unwrap() + "\n", line);
        }
        drop(pipe);
        assert_eq!(r.read(), Err(ChannelError::Retired));
        child.join().unwrap().unwrap();
    }

    fn a_splitter_whose_source_dies_does_not_end_as_if_all_had_come() {
        let (bytes, lines) = (Channel::new(), Channel::new());
        let r = lines.reader();
        let endless = file_chunks(PathBuf::from("/dev/zero"), 100, bytes.writer());
        let source = Spawn!(endless).unwrap();
        let splitter = Spawn!(line_splitter(bytes.reader(), lines.writer())).unwrap();
        source.kill().unwrap();
        assert!(source.join().is_err());
        assert!(r.read().unwrap_err().is_poisoned());
        assert!(splitter.join().unwrap().unwrap_err().channel_error().unwrap().is_lost());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The pieces in which bytes come make no difference.
    #[test]
    fn lines_are_those_of_the_text_however_it_is_cut(
        text in "(\r|\n|\r\n|[a-zäöü]){0,60}",
        cuts in proptest::collection::vec(0..100_usize, 0..8),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort();
        let mut came = Vec::new();
        crate::harness::watchdog::watched("lines_are_those_of_the_text_however_it_is_cut", || {
            let (bytes, lines) = (Channel::buffered(Buffer::Unbounded), Channel::buffered(Buffer::Unbounded));
            let w = bytes.writer();
            cuts.windows(2).for_each(|cut| w.write(text.as_bytes()[cut[0]..cut[1]].to_vec()).unwrap());
            drop(w);
            let ((), all) = Parallel!(
                line_splitter(bytes.reader(), lines.writer()),
                collect(lines.reader()).on(Placement::Thread),
            ).values().unwrap();
            came = all;
        });
        prop_assert!(came.iter().map(String::as_str).eq(text.lines()), "{came:?}");
    }
}
