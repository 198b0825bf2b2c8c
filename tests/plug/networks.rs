//! Networks of components make the sequences that are known of them, and the composed components are equal to the
//! networks that define them.
//!
//! Knows nothing of how many threads they are: they are as many as the drawings have boxes.

use crate::stage::{Component, first, streams};
use csproc::plug::*;
use csproc::prelude::*;

fn channels<T: Message>(count: usize) -> Vec<(Writer<T>, Reader<T>)> {
    (0..count).map(|_| csproc::channel()).collect()
}

fn network_of_numbers(out: Writer<u64>) -> Vec<Component> {
    let [(a, ar), (b, br), (c, cr)] = channels(3).try_into().unwrap();
    vec![prefix(0, cr, a), delta(ar, vec![out, b]), successor(br, c)]
}

fn network_of_integrate(input: Reader<u64>, out: Writer<u64>) -> Vec<Component> {
    let [(a, ar), (b, br), (c, cr)] = channels(3).try_into().unwrap();
    vec![plus(input, cr, a), delta(ar, vec![out, b]), prefix(0, br, c)]
}

fn network_of_pairs(input: Reader<u64>, out: Writer<u64>) -> Vec<Component> {
    let [(a, ar), (b, br), (c, cr)] = channels(3).try_into().unwrap();
    vec![delta(input, vec![a, b]), tail(br, c), plus(ar, cr, out)]
}

fn network_of_squares(out: Writer<u64>) -> Vec<Component> {
    let [(a, ar), (b, br)] = channels(2).try_into().unwrap();
    [network_of_numbers(a), network_of_integrate(ar, b), network_of_pairs(br, out)].into_iter().flatten().collect()
}

fn network_of_fibonacci(out: Writer<u64>) -> Vec<Component> {
    let [(a, ar), (b, br), (c, cr), (d, dr)] = channels(4).try_into().unwrap();
    vec![prefix(1, dr, a), prefix(0, ar, b), delta(br, vec![out, c]), pairs(cr, d)]
}

/// All numbers that these and no other primes divide, from 1.
fn hamming(primes: &[u64], out: Writer<u64>) -> Vec<Component> {
    let ((start, start_r), (merged, merged_r)) = (csproc::channel(), csproc::channel());
    let mut components = vec![prefix(1, merged_r, start)];
    let (mut fan, mut multiples) = (vec![out], Vec::new());
    for prime in primes {
        let (ones, factors) = csproc::channel();
        let (w, r) = csproc::channel();
        // Every multiple waits here until it is its turn, which may be late: so the ring needs room.
        let room = Channel::buffered(Buffer::Unbounded);
        components.push(generate(*prime, ones));
        components.push(times(factors, r, room.writer()));
        multiples.push(room.reader());
        fan.push(w);
    }
    components.push(merge(multiples, merged));
    components.push(delta(start_r, fan));
    components
}

/// A grid of cells, each of which has one number of `matrix`: vectors come from above, sums go to the right.
fn multiplication(matrix: &[&[i64]], above: Vec<Reader<i64>>, right: Vec<Writer<i64>>) -> Vec<Component> {
    let mut components = Vec::new();
    let mut above: Vec<Option<Reader<i64>>> = above.into_iter().map(Some).collect();
    for (row, out) in matrix.iter().zip(right) {
        let (zeros, mut left) = csproc::channel();
        components.push(generate(0, zeros));
        for (entry, column) in row.iter().zip(&mut above) {
            let [(x, xr), (below, below_r), (entries, entries_r), (product, product_r), (sum, sum_r)] =
                channels(5).try_into().unwrap();
            components.push(delta(column.take().unwrap(), vec![x, below]));
            components.push(generate(*entry, entries));
            components.push(times(entries_r, xr, product));
            components.push(plus(left, product_r, sum));
            *column = Some(below_r);
            left = sum_r;
        }
        components.push(identity(left, out));
    }
    components.extend(above.into_iter().flatten().map(black_hole));
    components
}

/// The coefficients of (1 + x)ⁿ, and zeros behind them.
fn pascal(row: usize, out: Writer<u64>) -> Vec<Component> {
    let [(zeros, zeros_r), (one, mut series)] = channels(2).try_into().unwrap();
    let mut components = vec![generate(0, zeros), prefix(1, zeros_r, one)];
    for _ in 0..row {
        let [(shifted, shifted_r), (sum, sum_r)] = channels(2).try_into().unwrap();
        components.push(prefix(0, series, shifted));
        components.push(pairs(shifted_r, sum));
        series = sum_r;
    }
    components.push(identity(series, out));
    components
}

once! {
    fn composed_components_are_the_networks_that_define_them() {
        assert_eq!(first(50, network_of_numbers), first(50, |out| vec![numbers(out)]));
        assert_eq!(first(50, network_of_squares), first(50, |out| vec![squares(out)]));
        assert_eq!(first(50, network_of_fibonacci), first(50, |out| vec![fibonacci(out)]));
        let values: Vec<u64> = (0..50).map(|x| x * x % 17).collect();
        for (network, component) in [
            (network_of_integrate as fn(Reader<u64>, Writer<u64>) -> Vec<Component>, integrate::<u64> as fn(_, _) -> _),
            (network_of_pairs, pairs),
        ] {
            let both = [
                streams(vec![values.clone()], 1, |mut i, mut o| network(i.remove(0), o.remove(0))),
                streams(vec![values.clone()], 1, |mut i, mut o| vec![component(i.remove(0), o.remove(0))]),
            ];
            assert_eq!(both[0], both[1]);
        }
    }

    fn hammings_numbers_are_in_order() {
        let smooth = |primes: &[u64], count| {
            let is_smooth = |number: &u64| {
                let rest = primes.iter().fold(*number, |mut rest, prime| {
                    while rest % prime == 0 {
                        rest /= prime;
                    }
                    rest
                });
                rest == 1
            };
            (1..).filter(is_smooth).take(count).collect::<Vec<u64>>()
        };
        let numbers = first(100, |out| hamming(&[2, 3, 5], out));
        assert_eq!(numbers[..10], [1, 2, 3, 4, 5, 6, 8, 9, 10, 12]);
        assert_eq!(numbers, smooth(&[2, 3, 5], 100));
        assert_eq!(first(100, |out| hamming(&[2, 3, 5, 7], out)), smooth(&[2, 3, 5, 7], 100));
    }

    fn a_grid_of_cells_multiplies_matrices() {
        let (a, b) = ([[1, 2, 3], [4, 5, 6]], [[7, 8, 9, 1], [2, 3, 4, 2], [5, 6, 7, 3]]);
        let rows: Vec<&[i64]> = a.iter().map(<[i64; 3]>::as_slice).collect();
        let (starts, above): (Vec<_>, Vec<_>) = channels(3).into_iter().unzip();
        let (right, sums): (Vec<_>, Vec<_>) = channels::<i64>(2).into_iter().unzip();
        let cells = network!(multiplication(&rows, above, right)).spawn().unwrap();
        let vectors = network!(
            for (row, out) in b.into_iter().zip(starts) => crate::stage::feed(row.to_vec(), out)
        ).spawn().unwrap();
        // The columns of the product come one after the other.
        let column = |column: usize| b.map(|row| row[column]);
        for column in (0..4).map(column) {
            for (row, sums) in a.iter().zip(&sums) {
                assert_eq!(sums.read(), Ok(row.iter().zip(column).map(|(x, y)| x * y).sum()));
            }
        }
        vectors.join().values().unwrap();
        assert!(sums.iter().all(|sums| sums.read() == Err(ChannelError::Retired)));
        drop(sums);
        cells.join().values_or_end().unwrap();
    }

    fn pascals_triangle_comes_by_rows_and_by_diagonals() {
        let mut row: Vec<u64> = vec![1];
        for number in 0..8 {
            let mut padded = row.clone();
            padded.resize(12, 0);
            assert_eq!(first(12, |out| pascal(number, out)), padded);
            let next: Vec<u64> = row.windows(2).map(|pair| pair[0] + pair[1]).collect();
            row = [vec![1], next, vec![1]].concat();
        }
        let binomial = |n: u64, k: u64| (0..k).fold(1, |product, i| product * (n - i) / (i + 1));
        let diagonal = first(12, |out| {
            let [(zeros, zeros_r), (one, one_r), (ones, ones_r), (more, more_r)] = channels(4).try_into().unwrap();
            vec![
                generate(0, zeros),
                prefix(1, zeros_r, one),
                integrate(one_r, ones),
                integrate(ones_r, more),
                integrate(more_r, out),
            ]
        });
        assert!(diagonal.into_iter().eq((0..12).map(|k| binomial(k + 2, 2))));
    }

}

alone! {
    fn a_ring_that_nobody_starts_is_a_deadlock_of_its_components() {
        let (a, b) = (Channel::<u64>::new(), Channel::new());
        let error = network!(
            successor(a.reader(), b.writer()),
            identity(b.reader(), a.writer()),
        ).run().unwrap_err().to_string();
        assert!(error.contains("deadlock") && error.contains("successor") && error.contains("identity"), "{error}");
    }

    fn a_ring_that_is_cut_ends_everywhere() {
        // Commstime: the consumer leaves, and the ring ends by itself.
        let (a, b) = (Channel::<u64>::new(), Channel::new());
        let (c, d) = (Channel::new(), Channel::new());
        let r = d.reader();
        let ring = network!(
            prefix(0, c.reader(), a.writer()),
            delta(a.reader(), vec![b.writer(), d.writer()]),
            successor(b.reader(), c.writer()),
        ).spawn().unwrap();
        assert!(r.iter().take(1000).eq(0..1000));
        drop(r);
        ring.join().values_or_end().unwrap();
    }
}
