//! A command in a network: what it reads and writes goes through channels, whole, in order, and held up by the slower.
//!
//! Knows nothing of what ends a command early.

use crate::harness::cast::collect;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::toolkit::{Command, Exit, Job, execute, runner};
use std::process::Stdio;

pub(crate) fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

/// Bytes that say where they are: no piece is lost, doubled or out of its place unseen.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u64).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes()).take(count).collect()
}

#[process]
fn write(out: Writer<Vec<u8>>, bytes: Vec<u8>, piece: usize) -> csproc::Result<()> {
    for piece in bytes.chunks(piece) {
        out.write(piece.to_vec())?;
    }
    Ok(())
}

#[process]
fn write_lines(out: Writer<Vec<u8>>, lines: Vec<String>) -> csproc::Result<()> {
    for line in lines {
        out.write(format!("{line}\n").into_bytes())?;
    }
    Ok(())
}

/// Reads nothing until it is told to.
#[process]
fn collect_late(go: Reader<()>, input: Reader<Vec<u8>>) -> csproc::Result<Vec<Vec<u8>>> {
    go.read()?;
    Ok(input.results().collect::<Result<_, _>>()?)
}

fn pid_in(line: &[u8]) -> u32 {
    String::from_utf8_lossy(line).trim().parse().unwrap()
}

/// Comes back once a process waits for room in a pipe.
fn until_it_waits(pid: u32) {
    Place { pid, thread: pid }.until_asleep();
}

over_both! {
    fn commands_in_a_row_are_a_pipeline(placement) {
        let [raw, sorted, unique] = [(); 3].map(|()| Channel::new());
        let lines = (0..1000).map(|number| (number * 7 % 10).to_string()).collect();
        let ((), sort, uniq, text) = Parallel!(
            write_lines(raw.writer(), lines).on(placement),
            execute(Command::new("sort"), Some(raw.reader()), Some(sorted.writer()), None).on(placement),
            execute(Command::new("uniq").arg("-c"), Some(sorted.reader()), Some(unique.writer()), None).on(placement),
            collect(unique.reader()).on(placement),
        ).values().unwrap();
        assert!(sort.success() && uniq.success());
        let text = String::from_utf8(text.concat()).unwrap();
        let counts: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let right: Vec<Vec<String>> = (0..10).map(|number| vec!["100".to_string(), number.to_string()]).collect();
        assert_eq!(counts, right);
    }

    fn every_byte_goes_in_and_comes_out_in_its_place(placement) {
        let sent = bytes(3_000_001);
        for piece in [1_000, 65_536, 300_000] {
            let [to, from] = [(); 2].map(|()| Channel::new());
            let ((), exit, came) = Parallel!(
                write(to.writer(), sent.clone(), piece).on(placement),
                execute(Command::new("cat"), Some(to.reader()), Some(from.writer()), None).on(placement),
                collect(from.reader()).on(placement),
            ).values().unwrap();
            assert!(exit.success());
            assert!(came.concat() == sent, "pieces of {piece}");
        }
    }

    fn two_outputs_stay_apart_and_neither_waits_for_the_other(placement) {
        const COUNT: usize = 1_000_000;
        let [out, err] = [(); 2].map(|()| Channel::new());
        // More than a pipe holds on the one before anything on the other, and the other way round.
        let script = format!("head -c {COUNT} /dev/zero >&2; head -c {COUNT} /dev/zero | tr '\\0' x; echo end >&2");
        let (exit, first, second) = Parallel!(
            execute(shell(&script), None, Some(out.writer()), Some(err.writer())).on(placement),
            collect(out.reader()).on(placement),
            collect(err.reader()).on(placement),
        ).values().unwrap();
        assert!(exit.success());
        assert_eq!(first.concat(), [b'x'; COUNT]);
        assert_eq!(second.concat(), [&[0; COUNT][..], b"end\n"].concat());
    }

    fn a_command_waits_for_whoever_reads_what_it_writes(placement) {
        let ([out, err], go) = ([(); 2].map(|()| Channel::new()), Channel::new());
        let (start, pids) = (go.writer(), err.reader());
        let command = shell("echo $$ >&2; exec head -c 1000000 /dev/zero");
        let late = Spawn!(collect_late(go.reader(), out.reader()).on(placement)).unwrap();
        let child = Spawn!(execute(command, None, Some(out.writer()), Some(err.writer())).on(placement)).unwrap();
        until_it_waits(pid_in(&pids.read().unwrap()));
        assert!(!child.is_finished());
        start.write(()).unwrap();
        assert_eq!(late.join().unwrap().unwrap().concat().len(), 1_000_000);
        assert!(child.join().unwrap().unwrap().success());
    }

    fn without_input_there_is_none_to_read(placement) {
        let c = Channel::new();
        let (exit, came) = Parallel!(
            execute(Command::new("cat"), None, Some(c.writer()), None).on(placement),
            collect(c.reader()).on(placement),
        ).values().unwrap();
        assert!(exit.success() && came.is_empty());
    }

    fn how_a_command_ended_is_the_result(placement) {
        for (script, ended) in [
            ("exit 0", Exit::Exited { code: 0 }),
            ("exit 255", Exit::Exited { code: 255 }),
            ("kill -KILL $$", Exit::Killed { signal: libc::SIGKILL }),
            ("kill -ABRT $$", Exit::Killed { signal: libc::SIGABRT }),
        ] {
            let exit = execute(shell(script), None, None, None).on(placement).run().unwrap();
            assert_eq!(exit.unwrap(), ended, "{script}");
        }
    }

    fn a_runner_runs_what_comes_and_ends_with_its_jobs(placement) {
        let (jobs, out) = (Channel::<Job>::new(), Channel::<Vec<u8>>::new());
        let (to_do, r, w) = (jobs.writer(), out.reader(), out.writer());
        let runners = Spawn!(runner(jobs.reader()).on(placement) * 3).unwrap();
        let collected = std::thread::spawn(move || r.iter().collect::<Vec<_>>());
        for number in 0..20 {
            to_do.write((shell(&format!("echo {number}; exit {number}")), None, Some(out.writer()), None)).unwrap();
        }
        drop((to_do, w));
        for end in runners.join().unwrap() {
            end.unwrap();
        }
        let text = String::from_utf8(collected.join().unwrap().concat()).unwrap();
        let mut numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
        numbers.sort();
        assert!(numbers.into_iter().eq(0..20));
    }
}

once! {
    fn a_command_sees_no_descriptors_of_ours_and_its_arguments_and_its_surroundings() {
        let c = Channel::new();
        let script = r#"ls /proc/self/fd; pwd; echo "$TOLD $1|$2|"; grep SigBlk /proc/self/status"#;
        let command = shell(script).args(["sh", "a b", ""]).env("TOLD", "yes").directory("/proc");
        let [input, err] = [(); 2].map(|()| Channel::new());
        let (w, r) = (input.writer(), c.reader());
        let child = execute(command, Some(input.reader()), Some(c.writer()), Some(err.writer()));
        let child = Spawn!(child).unwrap();
        drop(w);
        let (said, errors) = (r.iter().collect::<Vec<_>>().concat(), err.reader().iter().count());
        assert!(child.join().unwrap().unwrap().success() && errors == 0);
        // Those that this program was started with, and one for the directory that is being read.
        let inherited = std::process::Command::new("ls").arg("/proc/self/fd").stdin(Stdio::null()).output().unwrap();
        let descriptors = String::from_utf8(inherited.stdout).unwrap();
        let rest = "/proc\nyes a b||\nSigBlk:\t0000000000000000\n";
        assert_eq!(String::from_utf8(said).unwrap(), descriptors + rest);
    }
}
