//! Driving: the live engine by the decisions of a simulated run.
//!
//! Knows nothing of how a run was decided. A network that is driven consists of real processes and threads, which
//! communicate over shared memory as ever. But none of them runs while another one does: each stops before an offer is
//! made, and again when it has come to something, and goes on when it is told to ([`Side`]). Whoever tells it goes by
//! the script of a simulated run ([`Conductor`]): which offers come, in which order, what each of them has come to, and
//! who is killed. What the script says of an offer is compared with what came of it; so the two engines are held
//! against each other, step by step.
//!
//! What a process closes or poisons takes effect when that is decided, as in the simulation. The time is virtual.

mod conductor;
mod side;

pub(crate) use conductor::{Conductor, Parting};
pub(crate) use side::{Enrolled, Side, begin_main, is_end};
