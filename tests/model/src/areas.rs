//! Scenarios of areas: bytes beside a gate, which whoever has the only end of it may write, and others look at.
//!
//! Knows nothing of messages but that an end of the gate travels in one.

use crate::checker::Checker;
use crate::engine::{ChannelName, Closing, Direction, Guard, Holder, Order, Store};
use crate::machine::Machine;
use crate::memory::Block;
use crate::party::{Arm, LOCATION, Party, Seen, USING, pid};
use crate::scenario::{READER, Scenario, WRITER};

impl Party {
    /// Writes a value, and with it one more handle of another channel. If nobody takes it, the handle goes with it.
    pub(crate) fn send_one_more(&mut self, channel: ChannelName, value: u64, other: ChannelName) {
        let block = self.message(value);
        self.local.request_end(other, Direction::Handle, Holder::Block(block)).expect("an end");
        let (arms, guards) = ([Arm::Write(channel, value)], [Guard::Output { channel, block }]);
        let fired = self.local.offer(&guards, Order::Priority, LOCATION).expect("room for the offer");
        if fired.outcome.is_err() {
            self.own(block);
            self.local.close_travelling(block, Closing::Retire);
        }
        self.note(&arms, &guards, fired);
    }

    /// What lies in an area of which it has an end. Nobody writes there meanwhile.
    #[expect(unsafe_code, reason = "looks at an area that this process has")]
    pub(crate) fn view(&self, area: ChannelName) -> u64 {
        let place = area.area().expect("whoever has an end has the area");
        self.using(area, false, || {
            // SAFETY: nobody writes, as was just seen, and the slice does not outlive the statement.
            u64::from_le_bytes(unsafe { place.bytes() }.try_into().expect("eight bytes"))
        })
    }

    /// This lies in an area from now on, if it has the only end of it.
    #[expect(unsafe_code, reason = "writes to an area that this process has alone")]
    pub(crate) fn change(&mut self, area: ChannelName, value: u64) -> bool {
        if !self.local.has_one_end(area) {
            return false;
        }
        let mut place = area.area().expect("whoever has an end has the area");
        self.using(area, true, || {
            // SAFETY: nobody else has it, as was just seen, and the slice does not outlive the statement.
            unsafe { place.bytes_mut() }.copy_from_slice(&value.to_le_bytes());
        });
        true
    }

    /// Whoever writes to an area is alone with it, the dead left out of account.
    fn using<R>(&self, area: ChannelName, writes: bool, work: impl FnOnce() -> R) -> R {
        USING.with(|using| {
            let mut using = using.borrow_mut();
            using.retain(|(_, member, _)| !Checker::is_dead(pid(*member)));
            let others = using.iter().filter(|(at, _, wrote)| *at == area && (writes || *wrote));
            assert_eq!(others.count(), 0, "an area is written to that another one has: {using:?}");
            using.push((area, self.member, writes));
        });
        // What lies there: a number that no block has.
        let protected = Block::MAX - area.index;
        if writes {
            Checker::writes(protected)
        } else {
            Checker::reads(protected)
        }
        // Others can come meanwhile.
        self.linger(area);
        let result = work();
        self.linger(area);
        USING.with(|using| using.borrow_mut().retain(|(_, member, _)| *member != self.member));
        result
    }
}

/// An area is sent while its sender looks at it still, and would change it if it could; two want it, and whoever gets
/// it changes it once nobody else has it. So what was sent is what arrives, and nobody sees what another one writes.
pub static SENT: Scenario = Scenario {
    name: "an area that is sent, and changed by whoever has it alone",
    parties: 3,
    prepare: |stage| {
        let (area, handle) = stage.area(8);
        let q = stage.queue(Store::Fifo(1));
        stage.party(&[(area, Direction::Handle), (q, WRITER)], move |me| {
            assert!(me.change(area, 7), "nobody else has it");
            me.send_one_more(q, 1, area);
            // It has gone to somebody, and perhaps with him.
            if !me.change(area, 8) {
                assert_eq!(me.view(area), 7, "somebody else has changed it");
            }
            me.close_all_of(area);
            me.close(Closing::Retire);
        });
        for _ in 0..2 {
            stage.party(&[(q, READER)], move |me| {
                me.read(q);
                if me.has_read(1) {
                    assert_eq!(me.view(area), 7, "it is not what was sent");
                    if me.change(area, 9) {
                        assert_eq!(me.view(area), 9);
                    }
                    me.close_all_of(area);
                }
                me.close(Closing::Retire);
            });
        }
        stage.local.close_end(handle, Closing::Retire);
    },
    judge: |parts| {
        if parts.iter().all(Option::is_some) {
            let reads = parts[1..].iter().flatten().flatten().filter(|seen| **seen == Seen::Read(1)).count();
            assert_eq!(reads, 1, "{parts:?}");
        }
    },
};

/// The function of a process returns, and another thread of it goes on looking at an area, while somebody takes blocks
/// for messages. Behind it another one has the area, who hears that it has it alone when the process is buried.
pub static KEPT: Scenario = Scenario {
    name: "a look at an area by a process whose function has returned",
    parties: 2,
    prepare: |stage| {
        let (area, handle) = stage.area(8);
        let c = stage.channel(Store::Fifo(2));
        stage.lend(c, READER);
        stage.party(&[(area, Direction::Handle)], move |me| {
            assert!(me.change(area, 7), "nobody else has it");
            me.close(Closing::Retire);
            for _ in 0..2 {
                assert_eq!(me.view(area), 7, "its block has become somebody else's");
            }
        });
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 77);
            me.write(c, 78);
        });
        stage.local.close_end(handle, Closing::Retire);
    },
    judge: |parts| {
        if let Some(seen) = &parts[1] {
            assert_eq!(*seen, [Seen::Wrote(77), Seen::Wrote(78)]);
        }
    },
};

/// All of them.
pub static ALL: [&Scenario; 2] = [&SENT, &KEPT];
