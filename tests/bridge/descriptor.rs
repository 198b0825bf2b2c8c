//! A descriptor fires while reading from it would not wait, and only then.
//!
//! Knows nothing of messages.

use crate::harness::place::Place;
use csproc::bridge;
use csproc::prelude::*;
use rustix::event::{EventfdFlags, eventfd};
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

fn is_ready(readable: &bridge::Readable<impl AsFd>) -> bool {
    PriSelect! { readable => true, skip => false }.unwrap()
}

/// Waits in an alternation until `make` has made it readable.
fn fires<F: AsFd>(readable: &bridge::Readable<F>, make: impl FnOnce() + Send) {
    assert!(!is_ready(readable));
    let place = Place::here();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            place.until_asleep();
            make();
        });
        AltSelect! { () = readable.read() => () }.unwrap();
    });
    assert!(is_ready(readable), "nobody has read anything");
}

once! {
    fn a_pipe_fires_when_something_is_written() {
        let (output, mut input) = pipe().unwrap();
        let readable = bridge::readable(output);
        for round in 0..200_u8 {
            fires(&readable, || input.write_all(&[round]).unwrap());
            let mut byte = [0];
            readable.get_ref().read_exact(&mut byte).unwrap();
            assert_eq!(byte, [round]);
        }
        fires(&readable, move || drop(input));
        assert_eq!(readable.into_inner().read(&mut [0]).unwrap(), 0);
    }

    fn a_socket_fires_when_a_peer_connects_or_writes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = bridge::readable(listener);
        let (hand, given) = std::sync::mpsc::channel();
        fires(&incoming, || hand.send(TcpStream::connect(address).unwrap()).unwrap());
        let mut peer = given.recv().unwrap();
        let (stream, _) = incoming.get_ref().accept().unwrap();
        let readable = bridge::readable(&stream);
        fires(&readable, || peer.write_all(b"x").unwrap());
        (&stream).read_exact(&mut [0]).unwrap();
        assert!(!is_ready(&readable));
    }

    fn an_event_counter_fires_until_it_is_read() {
        let counter = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let readable = bridge::readable(&counter);
        fires(&readable, || assert_eq!(rustix::io::write(&counter, &3_u64.to_ne_bytes()), Ok(8)));
        rustix::io::read(&counter, &mut [0; 8]).unwrap();
        assert!(!is_ready(&readable));
        fires(&readable, || assert_eq!(rustix::io::write(&counter, &1_u64.to_ne_bytes()), Ok(8)));
    }

    fn a_descriptor_beside_channels_and_other_bridges() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let line = bridge::readable(near);
        let (sender, receiver) = crossbeam_channel::bounded(0);
        let values = bridge::crossbeam(receiver);
        let c = Channel::new();
        let (w, own) = (c.writer(), c.reader());
        let threads = [
            std::thread::spawn(move || (0..1000_u32).all(|v| sender.send(v).is_ok())),
            std::thread::spawn(move || (0..1000_u32).all(|v| w.write(v).is_ok())),
            std::thread::spawn(move || (0..1000_u32).all(|v| far.write_all(&v.to_ne_bytes()).is_ok())),
        ];
        let mut next = [0; 3];
        while next != [1000; 3] {
            let (place, value) = AltSelect! {
                v = values.read() if next[0] < 1000 => (0, v),
                v = own.read() if next[1] < 1000 => (1, v),
                line if next[2] < 1000 => {
                    let mut bytes = [0; 4];
                    line.get_ref().read_exact(&mut bytes).unwrap();
                    (2, u32::from_ne_bytes(bytes))
                },
            }
            .unwrap();
            assert_eq!(value, next[place]);
            next[place] += 1;
        }
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    }

    fn reading_by_itself_waits_for_the_descriptor() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let line = bridge::readable(near);
        assert!(line.try_read().unwrap_err().is_would_block());
        let place = Place::here();
        let thread = std::thread::spawn(move || {
            place.until_asleep();
            far.write_all(b"x").unwrap();
            far
        });
        assert_eq!(line.read(), Ok(()));
        thread.join().unwrap();
    }
}
