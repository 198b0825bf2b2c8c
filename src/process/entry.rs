//! What a new process does, from its first step to its last: take the arguments, call the function, hand over the
//! result, let go of the ends, wait for its own children.
//!
//! Knows nothing of where it runs: the same steps are taken in a forked process and on a thread.
//!
//! The order at the end matters. The result is packed while ends inside it still exist; the ends go before the children
//! are waited for, because a child may read until its channel retires; and only then the member says RETURNED, so that
//! a process which dies while it waits for its children counts as crashed.

use super::children::{join_children_of, leave_to_host};
use super::ending::Ending;
use super::error::returning;
use crate::cause::{Cause, record_cause};
use crate::channel::{Message, Parcel, Scope};
use crate::engine::{Closing, EventKind, EventOf, Member, MemberName, Phase, actor};
use crate::forkserver::{Code, record_caught_panic, record_panics_of};
use crate::sys::image::{LooksAt, Takes};
use crate::trace::note;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a member on the calling thread; `false` when it panicked.
pub(super) fn entry<A: Message, R: Message>((name, code): (MemberName, Code)) -> bool {
    let Some(member) = name.slot() else { return false };
    let mut scope = Scope::enter(name.index);
    note(EventOf::new(EventKind::Begin));
    let ran =
        record_panics_of(name.index, || catch_unwind(AssertUnwindSafe(|| call::<A, R>(member, code, &mut scope))));
    match ran {
        Ok(Ok((result, ending))) => {
            let closing = match ending {
                Ending::Normal => Closing::Retire,
                Ending::Poison => Closing::Poison,
            };
            note(EventOf::new(EventKind::Return));
            let result = result.hand_to(name.index);
            leave(scope, name.index, member, closing);
            join_children_of(name.index);
            member.keep_result(result);
            actor(|actor| actor.enter_phase(member, Phase::Returned));
            true
        }
        failed => {
            note(EventOf::new(EventKind::Crash));
            match &failed {
                Ok(Err(cause)) => record_cause(name.index, member, cause),
                Err(payload) => record_caught_panic(name.index, member, &**payload),
                Ok(Ok(_)) => (),
            }
            let closing =
                if member.retires_on_crash() { Closing::Retire } else { Closing::Lost { member: name.index } };
            leave(scope, name.index, member, closing);
            leave_to_host(name.index);
            false
        }
    }
}

fn leave(scope: Scope, index: u32, member: &Member, closing: Closing) {
    scope.leave(closing);
    if member.holds_ends() {
        // Without a context the reaper closes them.
        let _ = actor(|actor| actor.close_held(index, closing));
    }
}

fn call<A: Message, R: Message>(member: &Member, code: Code, scope: &mut Scope) -> Result<(Parcel, Ending), Cause> {
    let functions = (code.body.get::<Takes<A, R>>(), code.ending.get::<LooksAt<R, Ending>>());
    let (Ok(body), Ok(ending)) = functions else { unreachable!("a process without a function was started") };
    let Some(arguments) = member.take_arguments() else { unreachable!("a process without arguments was started") };
    let arguments = Parcel::of(arguments, std::any::type_name::<A>());
    let (arguments, given) =
        arguments.open::<A>().map_err(|error| Cause::ArgumentsRefused { reason: error.to_string() })?;
    scope.give(given);
    let result = body(arguments);
    let packed =
        returning(|| Parcel::pack(&result)).map_err(|error| Cause::ResultRefused { reason: error.to_string() })?;
    Ok((packed, ending(&result)))
}
