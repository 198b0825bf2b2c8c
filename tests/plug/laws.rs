//! What one component makes of its streams is what its definition says.
//!
//! Knows nothing of choices and of time; those have files of their own.

use crate::harness::scenario::{command, output};
use crate::stage::{Component, config, feed, first, stream, streams};
use csproc::plug::{self, *};
use csproc::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::iter::repeat_n;

fn numbers_up_to(most: usize) -> impl Strategy<Value = Vec<i64>> {
    vec(-1000..1000_i64, 0..most)
}

/// Components one behind the other.
fn chain<T: Message + Send + 'static>(
    values: Vec<T>,
    count: usize,
    component: impl Fn(Reader<T>, Writer<T>) -> Component,
) -> Vec<T> {
    let links = |mut ins: Vec<Reader<T>>, mut outs: Vec<Writer<T>>| {
        let mut input = ins.remove(0);
        let mut components = Vec::new();
        for _ in 1..count {
            let (w, r) = csproc::channel();
            components.push(component(input, w));
            input = r;
        }
        components.push(component(input, outs.remove(0)));
        components
    };
    streams(vec![values], 1, links).remove(0)
}

/// One pass of bubble sort.
fn bubble(mut values: Vec<i64>) -> Vec<i64> {
    for place in 1..values.len() {
        if values[place - 1] > values[place] {
            values.swap(place - 1, place);
        }
    }
    values
}

over_both! {
    fn identities_in_a_chain_keep_the_order(placement) {
        let values: Vec<u64> = (0..200).collect();
        assert_eq!(chain(values.clone(), 5, |input, out| identity(input, out).on(placement)), values);
        assert_eq!(chain(values.clone(), 5, |input, out| shield(input, out).on(placement)), values);
    }

    fn a_function_reaches_its_component(placement) {
        let squared = stream((0..100_u64).collect(), |i, o| map(|x| format!("{}", x * x), i, o).on(placement));
        assert!(squared.into_iter().eq((0..100_u64).map(|x| (x * x).to_string())));
        let odd = stream((0..100_u64).collect(), |i, o| filter(|x| x % 2 == 1, i, o).on(placement));
        assert!(odd.into_iter().eq((0..100).filter(|x| x % 2 == 1)));
        let joined = streams(vec![vec![1_u64, 2, 3], vec![4, 5, 6]], 1, |mut ins, mut outs| {
            vec![join(|x, y| (x, y), ins.remove(0), ins.remove(0), outs.remove(0)).on(placement)]
        });
        assert_eq!(joined, [[(1, 4), (2, 5), (3, 6)]]);
    }

    fn sources_write_their_sequences(placement) {
        assert!(first(100, |out| vec![numbers::<u64>(out).on(placement)]).into_iter().eq(0..100));
        assert!(first(100, |out| vec![squares::<u64>(out).on(placement)]).into_iter().eq((1..=100).map(|x| x * x)));
        assert!(first(100, |out| vec![generate('x', out).on(placement)]).into_iter().eq(repeat_n('x', 100)));
        let fibonacci = first(93, |out| vec![fibonacci::<u64>(out).on(placement)]);
        assert_eq!(fibonacci[..10], [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
        assert_eq!(fibonacci[92], 7_540_113_804_746_346_429, "the last one after which there is another one");
    }

    fn every_output_of_a_delta_has_every_value(placement) {
        let values: Vec<u64> = (0..100).collect();
        type Delta = fn(Reader<u64>, Vec<Writer<u64>>) -> Component;
        for delta in [delta::<u64> as Delta, delta_parallel, delta_sequential] {
            let had = streams(vec![values.clone()], 3, |mut i, o| vec![delta(i.remove(0), o).on(placement)]);
            assert_eq!(had, [values.as_slice(); 3]);
        }
    }

    fn lists_taken_apart_are_what_they_were_made_of(placement) {
        let values: Vec<Vec<u64>> = (0..4).map(|place| (0..50).map(|x| 100 * place + x).collect()).collect();
        let out = streams(values.clone(), 4, |ins, outs| {
            let (w, r) = csproc::channel();
            vec![paraplex(ins, w).on(placement), deparaplex(r, outs).on(placement)]
        });
        assert_eq!(out, values);
    }

    fn streams_that_were_made_one_come_apart_again(placement) {
        let values: Vec<Vec<u64>> = (0..4).map(|place| (0..10 * place).map(|x| 100 * place + x).collect()).collect();
        for multiplex in [multiplex, priority_multiplex] {
            let out = streams(values.clone(), 4, |ins, outs| {
                let (w, r) = csproc::channel();
                vec![multiplex(ins, w).on(placement), demultiplex(r, outs).on(placement)]
            });
            assert_eq!(out, values);
        }
    }
}

once! {
    fn a_tail_undoes_a_prefix() {
        proptest!(config(40), |(values in numbers_up_to(20), prefixed in any::<i64>())| {
            let out = streams(vec![values.clone()], 1, |mut ins, mut outs| {
                let (w, r) = csproc::channel();
                vec![prefix(prefixed, ins.remove(0), w), tail(r, outs.remove(0))]
            });
            prop_assert_eq!(&out[0], &values);
        });
        assert_eq!(stream(Vec::<u8>::new(), tail), Vec::<u8>::new());
    }

    fn maps_and_filters_are_those_of_iterators() {
        proptest!(config(40), |(values in numbers_up_to(20))| {
            let twice = chain(values.clone(), 2, |i, o| map(|x| 2 * x + 1, i, o));
            prop_assert!(twice.into_iter().eq(values.iter().map(|x| 4 * x + 3)));
            let kept = stream(values.clone(), |i, o| filter(|x| *x > 0, i, o));
            prop_assert!(kept.into_iter().eq(values.iter().copied().filter(|x| *x > 0)));
            prop_assert!(stream(values.clone(), successor).into_iter().eq(values.iter().map(|x| x + 1)));
            prop_assert_eq!(stream(values.clone(), |i, o| substitute(true, i, o)), vec![true; values.len()]);
        });
    }

    fn sums_differences_and_products_are_of_values_at_the_same_place() {
        type Binary = fn(Reader<i64>, Reader<i64>, Writer<i64>) -> Component;
        type Function = fn((&i64, &i64)) -> i64;
        let binaries: [(Binary, Function); 4] = [
            (plus, |(x, y)| x + y),
            (minus, |(x, y)| x - y),
            (times, |(x, y)| x * y),
            (|a, b, out| join(|x, y| x.max(y), a, b, out), |(x, y)| *x.max(y)),
        ];
        proptest!(config(20), |(a in numbers_up_to(20), b in vec(-1000..1000_i64, 20))| {
            for (component, function) in &binaries {
                let b = b[..a.len()].to_vec();
                let out = streams(vec![a.clone(), b.clone()], 1, |mut ins, mut outs| {
                    vec![component(ins.remove(0), ins.remove(0), outs.remove(0))]
                });
                prop_assert!(out[0].iter().copied().eq(a.iter().zip(&b).map(function)));
            }
        });
    }

    fn integrals_and_pairs_are_sums_of_what_came() {
        proptest!(config(40), |(values in numbers_up_to(20))| {
            let sums = values.iter().scan(0, |sum, x| { *sum += x; Some(*sum) });
            prop_assert!(stream(values.clone(), integrate).into_iter().eq(sums));
            prop_assert!(stream(values.clone(), pairs).into_iter().eq(values.windows(2).map(|pair| pair[0] + pair[1])));
        });
    }

    fn merged_streams_increase_and_nothing_is_missing_or_there_twice() {
        proptest!(config(60), |(mut values in vec(vec(0..30_u8, 0..15), 0..5))| {
            values.iter_mut().for_each(|stream| stream.sort_unstable());
            let out = streams(values.clone(), 1, |ins, mut outs| vec![merge(ins, outs.remove(0))]).remove(0);
            let mut all = values.concat();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(out, all);
        });
    }

    fn each_cell_of_a_pump_is_a_pass_of_bubble_sort() {
        proptest!(config(40), |(values in numbers_up_to(8), cells in 1..9_usize)| {
            let passed = (0..cells).fold(values.clone(), |values, _| bubble(values));
            let out = chain(values, cells, sorter);
            prop_assert!(cells < 7 || out.is_sorted());
            prop_assert_eq!(out, passed);
        });
    }

    fn of_equal_values_the_first_one_goes_first() {
        /// Compared by the first number alone.
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        struct Numbered(u8, usize);
        impl PartialEq for Numbered {
            fn eq(&self, other: &Numbered) -> bool {
                self.0 == other.0
            }
        }
        impl Eq for Numbered {}
        impl PartialOrd for Numbered {
            fn partial_cmp(&self, other: &Numbered) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for Numbered {
            fn cmp(&self, other: &Numbered) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }
        proptest!(config(30), |(values in vec(0..3_u8, 0..8))| {
            let numbered: Vec<Numbered> = values.into_iter().enumerate().map(|(place, x)| Numbered(x, place)).collect();
            let mut sorted = numbered.clone();
            sorted.sort();
            let out = chain(numbered, 8, sorter);
            prop_assert!(out.iter().map(|x| x.1).eq(sorted.iter().map(|x| x.1)), "{:?}", out);
        });
    }

    fn lists_are_as_many_as_the_shortest_stream_has_values() {
        let (a, b) = (Channel::new(), Channel::buffered(Buffer::Unbounded));
        let (w, more, out) = (a.writer(), b.writer(), Channel::new());
        (0..5).try_for_each(|x| more.write(x)).unwrap();
        let lists = Spawn!(paraplex(vec![a.reader(), b.reader()], out.writer())).unwrap();
        let r = out.reader();
        w.write(7).unwrap();
        assert_eq!(r.read(), Ok(vec![7, 0]));
        drop(w);
        assert_eq!(r.read(), Err(ChannelError::Retired));
        lists.join().unwrap().unwrap();
        assert!(more.write(5).unwrap_err().is_retired());
    }

    fn components_without_inputs_or_outputs_do_not_wait() {
        let none = || Vec::<Reader<u64>>::new();
        assert_eq!(first::<Vec<u64>>(1, |out| vec![paraplex(none(), out)]), Vec::<Vec<u64>>::new());
        assert_eq!(first::<(usize, u64)>(1, |out| vec![multiplex(none(), out)]), []);
        assert_eq!(first::<u64>(1, |out| vec![plex(none(), out)]), []);
        assert_eq!(first::<u64>(1, |out| vec![merge(none(), out)]), []);
        let values: Vec<u64> = (0..10).collect();
        streams::<u64, u64>(vec![values.clone()], 0, |mut ins, outs| vec![delta(ins.remove(0), outs)]);
        streams::<u64, u64>(vec![values], 0, |mut ins, _| vec![black_hole(ins.remove(0))]);
    }

    fn what_does_not_fit_the_outputs_is_told() {
        let (a, b) = (Channel::buffered(Buffer::Unbounded), Channel::<u8>::new());
        let _reader = b.reader();
        let w = a.writer();
        w.write((3, 7)).unwrap();
        let error = Spawn!(demultiplex(a.reader(), vec![b.writer()])).unwrap().join().unwrap().unwrap_err();
        assert!(error.to_string().contains("output 3 of 1"), "{error}");
        let a = Channel::buffered(Buffer::Unbounded);
        let w = a.writer();
        w.write(Vec::<u8>::new()).unwrap();
        let error = Spawn!(deparaplex(a.reader(), vec![b.writer()])).unwrap().join().unwrap().unwrap_err();
        assert!(error.to_string().contains("0 values"), "{error}");
    }

    fn a_function_that_panics_is_the_crash_of_its_component() {
        let (a, b) = (Channel::new(), Channel::new());
        let r = b.reader();
        let error = Parallel!(
            feed(vec![1, 0], a.writer()),
            map(|x: u64| 10_u64.checked_div(x).expect("a divisor"), a.reader(), b.writer()),
            crate::harness::cast::collect(r).on(Placement::Thread),
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(error.failures().len() == 1 && text.contains("`map`") && text.contains("a divisor"), "{text}");
    }

    fn a_component_is_called_by_its_name() {
        let c = Channel::<u64>::new();
        let names = [
            numbers(c.writer()).name().to_owned(),
            map(|x: u64| x, c.reader(), c.writer()).name().to_owned(),
            filter(|_: &u64| true, c.reader(), c.writer()).name().to_owned(),
            join(|x: u64, _: u64| x, c.reader(), c.reader(), c.writer()).name().to_owned(),
            printer("p", c.reader()).name().to_owned(),
        ];
        assert_eq!(names, ["numbers", "map", "filter", "join", "printer"]);
        assert_eq!(plug::identity(c.reader(), c.writer()).placement(), Placement::Thread);
    }

    fn a_printer_prints_a_line_for_each_value() {
        let remains = output(command("a printer").0);
        assert!(remains.status.success(), "{remains:?}");
        let printed: Vec<&str> = remains.stdout.lines().filter_map(|line| line.split("of three: ").nth(1)).collect();
        assert_eq!(printed, ["1", "4", "9"]);
    }
}

pub(crate) fn a_printer() {
    let c = Channel::new();
    Parallel!(feed(vec![1, 4, 9], c.writer()), printer("of three", c.reader())).values().unwrap();
}
