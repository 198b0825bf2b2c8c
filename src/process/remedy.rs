//! Says what to send instead of a type that cannot be a message: one bound for each kind of type, with its own words.
//! Answers what the name of a type does not tell: whether it is the library's end or value, or the standard library's
//! lock.
//!
//! Does not know the types: `#[process]` chooses a bound by how an argument is spelt. Each holds for every message, so
//! that a user's own type may have any name.

use crate::channel::{Flat, Message, Plain, Reader, Writer};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::{Mutex, RwLock, atomic};

macro_rules! remedies {
    ($($(#[$about:meta])* $name:ident: $label:literal, $note:literal;)*) => {$(
        $(#[$about])*
        #[diagnostic::on_unimplemented(
            message = "`{Self}` cannot cross between processes",
            label = $label,
            note = $note
        )]
        pub trait $name: Message {}

        #[diagnostic::do_not_recommend]
        impl<T: Message> $name for T {}
    )*};
}

remedies! {
    /// Memory that several hold: `Rc`, `Arc`, cells, locks.
    Shared: "processes share no memory", "send the value itself, or share it: a `csproc::shared::Value`, `Array` or \
        `Atomic` has plain data, a `Lock` guards what else there is, and an object of a `Manager` is of any type; or \
        let one process own it and give the others a `Writer` and a `Reader` to it";
    /// The ends of channels of other libraries.
    Foreign: "this channel ends at the process", "use the ends of a `csproc::Channel`: `Writer<T>` \
        to send, `Reader<T>` to receive";
    /// A channel with both its ends.
    Joint: "a channel stays where it is made", "send one end of it: `channel.writer()` is a \
        `Writer<T>`, `channel.reader()` a `Reader<T>`";
    /// What is lent.
    Lent: "stays with its process", "send it through a `Writer<Flat<T>>` of the process, `writer.send(loan)`; the \
        process at the other end has a `Reader<Flat<T>>`";
    /// A moment of the monotonic clock.
    Clock: "means nothing elsewhere", "send the `Duration` that is left, or a `SystemTime`";
    /// An open file or socket.
    Open: "open in one process alone", "send the path or the address, and open it in the process";
    /// The handle of a thread.
    Running: "a thread belongs to its process", "let the process start its threads itself, and send \
        what they give";
    /// Function pointers and closures.
    Code: "code is not sent", "send what says which code to run, such as an `enum`, and call the \
        function in the process";
    /// Trait objects.
    Object: "what it holds is not known", "write the type itself, or an `enum` of the types it can be";
    /// Results and errors of other libraries.
    Failing: "its value or its error is not a message", "write `csproc::Result<…>`: `?` turns errors \
        into its error, and `.map_err(csproc::Error::msg)` those that are no `std::error::Error`; the value in it \
        derives `serde::Serialize` and `serde::Deserialize`";
}

/// What an end carries: messages, or what is lent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross between processes",
    label = "not a message",
    note = "a type of your own derives `serde::Serialize` and `serde::Deserialize`; a type parameter has the bound \
            `T: csproc::Message`",
    note = "a message owns all its data: what is shared or open in one process (`Rc`, `Arc`, `File`) cannot be sent"
)]
pub trait Carry {}

#[diagnostic::do_not_recommend]
impl<T: Message> Carry for T {}

#[diagnostic::do_not_recommend]
impl<T: Plain> Carry for Flat<T> {}

/// Asks about a type that is spelt as an end of a channel, a shared value, a lock or an atomic number.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Probe<T> {
    /// A question about `T`.
    #[expect(clippy::new_without_default, reason = "a question, made by `#[process]` alone")]
    #[must_use]
    pub const fn new() -> Self {
        Probe(PhantomData)
    }
}

/// The answers for every type that is none of the library's or the standard library's: nothing is asked of it, and
/// nothing is said.
pub trait Silent {
    /// Nothing that could be no message.
    fn carried(&self) -> Carried<()> {
        Carried(PhantomData)
    }
    /// The same of what comes back.
    fn received(&self) -> Carried<()> {
        Carried(PhantomData)
    }
    /// Nothing that could be no plain data.
    fn kept(&self) -> Carried<()> {
        Carried(PhantomData)
    }
    /// Nothing that could be no word.
    fn counted(&self) -> Carried<u8> {
        Carried(PhantomData)
    }
    /// Does nothing.
    fn is_copied(&self) {}
}

impl<T: ?Sized> Silent for Probe<T> {}

/// The type that an end carries or a shared value keeps.
#[derive(Debug)]
pub struct Carried<T>(PhantomData<T>);

impl<T> Carried<T> {
    /// One for an end of another layer.
    pub(crate) const fn new() -> Self {
        Carried(PhantomData)
    }

    /// Itself, in an expression that stands at the user's type.
    #[must_use]
    pub fn here(self) -> Self {
        self
    }
}

macro_rules! ends {
    ($($end:ident)*) => {$(
        impl<T> Probe<$end<T>> {
            /// What it carries.
            #[must_use]
            pub fn carried(&self) -> Carried<T> {
                Carried(PhantomData)
            }
        }
    )*};
}

ends! { Writer Reader }

macro_rules! copied {
    ($({$($t:ident)?} $shared:ty;)*) => {$(
        impl<$($t: ?Sized)?> Probe<$shared> {
            /// Does nothing, and warns.
            #[deprecated(note = "each process has a copy of its own, and no other sees what it changes: share it as \
                a `csproc::shared::Value` or `Atomic`, guard what else there is by a `csproc::shared::Lock`, or send \
                the value in it to a process that owns it")]
            pub fn is_copied(&self) {}
        }
    )*};
}

copied! {
    {T} Mutex<T>;
    {T} RwLock<T>;
    {T} Cell<T>;
    {T} RefCell<T>;
    {} atomic::AtomicBool;
    {} atomic::AtomicI8;
    {} atomic::AtomicI16;
    {} atomic::AtomicI32;
    {} atomic::AtomicI64;
    {} atomic::AtomicIsize;
    {} atomic::AtomicU8;
    {} atomic::AtomicU16;
    {} atomic::AtomicU32;
    {} atomic::AtomicU64;
    {} atomic::AtomicUsize;
}
