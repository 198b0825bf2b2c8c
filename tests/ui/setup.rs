//! What cannot be a set-up is told at its token.

#[csproc::setup]
fn arguments(level: u8, colour: bool) {}

#[csproc::setup]
async fn asynchronous() {}

#[csproc::setup]
unsafe fn dangerous() {}

#[csproc::setup]
const fn constant() {}

#[csproc::setup]
extern "C" fn foreign() {}

#[csproc::setup]
fn generic<T: Default>() {
    let _ = T::default();
}

struct Logger;

impl Logger {
    #[csproc::setup]
    fn method(&self) {}
}

#[csproc::setup]
struct NoFunction;

#[csproc::setup(before = 3)]
fn unknown_option() {}

#[csproc::setup(order = "first")]
fn wrong_order() {}

#[csproc::setup(order = 1, order = 2)]
fn twice() {}

#[csproc::setup(crate)]
fn no_path() {}

#[csproc::setup]
fn main() {}
