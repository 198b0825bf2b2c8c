//! Killed after any single instruction of an operation, a process leaves its peers the value exactly once or a typed
//! error that names it, channels that work, and nothing else.
//!
//! Knows nothing of the steps of the protocol: the tracer takes it as it is compiled. The plain run kills after each
//! instruction that changed the shared memory, and after a sample of the others; `CSPROC_LONG` kills after every one.

use crate::explore::{BOTH, explore, explore_in_time, follow, read_all, spawn};
use crate::scene::{
    barrier_scene, choice_scene, have_a_child, leave, let_go_scene, make_and_drop, mobile_scene, read_all_extended,
    read_one, read_one_extended, read_scene, refill_scene, resign, stopped_party_scene, stopped_refill_scene,
    store_scene, sync, timeout_scene, write_scene,
};
use csproc::prelude::*;

alone! {
    fn a_writer_whose_reader_waits() {
        explore("a writer whose reader waits", &BOTH, &|policy, cut| write_scene(read_all, true, policy, cut));
    }

    fn a_writer_that_waits() {
        explore("a writer that waits", &BOTH, &|policy, cut| write_scene(read_all, false, policy, cut));
    }

    fn a_reader_whose_writer_waits() {
        explore("a reader whose writer waits", &BOTH, &|policy, cut| read_scene(read_one, true, policy, cut));
    }

    fn a_reader_that_waits() {
        explore("a reader that waits", &BOTH, &|policy, cut| read_scene(read_one, false, policy, cut));
    }

    fn an_extended_reader_whose_writer_waits() {
        explore("an extended reader whose writer waits", &BOTH, &|policy, cut| {
            read_scene(read_one_extended, true, policy, cut)
        });
    }

    fn an_extended_reader_that_waits() {
        explore("an extended reader that waits", &BOTH, &|policy, cut| {
            read_scene(read_one_extended, false, policy, cut)
        });
    }

    fn an_alternation_of_two_guards_whose_peers_wait() {
        explore("an alternation of two whose peers wait", &BOTH, &|policy, cut| choice_scene(1, true, policy, cut));
    }

    fn an_alternation_of_two_guards_that_waits() {
        explore("an alternation of two that waits", &BOTH, &|policy, cut| choice_scene(1, false, policy, cut));
    }

    fn an_alternation_over_eight_channels() {
        explore("an alternation over eight channels", &BOTH, &|policy, cut| choice_scene(4, true, policy, cut));
        if crate::is_long() {
            explore("an alternation over eight channels that waits", &BOTH, &|policy, cut| {
                choice_scene(4, false, policy, cut)
            });
        }
    }

    fn a_writer_into_a_buffer() {
        let kinds: [(&str, Buffer, &[u64], &[u64]); 7] = [
            ("a writer into an empty buffer", Buffer::Fifo(2), &[], &[9]),
            ("a writer into a buffer", Buffer::Fifo(2), &[4], &[4, 9]),
            ("a writer into a full buffer", Buffer::Fifo(1), &[4], &[4, 9]),
            ("a writer over the oldest", Buffer::OverwriteOldest(2), &[4, 5], &[5, 9]),
            ("a writer over the newest", Buffer::OverwriteNewest(2), &[4, 5], &[4, 9]),
            ("a writer over the only one", Buffer::OverwriteNewest(1), &[4], &[9]),
            ("a writer that drops", Buffer::DropNewest(2), &[4, 5], &[4, 5]),
        ];
        for (name, buffer, held, after) in kinds {
            explore(name, &BOTH, &|policy, cut| store_scene(buffer, held, after, policy, cut));
        }
    }

    fn a_reader_of_a_full_buffer_lets_the_next_message_in() {
        explore("a reader of a full buffer", &BOTH, &refill_scene);
    }

    fn a_reader_of_a_full_buffer_that_is_stopped() {
        // The blocks go round: after one of these counts the writer has the one in question.
        for count in 6..9 {
            explore("a stopped reader of a full buffer", &BOTH[1..], &|policy, cut| {
                stopped_refill_scene(count, policy, cut)
            });
        }
    }

    fn a_writer_for_an_extended_reader() {
        explore("a writer whose extended reader waits", &BOTH, &|policy, cut| {
            write_scene(read_all_extended, true, policy, cut)
        });
        explore("a writer that waits for an extended reader", &BOTH, &|policy, cut| {
            write_scene(read_all_extended, false, policy, cut)
        });
    }

    fn a_party_of_a_barrier() {
        explore("the last party of a barrier", &BOTH, &|policy, cut| barrier_scene(sync, true, policy, cut));
        explore("the first party of a barrier", &BOTH, &|policy, cut| barrier_scene(sync, false, policy, cut));
    }

    fn a_party_that_leaves_a_barrier() {
        explore("a party that leaves", &BOTH, &|policy, cut| barrier_scene(leave, true, policy, cut));
        explore("a party that resigns", &BOTH, &|policy, cut| barrier_scene(resign, true, policy, cut));
    }

    fn a_party_of_a_barrier_that_is_stopped() {
        explore("a stopped party of a barrier", &BOTH, &stopped_party_scene);
    }

    fn an_end_on_its_way() {
        explore("a sender of an end", &BOTH, &|policy, cut| mobile_scene(true, policy, cut));
        explore("a receiver of an end", &BOTH, &|policy, cut| mobile_scene(false, policy, cut));
    }

    fn a_maker_of_a_channel() {
        explore("a maker of a channel", &BOTH[..1], &|policy, cut| {
            follow(spawn(make_and_drop(), policy), cut, &mut || ())
        });
    }

    fn an_end_that_goes() {
        for (how, name) in [(0, "an end that is dropped"), (1, "an end that poisons"), (2, "an end that retires")] {
            explore(name, &BOTH, &|policy, cut| let_go_scene(how, policy, cut));
        }
    }

    fn a_reader_that_withdraws() {
        explore("a reader that withdraws", &BOTH, &timeout_scene);
    }

    fn a_process_with_a_child() {
        let scene = |policy, cut| follow(spawn(have_a_child(), policy), cut, &mut || ());
        if crate::is_long() {
            explore("a process with a child", &BOTH[..1], &scene);
        } else {
            explore_in_time("a process with a child", &scene);
        }
    }
}
