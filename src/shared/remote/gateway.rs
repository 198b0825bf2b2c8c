//! `Gateway`: the server's side, a thread that lets clients in and one for each of them.
//!
//! Knows nothing of what is asked: a [`Service`] answers. One connection asks one thing at a time; who wants to ask
//! beside that connects once more.

use super::departed::Clients;
use super::error::ServeError;
use super::frame::{read, write};
use super::hello::{Instance, KEY_LIMIT, PATIENCE, random, receive, send_away};
use super::line::{Line, Reply};
use super::place::Place;
use super::{DONE, ENDS, HELD, TAKEN};
use crate::engine::along;
use parking_lot::{Condvar, Mutex};
use rustix::net::{Shutdown, shutdown};
use std::collections::BTreeMap;
use std::net::Shutdown as Half;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// How many connections there are at most.
const CONNECTIONS: usize = 256;

/// How long clients may take to read their last answer when the server ends.
const GRACE: Duration = Duration::from_secs(1);

/// Who answers.
pub(in crate::shared) trait Service: Send + Sync + 'static {
    /// The answer to a request that has come over this line. `None` ends the connection: it is no request that a client
    /// of this version sends, or the client is [gone](Line::gone), and nothing was done.
    fn answer(&self, line: &Line, request: &[u8]) -> Option<Reply>;
}

/// A place that is served, as long as this is there.
///
/// Dropped, it lets nobody in any more, waits for requests in progress and takes the place away. Clients are told that
/// it has ended.
pub(in crate::shared) struct Gateway {
    door: Arc<Door>,
    listener: Arc<UnixListener>,
    /// Not there any more when it was joined.
    porter: Option<JoinHandle<()>>,
    /// After a bare fork neither the threads nor the place are ours.
    process: u32,
    place: Option<Place>,
}

impl Gateway {
    /// Serves a place.
    ///
    /// # Errors
    /// The place cannot be had, the key is too long, or there is no room for a thread.
    pub(in crate::shared) fn open(path: &Path, key: &[u8], service: Arc<dyn Service>) -> Result<Gateway, ServeError> {
        if key.len() > KEY_LIMIT {
            return Err(ServeError::LongKey { path: path.to_path_buf(), limit: KEY_LIMIT });
        }
        let failed = |what: &'static str| move |error: std::io::Error| ServeError::system(path, what, error);
        let instance = random().map_err(failed("there are no random numbers"))?;
        let (place, listener) = Place::take(path)?;
        let listener = Arc::new(listener);
        let inside = Mutex::new(Inside { streams: BTreeMap::new(), ends: false });
        let door = Arc::new(Door { key: key.to_vec(), instance, service, inside, left: Condvar::new() });
        let (same, hears) = (door.clone(), listener.clone());
        let porter = Builder::new()
            .name(String::from("csproc-gateway"))
            .spawn(along(move || same.attend(&hears)))
            .map_err(failed("there is no thread for it"))?;
        let process = std::process::id();
        Ok(Gateway { door, listener, porter: Some(porter), process, place: Some(place) })
    }

    /// Lets nobody in any more, and takes no further request. Those in progress go on.
    pub(in crate::shared) fn close(&self) {
        if self.process != std::process::id() {
            return;
        }
        let mut inside = self.door.inside.lock();
        inside.ends = true;
        for stream in inside.streams.values() {
            // One that is gone needs no word.
            let _ = stream.shutdown(Half::Read);
        }
        drop(inside);
        // This ends the wait of the porter.
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let (porter, place) = (self.porter.take(), self.place.take());
        if self.process != std::process::id() {
            std::mem::forget((porter, place));
            return;
        }
        self.close();
        self.door.wait_until_empty();
        if let Some(porter) = porter {
            // It does not panic; if it did, it has ended all the same.
            let _ = porter.join();
        }
    }
}

/// What the threads of a gateway have in common.
struct Door {
    key: Vec<u8>,
    instance: Instance,
    service: Arc<dyn Service>,
    inside: Mutex<Inside>,
    /// Somebody has left.
    left: Condvar,
}

struct Inside {
    streams: BTreeMap<u64, Arc<UnixStream>>,
    ends: bool,
}

impl Door {
    /// Lets clients in until the end; waits then for those who are inside.
    fn attend(self: &Arc<Door>, listener: &UnixListener) {
        /// When the system has no descriptor or no memory, until it may have.
        const PAUSE: Duration = Duration::from_millis(10);
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        let mut clients = Clients::default();
        for number in 0.. {
            clients.wait_at(listener.as_fd());
            let stream = match listener.accept() {
                _ if self.inside.lock().ends => break,
                Ok((stream, _)) => Arc::new(stream),
                Err(_) => {
                    sleep(PAUSE);
                    continue;
                }
            };
            threads.extract_if(.., |thread| thread.is_finished()).for_each(|thread| drop(thread.join()));
            match self.begin(number, &stream) {
                Some(thread) => {
                    threads.push(thread);
                    clients.add(&stream);
                }
                None => send_away(&stream),
            }
        }
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }

    /// A thread for a client, if there is room for one more.
    fn begin(self: &Arc<Door>, number: u64, stream: &Arc<UnixStream>) -> Option<JoinHandle<()>> {
        let mut inside = self.inside.lock();
        if inside.ends || inside.streams.len() >= CONNECTIONS {
            return None;
        }
        inside.streams.insert(number, stream.clone());
        drop(inside);
        let (door, same) = (self.clone(), stream.clone());
        let work = along(move || {
            // A service that panics takes its own connection along.
            let guest = Guest { door, number };
            guest.door.serve(&same);
        });
        let thread = Builder::new().name(String::from("csproc-client")).spawn(work).ok();
        if thread.is_none() {
            // The stream stays open: the client is to be told.
            self.inside.lock().streams.remove(&number);
        }
        thread
    }

    fn serve(&self, stream: &Arc<UnixStream>) {
        if !receive(stream, &self.key, &self.instance, PATIENCE).unwrap_or(false) {
            return;
        }
        let line = Line::new(stream.clone());
        while let Some(request) = self.listen(stream) {
            match self.service.answer(&line, &request) {
                Some(Reply::Done(answer)) => {
                    if write(stream, [&[DONE], &answer]).is_err() {
                        return;
                    }
                }
                Some(Reply::Held(held)) => {
                    if write(stream, [&[HELD], held.bytes()]).is_err() {
                        return;
                    }
                    // What was said before the end is still read: both sides know alike whether it was taken.
                    match read(stream) {
                        Ok(Some(word)) if word == [TAKEN] => held.taken(),
                        _ => {
                            drop(held);
                            self.say_if_it_ends(stream);
                            return;
                        }
                    }
                }
                None => {
                    self.say_if_it_ends(stream);
                    return;
                }
            }
        }
    }

    /// The next request; `None` if there is none, or the server ends and it is not done any more.
    fn listen(&self, stream: &UnixStream) -> Option<Vec<u8>> {
        let request = read(stream);
        if self.say_if_it_ends(stream) { None } else { request.ok().flatten() }
    }

    /// Tells a client that nothing is done for it any more, if the server ends.
    fn say_if_it_ends(&self, stream: &UnixStream) -> bool {
        let ends = self.inside.lock().ends;
        if ends {
            let _ = write(stream, [&[ENDS], &[]]);
        }
        ends
    }

    /// Gives those inside a moment to read their last answer. Whoever is in a call even then, by way of an object in a
    /// third program, is not answered any more.
    fn wait_until_empty(&self) {
        let until = Instant::now() + GRACE;
        let mut inside = self.inside.lock();
        while !inside.streams.is_empty() && !self.left.wait_until(&mut inside, until).timed_out() {}
        for stream in inside.streams.values() {
            // Who sends to them gets an error now.
            let _ = stream.shutdown(Half::Both);
        }
    }
}

/// A client that is inside.
struct Guest {
    door: Arc<Door>,
    number: u64,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let stream = self.door.inside.lock().streams.remove(&self.number);
        if let Some(stream) = stream {
            let _ = stream.shutdown(Half::Both);
        }
        self.door.left.notify_all();
    }
}
