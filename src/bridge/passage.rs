//! How the descriptor of an `IpcReceiver` is obtained.
//!
//! Knows nothing of what the receiver receives.
//!
//! An ipc-channel receiver does not give its descriptor, without which it can be waited for neither together with
//! others nor so that the waiting can be given up. But it travels: sent through an ipc-channel whose other end is a
//! socket of ours, its descriptor arrives there, and when the message is handed on as it came, an ordinary receiver
//! makes the `IpcReceiver` of it again.
//!
//! ```text
//!  road: IpcSender ── receiver ──► exit: our socket ── the same bytes and descriptor ──► door ──► home: IpcReceiver
//!                                        └─ keeps a copy of the descriptor
//! ```
//! The road is an `IpcSender` that connects by name to a socket that we listen at, in a directory nobody else may
//! enter; it is the door, the sending end of `home`, that goes first. So nothing here depends on the format of
//! messages.

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, OpaqueIpcReceiver};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recvmsg, sendmsg, socket_with,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, remove_dir_all};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// What goes down the road.
#[derive(Serialize, Deserialize)]
enum Cargo {
    Door(IpcSender<Cargo>),
    Receiver(OpaqueIpcReceiver),
}

/// The same receiver, and its descriptor beside it.
pub(super) fn descriptor_of<T>(receiver: IpcReceiver<T>) -> io::Result<(IpcReceiver<T>, OwnedFd)>
where
    T: Serialize + DeserializeOwned,
{
    let (road, exit) = meet()?;
    let (door, home) = ipc::channel()?;
    road.send(Cargo::Door(door)).map_err(io::Error::other)?;
    let (_, door) = unload(&exit)?;
    road.send(Cargo::Receiver(receiver.to_opaque())).map_err(io::Error::other)?;
    let (message, descriptor) = unload(&exit)?;
    hand_on(&door, &message, &descriptor)?;
    // Makes room for the descriptor that comes: without it, ipc-channel would panic.
    drop((road, exit, door));
    match home.recv().map_err(io::Error::other)? {
        Cargo::Receiver(receiver) => Ok((receiver.to(), descriptor)),
        Cargo::Door(_) => Err(io::Error::other("ipc-channel has handed on another message than the one it was given")),
    }
}

/// A directory for one socket, gone when this is dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> io::Result<Place> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("csproc-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Place(path)),
                // Left behind by a process that had our number and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever empties directories for temporary files may have been faster.
        let _ = remove_dir_all(&self.0);
    }
}

/// A connected pair: an ipc-channel sender, and a socket of ours.
fn meet() -> io::Result<(IpcSender<Cargo>, OwnedFd)> {
    let place = Place::new()?;
    let path = place.0.join("socket");
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    bind(&listener, &SocketAddrUnix::new(&path)?)?;
    listen(&listener, 1)?;
    let name = path.into_os_string().into_string();
    let name = name.map_err(|_| io::Error::other("the directory for temporary files has a name that is not UTF-8"))?;
    let road = IpcSender::connect(name)?;
    Ok((road, accept_with(&listener, SocketFlags::CLOEXEC)?))
}

/// Takes one message off the road, with the one descriptor that comes with it.
fn unload(exit: &OwnedFd) -> io::Result<(Vec<u8>, OwnedFd)> {
    // An end of a channel takes some thirty bytes.
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = recvmsg(exit, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    bytes.truncate(length);
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    // The only reason why it did not come with its message.
    Ok((bytes, descriptor.ok_or(Errno::MFILE)?))
}

fn hand_on(door: &OwnedFd, message: &[u8], descriptor: &OwnedFd) -> io::Result<()> {
    let descriptors = [descriptor.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(door, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
