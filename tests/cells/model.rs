//! An array does what a vector does, whatever is done to it and in whatever order, and so does a value.
//!
//! Knows nothing of others who do something meanwhile: each step has one right answer.

use csproc::prelude::*;
use csproc::shared::Plain;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Debug;
use std::ops::Range;

#[derive(Clone, Debug)]
enum Step<T> {
    Set(usize, T),
    Fill(Range<usize>, T),
    CopyFrom(Range<usize>, T),
    Rotate(Range<usize>),
    Reverse,
    Get(usize),
    Read(Range<usize>),
    /// Another handle of it goes on.
    Clone,
    /// It goes through a channel.
    Send,
}

fn range(length: usize) -> impl Strategy<Value = Range<usize>> {
    (0..=length, 0..=length).prop_map(|(a, b)| a.min(b)..a.max(b))
}

fn step<T: Clone + Debug + 'static>(length: usize, value: BoxedStrategy<T>) -> impl Strategy<Value = Step<T>> {
    let index = 0..length + 1;
    prop_oneof![
        6 => (index.clone(), value.clone()).prop_map(|(index, value)| Step::Set(index, value)),
        2 => (range(length), value.clone()).prop_map(|(range, value)| Step::Fill(range, value)),
        3 => (range(length), value).prop_map(|(range, value)| Step::CopyFrom(range, value)),
        3 => range(length).prop_map(Step::Rotate),
        1 => Just(Step::Reverse),
        3 => index.prop_map(Step::Get),
        3 => range(length).prop_map(Step::Read),
        1 => Just(Step::Clone),
        1 => Just(Step::Send),
    ]
}

fn follows<T: Plain + PartialEq + Debug>(length: usize, steps: &[Step<T>]) {
    let mut array = Array::<T>::zeroed(length);
    let mut model = vec![T::zeroed(); length];
    for step in steps {
        match step.clone() {
            Step::Set(index, value) => {
                assert_eq!(array.set(index, value).is_ok(), index < length);
                if let Some(element) = model.get_mut(index) {
                    *element = value;
                }
            }
            Step::Fill(range, value) => {
                array.slice(range.clone()).fill(value).unwrap();
                model[range].fill(value);
            }
            Step::CopyFrom(range, value) => {
                let mut elements = model[range.clone()].to_vec();
                elements.reverse();
                if let Some(last) = elements.last_mut() {
                    *last = value;
                }
                array.slice(range.clone()).copy_from(&elements).unwrap();
                model[range].copy_from_slice(&elements);
            }
            Step::Rotate(range) => {
                let turn = |part: &mut [T]| part.rotate_left(part.len() / 3);
                array.slice(range.clone()).with_lock(turn).unwrap();
                turn(&mut model[range]);
            }
            Step::Reverse => {
                let held = array.lock().acquire().unwrap();
                array.with_held(&held, |all| all.reverse()).unwrap();
                model.reverse();
            }
            Step::Get(index) => assert_eq!(array.try_get(index), model.get(index).copied()),
            Step::Read(range) => assert_eq!(array.slice(range.clone()).to_vec(), model[range]),
            Step::Clone => array = array.clone(),
            Step::Send => {
                let c = Channel::buffered(Buffer::Fifo(1));
                c.writer().write(array).unwrap();
                array = c.reader().read().unwrap();
            }
        }
        assert_eq!(format!("{array:?}"), format!("{model:?}"));
    }
    assert_eq!(array.to_vec(), model);
}

/// An array's length, and what is done to it.
fn play<T: Clone + Debug + 'static>(value: BoxedStrategy<T>) -> impl Strategy<Value = (usize, Vec<Step<T>>)> {
    (0..20_usize).prop_flat_map(move |length| (Just(length), vec(step(length, value.clone()), 0..30)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_array_of_bytes_is_a_vector((length, steps) in play(any::<u8>().boxed())) {
        follows(length, &steps);
    }

    #[test]
    fn an_array_of_words_is_a_vector((length, steps) in play(any::<u64>().boxed())) {
        follows(length, &steps);
    }

    #[test]
    fn an_array_of_what_crosses_words_is_a_vector((length, steps) in play(any::<[u8; 3]>().boxed())) {
        follows(length, &steps);
    }

    #[test]
    fn an_array_of_several_words_is_a_vector((length, steps) in play(any::<[u32; 5]>().boxed())) {
        follows(length, &steps);
    }

    #[test]
    fn a_value_is_a_variable(values in vec(any::<[u16; 7]>(), 1..20)) {
        let value = Value::new([0; 7]);
        let mut before = [0; 7];
        for next in values {
            prop_assert_eq!(value.replace(next), Ok(before));
            prop_assert_eq!(value.get(), next);
            prop_assert_eq!(value.with_lock(|all| all.reverse()), Ok(()));
            before = next;
            before.reverse();
            prop_assert_eq!(value.get(), before);
        }
    }
}
