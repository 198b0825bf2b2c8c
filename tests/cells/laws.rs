//! What a value and an array are: the same for everybody who has them, changed as a whole, and read at any time.
//!
//! Knows nothing of death.

use csproc::prelude::*;
use csproc::shared::bytemuck;
use csproc::{MessageError, shared::Lock as SharedLock};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "csproc::shared::bytemuck")]
#[repr(C)]
struct Account {
    owner: [u8; 16],
    balance: i64,
    changes: u32,
    place: [u16; 2],
}

const EMPTY: Account = Account { owner: *b"nobody          ", balance: 0, changes: 0, place: [1, 2] };

#[process]
fn increment(number: Value<u64>, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        number.with_lock(|number| *number += 1)?;
    }
    Ok(())
}

#[process]
fn book(account: Value<Account>, times: u32) -> csproc::Result<()> {
    for _ in 0..times {
        account.with_lock(|account| {
            account.balance -= 3;
            account.changes += 1;
        })?;
    }
    Ok(())
}

#[process]
fn increment_all(array: Array<u16>, times: usize) -> csproc::Result<()> {
    for i in 0..times {
        let length = array.len();
        array.with_lock(|elements| elements.iter_mut().for_each(|element| *element += 1))?;
        array.slice(..length / 2).with_lock(|half| half.iter_mut().for_each(|element| *element += 1))?;
        array.lock().with(|| ())?;
        let held = array.lock().acquire()?;
        array.slice(i % length..=i % length).with_held(&held, |one| one[0] += 1)?;
    }
    Ok(())
}

#[process]
fn pass_on(values: Reader<Value<u32>>, arrays: Writer<(Array<u8>, Value<u32>)>) -> csproc::Result<Value<u32>> {
    let value = values.read()?;
    value.set(value.get() + 1)?;
    let array = Array::from([1, 2, 3]);
    arrays.write((array.clone(), value.clone()))?;
    Ok(value)
}

over_both! {
    fn no_increment_is_lost(placement) {
        let number = Value::new(0);
        Parallel!(for _ in 0..4 => increment(number.clone(), 500).on(placement)).values().unwrap();
        assert_eq!(number.get(), 2000);
    }

    fn no_change_of_several_words_is_lost(placement) {
        let account = Value::new(EMPTY);
        Parallel!(for _ in 0..4 => book(account.clone(), 300).on(placement)).values().unwrap();
        assert_eq!(account.get(), Account { balance: -3600, changes: 1200, ..EMPTY });
    }

    fn no_change_of_an_array_is_lost(placement) {
        let array = Array::zeroed(10);
        Parallel!(for _ in 0..3 => increment_all(array.clone(), 100).on(placement)).values().unwrap();
        let expected: Vec<u16> = (0..10).map(|i| if i < 5 { 630 } else { 330 }).collect();
        assert_eq!(array.to_vec(), expected);
    }

    fn they_go_through_channels_and_outlive_who_made_them(placement) {
        let (values, arrays) = (Channel::new(), Channel::buffered(Buffer::Fifo(1)));
        let (w, r) = (values.writer(), arrays.reader());
        let child = Spawn!(pass_on(values.reader(), arrays.writer()).on(placement)).unwrap();
        let value = Value::new(5);
        w.write(value.clone()).unwrap();
        let same = child.join().unwrap().unwrap();
        let (array, third) = r.read().unwrap();
        assert_eq!(array.to_vec(), [1, 2, 3]);
        third.set(7).unwrap();
        assert_eq!((value.get(), same.get()), (7, 7));
    }
}

once! {
    fn a_value_is_the_same_for_everybody_who_has_it() {
        let number = Value::new(2.5);
        let same = number.clone();
        same.set(3.5).unwrap();
        assert_eq!(number.get(), 3.5);
        assert_eq!(number.replace(4.5), Ok(3.5));
        assert_eq!((format!("{same:?}"), format!("{same}")), ("Value(4.5)".into(), "4.5".into()));
        assert_eq!(Value::from(3_u8).get(), 3);
    }

    fn a_value_has_any_size() {
        assert_eq!(Value::new(()).replace(()), Ok(()));
        assert_eq!(Value::new([1_u8, 2, 3]).replace([4, 5, 6]), Ok([1, 2, 3]));
        assert_eq!(Value::new(u128::MAX).replace(7), Ok(u128::MAX));
        let large = Value::new([7_u64; 100]);
        large.with_lock(|all| all[99] = 8).unwrap();
        assert_eq!((large.get()[98], large.get()[99]), (7, 8));
        let account = Value::new(EMPTY);
        account.with_lock(|account| account.place[1] = 9).unwrap();
        assert_eq!(account.get(), Account { place: [1, 9], ..EMPTY });
    }

    fn an_array_of_nothing_and_an_array_of_nothings() {
        let none = Array::<u64>::zeroed(0);
        assert!(none.is_empty() && none.to_vec().is_empty() && none.try_get(0).is_none());
        none.with_lock(|all| assert!(all.is_empty())).unwrap();
        none.fill(3).unwrap();
        none.copy_from(&[]).unwrap();
        assert!(none.slice(..).is_empty());
        assert_eq!(format!("{none:?}"), "[]");
        let nothings = Array::from([(); 3]);
        nothings.set(2, ()).unwrap();
        assert_eq!((nothings.len(), nothings.get(2), nothings.to_vec()), (3, (), vec![(); 3]));
        assert_eq!(Channel::buffered(Buffer::Fifo(1)).writer().write(nothings).map_err(|error| error.fate), Ok(()));
    }

    fn elements_of_any_size_are_set_one_by_one() {
        fn check<const N: usize>() {
            let array = Array::<[u8; N]>::zeroed(7);
            for i in 0..7 {
                array.set(i, [i as u8 + 1; N]).unwrap();
            }
            let expected: Vec<[u8; N]> = (1..8).map(|i| [i; N]).collect();
            assert_eq!(array.to_vec(), expected);
            array.slice(2..4).copy_from(&[[9; N], [8; N]]).unwrap();
            assert_eq!((array.get(1), array.get(2), array.get(3), array.get(4)), ([2; N], [9; N], [8; N], [5; N]));
        }
        check::<1>();
        check::<2>();
        check::<3>();
        check::<5>();
        check::<8>();
        check::<9>();
        check::<12>();
        check::<16>();
        check::<31>();
    }

    fn a_change_is_seen_when_its_closure_has_returned() {
        let (number, array) = (Value::new([1_u64; 3]), Array::from([1_u64; 3]));
        number.with_lock(|inside| {
            inside[0] = 2;
            assert_eq!(number.get(), [1; 3]);
        })
        .unwrap();
        array.slice(1..).with_lock(|inside| {
            inside.fill(2);
            assert_eq!((0..3).map(|i| array.get(i)).collect::<Vec<_>>(), [1, 1, 1]);
            // Who prints does not wait.
            assert_eq!(format!("{array:?}"), "[1, 1, 1]");
        })
        .unwrap();
        assert_eq!((number.get(), array.to_vec()), ([2, 1, 1], vec![1, 2, 2]));
    }

    fn what_panics_has_not_begun() {
        let (number, array) = (Value::new(1), Array::from([1, 2, 3]));
        let panicked = |work: &dyn Fn()| {
            let work = || {
                work();
                std::panic::resume_unwind(Box::new("quietly"));
            };
            assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        };
        panicked(&|| {
            number.with_lock(|number| {
                *number = 2;
                std::panic::resume_unwind(Box::new("quietly"));
            })
            .unwrap();
        });
        panicked(&|| {
            array.with_lock(|array| {
                array.fill(0);
                std::panic::resume_unwind(Box::new("quietly"));
            })
            .unwrap();
        });
        assert_eq!((number.get(), array.to_vec()), (1, vec![1, 2, 3]));
        // Nothing is half done, so nobody is told of it.
        drop(number.lock().try_acquire().unwrap());
        drop(array.lock().try_acquire().unwrap());
    }

    fn several_values_change_under_their_locks() {
        let (mine, yours) = (Value::new(10), Value::new([0_u32; 4]));
        let held = (mine.lock().acquire().unwrap(), yours.lock().acquire().unwrap());
        let moved = mine.with_held(&held.0, |mine| {
            *mine -= 4;
            yours.with_held(&held.1, |yours| yours[2] += 4)
        });
        assert_eq!(moved, Ok(Ok(())));
        assert_eq!((mine.get(), yours.get()), (6, [0, 0, 4, 0]));
        assert!(mine.lock().try_acquire().is_err());
        drop(held);
        assert!(mine.lock().try_acquire().is_ok());
    }

    fn a_guard_of_another_lock_changes_nothing() {
        let (mine, array) = (Value::new(1).named("mine"), Array::from([1, 2]));
        let other = SharedLock::new().named("other");
        let held = other.acquire().unwrap();
        let error = mine.with_held(&held, |_| panic!("not called")).unwrap_err();
        let expected = MessageError::WrongLock { held: "other".into(), needed: "mine".into() };
        assert_eq!(error, ChannelError::Invalid(expected));
        assert!(error.to_string().contains("`other`") && error.to_string().contains("`mine`"), "{error}");
        assert!(array.with_held(&held, |_| panic!("not called")).unwrap_err().is_invalid());
        assert!(array.slice(..1).with_held(&held, |_| panic!("not called")).unwrap_err().is_invalid());
    }

    fn an_element_that_is_not_there_is_named() {
        let array = Array::from([1, 2, 3]);
        assert_eq!(array.set(3, 0), Err(ChannelError::Invalid(MessageError::Index { index: 3, length: 3 })));
        assert_eq!(array.slice(1..).set(2, 0), Err(ChannelError::Invalid(MessageError::Index { index: 2, length: 2 })));
        assert_eq!((array.try_get(3), array.slice(1..).try_get(2)), (None, None));
        assert_eq!(array.copy_from(&[1]), Err(ChannelError::Invalid(MessageError::Length { given: 1, needed: 3 })));
        let panics = |work: &dyn Fn() -> i32| {
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| ()));
            let panicked = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
            std::panic::set_hook(hook);
            panicked.downcast_ref::<String>().unwrap().clone()
        };
        assert_eq!(panics(&|| array.get(3)), "there is no element 3 in an array of 3");
        assert_eq!(panics(&|| array.slice(1..2).get(1)), "there is no element 1 in a part of 1");
        #[expect(clippy::reversed_empty_ranges, reason = "it is to be refused")]
        let reversed = panics(&|| array.slice(2..1).len() as i32);
        assert_eq!(reversed, "there is no part 2..1 in an array of 3");
        assert_eq!(panics(&|| array.slice(..=3).len() as i32), "there is no part 0..4 in an array of 3");
        assert_eq!(panics(&|| array.slice(..=usize::MAX).len() as i32).split(' ').next(), Some("there"));
        assert_eq!(array.to_vec(), [1, 2, 3]);
    }

    fn an_array_is_made_of_what_there_is_and_read_as_it_is() {
        let array: Array<i32> = (0..5).collect();
        let doubled: Array<i32> = array.iter().map(|x| 2 * x).collect();
        assert_eq!(doubled.slice(1..4).iter().collect::<Vec<_>>(), [2, 4, 6]);
        assert_eq!((&array).into_iter().sum::<i32>(), 10);
        assert_eq!(array.slice(3..).into_iter().sum::<i32>(), 7);
        assert_eq!(format!("{:?} {:?}", Array::from(vec![1.5]), array.slice(..2)), "[1.5] [0, 1]");
        assert_eq!(Array::from(&[1_u8, 2][..]).to_vec(), [1, 2]);
        assert_eq!(Array::try_new(&[1, 2]).unwrap().to_vec(), [1, 2]);
    }

    fn what_is_of_another_type_does_not_arrive() {
        let forged = Channel::<Forged>::buffered(Buffer::Fifo(2));
        let (w, r) = (forged.writer(), forged.reader());
        let value = Value::new(3);
        w.write(Forged(value.clone())).unwrap();
        assert!(r.read().map(drop).unwrap_err().is_invalid());
        value.set(4).unwrap();
    }
}

/// Departs as one type and arrives as another.
struct Forged(Value<u32>);

impl serde::Serialize for Forged {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Forged {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Forged, D::Error> {
        Value::<u64>::deserialize(deserializer)?;
        Ok(Forged(Value::new(0)))
    }
}
