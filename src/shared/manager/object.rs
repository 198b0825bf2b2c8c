//! A managed object: a process on a thread of the manager's server that answers calls, one after the other.
//!
//! Knows nothing of who calls, nor of what the objects are. A call brings the function that serves it, which was made
//! where the types of the object, the arguments and the result were known.
//!
//! ```text
//! object ──accept──► Serve::Change   while nobody else uses it
//!                    Serve::Look     as many as look; one more thread waits for calls meanwhile
//! ```
//! **Looking at it together.** A call that is accepted has to be answered by the thread that has accepted it. So before
//! a thread looks, it sees to it that another one waits for calls: a helper, which is a process like the first, of the
//! same name, and takes part in the calls from then on. There are at most as many of them as the machine has
//! processors, and none as long as nobody looks. Who uses the object is then a matter of permits of a gate, so whoever
//! waits for those who look is seen waiting; the lock around the object itself is free when it is taken.
//!
//! **When one of them panics** the object has crashed. That is noted before the caller is told, so whoever calls later
//! is told the same by the others. The process ends, and with it the channel of the calls is lost: the others end when
//! they wait for the next call.

use super::error::CallError;
use crate::cause::{describe_unwinding, note_unwinding};
use crate::channel::{Call, Callee, ImageFn, Message};
use crate::engine::member;
use crate::process::{Child, Spawn, current};
use crate::shared::lock::LockError;
use crate::shared::rwlock::RwLock as Gate;
use crate::sys::image::{ChangesFor, LooksFor, Takes};
use csproc_macros::process;
use parking_lot::{Mutex, RwLock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// What a call begins with: how it is served.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum Serve<T> {
    Change(ImageFn<ChangesFor<T, Asked<T>>>),
    Look(ImageFn<LooksFor<Arc<Object<T>>, Asked<T>>>),
}

/// A call, and as long as it is there it waits for its answer.
pub(super) struct Asked<T>(Option<Call<Serve<T>>>);

impl<T> Asked<T> {
    /// Answers with what comes of the arguments. If they are of another type, the caller is told so.
    pub(super) fn answer<A: DeserializeOwned, R: Serialize>(&mut self, work: impl FnOnce(A) -> R) {
        let Some(call) = &mut self.0 else { return };
        // In a panic the call stays here, and its caller is told when the panic has come to the owner of this.
        let result = call.argument().map(work);
        match (self.0.take(), result) {
            (Some(call), Ok(result)) => call.answer(&Ok::<_, CallError>(&result)),
            (Some(call), Err(error)) => call.refuse(error),
            (None, _) => (),
        }
    }

    fn refuse(&mut self, error: CallError) {
        if let Some(call) = self.0.take() {
            call.answer(&Err::<(), _>(error));
        }
    }
}

/// An object and those who wait for calls of it.
pub(super) struct Object<T> {
    value: RwLock<T>,
    calls: Callee,
    /// Who uses the object; none as long as there is one thread alone.
    gate: OnceLock<Gate>,
    /// How many threads wait for a call.
    waiting: AtomicUsize,
    helpers: Mutex<Vec<(Child<()>, Loan)>>,
    /// What it has crashed of.
    crash: OnceLock<CallError>,
}

/// An object that is to be made: the first call brings its maker.
///
/// Nobody but whoever begins it has a caller before that call is answered.
#[process(thread, crate = crate)]
pub(super) fn object<T: 'static, A: Message>(calls: Callee) {
    let Ok(mut call) = calls.accept::<ImageFn<Takes<A, T>>>() else { return };
    let ImageFn(make) = call.header;
    let value = match call.argument() {
        Ok(arguments) => make(arguments),
        Err(error) => return call.refuse(error),
    };
    call.answer(&());
    let object = Arc::new(Object {
        value: RwLock::new(value),
        calls,
        gate: OnceLock::new(),
        waiting: AtomicUsize::new(0),
        helpers: Mutex::new(Vec::new()),
        crash: OnceLock::new(),
    });
    object.serve(&object.calls);
    // A helper that has crashed was told of by the end of its channel.
    let helpers = std::mem::take(&mut *object.helpers.lock());
    helpers.into_iter().for_each(|(helper, _)| drop(helper.join()));
}

impl<T: 'static> Object<T> {
    /// Serves calls until nobody is left who could call.
    fn serve(self: &Arc<Object<T>>, calls: &Callee) {
        loop {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let call = calls.accept::<Serve<T>>();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            let Ok(call) = call else { return };
            match call.header {
                Serve::Change(ImageFn(serve)) => self.change(serve, &mut Asked(Some(call))),
                Serve::Look(ImageFn(serve)) => serve(self, &mut Asked(Some(call))),
            }
        }
    }

    fn change(&self, serve: fn(&mut T, &mut Asked<T>), asked: &mut Asked<T>) {
        let permit = self.gate.get().map(Gate::write).transpose();
        self.unless_gone(permit, asked, |asked| serve(&mut self.value.write(), asked));
    }

    /// Does the work for which there is a permit, unless the object has crashed.
    fn unless_gone<G, H>(
        &self,
        permit: Result<G, LockError<H>>,
        asked: &mut Asked<T>,
        work: impl FnOnce(&mut Asked<T>),
    ) {
        match (self.crash.get(), permit) {
            (Some(crash), _) => asked.refuse(crash.clone()),
            (None, Err(LockError::Abandoned(left))) => {
                let (process, cause) = (String::from(left.process()), left.cause().clone());
                asked.refuse(CallError::Lost { process, cause });
            }
            (None, Err(LockError::Failed(error))) => asked.refuse(error.into()),
            (None, Ok(_permit)) => {
                let _watch = Watch(&self.crash);
                work(asked);
            }
        }
    }
}

/// Notes a panic before those who wait behind it go on.
struct Watch<'a>(&'a OnceLock<CallError>);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let member = member().unwrap_or(0);
            note_unwinding(member);
            let (process, cause) = describe_unwinding(member);
            let _ = self.0.set(CallError::Lost { process, cause });
        }
    }
}

impl<T: Send + Sync + 'static> Object<T> {
    /// Looks at the object, beside others who look.
    pub(super) fn look(self: &Arc<Object<T>>, asked: &mut Asked<T>, look: impl FnOnce(&T, &mut Asked<T>)) {
        let gate = self.gate();
        let permit = gate.map(Gate::read).transpose();
        self.unless_gone(permit, asked, |asked| {
            if gate.is_some() && self.waiting.load(Ordering::Relaxed) == 0 {
                self.get_help();
            }
            look(&self.value.read(), asked);
        });
    }

    /// Without room for it there is one thread alone, as before.
    fn gate(&self) -> Option<&Gate> {
        if self.gate.get().is_none()
            && let Ok(gate) = Gate::try_new()
        {
            let _ = self.gate.set(gate);
        }
        self.gate.get()
    }

    /// Has one more thread wait for calls, if the machine has a processor for it.
    fn get_help(self: &Arc<Object<T>>) {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut helpers = self.helpers.lock();
        if helpers.len() + 1 < processors {
            let loan = Loan::of(self);
            let name = String::from(current().name());
            // Without it they look one after the other.
            if let Ok(helper) = (helper::<T>(loan.0).named(name),).spawn() {
                helpers.push((helper, loan));
            }
        }
    }
}

/// One more thread that serves calls of an object that was lent to it.
///
/// It is not given its end of the calls: with one that cannot begin, they would be poisoned.
#[process(thread, crate = crate)]
fn helper<T: Send + Sync + 'static>(number: u64) {
    // The object may have crashed meanwhile, and then it is gone.
    if let Some(object) = taken::<T>(number) {
        object.serve(&object.calls.clone());
    }
}

/// Objects on their way to a helper, which is told the number: arguments are messages, and an object is none.
static LENT: Mutex<Lent> = Mutex::new(Lent { last: 0, objects: BTreeMap::new() });

struct Lent {
    /// The number of the last one.
    last: u64,
    /// Each is a `Weak<Object<T>>`: nobody is kept by a helper that was refused.
    objects: BTreeMap<u64, Box<dyn Any + Send>>,
}

/// The number of an object on its way; dropped, it is on its way no more, whether the helper has taken it or not.
struct Loan(u64);

impl Loan {
    fn of<T: Send + Sync + 'static>(object: &Arc<Object<T>>) -> Loan {
        let mut lent = LENT.lock();
        lent.last += 1;
        let number = lent.last;
        lent.objects.insert(number, Box::new(Arc::downgrade(object)));
        Loan(number)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        LENT.lock().objects.remove(&self.0);
    }
}

fn taken<T: Send + Sync + 'static>(number: u64) -> Option<Arc<Object<T>>> {
    let object = LENT.lock().objects.remove(&number)?;
    object.downcast::<Weak<Object<T>>>().ok()?.upgrade()
}
