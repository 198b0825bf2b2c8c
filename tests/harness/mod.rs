//! What the programs of tests have in common: every test ends and leaves nothing behind, a test sees when somebody
//! sleeps, a test can be a program of its own, and the small processes of many plays stand here once.
//!
//! Knows nothing of what is tested. It is a module of each program, and no crate of its own: the published package
//! would lack that crate, and its tests could be compiled from a checkout alone.

#[macro_use]
pub(crate) mod watchdog;
pub(crate) mod cast;
pub(crate) mod ignored;
pub(crate) mod killing;
pub(crate) mod looks;
pub(crate) mod pause;
pub(crate) mod place;
pub(crate) mod scenario;
pub(crate) mod sleeper;
pub(crate) mod system;
