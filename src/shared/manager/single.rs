//! `Shared<T>`: one value of any type in the process of a manager.
//!
//! Knows nothing of how it is called: each method is a function that runs on the value, where it lies.

use super::distant::Distant;
use super::error::CallError;
use super::methods::{Methods, Proxy};
use super::proxy::Managed;
use crate::channel::{ImageFn, Message};
use crate::sys::image::Changes;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug};

/// One value in the process of a [`Manager`](crate::shared::Manager), for any number of processes: what
/// [`manager.value`](crate::shared::ManagerHandle::value) gives.
///
/// It is for what is no plain data: texts, vectors, enums. For numbers a [`Value`](crate::shared::Value) is faster.
/// What is [got](Shared::get) is a copy; [`update`](Shared::update) and [`with`](Shared::with) change the value where
/// it is, as one step for everybody else. A clone, or one that was sent to a process or put into another object, is one
/// more proxy of the same value; with the last one the value goes.
///
/// (Python: `Manager().Value()`. There, `value.value += 1` loses what others add meanwhile.)
///
/// Printing it asks for the value; when the manager is gone it prints `Shared(<manager is gone>)`.
///
/// # Blocking
/// Each method waits until those who came before are done with the value; see [`Managed::with`].
///
/// # Errors
/// Those of [`Managed::with`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::Shared;
///
/// #[process]
/// fn sign(letter: Shared<String>, name: String) -> csproc::Result<()> {
///     letter.with(name, |letter, name| letter.push_str(&name))?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let letter = manager.value(String::from("signed:"))?;
///     Sequence!(sign(letter.clone(), " Ada".into()), sign(letter.clone(), " Alan".into())).values()?;
///     letter.update(|letter| letter.push('.'))?;
///     assert_eq!(letter.get()?, "signed: Ada Alan.");
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Shared<T>(Managed<T>);

impl<T: Message + 'static> Shared<T> {
    pub(super) fn new(value: Managed<T>) -> Shared<T> {
        Shared(value)
    }

    /// A copy of the value.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Shared`].
    #[track_caller]
    pub fn get(&self) -> Result<T, CallError> {
        self.0.change("get", (), |value, asked| asked.answer(|()| &*value))
    }

    /// Puts another value in its place.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let value = manager.value(vec![1])?;
    /// value.set(vec![])?;
    /// assert!(value.get()?.is_empty());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), CallError> {
        self.0.change("set", value, |value, asked| asked.answer(|new| *value = new))
    }

    /// Puts another value in its place, and gives the one before.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let value = manager.value(Some("one".to_string()))?;
    /// assert_eq!(value.replace(None)?.as_deref(), Some("one"));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn replace(&self, value: T) -> Result<T, CallError> {
        self.0.change("replace", value, |value, asked| asked.answer(|new| std::mem::replace(value, new)))
    }

    /// Changes the value where it is, in one step.
    ///
    /// `change` runs in another process, and captures nothing. If it needs arguments or has a result, there is
    /// [`with`](Shared::with).
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Shared`].
    #[track_caller]
    pub fn update(&self, change: fn(&mut T)) -> Result<(), CallError> {
        let change = ImageFn::<Changes<T, ()>>(change);
        self.0
            .change_here(change, |value, asked| asked.answer(|ImageFn(change): ImageFn<Changes<T, ()>>| change(value)))
    }

    /// Runs `work` on the value, while nobody else uses it; see [`Managed::with`].
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Shared`].
    #[track_caller]
    pub fn with<A: Message, R: Message>(&self, arguments: A, work: fn(&mut T, A) -> R) -> Result<R, CallError> {
        self.0.with(arguments, work)
    }

    /// Runs `work`, which only looks at the value, beside others who look; see [`Managed::look`].
    ///
    /// # Errors
    /// As for [`Managed::look`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let text = manager.value("one two".to_string())?;
    /// assert_eq!(text.look(' ', |text, at| text.split(at).count())?, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn look<A: Message, R: Message>(&self, arguments: A, work: fn(&T, A) -> R) -> Result<R, CallError>
    where
        T: Send + Sync,
    {
        self.0.look(arguments, work)
    }
}

impl<T: Message + 'static> Proxy for Shared<T> {
    fn methods() -> Methods<Shared<T>> {
        Methods::<Self>::of::<Self>()
            .with("get", |shared, ()| shared.get())
            .with("set", |shared, value| shared.set(value))
            .with("replace", |shared, value| shared.replace(value))
    }

    fn distant(object: Distant) -> Shared<T> {
        Shared(Managed::distant(object))
    }
}

impl<T> Clone for Shared<T> {
    /// One more proxy of the same value.
    fn clone(&self) -> Shared<T> {
        Shared(self.0.clone())
    }
}

/// A copy of the value.
impl<T: Message + Debug + 'static> Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Ok(value) => f.debug_tuple("Shared").field(&value).finish(),
            Err(_) => f.write_str("Shared(<manager is gone>)"),
        }
    }
}
