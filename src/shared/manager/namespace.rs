//! `Namespace`: values of any types under names, in the process of a manager.
//!
//! Knows nothing of how it is called. A value lies there as itself, with its type: who asks for another type is told
//! which one it is. One that came from another program lies there as its bytes, until somebody says of which type it
//! is.

use super::distant::Distant;
use super::error::CallError;
use super::methods::{Methods, Proxy, fingerprint, plain};
use super::proxy::Managed;
use super::shape::shape;
use crate::channel::{ImageFn, Message, MessageError, decode_once, encode_once};
use crate::sys::image::{Changes, ChangesWith};
use serde::{Deserialize, Serialize, Serializer};
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
    fn type_name(&self) -> &str;
    fn text(&self) -> String;
    /// For another program.
    fn foreign(&self) -> Result<Foreign, MessageError>;
    fn as_any(&mut self) -> &mut dyn Any;
}

/// A value of a type that it knows.
struct Kept<T>(T);

impl<T: Message + Debug + 'static> Stored for Kept<T> {
    fn type_name(&self) -> &str {
        type_name::<T>()
    }

    fn text(&self) -> String {
        format!("{:?}", self.0)
    }

    fn foreign(&self) -> Result<Foreign, MessageError> {
        Foreign::of(&self.0, self.text())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.0
    }
}

/// A value that goes to another program, or came from one.
#[derive(Clone, Serialize, Deserialize)]
struct Foreign {
    /// As all programs call it.
    type_name: String,
    /// Of what the type has inside.
    fingerprint: u64,
    bytes: Vec<u8>,
    /// What it prints.
    text: String,
}

impl Foreign {
    fn of<T: Message>(value: &T, text: String) -> Result<Foreign, MessageError> {
        let bytes = encode_once(value, None).map_err(|error| error.about::<T>())?;
        let type_name = plain(type_name::<T>());
        Ok(Foreign { type_name, fingerprint: fingerprint(&shape::<T>()), bytes, text })
    }

    /// The value, if it is of this type.
    fn read<T: Message>(&self, name: &str) -> Result<T, CallError> {
        let asked = type_name::<T>();
        let is_called_so = self.type_name == plain(asked);
        if !is_called_so || self.fingerprint != fingerprint(&shape::<T>()) {
            let (name, mut stored) = (String::from(name), self.type_name.clone());
            if is_called_so {
                stored += " with other fields";
            }
            return Err(CallError::WrongType { name, stored, asked: String::from(asked) });
        }
        Ok(decode_once(&self.bytes, None).map_err(|error| error.about::<T>())?)
    }
}

impl Stored for Foreign {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn foreign(&self) -> Result<Foreign, MessageError> {
        Ok(self.clone())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// A value that was asked for.
enum Found<'a, T> {
    Kept(&'a T),
    Read(T),
}

impl<T: Serialize> Serialize for Found<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Found::Kept(value) => value.serialize(serializer),
            Found::Read(value) => value.serialize(serializer),
        }
    }
}

impl Values {
    fn stored(&mut self, name: &str) -> Result<&mut Box<dyn Stored>, CallError> {
        self.0.get_mut(name).ok_or_else(|| CallError::Missing { name: String::from(name) })
    }

    /// The value of this name and type.
    fn find<T: Message + 'static>(&mut self, name: &str) -> Result<Found<'_, T>, CallError> {
        let stored = self.stored(name)?;
        if let Some(foreign) = stored.as_any().downcast_ref::<Foreign>() {
            return foreign.read(name).map(Found::Read);
        }
        kept(&mut **stored, name).map(|value| Found::Kept(value))
    }

    /// The value of this name and type, to be changed where it is.
    fn find_mut<T: Message + Debug + 'static>(&mut self, name: &str) -> Result<&mut T, CallError> {
        let stored = self.stored(name)?;
        if let Some(foreign) = stored.as_any().downcast_ref::<Foreign>() {
            *stored = Box::new(Kept(foreign.read::<T>(name)?));
        }
        kept(&mut **stored, name)
    }
}

fn kept<'a, T: 'static>(stored: &'a mut dyn Stored, name: &str) -> Result<&'a mut T, CallError> {
    let wrong = CallError::WrongType {
        name: String::from(name),
        stored: String::from(stored.type_name()),
        asked: String::from(type_name::<T>()),
    };
    stored.as_any().downcast_mut().ok_or(wrong)
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
        if self.0.elsewhere().is_some() {
            let foreign = Foreign::of(&value, format!("{value:?}"))?;
            return self.put(String::from(name), foreign);
        }
        self.0.change_here((name, value), |values, asked| {
            asked.answer(|(name, value): (String, T)| {
                values.0.insert(name, Box::new(Kept(value)));
            });
        })
    }

    /// As `set`, for a value whose type is not known here.
    #[track_caller]
    fn put(&self, name: String, foreign: Foreign) -> Result<(), CallError> {
        self.0.change("put", (name, foreign), |values, asked| {
            asked.answer(|(name, foreign): (String, Foreign)| {
                values.0.insert(name, Box::new(foreign));
            });
        })
    }

    /// As `get`, for a value whose type is not known here.
    #[track_caller]
    fn fetch(&self, name: String) -> Result<Foreign, CallError> {
        self.0.attempt("fetch", name, |values, asked| {
            asked.answer(|name: String| Ok::<_, CallError>(values.stored(&name)?.foreign()?));
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
        if self.0.elsewhere().is_some() {
            return self.fetch(String::from(name))?.read(name);
        }
        self.0.change_here::<_, Result<T, CallError>>(name, |values, asked| {
            asked.answer(|name: String| values.find::<T>(&name));
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
    pub fn update<T: Message + Debug + 'static>(&self, name: &str, change: fn(&mut T)) -> Result<(), CallError> {
        self.0.change_here::<_, Result<(), CallError>>((name, ImageFn::<Changes<T, ()>>(change)), |values, asked| {
            asked.answer(|(name, ImageFn(change)): (String, ImageFn<Changes<T, ()>>)| {
                values.find_mut(&name).map(change)
            });
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
    pub fn update_with<T: Message + Debug + 'static, A: Message, R: Message>(
        &self,
        name: &str,
        arguments: A,
        change: fn(&mut T, A) -> R,
    ) -> Result<R, CallError> {
        let change = ImageFn::<ChangesWith<T, A, R>>(change);
        self.0.change_here::<_, Result<R, CallError>>((name, change, arguments), |values, asked| {
            asked.answer(|(name, ImageFn(change), arguments): (String, ImageFn<ChangesWith<T, A, R>>, A)| {
                values.find_mut(&name).map(|value| change(value, arguments))
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
        self.0.change("remove", name, |values, asked| asked.answer(|name: String| values.0.remove(&name).is_some()))
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
        self.0.change("names", (), |values, asked| asked.answer(|()| values.0.keys().collect::<Vec<&String>>()))
    }

    /// The names with what their values print.
    fn texts(&self) -> Result<Vec<(String, String)>, CallError> {
        self.0.change("texts", (), |values, asked| {
            asked.answer(|()| values.0.iter().map(|(name, value)| (name, value.text())).collect::<Vec<_>>());
        })
    }
}

impl Proxy for Namespace {
    fn methods() -> Methods<Namespace> {
        Methods::<Self>::of::<Self>()
            .with("put", |namespace, (name, foreign)| namespace.put(name, foreign))
            .with("fetch", |namespace, name| namespace.fetch(name))
            .with("remove", |namespace, name: String| namespace.remove(&name))
            .with("names", |namespace, ()| namespace.names())
            .with("texts", |namespace, ()| namespace.texts())
    }

    fn distant(object: Distant) -> Namespace {
        Namespace(Managed::distant(object))
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
