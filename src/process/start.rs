//! Starting processes: their slots are filled, and the process server is asked, or threads are made.
//!
//! Knows nothing of networks. Whoever starts something is looked after from then on, and joins it when it ends.

use super::blueprint::{Blueprint, Role};
use super::deadlock::Deadlock;
use super::exit::join_at_exit;
use super::failure::Failure;
use super::policy::{OnCrash, Placement};
use super::running::{Refusal, Running};
use super::start_error::StartError;
use super::watch::look_after_the_program;
use crate::channel::settle;
use crate::engine::{Closing, Member, MemberName, NewProcess, actor, is_simulated};
use crate::forkserver::{self, Launch};
use std::sync::Arc;

/// Starts all of them; each comes back running, or with the reason why not.
///
/// With `confirm` waits until the system has really started each; without, a refusal shows when the process is joined.
pub(super) fn start_all(plans: Vec<Blueprint>, confirm: bool) -> Vec<Result<Arc<Running>, Refusal>> {
    settle();
    let mut prepared: Vec<Result<Arc<Running>, Failure>> = plans.into_iter().map(prepare).collect();
    if prepared.iter().any(Result::is_err) {
        // Validated before anything is done: the others are not begun, and their peers learn of it.
        return prepared
            .into_iter()
            .map(|slot| match slot {
                Ok(running) => {
                    running.fail();
                    Err(Refusal::NotBegun(running.shared_name()))
                }
                Err(failure) => Err(Refusal::Failed(failure)),
            })
            .collect();
    }
    if is_simulated() {
        return prepared.into_iter().map(start_simulated).collect();
    }
    #[cfg(feature = "testing")]
    prepared.iter().flatten().for_each(|running| actor(|actor| actor.enroll(running.slot_name())));
    look_after_the_program();
    let wanted: Vec<MemberName> = prepared
        .iter()
        .flatten()
        .filter(|running| running.placement() == Placement::Process)
        .map(|running| running.slot_name())
        .collect();
    let sent = if wanted.is_empty() { Ok(()) } else { forkserver::start(&wanted) };
    join_at_exit();
    for slot in &mut prepared {
        let Ok(running) = slot else { continue };
        let started = match (running.placement(), &sent) {
            (Placement::Process, Ok(())) if confirm => running.confirm_start(),
            (Placement::Process, Ok(())) => Ok(()),
            (Placement::Process, Err(error)) => {
                running.fail();
                Err(match error.raw_os_error() {
                    None | Some(libc::EPIPE | libc::ECONNRESET) => StartError::ServerGone { reason: error.to_string() },
                    Some(code) => StartError::System { code, reason: error.to_string() },
                })
            }
            (Placement::Thread, _) => running.start_thread(),
        };
        if let Err(source) = started {
            let process = String::from(running.name());
            *slot = Err(Failure::Start { process, source });
        }
    }
    prepared.into_iter().map(|running| running.map_err(Refusal::Failed)).collect()
}

fn start_simulated(prepared: Result<Arc<Running>, Failure>) -> Result<Arc<Running>, Refusal> {
    let running = prepared.map_err(Refusal::Failed)?;
    match running.start_simulated() {
        Ok(()) => Ok(running),
        Err(source) => Err(Refusal::Failed(Failure::Start { process: String::from(running.name()), source })),
    }
}

/// Fills a member's slot. If that fails, the arguments are gone, and the channels among them are poisoned.
fn prepare(plan: Blueprint) -> Result<Arc<Running>, Failure> {
    let Blueprint { role, arguments, .. } = plan;
    let name = role.name();
    let refused = |source| Failure::Start { process: name.to_string(), source };
    let arguments = arguments.map_err(|error| refused(StartError::Arguments(error)))?;
    let (made, placement, stack) = match make(&role, &name) {
        Ok(prepared) => prepared,
        Err(error) => {
            arguments.discard(Closing::Poison);
            return Err(refused(error));
        }
    };
    let slot = made.member;
    slot.keep_arguments(arguments.hand_to(made.name.index));
    let inherited = Member::at(made.parent).map_or(0, Member::on_deadlock);
    slot.set_policies(role.on_crash != OnCrash::Poison, role.on_deadlock.map_or(inherited, Deadlock::raw));
    Ok(Arc::new(Running::new(name, &made, placement, stack, role.code, role.result_type)))
}

/// Makes the slot, for a process of this name; with it, where it runs and how many bytes its stack has.
fn make(role: &Role, name: &str) -> Result<(NewProcess, Placement, usize), StartError> {
    let placement = role.placement()?;
    let functions = match placement {
        _ if is_simulated() => None,
        Placement::Process => {
            forkserver::availability().map_err(|error| StartError::Unavailable { reason: error.to_string() })?;
            Some(role.code.to_words().map_err(|error| StartError::Function { reason: error.to_string() })?)
        }
        Placement::Thread => None,
    };
    let stack = role.stack()?;
    let create = |launch: &[u8]| actor(|actor| actor.create_process(placement == Placement::Thread, launch));
    let made = match placement {
        Placement::Process if !is_simulated() => create(&Launch::now(String::from(name), stack)?.to_bytes()),
        _ => Launch::here(name, stack, create),
    };
    let made = made.map_err(|error| StartError::Arguments(error.into()))?;
    functions.into_iter().for_each(|functions| made.member.set_functions(functions));
    Ok((made, placement, stack))
}
