//! What cannot be a test under schedules is told at its token.

#[csproc::test]
fn arguments(schedules: u32) {
    let _ = schedules;
}

#[csproc::test]
async fn asynchronous() {}

#[csproc::test]
unsafe fn dangerous() {}

#[csproc::test]
const fn constant() {}

#[csproc::test]
extern "C" fn foreign() {}

#[csproc::test]
fn generic<T: Default>() {
    let _ = T::default();
}

struct Bank;

impl Bank {
    #[csproc::test]
    fn method(&self) {}
}

#[csproc::test]
struct NoFunction;

#[csproc::test]
#[test]
fn test_twice() {}

fn main() {}
