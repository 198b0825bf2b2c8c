//! Holds what the composition macros expand to, as tokens, and where the grammar ends.
//!
//! Does not know how the errors look to a reader: `tests/ui` of the library holds that.

use super::expand;
use proc_macro2::TokenStream;
use quote::quote;

fn assert_expands(input: TokenStream, expected: TokenStream) {
    assert_eq!(expand(input).to_string(), expected.to_string());
}

/// The texts of the errors in the expansion, which is one expression.
fn errors(parts: TokenStream) -> Vec<String> {
    let block: syn::Block = syn::parse2(expand(quote!(parallel [k] #parts))).expect("a block");
    let errors = block.stmts.iter().filter_map(|statement| match statement {
        syn::Stmt::Macro(statement) => statement.mac.parse_body::<syn::LitStr>().ok(),
        _ => None,
    });
    errors.map(|text| text.value()).collect()
}

#[test]
fn each_mode_is_one_call_with_a_tuple() {
    let cases = [
        (quote!(network), quote!(k::__private::parallel((k::__private::part(a()),)))),
        (quote!(parallel), quote!(k::__private::parallel((k::__private::part(a()),)).run())),
        (quote!(sequence), quote!(k::__private::sequence((k::__private::part(a()),)).run())),
        (quote!(spawn), quote!(k::__private::spawn((k::__private::part(a()),)))),
    ];
    for (mode, expected) in cases {
        assert_expands(quote!(#mode [k] a()), expected);
    }
}

#[test]
fn no_parts_are_an_empty_tuple() {
    assert_expands(quote!(parallel[k]), quote!(k::__private::parallel(()).run()));
    assert_expands(quote!(network [$crate]), quote!($crate::__private::parallel(())));
}

#[test]
fn parts_are_expressions_with_commas_of_their_own() {
    assert_expands(
        quote!(network [k] a::<A, B>(x, y), { let p = b; p },),
        quote!(k::__private::parallel((
            k::__private::part(a::<A, B>(x, y)),
            k::__private::part({
                let p = b;
                p
            }),
        ))),
    );
}

#[test]
fn a_for_part_is_a_loop_that_fills_a_vector() {
    assert_expands(
        quote!(network [k] for (i, n) in v.iter().enumerate() => for j in 0..n => a(i, j)),
        quote!(k::__private::parallel(({
            let mut __parts = ::std::vec::Vec::new();
            for (i, n) in v.iter().enumerate() {
                __parts.push({
                    let mut __parts = ::std::vec::Vec::new();
                    for j in 0..n {
                        __parts.push(k::__private::part(a(i, j)));
                    }
                    __parts
                });
            }
            __parts
        },))),
    );
}

#[test]
fn nested_compositions_are_not_run() {
    assert_expands(
        quote!(parallel [k] Sequence!(a), csproc::Parallel![b,], network! {}, for i in v => Sequence!(c)),
        quote!(
            k::__private::parallel((
                k::__private::sequence((k::__private::part(a),)),
                k::__private::parallel((k::__private::part(b),)),
                k::__private::parallel(()),
                {
                    let mut __parts = ::std::vec::Vec::new();
                    for i in v {
                        __parts.push(k::__private::sequence((k::__private::part(c),)));
                    }
                    __parts
                },
            ))
            .run()
        ),
    );
}

#[test]
fn a_composition_inside_an_expression_runs_where_it_stands() {
    assert_expands(
        quote!(network [k] keep(Parallel!(a)?), network!(a).shared(), for<'a> |x: &'a u8| a(x)),
        quote!(k::__private::parallel((
            k::__private::part(keep(Parallel!(a)?)),
            k::__private::part(network!(a).shared()),
            k::__private::part(for<'a> |x: &'a u8| a(x)),
        ))),
    );
}

#[test]
fn every_mistake_is_reported_at_once() {
    let parts = quote! {
        a; b,
        ,
        for i in 0..3 { a(i); },
        for i in 0..3 -> a(i),
        for i 0..3 => a(i),
        for i in 0..3,
        for i in 0..3 a(i),
        for i in 0..3 =>,
        x => y,
        a b,
        Spawn!(a),
        Sequence!(a; b),
    };
    let errors = errors(parts);
    let found = [
        "found `;`: parts are separated by commas",
        "expected a part before this `,`",
        "found the body of a loop: write `for i in 0..3 => a(i)`",
        "found `->`: write `=>`",
        "expected `in` after the pattern",
        "a `for` part says what to run: write `for i in 0..3 => worker(…)`",
        "expected `=>` before this: write `for i in 0..3 => …`",
        "expected a part after `=>`",
        "found `=>`, which belongs to a `for` part",
        "expected `,` between two parts",
        "`Spawn!` starts a process at once",
        "found `;`: parts are separated by commas",
    ];
    assert_eq!(errors.len(), found.len(), "{errors:#?}");
    for (error, found) in errors.iter().zip(found) {
        assert!(error.starts_with(found), "{error}\nis not: {found}");
    }
}

#[test]
fn sixteen_parts_are_the_most_at_every_level() {
    let parts = |count| {
        let parts = (0..count).map(|n| quote::format_ident!("p{n}"));
        quote!(#(#parts),*)
    };
    let (sixteen, seventeen) = (parts(16), parts(17));
    assert!(!expand(quote!(network [k] #sixteen)).to_string().contains("compile_error"));
    for parts in [seventeen.clone(), quote!(a, Sequence!(#seventeen))] {
        assert_eq!(errors(parts), ["at most 16 parts; put the rest in a `for` part or a `Vec`"]);
    }
}

#[test]
fn a_spawn_needs_a_process() {
    let expansion = expand(quote!(spawn[k])).to_string();
    assert!(expansion.contains("`Spawn!` needs a process"), "{expansion}");
}
