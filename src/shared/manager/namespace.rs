//! `Namespace`: values of any types under names, in the process of a manager.
//!
//! Knows nothing of how it is called. A value lies there as itself, with its type: who asks for another type is told
//! which one it is.

use super::error::CallError;
use super::proxy::Managed;
use crate::channel::{ImageFn, Message};
use crate::sys::image::{Changes, ChangesWith};
use serde::{Deserialize, Serialize};
use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// Values of any types under names, in the process of a [`Manager`](crate::shared::Manager), for any number of
/// processes.
///
/// What is [got](Namespace::get) is a copy. [`update`](Namespace::update) changes a value where it is, as one step for
/// everybody else. A clone, or one that was sent to a process or put into another object, is one more proxy of the same
/// namespace; with the last one the namespace goes. Where all values are of one type a
/// [`Dict`](crate::shared::Dict) is simpler, and where the names are known a struct in a
/// [`value`](crate::shared::ManagerHandle::value) or an object of one's own: then the compiler knows the types.
///
/// (Python: `Manager().Namespace()`. There, `namespace.x += 1` loses what others add meanwhile.)
///
/// It prints as `Namespace(x = 1, y = 1)`, and asks for the values; when the manager is gone it prints
/// `Namespace(<manager is gone>)`.
///
/// # Blocking
/// Each method waits until those who came before are done with the namespace; see [`Managed::with`].
///
/// # Errors
/// Those of [`Managed::with`]; [`Missing`](CallError::Missing) where nothing has the name, and
/// [`WrongType`](CallError::WrongType) where what has it is of another type.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn change(namespace: Namespace) -> csproc::Result<()> {
///     namespace.update("x", |x: &mut i32| *x += 5)?;
///     namespace.update_with("y", 10, |y: &mut i32, by| *y *= by)?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let namespace = manager.namespace()?;
///     namespace.set("x", 1)?;
///     namespace.set("y", 1)?;
///     Parallel!(change(namespace.clone())).values()?;
///     assert_eq!(namespace.to_string(), "Namespace(x = 6, y = 10)");
///     assert_eq!(namespace.get::<i32>("x")?, 6);
///     Ok(())
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Namespace(Managed<Values>);

/// What a namespace has.
#[derive(Default)]
pub(super) struct Values(BTreeMap<String, Box<dyn Stored>>);

/// What a namespace can do with a value whose type it does not know.
trait Stored {
    fn type_name(&self) -> &'static str;
    fn text(&self) -> String;
    fn as_any(&mut self) -> &mut dyn Any;
}

/// A value of a type that it knows.
struct Kept<T>(T);

impl<T: Debug + 'static> Stored for Kept<T> {
    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn text(&self) -> String {
        format!("{:?}", self.0)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.0
    }
}

impl Values {
    /// The value of this name and type.
    fn find<T: 'static>(&mut self, name: String) -> Result<&mut T, CallError> {
        let Some(stored) = self.0.get_mut(&name) else { return Err(CallError::Missing { name }) };
        let (is, asked) = (stored.type_name(), type_name::<T>());
        let wrong = || CallError::WrongType { name, stored: String::from(is), asked: String::from(asked) };
        stored.as_any().downcast_mut().ok_or_else(wrong)
    }
}

impl Namespace {
    pub(super) fn new(values: Managed<Values>) -> Namespace {
        Namespace(values)
    }

    /// Gives a name a value; the one it had before is dropped, of whatever type it was.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Namespace`].
    #[track_caller]
    pub fn set<T: Message + Debug + 'static>(&self, name: &str, value: T) -> Result<(), CallError> {
        self.0.change((name, value), |values, asked| {
            asked.answer(|(name, value): (String, T)| {
                values.0.insert(name, Box::new(Kept(value)));
            });
        })
    }

    /// A copy of the value of a name.
    ///
    /// # Errors
    /// [`Missing`](CallError::Missing), [`WrongType`](CallError::WrongType), and as for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::CallError;
    ///
    /// let manager = Manager::new()?;
    /// let namespace = manager.namespace()?;
    /// namespace.set("x", 1_i32)?;
    /// assert_eq!(namespace.get::<i32>("x"), Ok(1));
    /// assert!(matches!(namespace.get::<i32>("y"), Err(CallError::Missing { .. })));
    /// let error = namespace.get::<String>("x").unwrap_err();
    /// assert!(error.to_string().contains("`i32`"), "{error}");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn get<T: Message + 'static>(&self, name: &str) -> Result<T, CallError> {
        self.0.change::<_, Result<T, CallError>>(name, |values, asked| {
            asked.answer(|name: String| values.find::<T>(name).map(|value| &*value));
        })?
    }

    /// Changes the value of a name where it is, in one step.
    ///
    /// `change` runs in another process, and captures nothing. Its argument says of which type the value is.
    ///
    /// # Errors
    /// [`Missing`](CallError::Missing), [`WrongType`](CallError::WrongType), and as for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Namespace`].
    #[track_caller]
    pub fn update<T: 'static>(&self, name: &str, change: fn(&mut T)) -> Result<(), CallError> {
        self.0.change::<_, Result<(), CallError>>((name, ImageFn::<Changes<T, ()>>(change)), |values, asked| {
            asked.answer(|(name, ImageFn(change)): (String, ImageFn<Changes<T, ()>>)| values.find(name).map(change));
        })?
    }

    /// As [`update`](Namespace::update), with arguments for the change and a result of it.
    ///
    /// # Errors
    /// As for [`update`](Namespace::update).
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let namespace = manager.namespace()?;
    /// namespace.set("stack", vec![1, 2])?;
    /// let top = namespace.update_with("stack", 3, |stack: &mut Vec<i32>, top| {
    ///     stack.push(top);
    ///     stack.len()
    /// })?;
    /// assert_eq!(top, 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn update_with<T: 'static, A: Message, R: Message>(
        &self,
        name: &str,
        arguments: A,
        change: fn(&mut T, A) -> R,
    ) -> Result<R, CallError> {
        let change = ImageFn::<ChangesWith<T, A, R>>(change);
        self.0.change::<_, Result<R, CallError>>((name, change, arguments), |values, asked| {
            asked.answer(|(name, ImageFn(change), arguments): (String, ImageFn<ChangesWith<T, A, R>>, A)| {
                values.find(name).map(|value| change(value, arguments))
            });
        })?
    }

    /// Takes a name and its value out. Whether there was one.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let namespace = manager.namespace()?;
    /// namespace.set("x", 1)?;
    /// assert!(namespace.remove("x")? && !namespace.remove("x")?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "delattr")]
    pub fn remove(&self, name: &str) -> Result<bool, CallError> {
        self.0.change(name, |values, asked| asked.answer(|name: String| values.0.remove(&name).is_some()))
    }

    /// The names, in order.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let namespace = manager.namespace()?;
    /// namespace.set("y", 1)?;
    /// namespace.set("x", "one".to_string())?;
    /// assert_eq!(namespace.names()?, ["x", "y"]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn names(&self) -> Result<Vec<String>, CallError> {
        self.0.change((), |values, asked| asked.answer(|()| values.0.keys().collect::<Vec<&String>>()))
    }

    /// The names with what their values print.
    fn texts(&self) -> Result<Vec<(String, String)>, CallError> {
        self.0.change((), |values, asked| {
            asked.answer(|()| values.0.iter().map(|(name, value)| (name, value.text())).collect::<Vec<_>>());
        })
    }
}

/// A copy of its values, as Python's documentation prints them.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.texts() {
            Ok(texts) => {
                let fields: Vec<String> = texts.iter().map(|(name, text)| format!("{name} = {text}")).collect();
                write!(f, "Namespace({})", fields.join(", "))
            }
            Err(_) => f.write_str("Namespace(<manager is gone>)"),
        }
    }
}

/// A copy of its values.
impl Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.texts() {
            Ok(texts) => {
                let mut fields = f.debug_struct("Namespace");
                for (name, text) in &texts {
                    fields.field(name, &format_args!("{text}"));
                }
                fields.finish()
            }
            Err(_) => f.write_str("Namespace(<manager is gone>)"),
        }
    }
}
