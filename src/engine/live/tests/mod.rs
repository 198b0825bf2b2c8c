//! Tests of the live engine from inside: the laws of choice on threads, and what is left when processes are killed.
//!
//! Knows nothing of user types, except where a typed end is the easiest way to give a process an end. `watch` ends what
//! hangs, `wire` makes channels and messages, `audit` says what must be true of the tables when nothing is going on.

mod audit;
mod choice;
mod closing;
mod estate;
mod findings;
mod halfway;
mod many;
mod number;
mod references;
mod rings;
mod standstill;
mod units;
mod view;
mod watch;
mod wire;
mod worlds;
