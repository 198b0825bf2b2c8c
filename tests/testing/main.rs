//! The laws of property tests: what a simulated network does is what a network does, and what fails is found and told.
//!
//! Knows nothing of the operating system: nothing here runs as a process of its own, but where a test says so.

mod alternation;
mod attribute;
mod cast;
mod causality;
mod coverage;
mod crashes;
mod differential;
mod ending;
mod explore;
mod explore_random;
mod faults;
mod lending;
mod networks;
mod nondeterminism;
mod outside;
mod refusal;
mod regressions;
mod rendezvous;
mod seeded;
mod shared;
mod shrinking;
mod stacks;
mod tasks;
mod time;
