//! What a segment of the kernel is: bytes that every program has which opens it, for as long as somebody has them.
//!
//! Knows nothing of what they mean.

use crate::harness::scenario::{Scenario, command, output};
use crate::{is_in, segment, semaphore};
use csproc::prelude::*;
use csproc::sysv::{Key, Semaphore, SharedMemory, SysvError};
use std::sync::Arc;
use std::thread;

pub(crate) const SCENARIOS: &[Scenario] = &[("an_attachment_is_copied", an_attachment_is_copied)];

#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn an_attachment_is_copied() {
    let owner = segment(100);
    let memory = owner.attach().unwrap();
    // SAFETY: the copy makes no more than system calls and ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            drop((memory, owner));
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(0) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert!(status == 0 && is_in("shm", owner.id()));
            memory.write(0, "mine").unwrap();
            assert_eq!((memory.read(0, 4).unwrap(), owner.status().unwrap().attachments), (b"mine".to_vec(), 1));
            println!("still there");
        }
    }
}

/// Adds up, by reading and writing: it is the semaphore that keeps others away meanwhile.
#[process]
fn add_guarded(segment: SharedMemory, guard: Semaphore, times: u64) -> csproc::Result<()> {
    let memory = segment.attach()?;
    for _ in 0..times {
        let _permit = guard.acquire()?;
        let number = u64::from_ne_bytes(memory.read(13, 8)?.as_slice().try_into()?);
        memory.write(13, (number + 1).to_ne_bytes())?;
    }
    Ok(())
}

/// Changes one number in steps of its own, and the byte of its own beside it.
#[process]
fn add_in_steps(segment: SharedMemory, own: usize, times: u32) -> csproc::Result<()> {
    let memory = segment.attach()?;
    for time in 0..times {
        memory.update(8, |number: u32| number.wrapping_add(1 << 20 | 1))?;
        memory.write(12 + own, [time as u8])?;
        if memory.read(12 + own, 1)? != [time as u8] {
            return Err(csproc::Error::msg("somebody has written over a byte of mine"));
        }
    }
    Ok(())
}

#[process]
fn write_and_wait(segment: SharedMemory, written: Writer<()>) -> csproc::Result<()> {
    let memory = segment.attach()?;
    memory.write(0, "half")?;
    written.write(())?;
    loop {
        thread::park();
    }
}

#[process]
fn read(segment: SharedMemory, offset: usize, length: usize) -> csproc::Result<Vec<u8>> {
    Ok(segment.attach_read_only()?.read(offset, length)?)
}

over_both! {
    fn what_one_writes_the_others_read(placement) {
        let owner = segment(10_000);
        let memory = owner.attach().unwrap();
        for (offset, length) in [(0, 1), (1, 7), (3, 100), (4090, 20), (9_999, 1), (0, 10_000), (10_000, 0)] {
            let bytes: Vec<u8> = (0..length).map(|place: usize| (place * 31 + offset) as u8).collect();
            memory.write(offset, &bytes).unwrap();
            let seen = Parallel!(read((*owner).clone(), offset, length).on(placement)).values().unwrap();
            assert_eq!(seen, bytes);
        }
        assert_eq!(owner.status().unwrap().attachments, 1, "whoever has ended has it no more");
    }

    fn a_semaphore_keeps_changes_of_a_segment_apart(placement) {
        let (owner, guard) = (segment(100), semaphore(1));
        Parallel!(
            for _ in 0..4 => add_guarded((*owner).clone(), (*guard).clone(), 500).on(placement)
        ).values().unwrap();
        assert_eq!(owner.attach().unwrap().read(13, 8).unwrap(), 2000_u64.to_ne_bytes());
    }

    fn a_number_is_changed_in_one_step_and_its_neighbours_not_at_all(placement) {
        let owner = segment(16);
        Parallel!(for own in 0..4 => add_in_steps((*owner).clone(), own, 2000).on(placement)).values().unwrap();
        let memory = owner.attach_read_only().unwrap();
        assert_eq!(memory.load::<u32>(8).unwrap(), 8000_u32.wrapping_mul(1 << 20 | 1));
        assert_eq!(memory.read(12, 4).unwrap(), [(1999_u32 % 256) as u8; 4]);
        assert_eq!(memory.load::<u64>(0).unwrap(), 0);
    }
}

once! {
    fn who_is_killed_has_it_no_more_and_leaves_what_it_has_written() {
        let owner = segment(100);
        let written = Channel::new();
        let r = written.reader();
        let victim = Spawn!(write_and_wait((*owner).clone(), written.writer())).unwrap();
        r.read().unwrap();
        assert_eq!(owner.status().unwrap().attachments, 1);
        victim.kill().unwrap();
        assert!(victim.join().is_err());
        assert_eq!(owner.status().unwrap().attachments, 0);
        assert_eq!(owner.attach().unwrap().read(0, 6).unwrap(), b"half\0\0");
    }

    fn a_segment_that_was_removed_goes_with_who_had_it_last() {
        let key = Key::from_path(std::env::current_exe().unwrap(), b'4').unwrap();
        let segment = SharedMemory::create_new(key, 100).unwrap();
        let written = Channel::new();
        let r = written.reader();
        let last = Spawn!(write_and_wait(segment.clone(), written.writer())).unwrap();
        r.read().unwrap();
        segment.remove().unwrap();
        assert_eq!(SharedMemory::open(key), Err(SysvError::NotFound { key }));
        assert!(segment.status().unwrap().is_removed && is_in("shm", segment.id()));
        // By its number it can still be had.
        assert_eq!(segment.attach().unwrap().read(0, 4).unwrap(), b"half");
        let other = SharedMemory::create_new(key, 1).unwrap().remove_on_drop();
        assert_ne!(other.id(), segment.id());
        last.kill().unwrap();
        assert!(last.join().is_err());
        assert!(!is_in("shm", segment.id()));
        assert!(segment.attach().unwrap_err().is_removed());
        assert!(segment.status().unwrap_err().is_removed() && segment.remove().unwrap_err().is_removed());
        assert!(segment.set_mode(0o600).unwrap_err().is_removed());
    }

    fn what_does_not_lie_in_a_segment_is_refused() {
        let owner = segment(100);
        let memory = owner.attach().unwrap();
        let size = 100;
        for (offset, bytes) in [(100, 1), (99, 2), (0, 101), (usize::MAX, 1), (usize::MAX, 0), (1, usize::MAX)] {
            let out = SysvError::OutOfRange { offset, bytes, size };
            assert_eq!(memory.read(offset, bytes).unwrap_err(), out);
            assert!(out.to_string().contains("100"), "{out}");
            if bytes < 1000 {
                assert_eq!(memory.write(offset, vec![1; bytes]), Err(out.clone()));
                assert_eq!(memory.read_into(offset, &mut vec![1; bytes]), Err(out));
            }
        }
        assert_eq!(memory.load::<u64>(96), Err(SysvError::OutOfRange { offset: 96, bytes: 8, size }));
        assert_eq!(memory.store(100, 1_u8), Err(SysvError::OutOfRange { offset: 100, bytes: 1, size }));
        assert_eq!(memory.store(97, 1_u16), Err(SysvError::Unaligned { offset: 97, bytes: 2 }));
        assert_eq!(memory.load::<u64>(4), Err(SysvError::Unaligned { offset: 4, bytes: 8 }));
        assert_eq!((memory.read(100, 0), memory.write(100, "")), (Ok(Vec::new()), Ok(())));
        assert_eq!(memory.read(0, 100).unwrap(), [0; 100]);
        memory.store(99, 255_u8).unwrap();
        memory.store(96, -2_i16).unwrap();
        assert_eq!((memory.load::<i8>(99).unwrap(), memory.load::<i16>(96).unwrap()), (-1, -2));
    }

    fn what_is_attached_to_read_is_not_written() {
        let owner = segment(8);
        let read_only = SysvError::ReadOnly { key: owner.key() };
        let memory = owner.attach_read_only().unwrap();
        assert_eq!(memory.write(0, "x"), Err(read_only.clone()));
        assert_eq!(memory.store(0, 1_u8), Err(read_only.clone()));
        assert_eq!(memory.update(0, |number: u64| number + 1), Err(read_only.clone()));
        assert!(read_only.to_string().contains("attach"), "{read_only}");
        assert_eq!(memory.read(0, 8).unwrap(), [0; 8]);
        let text = format!("{memory:?}");
        assert!(text.contains(&owner.id().to_string()) && text.contains("is_read_only: true"), "{text}");
    }

    fn a_size_that_cannot_be_is_refused() {
        for bytes in [0, usize::MAX, 1 << 60] {
            let error = SharedMemory::create(Key::PRIVATE, bytes).unwrap_err();
            let is_limit = matches!(error, SysvError::Limit { .. });
            assert!(is_limit, "{bytes}: {error:?}");
        }
        let key = Key::from_path(std::env::current_exe().unwrap(), b'5').unwrap();
        assert!(matches!(SharedMemory::create(key, 0), Err(SysvError::Limit { .. })), "there is none to open");
        let owner = SharedMemory::create(key, 100).unwrap().remove_on_drop();
        let smaller = SharedMemory::create(key, 101).unwrap_err();
        assert_eq!(smaller, SysvError::TooSmall { key, bytes: 101 });
        let told = smaller.to_string();
        assert!(told.contains(&format!("{key:#010x}")) && told.contains("101"), "{told}");
        assert_eq!(SharedMemory::create_new(key, 1), Err(SysvError::AlreadyExists { key }));
        for bytes in [0, 1, 100] {
            assert_eq!(SharedMemory::create(key, bytes), Ok((*owner).clone()));
        }
        assert_eq!(owner.size(), Ok(100));
    }

    fn threads_share_what_one_of_them_has_attached() {
        let owner = segment(8);
        let memory = Arc::new(owner.attach().unwrap());
        let adders: Vec<_> = (0..4)
            .map(|_| {
                let memory = memory.clone();
                thread::spawn(move || (0..5000).for_each(|_| drop(memory.update(0, |number: u64| number + 1))))
            })
            .collect();
        adders.into_iter().for_each(|adder| adder.join().unwrap());
        assert_eq!(memory.load::<u64>(0), Ok(20_000));
        drop(memory);
        assert_eq!(owner.status().unwrap().attachments, 0);
    }

    fn a_segment_ends_with_its_owner_and_with_no_handle() {
        let owner = segment(1);
        let handle = (*owner).clone();
        drop(handle.clone());
        assert!(is_in("shm", handle.id()));
        drop(owner);
        assert!(!is_in("shm", handle.id()));
        let kept = segment(1).keep();
        assert!(is_in("shm", kept.id()));
        kept.remove().unwrap();
        assert!(!is_in("shm", kept.id()));
    }

    fn a_copy_by_a_bare_fork_gives_up_what_is_its_own() {
        let remains = output(command("an_attachment_is_copied").0);
        assert!(remains.status.success() && remains.stdout.contains("still there"), "{remains:?}");
    }
}
