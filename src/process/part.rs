//! What can stand between the parentheses of `Parallel!`, `Sequence!`, `network!` and `Spawn!`.
//!
//! Knows nothing of how networks run. A part says which processes it stands for and how their results become one value;
//! both are plain functions of its type, so a network needs no type parameter but its result's.

use super::child::Child;
use super::definition::Process;
use super::failure::NetworkError;
use super::network::Network;
use super::plan::Plan;
use super::shape::{Assemble, Assembles, Inner, ONE, Returned, Shape, part_at, parts_of};
use crate::channel::MessageError;
use crate::sys::image::AnyFn;

/// A process, a network, or a vector of parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a process",
    label = "expected a process, a `Vec` of processes, or a network",
    note = "call a function marked `#[process]`, or write `for x in xs => process(x)`"
)]
pub trait Part: sealed::Sealed + Sized {
    /// What its processes return together.
    type Output;

    #[doc(hidden)]
    fn plan(self) -> Planned;
    #[doc(hidden)]
    fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<Self::Output, MessageError>;

    /// A network of this part alone.
    #[doc(hidden)]
    fn network(self) -> Network<Self::Output> {
        let Planned { plan, shape } = self.plan();
        Network { plan, shape, assemble: |shape, returned| Self::assemble(shape, &mut Returned(returned)) }
    }
}

/// A tuple of up to 16 parts; one stands for itself, none for `()`.
pub trait Parts: sealed::Sealed + Sized {
    /// What its processes return together.
    type Output;

    #[doc(hidden)]
    fn plans(self) -> Vec<Planned>;
    #[doc(hidden)]
    fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<Self::Output, MessageError>;
}

/// A tuple of parts that can be spawned.
pub trait Spawn: sealed::Sealed + Sized {
    /// A child for each part; one part gives its child bare.
    type Spawned;

    #[doc(hidden)]
    fn spawn(self) -> Result<Self::Spawned, NetworkError>;
}

/// A part taken to pieces.
#[derive(Debug)]
pub struct Planned {
    plan: Plan,
    shape: Shape,
}

mod sealed {
    pub trait Sealed {}
}

impl<R> sealed::Sealed for Process<R> {}

/// A network of one.
impl<R> Part for Process<R> {
    type Output = R;

    fn plan(self) -> Planned {
        self.network().plan()
    }

    fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<R, MessageError> {
        <Network<R> as Part>::assemble(shape, returned)
    }

    fn network(self) -> Network<R> {
        let Process { plan, assemble } = self;
        Network { plan: Plan::Process(Box::new(plan)), shape: Shape(Inner::One), assemble }
    }
}

impl<R> Process<R> {
    /// Runs it and waits for its result.
    ///
    /// # Blocking
    /// Waits until the process has ended.
    ///
    /// # Errors
    /// The process crashed, or could not be started.
    ///
    /// # Examples
    /// See [`Process`].
    #[track_caller]
    pub fn run(self) -> Result<R, NetworkError> {
        parallel((self,)).run()
    }
}

impl<R> sealed::Sealed for Network<R> {}

#[diagnostic::do_not_recommend]
impl<R> Part for Network<R> {
    type Output = R;

    fn plan(self) -> Planned {
        let assemble = AnyFn::of::<Assembles<R>>(self.assemble);
        let shape = match self.shape {
            Shape(Inner::One) => None,
            shape => Some(Box::new(shape)),
        };
        let inner = Inner::Network { assemble, shape };
        Planned { plan: self.plan, shape: Shape(inner) }
    }

    fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<R, MessageError> {
        let Inner::Network { assemble, shape } = &shape.0 else {
            unreachable!("a network is assembled in its own shape");
        };
        match assemble.get::<Assembles<R>>() {
            Ok(assemble) => assemble(shape.as_deref().unwrap_or(&ONE), returned.0),
            Err(error) => Err(MessageError::Decode {
                type_name: String::from(std::any::type_name::<R>()),
                reason: error.to_string(),
            }),
        }
    }

    fn network(self) -> Network<R> {
        self
    }
}

impl<P: Part> sealed::Sealed for Vec<P> {}

#[diagnostic::do_not_recommend]
impl<P: Part> Part for Vec<P> {
    type Output = Vec<P::Output>;

    fn plan(self) -> Planned {
        let place = |(index, part): (usize, P)| {
            let Planned { mut plan, shape } = part.plan();
            plan.each(&mut |leaf| leaf.role.stands_at(index));
            (plan, shape)
        };
        let (plans, shapes) = self.into_iter().enumerate().map(place).unzip();
        Planned { plan: Plan::List(plans), shape: Shape(Inner::Many(shapes)) }
    }

    fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<Vec<P::Output>, MessageError> {
        parts_of(shape).iter().map(|shape| P::assemble(shape, returned)).collect()
    }
}

macro_rules! tuples {
    ($(($($part:ident $output:ident $place:tt),*) $gives:ty, $children:ty;)*) => {$(
        impl<$($part: Part),*> sealed::Sealed for ($($part,)*) {}

        impl<$($part: Part),*> Parts for ($($part,)*) {
            type Output = $gives;

            fn plans(self) -> Vec<Planned> {
                vec![$(self.$place.plan()),*]
            }

            fn assemble(shape: &Shape, returned: &mut Returned<'_>) -> Result<Self::Output, MessageError> {
                let _ = (&shape, &returned);
                $(let $output = $part::assemble(part_at(shape, $place), returned)?;)*
                Ok(tuples!(@value $($output)*))
            }
        }

        impl<$($part: Part),*> Spawn for ($($part,)*) {
            type Spawned = $children;

            #[track_caller]
            fn spawn(self) -> Result<Self::Spawned, NetworkError> {
                $(let $output = part(self.$place).spawn()?;)*
                Ok(tuples!(@value $($output)*))
            }
        }
    )*};
    (@value) => { () };
    (@value $output:ident) => { $output };
    (@value $($output:ident)*) => { ($($output,)*) };
}

macro_rules! up_to_sixteen {
    ([$($done:tt)*] $(($part:ident $output:ident $place:tt))*) => {
        up_to_sixteen!(@step [] $(($part $output $place))*);
    };
    (@step [$($done:tt)*]) => {};
    (@step [$(($p:ident $o:ident $n:tt))*] ($part:ident $output:ident $place:tt) $($rest:tt)*) => {
        up_to_sixteen!(@emit [$(($p $o $n))* ($part $output $place)]);
        up_to_sixteen!(@step [$(($p $o $n))* ($part $output $place)] $($rest)*);
    };
    (@emit [($part:ident $output:ident $place:tt)]) => {
        tuples! { ($part $output $place) $part::Output, Child<$part::Output>; }
    };
    (@emit [$(($part:ident $output:ident $place:tt))*]) => {
        tuples! { ($($part $output $place),*) ($($part::Output,)*), ($(Child<$part::Output>,)*); }
    };
}

tuples! { () (), (); }
up_to_sixteen! { [] (A a 0) (B b 1) (C c 2) (D d 3) (E e 4) (F f 5) (G g 6) (H h 7) (I i 8) (J j 9) (K k 10) (L l 11)
(M m 12) (N n 13) (O o 14) (P p 15) }

/// Makes a network of one part, so that a wrong part is reported at its own place and nowhere else.
pub fn part<P: Part<Output = R>, R>(part: P) -> Network<R> {
    part.network()
}

/// Parts side by side.
pub fn parallel<P: Parts>(parts: P) -> Network<P::Output> {
    compose::<P>(parts, Plan::Parallel)
}

/// Parts one after the other.
pub fn sequence<P: Parts>(parts: P) -> Network<P::Output> {
    compose::<P>(parts, Plan::Sequence)
}

fn compose<P: Parts>(parts: P, form: fn(Vec<Plan>) -> Plan) -> Network<P::Output> {
    let (plans, shapes) = parts.plans().into_iter().map(|part| (part.plan, part.shape)).unzip();
    let assemble: Assemble<P::Output> = |shape, returned| P::assemble(shape, &mut Returned(returned));
    Network { plan: form(plans), shape: Shape(Inner::Many(shapes)), assemble }
}

/// Starts every part and comes back at once.
///
/// # Errors
/// A process could not be started. Those that were go on, and are joined when the calling process ends.
#[track_caller]
pub fn spawn<P: Spawn>(parts: P) -> Result<P::Spawned, NetworkError> {
    parts.spawn()
}
