//! `Managed<T>`: a value in the process of a manager, and what can be done with it from everywhere.
//!
//! Knows nothing of processes: a proxy is a caller of the object, or leads to it in another program.

use super::distant::Distant;
use super::error::CallError;
use super::object::{Asked, Object, Serve};
use crate::channel::{Caller, ImageFn, Message, label};
use crate::sys::image::{ChangesWith, LooksWith};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

/// A type whose values a manager can have: [`#[managed]`](macro@crate::shared::managed) implements it.
///
/// By hand, the [`Proxy`](ManagedType::Proxy) is [`Managed`]`<Self>`, or a type of one's own around it.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::{Managed, ManagedType};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Total(u64);
///
/// impl ManagedType for Total {
///     type Proxy = Managed<Total>;
///     const NAME: &'static str = "Total";
/// }
///
/// let manager = Manager::new()?;
/// let total = manager.create(Total(40))?;
/// assert_eq!(total.with(2, |total, more| { total.0 += more; total.0 })?, 42);
/// # Ok::<(), csproc::Error>(())
/// ```
pub trait ManagedType: Sized + 'static {
    /// What stands for such a value in all processes.
    type Proxy: From<Managed<Self>>;

    /// What such a value is called in reports: `manager: NAME 3`.
    const NAME: &'static str;
}

/// What several may look at together: whatever is `Send` and `Sync`. There is nothing to implement.
///
/// # Examples
/// ```
/// fn may_be_looked_at<T: csproc::shared::Visible>() {}
/// may_be_looked_at::<Vec<String>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be looked at by several at once",
    label = "not `Send` and `Sync`",
    note = "in `#[managed(exclusive)]` each method has the object alone, as `with` has it"
)]
pub trait Visible: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> Visible for T {}

/// A value in the process of a [`Manager`](crate::shared::Manager), for any number of processes.
///
/// A clone, or one that was sent to a process or put into another object, is one more proxy of the same value. When
/// the last one is gone, by whatever end of a process, the value is dropped. What is done with the value is a function
/// that runs there, in the process of the object: [`with`](Managed::with) and [`look`](Managed::look).
///
/// # Examples
/// See [`ManagedType`].
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Managed<T> {
    value: Place,
    values: PhantomData<fn(T) -> T>,
}

/// Where the value is.
#[derive(Clone, Serialize, Deserialize)]
enum Place {
    Here(Caller),
    /// In another program, which has none of our functions.
    There(Distant),
}

impl<T: 'static> Managed<T> {
    pub(super) fn new(calls: Caller) -> Managed<T> {
        Managed { value: Place::Here(calls), values: PhantomData }
    }

    /// A proxy of a value in another program.
    #[doc(hidden)]
    #[must_use]
    pub fn distant(object: Distant) -> Managed<T> {
        Managed { value: Place::There(object), values: PhantomData }
    }

    /// The object in another program, if it is in one.
    pub(super) fn elsewhere(&self) -> Option<&Distant> {
        match &self.value {
            Place::Here(_) => None,
            Place::There(object) => Some(object),
        }
    }

    /// Runs `work` on the value, while nobody else uses it: all that it does is one step for everybody else.
    ///
    /// `work` runs in another process. So it is a function of the program, or a closure that captures nothing: what it
    /// needs beside the value are its `arguments`, and what comes of it is its result.
    ///
    /// # Blocking
    /// Until those who came before are done, and `work` is. A call that the object has taken cannot be withdrawn, so
    /// there is no time limit.
    ///
    /// # Errors
    /// [`Shutdown`](CallError::Shutdown), [`Lost`](CallError::Lost) or [`Failed`](CallError::Failed): the object, or
    /// its manager, is gone. [`Elsewhere`](CallError::Elsewhere): the object is in another program.
    /// [`Invalid`](CallError::Invalid): the arguments or the result cannot be messages, or `work` lies in a shared
    /// library. A panic in `work` is a crash of the object: this call and all later ones are `Lost`; other objects of
    /// the manager go on.
    ///
    /// An object that waits in `work` for somebody who calls it waits for itself: that is a deadlock, and reported as
    /// one. The call that has come back fails with it ([`Failed`](CallError::Failed)), as do others that wait for the
    /// object then; the object goes on.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let words = manager.list(["one".to_string()])?;
    /// // Nobody sees the list between the two steps.
    /// let count = words.with("two".to_string(), |words, word| {
    ///     if !words.contains(&word) {
    ///         words.push(word);
    ///     }
    ///     words.len()
    /// })?;
    /// assert_eq!(count, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn with<A: Message, R: Message>(&self, arguments: A, work: fn(&mut T, A) -> R) -> Result<R, CallError> {
        self.with_at(arguments, work, Location::caller())
    }

    pub(super) fn with_at<A: Message, R: Message>(
        &self,
        arguments: A,
        work: fn(&mut T, A) -> R,
        place: &'static Location<'static>,
    ) -> Result<R, CallError> {
        let serve: fn(&mut T, &mut Asked<T>) = |value, asked| {
            asked.answer(|(ImageFn(work), arguments): (ImageFn<ChangesWith<T, A, R>>, A)| work(value, arguments));
        };
        let work = ImageFn::<ChangesWith<T, A, R>>(work);
        self.call(Serve::Change(ImageFn(serve)), (work, &arguments), place)
    }

    /// As [`with`](Managed::with), for work that only looks at the value. Several may look at once, as many as the
    /// machine has processors.
    ///
    /// # Blocking
    /// Until those who came before are done who change the value, and `work` is.
    ///
    /// # Errors
    /// As for [`with`](Managed::with).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let manager = Manager::new()?;
    /// let numbers = manager.list(1..=10)?;
    /// let large = numbers.look(7, |numbers, limit| numbers.iter().filter(|number| **number > limit).count())?;
    /// assert_eq!(large, 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn look<A: Message, R: Message>(&self, arguments: A, work: fn(&T, A) -> R) -> Result<R, CallError>
    where
        T: Visible,
    {
        self.look_at(arguments, work, Location::caller())
    }

    pub(super) fn look_at<A: Message, R: Message>(
        &self,
        arguments: A,
        work: fn(&T, A) -> R,
        place: &'static Location<'static>,
    ) -> Result<R, CallError>
    where
        T: Visible,
    {
        let work = ImageFn::<LooksWith<T, A, R>>(work);
        let serve: fn(&Arc<Object<T>>, &mut Asked<T>) = |object, asked| {
            object.look(asked, |value, asked| {
                asked.answer(|(ImageFn(work), arguments): (ImageFn<LooksWith<T, A, R>>, A)| work(value, arguments));
            });
        };
        self.call(Serve::Look(ImageFn(serve)), (work, &arguments), place)
    }

    /// As [`with`](Managed::with), for who answers by what is borrowed from the value. In another program it is the
    /// method of this name.
    #[track_caller]
    pub(super) fn change<A: Serialize, R: DeserializeOwned>(
        &self,
        name: &str,
        arguments: A,
        serve: fn(&mut T, &mut Asked<T>),
    ) -> Result<R, CallError> {
        match &self.value {
            Place::Here(_) => self.call(Serve::Change(ImageFn(serve)), arguments, Location::caller()),
            Place::There(object) => object.call(name, &arguments),
        }
    }

    /// As `change`, for what takes a function along, or needs one that another program does not have.
    #[track_caller]
    pub(super) fn change_here<A: Serialize, R: DeserializeOwned>(
        &self,
        arguments: A,
        serve: fn(&mut T, &mut Asked<T>),
    ) -> Result<R, CallError> {
        self.call(Serve::Change(ImageFn(serve)), arguments, Location::caller())
    }

    /// As `change`, for who answers with a `Result` of this error.
    #[track_caller]
    pub(super) fn attempt<A: Serialize, R: DeserializeOwned>(
        &self,
        name: &str,
        arguments: A,
        serve: fn(&mut T, &mut Asked<T>),
    ) -> Result<R, CallError> {
        match &self.value {
            Place::Here(_) => {
                self.call::<_, Result<R, _>>(Serve::Change(ImageFn(serve)), arguments, Location::caller())?
            }
            Place::There(object) => object.call(name, &arguments),
        }
    }

    fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        serve: Serve<T>,
        arguments: A,
        place: &'static Location<'static>,
    ) -> Result<R, CallError> {
        match &self.value {
            Place::Here(calls) => calls.call::<_, _, Result<R, CallError>>(serve, arguments, place)?,
            Place::There(_) => Err(CallError::Elsewhere),
        }
    }
}

impl<T> Clone for Managed<T> {
    /// One more proxy of the same value.
    fn clone(&self) -> Managed<T> {
        Managed { value: self.value.clone(), values: PhantomData }
    }
}

/// Its name; it does not ask for the value.
impl<T> fmt::Debug for Managed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Managed");
        match &self.value {
            Place::Here(calls) => tuple.field(&label(calls.end().channel())).finish(),
            Place::There(object) => tuple.field(object).finish(),
        }
    }
}
