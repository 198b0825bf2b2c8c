//! Starts the process server before `main`, from an ELF constructor.
//!
//! Knows nothing of what the server does. It runs when the program has one thread, after the C library and the argument
//! hook of the standard library are ready and before any other constructor of a Rust crate. It must not panic, and
//! nothing in it may fail the program: whatever goes wrong is kept, and told to whoever asks for a process.
#![expect(unsafe_code, reason = "an ELF constructor; listed in the architecture page")]

use super::client::Link;
use super::server::Server;
use crate::engine::{Program, share_world};
use crate::memory::{default_size, rows_asked_for};
use crate::sys::fork::{Forked, fork, is_single_threaded};
use crate::sys::image::first_page;
use rustix::thread::set_name;
use std::sync::OnceLock;

/// Why no operating-system process can be started here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("the process server is switched off by CSPROC_FORKSERVER={0}; unset it, or use Placement::Thread")]
    SwitchedOff(String),
    #[error(
        "csproc is part of a shared library, not of the program itself, so no process server could be started before \
         `main`; link csproc into the program, or use Placement::Thread"
    )]
    SharedLibrary,
    #[error(
        "the program already had several threads when csproc was loaded, so no process server could be forked; use \
         Placement::Thread"
    )]
    Threads,
    #[error(
        "a constructor that runs before csproc's own (of a priority below 101) has already used a channel, so no \
         memory is shared with processes; use channels in constructors of a later priority, or Placement::Thread"
    )]
    Early,
    #[error("the process server could not be started: {step} failed with {error}; use Placement::Thread")]
    System { step: &'static str, error: String },
    #[error(
        "the constructor that starts the process server did not run (an interpreter such as Miri, or a linker that \
         dropped it); use Placement::Thread"
    )]
    NoConstructor,
}

static STATE: OnceLock<Result<(), Unavailable>> = OnceLock::new();

/// Whether processes can be started, and if not, why.
pub(crate) fn availability() -> Result<(), Unavailable> {
    STATE.get().cloned().unwrap_or(Err(Unavailable::NoConstructor))
}

#[cfg(all(target_os = "linux", not(miri)))]
#[used]
// SAFETY: the section holds pointers to functions that the C runtime calls before `main`; this is one.
#[unsafe(link_section = ".init_array.00101")]
static CONSTRUCTOR: extern "C" fn() = construct;

extern "C" fn construct() {
    let started = start();
    let _ = STATE.set(started);
    let (rows, complaint) = rows_asked_for();
    if let Some(complaint) = complaint {
        crate::sys::standard::say(&format!("csproc: {complaint}\n"));
    }
    if let Some(rows) = rows {
        Program::record_events(rows);
    }
}

fn start() -> Result<(), Unavailable> {
    if let Ok(value) = std::env::var("CSPROC_FORKSERVER")
        && matches!(value.as_str(), "0" | "off" | "no")
    {
        return Err(Unavailable::SwitchedOff(value));
    }
    if !is_in_the_program() {
        return Err(Unavailable::SharedLibrary);
    }
    if !is_single_threaded() {
        return Err(Unavailable::Threads);
    }
    crate::sys::standard::occupy().map_err(|error| failed("opening a closed standard descriptor", &error))?;
    let (size, complaint) = default_size();
    if let Some(complaint) = complaint {
        crate::sys::standard::say(&format!("csproc: {complaint}\n"));
    }
    if !share_world(size).map_err(|error| failed("mapping the arena", &error))? {
        return Err(Unavailable::Early);
    }
    super::environment::remember();
    crate::sys::fork::after_fork_in_child(crate::engine::forget_after_fork);
    let (server, link) = Server::prepare().map_err(|(step, error)| Unavailable::System { step, error })?;
    let own_name = rustix::thread::name();
    // Seen in `ps`, from the first moment on: a server that has not got a processor yet is not taken for a second
    // program. A failure changes nothing else.
    let _ = set_name(c"csproc-server");
    // SAFETY: one thread, checked above.
    let forked = unsafe { fork() };
    if let (Ok(Forked::Parent(_)) | Err(_), Ok(name)) = (&forked, own_name) {
        let _ = set_name(&name);
    }
    match forked {
        Err(error) => Err(failed("fork", &error)),
        Ok(Forked::Parent(server_pid)) => {
            drop(server);
            Link::install(link.for_root(server_pid));
            Ok(())
        }
        Ok(Forked::Child) => {
            let _ = STATE.set(Ok(()));
            server.serve(link)
        }
    }
}

fn failed(step: &'static str, error: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::System { step, error: error.to_string() }
}

/// Whether this code lies in the program itself: then constructors run before `main` and functions have one address.
fn is_in_the_program() -> bool {
    const PROGRAM_HEADERS_OFFSET: std::ops::Range<usize> = 32..40;
    let header = first_page();
    let Ok(offset) = <[u8; 8]>::try_from(&header[PROGRAM_HEADERS_OFFSET]) else { return true };
    // SAFETY: reads the auxiliary vector; no preconditions.
    let program = unsafe { libc::getauxval(libc::AT_PHDR) };
    program == 0 || program == header.as_ptr().addr() as u64 + u64::from_ne_bytes(offset)
}
