//! Integers that do not fit their type are an error that names the component and the values, in every build, and
//! nothing panics; what fits has arrived before.
//!
//! Knows nothing of what components do otherwise.

use csproc::plug;
use csproc::prelude::*;

/// What comes out of a component before it fails, and what it says then.
fn fails<T: Message>(
    placement: Placement,
    component: impl FnOnce(Writer<T>) -> Process<csproc::Result<()>>,
) -> (Vec<T>, String) {
    let (w, r) = csproc::channel();
    let child = Spawn!(component(w).on(placement)).unwrap();
    let came = r.iter().collect();
    let error = child.join().unwrap().unwrap_err();
    assert!(error.channel_error().is_none(), "{error}");
    (came, error.to_string())
}

/// A reader of these values.
fn from<T: Message + Send + 'static>(values: Vec<T>) -> Reader<T> {
    let c = Channel::buffered(Buffer::Unbounded);
    let w = c.writer();
    values.into_iter().try_for_each(|value| w.write(value)).unwrap_or_else(|error| panic!("{:?}", error.fate));
    c.reader()
}

over_both! {
    fn what_does_not_fit_is_an_error_that_names_it(placement) {
        let says = |error: String, words: &str| assert!(error.contains(words), "{error}");
        let (a, b) = (|| from(vec![1_u8, 200, 7]), || from(vec![1_u8, 100, 7]));
        let (came, error) = fails(placement, |w| plug::plus(a(), b(), w));
        assert_eq!(came, [2]);
        says(error, "`plus`: 200 + 100 does not fit u8");
        let (came, error) = fails(placement, |w| plug::minus(b(), a(), w));
        assert_eq!(came, [0]);
        says(error, "`minus`: 100 - 200 does not fit u8");
        let (came, error) = fails(placement, |w| plug::times(a(), b(), w));
        assert_eq!(came, [1]);
        says(error, "`times`: 200 * 100 does not fit u8");
        let (came, error) = fails(placement, |w| plug::successor(from(vec![254_u8, 255, 0]), w));
        assert_eq!(came, [255]);
        says(error, "`successor`: 255 + 1 does not fit u8");
        let (came, error) = fails(placement, |w| plug::integrate(from(vec![i32::MAX, 0, 1]), w));
        assert_eq!(came, [i32::MAX; 2]);
        says(error, "`integrate`: 2147483647 + 1 does not fit i32");
        let (came, error) = fails(placement, |w| plug::pairs(from(vec![i64::MIN, 0, i64::MIN, -1]), w));
        assert_eq!(came, [i64::MIN; 2]);
        says(error, "`pairs`: -9223372036854775808 + -1 does not fit i64");
    }

    fn a_sequence_is_written_as_far_as_it_fits(placement) {
        let (came, error) = fails(placement, plug::numbers::<u8>);
        assert!(came.into_iter().eq(0..=255), "{error}");
        assert!(error.contains("`numbers`: 255 + 1 does not fit u8"), "{error}");
        let (came, error) = fails(placement, plug::squares::<u16>);
        assert!(came.into_iter().eq((1..=255_u16).map(|n| n * n)), "{error}");
        let (came, error) = fails(placement, plug::fibonacci::<u64>);
        assert_eq!((came.len(), came.last()), (94, Some(&12_200_160_415_121_876_738)), "{error}");
    }

    fn the_network_tells_it_although_it_takes_ends_for_what_they_are(placement) {
        let c = Channel::<u8>::new();
        let network = network!(plug::numbers(c.writer()).on(placement), plug::black_hole(c.reader()).on(placement));
        let error = network.run().values_or_end().unwrap_err();
        assert_eq!(error.process(), Some("numbers"), "{error}");
    }
}
