//! Protocols of the field as properties, each with a mistake that is found and shrunk to so many events.
//!
//! Knows nothing of the operating system: all of it runs under schedules.

mod alternating_bit;
mod bounded_buffer;
mod dining_philosophers;
mod election;
mod farm;
mod readers_and_writers;
mod search;
mod two_phase_commit;
