//! `Proxy`, and what another program can call of one: a table of its methods by name, with the types that they take
//! and give.
//!
//! Knows nothing of sockets, nor of what the methods do. Arguments come as bytes, and results go as bytes.

use super::distant::Distant;
use super::error::CallError;
use super::proxy::{Managed, Visible};
use super::shape::shape;
use crate::channel::{Message, decode_once, encode_once};
use crate::shared::remote::{Line, Reply, fits};
use serde::Serialize;
use std::any::type_name;
use std::panic::Location;

/// What stands for an object of a manager, and can do so in another program: [`List`](crate::shared::List),
/// [`Dict`](crate::shared::Dict), [`Namespace`](crate::shared::Namespace), [`Shared`](crate::shared::Shared), the
/// proxies that [`#[managed]`](macro@crate::shared::managed) makes, and a [`Queue`](crate::shared::Queue).
///
/// # Examples
/// ```
/// use csproc::shared::{List, Proxy, Queue};
///
/// fn can_be_shared<P: Proxy>() {}
/// can_be_shared::<List<String>>();
/// can_be_shared::<Queue<String>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for an object of another program",
    label = "no proxy with methods",
    note = "share a `List`, `Dict`, `Namespace`, `Shared` or `Queue`, or a proxy that `#[managed]` makes"
)]
pub trait Proxy: Clone + Send + Sync + Sized + 'static {
    /// What another program can call.
    #[doc(hidden)]
    fn methods() -> Methods<Self>;

    /// A proxy of an object of another program, which has these methods.
    #[doc(hidden)]
    fn distant(object: Distant) -> Self;

    /// Whether it may be shared.
    #[doc(hidden)]
    fn may_be_shared(&self) -> Result<(), CallError> {
        Ok(())
    }
}

/// From the bytes of the arguments to those of a `Result<R, CallError>`.
type Serve<P> = Box<dyn Fn(&P, &[u8]) -> Result<Vec<u8>, CallError> + Send + Sync>;

/// What is served in a way of its own: from the name of a method, the line to the client and the bytes of the
/// arguments.
type ServeOver<P> = Box<dyn Fn(&P, &str, &Line, &[u8]) -> Option<Reply> + Send + Sync>;

/// The methods of a proxy that another program can call.
#[doc(hidden)]
pub struct Methods<P> {
    title: String,
    /// In order, with what they take and give.
    described: String,
    all: Vec<(&'static str, Serve<P>)>,
    /// All others.
    others: Option<ServeOver<P>>,
}

impl<P> Methods<P> {
    /// None yet. What they are methods of is called `T`.
    #[must_use]
    pub fn of<T: ?Sized>() -> Methods<P> {
        let title = plain(type_name::<T>());
        Methods { described: title.clone(), title, all: Vec::new(), others: None }
    }

    /// One more.
    #[must_use]
    pub(super) fn with<A: Message + 'static, R: Message + 'static>(
        self,
        name: &'static str,
        method: fn(&P, A) -> Result<R, CallError>,
    ) -> Methods<P>
    where
        P: 'static,
    {
        let types = types::<A, R>();
        self.add(
            name,
            &types,
            Box::new(move |proxy, arguments| answer(arguments, |arguments| method(proxy, arguments))),
        )
    }

    /// One more.
    #[must_use]
    pub fn and<T: 'static, A: 'static, R: 'static>(self, method: Method<T, A, R>) -> Methods<P>
    where
        P: AsRef<Managed<T>> + 'static,
    {
        let (name, types) = (method.name, (method.types)());
        self.add(name, &types, Box::new(move |proxy, arguments| (method.serve)(proxy.as_ref(), &method, arguments)))
    }

    /// All others are served in this way, which waits for more than a call, and take and give items of this type.
    #[must_use]
    pub(super) fn others<T: Message>(
        mut self,
        serve: impl Fn(&P, &str, &Line, &[u8]) -> Option<Reply> + Send + Sync + 'static,
    ) -> Methods<P> {
        self.described += &format!("; of {}", types::<T, T>());
        self.others = Some(Box::new(serve));
        self
    }

    fn add(mut self, name: &'static str, types: &str, serve: Serve<P>) -> Methods<P> {
        self.described += &format!("; {name} {types}");
        self.all.push((name, serve));
        self
    }

    /// How it is called, for people.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The same wherever names and types of all methods are the same.
    pub(super) fn fingerprint(&self) -> u64 {
        fingerprint(&self.described)
    }

    /// Calls a method for the client at the other end of a line; `None` if there is no such one, or it is given up.
    pub(super) fn call(&self, proxy: &P, name: &str, line: &Line, arguments: &[u8]) -> Option<Reply> {
        match (self.all.iter().find(|(known, _)| *known == name), &self.others) {
            (Some((_, serve)), _) => {
                let result = serve(proxy, arguments).and_then(|bytes| Ok(fits(bytes.len()).map(|()| bytes)?));
                Some(Reply::Done(result.unwrap_or_else(|error| encoded(&Err::<(), _>(error)))))
            }
            (None, Some(serve)) => serve(proxy, name, line, arguments),
            (None, None) => None,
        }
    }
}

/// A result without a type of the user's in it, which always can be.
pub(super) fn encoded<R: Serialize>(result: &Result<R, CallError>) -> Vec<u8> {
    encode_once(result, None).unwrap_or_default()
}

/// A method of a type: how it is called of a value here or in another program, and how it is served to one.
///
/// It was made where arguments and result are known to be messages; whoever calls it need not know.
#[doc(hidden)]
pub struct Method<T, A, R> {
    name: &'static str,
    work: Work<T, A, R>,
    call: Call<T, A, R>,
    serve: ServeOf<T, A, R>,
    types: fn() -> String,
}

type ServeOf<T, A, R> = fn(&Managed<T>, &Method<T, A, R>, &[u8]) -> Result<Vec<u8>, CallError>;

type Call<T, A, R> = fn(&Managed<T>, &Method<T, A, R>, A, &'static Location<'static>) -> Result<R, CallError>;

/// What a method does with a value.
enum Work<T, A, R> {
    Changes(fn(&mut T, A) -> R),
    /// The first function has the second one look at the value.
    Looks(Look<T, A, R>, fn(&T, A) -> R),
}

type Look<T, A, R> = fn(&Managed<T>, A, fn(&T, A) -> R, &'static Location<'static>) -> Result<R, CallError>;

impl<T: 'static, A: Message, R: Message> Method<T, A, R> {
    /// One that has the value alone.
    #[must_use]
    pub fn changes(name: &'static str, work: fn(&mut T, A) -> R) -> Method<T, A, R> {
        Method { name, work: Work::Changes(work), call, serve, types: types::<A, R> }
    }

    /// One that looks at the value, beside others who look.
    #[must_use]
    pub fn looks(name: &'static str, work: fn(&T, A) -> R) -> Method<T, A, R>
    where
        T: Visible,
    {
        Method { name, work: Work::Looks(Managed::look_at, work), call, serve, types: types::<A, R> }
    }
}

impl<T, A, R> Method<T, A, R> {
    /// Calls it.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    #[track_caller]
    pub fn call(&self, object: &Managed<T>, arguments: A) -> Result<R, CallError> {
        (self.call)(object, self, arguments, Location::caller())
    }
}

fn call<T: 'static, A: Message, R: Message>(
    object: &Managed<T>,
    method: &Method<T, A, R>,
    arguments: A,
    place: &'static Location<'static>,
) -> Result<R, CallError> {
    if let Some(distant) = object.elsewhere() {
        return distant.call(method.name, &arguments);
    }
    match method.work {
        Work::Changes(work) => object.with_at(arguments, work, place),
        Work::Looks(look, work) => look(object, arguments, work, place),
    }
}

fn serve<T: 'static, A: Message, R: Message>(
    object: &Managed<T>,
    method: &Method<T, A, R>,
    arguments: &[u8],
) -> Result<Vec<u8>, CallError> {
    answer(arguments, |arguments| call(object, method, arguments, Location::caller()))
}

/// Serves what was called, from the bytes of the arguments to those of a `Result<R, CallError>`.
fn answer<A: Message, R: Message>(
    arguments: &[u8],
    method: impl FnOnce(A) -> Result<R, CallError>,
) -> Result<Vec<u8>, CallError> {
    let arguments = decode_once::<A>(arguments, None).map_err(|error| error.about::<A>())?;
    let result = method(arguments);
    Ok(encode_once(&result, None).map_err(|error| error.about::<R>())?)
}

/// What a method takes and gives: how the types are called, and what they have inside.
fn types<A: Message, R: Message>() -> String {
    format!("{} {} {}", plain(type_name::<fn(A) -> R>()), shape::<A>(), shape::<R>())
}

/// A number that is another one, as good as surely, for every other text (FNV-1a, Fowler, Noll and Vo 1991).
pub(super) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The name of a type without the modules in which it lies: those are other ones in another program.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut word = 0;
    for c in name.chars() {
        match c {
            ':' => plain.truncate(word),
            c => {
                plain.push(c);
                if !c.is_alphanumeric() && c != '_' {
                    word = plain.len();
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    struct Record;

    #[derive(Serialize, Deserialize)]
    struct Same {
        x: u8,
    }

    mod other {
        /// Of the same name, and other fields.
        #[derive(super::Serialize, super::Deserialize)]
        pub(super) struct Same {
            y: u8,
        }
    }

    #[test]
    fn a_type_is_called_the_same_wherever_it_lies() {
        assert_eq!(plain(type_name::<Record>()), "Record");
        assert_eq!(plain(type_name::<Vec<(String, Option<u32>)>>()), "Vec<(String, Option<u32>)>");
        assert_eq!(
            plain(type_name::<fn([u8; 4]) -> Result<Record, CallError>>()),
            "fn([u8; 4]) -> Result<Record, CallError>"
        );
    }

    #[test]
    fn the_fingerprint_depends_on_names_types_and_order() {
        let one = || Methods::<()>::of::<Record>().with("a", |(), ()| Ok(1_u8));
        let all = [
            one(),
            Methods::of::<u8>().with("a", |(), ()| Ok(1_u8)),
            Methods::of::<Record>().with("b", |(), ()| Ok(1_u8)),
            Methods::of::<Record>().with("a", |(), ()| Ok(1_u16)),
            Methods::of::<Record>().with("a", |(), _: u8| Ok(1_u8)),
            one().with("c", |(), ()| Ok(())),
            Methods::of::<Record>().with("a", |(), _: Vec<Same>| Ok(1_u8)),
            Methods::of::<Record>().with("a", |(), _: Vec<other::Same>| Ok(1_u8)),
            Methods::of::<Record>().with("c", |(), ()| Ok(())).with("a", |(), ()| Ok(1_u8)),
        ];
        let mut seen: Vec<u64> = all.iter().map(Methods::fingerprint).collect();
        assert_eq!(seen[0], one().fingerprint());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all.len());
    }

    #[test]
    fn a_call_that_is_none_is_an_error() {
        let methods = Methods::<()>::of::<Record>().with("twice", |(), number: u64| Ok(2 * number));
        let bytes = encode_once(&21_u64, None).unwrap();
        let (line, _other) = Line::pair();
        let done = |name, arguments: &[u8]| match methods.call(&(), name, &line, arguments) {
            Some(Reply::Done(result)) => Some(decode_once::<Result<u64, CallError>>(&result, None).unwrap()),
            _ => None,
        };
        assert_eq!(done("twice", &bytes), Some(Ok(42)));
        assert_eq!(done("thrice", &bytes), None);
        assert!(matches!(done("twice", &[0xff; 7]), Some(Err(CallError::Invalid(_)))));
    }
}
