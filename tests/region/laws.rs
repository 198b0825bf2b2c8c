//! What a region is: a slice, which is sent and stays where it is.
//!
//! Knows nothing of deaths, nor of what happens where there is no room.

use csproc::prelude::*;
use csproc::shared::{Frozen, Region, bytemuck};
use std::time::Duration;

/// What goes there and back: the region itself, and word that the write of it has come back.
#[derive(serde::Serialize, serde::Deserialize)]
enum Parcel {
    Region(Region<u64>),
    Sent(usize),
}

/// Adds one to everything, and says where it lies.
#[process]
fn add_one(input: Reader<Parcel>, output: Writer<Parcel>) -> csproc::Result<()> {
    while let Ok(Parcel::Region(mut region)) = input.read() {
        input.read()?;
        region.iter_mut().for_each(|value| *value += 1);
        let place = region.as_ptr().addr();
        output.write(Parcel::Region(region))?;
        output.write(Parcel::Sent(place))?;
    }
    Ok(())
}

#[process]
fn make(length: usize) -> Region<u16> {
    (0..length).map(|value| value as u16).collect()
}

#[process]
fn read(frozen: Frozen<u64>, from: usize) -> (usize, u64) {
    (frozen.as_ptr().addr(), frozen[from..].iter().sum())
}

#[process]
fn change_mine(mut region: Region<u8>) -> Region<u8> {
    region[0] = 99;
    region
}

#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "csproc::shared::bytemuck")]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

/// How much shared memory this process has touched.
fn shared_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssShmem:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

over_both! {
    fn a_region_goes_there_and_back_and_is_never_copied(placement) {
        for length in [0, 1, 100, 1_000_000] {
            let (there, back) = (Channel::new(), Channel::new());
            let child = Spawn!(add_one(there.reader(), back.writer()).on(placement)).unwrap();
            let (w, r) = (there.writer(), back.reader());
            drop((there, back));
            let mut region: Region<u64> = (0..length).collect();
            let first = region.as_ptr().addr();
            for round in 1..=5 {
                w.write(Parcel::Region(region)).unwrap();
                w.write(Parcel::Sent(0)).unwrap();
                let (Ok(Parcel::Region(back)), Ok(Parcel::Sent(place))) = (r.read(), r.read()) else {
                    panic!("neither")
                };
                assert!(back.iter().copied().eq(round..length + round), "{length} {round}");
                assert_eq!((place, back.as_ptr().addr()), (first, first));
                region = back;
            }
            drop(w);
            child.join().unwrap().unwrap();
        }
    }

    fn a_result_and_an_argument_may_be_regions(placement) {
        let made = Parallel!(make(5000).on(placement)).unwrap();
        assert!(made.iter().copied().eq(0..5000));
        let region = Region::from(vec![1_u8; 3]);
        assert_eq!(Parallel!(change_mine(region).on(placement)).unwrap()[..], [99, 1, 1]);
    }

    fn many_read_what_is_frozen_and_none_has_a_copy(placement) {
        let frozen = (0..100_000).collect::<Region<u64>>().freeze();
        let seen = Parallel!(for from in 0..6 => read(frozen.clone(), from * 10_000).on(placement)).unwrap();
        for (from, (place, sum)) in seen.into_iter().enumerate() {
            assert_eq!((place, sum), (frozen.as_ptr().addr(), (from as u64 * 10_000..100_000).sum()));
        }
        assert_eq!(frozen.iter().sum::<u64>(), 4_999_950_000);
    }

    fn what_is_kept_in_a_channel_outlives_its_sender(placement) {
        #[process]
        fn send(output: Writer<Region<u32>>) -> csproc::Result<()> {
            Ok(output.write((0..10_000).collect())?)
        }
        let c = Channel::buffered(Buffer::Unbounded);
        let r = c.reader();
        Parallel!(for _ in 0..3 => send(c.writer()).on(placement)).values().unwrap();
        drop(c);
        for mut region in r {
            region[0] = 1;
            assert!(region[1..].iter().copied().eq(1..10_000) && region[0] == 1);
        }
    }
}

once! {
    fn a_write_that_fails_gives_the_region_back_as_it_was() {
        let c = Channel::<Region<u32>>::new();
        let (w, r) = (c.writer(), c.reader());
        let region = Region::from(vec![7; 100_000]);
        let place = region.as_ptr().addr();
        let mut region = w.try_write(region).unwrap_err().value;
        region[1] = 8;
        let mut region = w.write_timeout(region, Duration::from_millis(1)).unwrap_err().value;
        region[2] = 9;
        drop((c, r));
        let mut region = w.write(region).unwrap_err().value;
        region[3] = 10;
        assert_eq!((&region[..5], region.as_ptr().addr()), (&[7, 8, 9, 10, 7][..], place));
    }

    fn what_is_thawed_is_changed_in_its_place_unless_others_have_it() {
        let frozen = Region::from(vec![1_u8; 1_000_000]).freeze();
        let place = frozen.as_ptr();
        let mut region = frozen.thaw();
        region[0] = 2;
        assert_eq!(region.as_ptr(), place);
        let frozen = Frozen::from(region);
        let other = frozen.clone();
        let mut region = frozen.thaw();
        region[0] = 3;
        assert_eq!((other[0], region[0], other.as_ptr()), (2, 3, place));
        // Also if the other one is a message.
        let c = Channel::buffered(Buffer::Fifo(1));
        c.writer().write(other.clone()).unwrap();
        let mut region = other.thaw();
        region[0] = 4;
        assert_eq!((c.reader().read().unwrap()[0], region[0]), (2, 4));
    }

    fn any_plain_data_lies_as_it_has_to() {
        let points: Region<Point> = (0..100).map(|i| Point { x: f64::from(i), y: -1.0 }).collect();
        assert_eq!(points[99], Point { x: 99.0, y: -1.0 });
        let wide = Region::<u128>::zeroed(3);
        assert!(wide.as_ptr().addr().is_multiple_of(64) && wide[..] == [0; 3]);
        let rows = Region::from(vec![[1.5_f32; 4]; 10]);
        assert_eq!(rows.iter().flatten().sum::<f32>(), 60.0);
        assert!(Region::<u8>::zeroed(0).is_empty());
        assert_eq!(format!("{:?} {:?}", Region::from(vec![1, 2]), Region::from(&[3_u8][..]).freeze()), "[1, 2] [3]");
        assert_eq!(Region::from(vec![1, 2]), [1, 2].into_iter().collect());
        assert_ne!(Region::from(vec![1, 2]).freeze(), Region::from(vec![1, 3]).freeze());
    }

    fn what_is_new_is_zero_whatever_was_there_before() {
        for length in [1, 100, 4096, 300_000, 3 << 20] {
            for byte in 1..4 {
                let mut region = Region::<u8>::try_zeroed(length).unwrap();
                assert!(region.iter().all(|byte| *byte == 0), "{length}");
                region.fill(byte);
                drop(region);
                drop(Region::from(vec![byte; length]));
            }
        }
    }

    fn a_large_region_takes_memory_for_what_is_written_and_moves_in_no_time() {
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        let before = shared_kibibytes();
        let mut region = Region::<u64>::try_zeroed(1 << 27).unwrap();
        for round in 0..1000 {
            region[1 << 26] += 1;
            region[(1 << 27) - 1] = round;
            w.write(region).unwrap();
            region = r.read().unwrap();
        }
        assert_eq!((region[0], region[1 << 26], region[(1 << 27) - 1]), (0, 1000, 999));
        // Of 1 GiB; other tests run beside this one.
        let taken = shared_kibibytes().saturating_sub(before);
        assert!(taken < 400 << 10, "{taken} KiB");
    }
}
