//! Writes down where and why a process panicked, while it is still possible to know.
//!
//! Knows nothing of what happens to the process then. A panic's place is known to the panic hook alone; and when panics
//! abort, nothing runs after the hook. So one hook is put in front of the one that was there, and looks whether the
//! thread runs a process.

use crate::cause::{note_panic, record_panic};
use crate::engine::Member;
use crate::sys::quietly::is_quiet;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

thread_local! {
    /// The member whose panic is written down, plus one.
    static RECORDED: Cell<u32> = const { Cell::new(0) };
    /// What panics on this thread is written down, and not printed.
    static UNTOLD: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Last> = const { RefCell::new(Last(None, None)) };
}

/// What the two newest panics of a thread said, and where; the newest is the second.
///
/// Two, because a panic may begin and be caught while another one unwinds, or follow one and be of no interest.
struct Last(Option<Panic>, Option<Panic>);

type Panic = (String, String);

impl Last {
    /// Takes in a panic, and gives the one that is the reason if the process should die of it.
    ///
    /// The standard library panics anew when an unwinding must not go on. The reason is then the panic that unwound.
    fn reason_after(&mut self, message: String, place: String) -> Panic {
        let reason = match message.as_str() {
            "panic in a destructor during cleanup" => self.0.clone(),
            "panic in a function that cannot unwind" => self.1.clone(),
            _ => None,
        };
        reason.unwrap_or_else(|| {
            self.0 = self.1.replace((message.clone(), place.clone()));
            (message, place)
        })
    }

    /// Where the panic was that was caught with this payload.
    fn place_of(&self, message: &str) -> Option<String> {
        [&self.1, &self.0].into_iter().flatten().find(|(said, _)| said == message).map(|(_, place)| place.clone())
    }
}

/// The member ends of a panic, which was caught on this thread.
pub(crate) fn record_caught_panic(index: u32, member: &Member, payload: &(dyn Any + Send)) {
    let (message, place) = told_by(payload);
    record_panic(index, member, &message, &place);
    note_panic(member);
}

/// What a panic said that was caught on this thread, and where it was.
pub(crate) fn told_by(payload: &(dyn Any + Send)) -> (String, String) {
    let message = text_of(payload);
    let place = LAST.try_with(|last| last.borrow().place_of(&message)).ok().flatten();
    (message, place.unwrap_or_else(|| String::from("an unknown place")))
}

/// Runs `work`; a panic in it is that of the member.
pub(crate) fn record_panics_of<R>(member: u32, work: impl FnOnce() -> R) -> R {
    hook();
    RECORDED.set(member + 1);
    let result = work();
    RECORDED.set(0);
    result
}

/// Runs `work`, in which panics are written down and not printed: there are too many of them.
#[cfg(feature = "testing")]
pub(crate) fn untold<R>(work: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            UNTOLD.set(self.0);
        }
    }
    hook();
    let _before = Before(UNTOLD.replace(true));
    work()
}

/// Puts the hook in place. The server does it once for all its children.
pub(super) fn hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(stand_in_front);
}

/// Puts the hook in front of the present one again, which may have taken its place.
pub(super) fn stand_in_front() {
    /// How often it was put in front: of several, the first does the work.
    static FRONT: AtomicU32 = AtomicU32::new(0);
    let own = FRONT.fetch_add(1, Ordering::Relaxed) + 1;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if is_quiet() {
            return;
        }
        let who = who_panics();
        if FRONT.load(Ordering::Relaxed) == own && who != Panics::Nobody {
            let place = panic.location().map_or_else(|| String::from("an unknown place"), ToString::to_string);
            let told = LAST.try_with(|last| last.borrow_mut().reason_after(text_of(panic.payload()), place));
            if let (Ok((message, place)), Panics::Member(index)) = (told, who)
                && let Some(member) = Member::at(index)
            {
                record_panic(index, member, &message, &place);
            }
        }
        if !UNTOLD.try_with(Cell::get).unwrap_or(false) {
            before(panic);
        }
    }));
}

/// Whose panic it is that the hook is told of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Panics {
    /// No process.
    Nobody,
    Member(u32),
    /// The main process of a simulated world: no slot says what becomes of it.
    #[cfg(feature = "testing")]
    Main,
}

/// Who runs on this thread, of a simulated world or of this one.
fn who_panics() -> Panics {
    #[cfg(feature = "testing")]
    if crate::engine::is_simulated() {
        return crate::engine::sim::running_member().map_or(Panics::Main, Panics::Member);
    }
    let recorded = RECORDED.try_with(Cell::get).ok().and_then(|recorded| recorded.checked_sub(1));
    recorded.map_or(Panics::Nobody, Panics::Member)
}

/// What a panic said.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => String::from(*text),
        (None, Some(text)) => text.clone(),
        (None, None) => String::from("a panic that is not a text"),
    }
}
