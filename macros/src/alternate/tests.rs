//! Holds what the alternation macros expand to, as tokens, and where the grammar ends.
//!
//! Does not know how the errors look to a reader: `tests/ui` of the library holds that.

use super::expand;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The expansion, formatted.
fn expansion(input: TokenStream) -> String {
    let block = expand(input);
    let file = syn::parse2(quote!(fn expansion() { #block })).expect("an expression");
    prettyplease::unparse(&file)
}

fn assert_expands(input: TokenStream, block: TokenStream) {
    let file = syn::parse2(quote!(fn expansion() { match () { () => #block } })).expect("an expression");
    assert_eq!(expansion(input), prettyplease::unparse(&file));
}

/// The texts of the errors in the expansion, which is one expression, and a block if there are any.
fn errors(arms: TokenStream) -> Vec<String> {
    let syn::Expr::Block(found) = syn::parse2(expand(quote!(pri [k] #arms))).expect("an expression") else {
        return Vec::new();
    };
    let errors = found.block.stmts.iter().filter_map(|statement| match statement {
        syn::Stmt::Macro(statement) => statement.mac.parse_body::<syn::LitStr>().ok(),
        _ => None,
    });
    errors.map(|text| text.value()).collect()
}

#[test]
fn the_guards_end_before_a_body_runs() {
    assert_expands(
        quote!(pri [k] v = r.read() => a(v), w.write(x) if c => { b(); 1 } barrier.sync() => 2, skip => 3),
        quote!({
            enum __Fired<__T0, __T1, __T2, __T3> {
                __Arm0(__T0),
                __Arm1(__T1),
                __Arm2(__T2),
                __Arm3(__T3),
            }
            let __fired = {
                use k::__private::alternation as __alternation;
                let __end0 = &r;
                let mut __guard0 = __alternation::read(__end0);
                let __end1 = if c { ::core::option::Option::Some((&w, x)) } else { ::core::option::Option::None };
                let mut __guard1 = match __end1 {
                    ::core::option::Option::Some((__end1, __value1)) => {
                        ::core::option::Option::Some(__alternation::write(__end1, __value1))
                    }
                    ::core::option::Option::None => ::core::option::Option::None,
                };
                let __end2 = &barrier;
                let mut __guard2 = __alternation::sync(__end2);
                let mut __guard3 = __alternation::skip();
                match __alternation::pri_select(&mut [&mut __guard0, &mut __guard1, &mut __guard2, &mut __guard3]) {
                    ::core::result::Result::Ok(0) => {
                        ::core::result::Result::map(__alternation::Take::take(&mut __guard0), __Fired::__Arm0)
                    }
                    ::core::result::Result::Ok(1) => {
                        ::core::result::Result::map(__alternation::Take::take(&mut __guard1), |_| __Fired::__Arm1(()))
                    }
                    ::core::result::Result::Ok(2) => {
                        ::core::result::Result::map(__alternation::Take::take(&mut __guard2), |_| __Fired::__Arm2(()))
                    }
                    ::core::result::Result::Ok(_) => {
                        ::core::result::Result::map(__alternation::Take::take(&mut __guard3), |_| __Fired::__Arm3(()))
                    }
                    ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
                }
            };
            match __fired {
                ::core::result::Result::Ok(__fired) => {
                    let __result = match __fired {
                        __Fired::__Arm0(__value) => {
                            let v = __value;
                            a(v)
                        }
                        __Fired::__Arm1(()) => {
                            b();
                            1
                        }
                        __Fired::__Arm2(()) => 2,
                        __Fired::__Arm3(()) => 3,
                    };
                    #[allow(unreachable_code, reason = "a body need not come to its end")]
                    let __result = ::core::result::Result::Ok(__result);
                    __result
                }
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }),
    );
}

#[test]
fn each_mode_asks_its_own_function() {
    for mode in ["alt", "pri", "fair"] {
        let name = format_ident!("{mode}");
        let expansion = expansion(quote!(#name [k] skip => 1));
        assert!(expansion.contains(&format!("__alternation::{mode}_select(")), "{expansion}");
        // Whose turn it is outlives the call.
        assert_eq!(expansion.contains("static __TURN"), mode == "fair", "{expansion}");
    }
}

#[test]
fn a_writer_waits_for_the_body_of_an_extended_read() {
    let with = expansion(quote!(alt [k] v = r.read_extended() => a(v)?));
    let without = expansion(quote!(alt [k] r.read_extended() => { a() }));
    for (expansion, body) in [(with, "let v = __value; a(v)?"), (without, "{ let _value = __value; } a()")] {
        let words = expansion.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = format!(
            "let (__value, __hold) = __value.split(); let __result = {{ {body} }}; \
             #[allow( unreachable_code, reason = \"a body need not come to its end\" )] __hold.finish(); __result"
        );
        assert!(words.contains(&expected), "{expansion}");
    }
}

#[test]
fn other_expressions_are_guards_by_value() {
    let cases = [
        (quote!(child.exit_guard()), "&(child.exit_guard())"),
        (quote!(a + b), "&(a + b)"),
        (quote!(guards[0]), "&(guards[0])"),
        (quote!((skip)), "&((skip))"),
        (quote!(after::<T>(x)), "&(after::<T>(x))"),
        (quote!(child.exit_guard()?), "&(child.exit_guard()?)"),
    ];
    for (guard, spelled) in cases {
        let expansion = expansion(quote!(alt [k] v = #guard => v));
        assert!(expansion.contains(&format!("let __end0 = {spelled};")), "{expansion}");
        assert!(expansion.contains("__alternation::guard(__end0)"), "{expansion}");
    }
}

#[test]
fn only_a_priority_that_does_not_hold_is_warned_of() {
    let late = quote!(v = r.read() => v, skip => 0);
    let early = quote!(skip => 0, v = r.read() => v);
    for (mode, arms, warned) in [("pri", &early, true), ("pri", &late, false), ("alt", &early, false)] {
        let mode = format_ident!("{mode}");
        let expansion = expansion(quote!(#mode [k] #arms));
        assert_eq!(expansion.contains("#[deprecated"), warned, "{expansion}");
    }
}

#[test]
fn a_ticker_that_is_made_in_an_arm_is_warned_of() {
    let cases = [
        (quote!(tick(d)), true),
        (quote!((tick(d))), false),
        (quote!(ticker), false),
        (quote!(clock.tick(d)), false),
        (quote!(other::tick(d)), false),
    ];
    for (guard, warned) in cases {
        let expansion = expansion(quote!(alt [k] _t = #guard => 1));
        assert_eq!(expansion.contains("#[deprecated"), warned, "{expansion}");
    }
}

#[test]
fn a_block_needs_no_comma_after_it() {
    let bodies = [
        quote!({ 1 }),
        quote!(if a { 1 } else { 2 }),
        quote!(match a {
            _ => 1,
        }),
        quote!(loop {
            break 1;
        }),
        quote!(unsafe { a() }),
    ];
    for body in bodies {
        assert_eq!(errors(quote!(r.read() => #body skip => 2)), [""; 0]);
    }
    assert_eq!(errors(quote!(r.read() => a() skip => 2)), ["expected `,` between two arms"]);
}

#[test]
fn what_gives_no_value_takes_only_patterns_that_bind_none() {
    for guard in [quote!(w.write(1)), quote!(b.sync()), quote!(after(d)), quote!(at(i)), quote!(skip)] {
        for pattern in [quote!(_), quote!(())] {
            assert_eq!(errors(quote!(#pattern = #guard => 1)), [""; 0]);
        }
        let errors = errors(quote!(v = #guard => 1));
        assert!(errors.len() == 1 && errors[0].contains("gives no value"), "{errors:#?}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let arms = quote! {
        r.read() => 1; s.read() => 2,
        ,
        v = r.read() -> v,
        v = r.read() if c -> v,
        v = r.read(),
        v = r.read() v,
        v = r.read() =>,
        v = r.read() if => v,
        v = r.read() if let Some(x) = y => v,
        let v = r.read() => v,
        v: u8 = r.read() => v,
        #[cfg(unix)] r.read() => 1,
        r.read() => a => b,
        else => 1,
        _ => 1,
        r.read(1) => 1,
        r.read::<u8>() => 1,
        r.read()? => 1,
        r.try_read() => 1,
        w.write_timeout(1, d) => 1,
        r.read_extended(f) => 1,
        w.write() => 1,
        w.write(1, 2) => 1,
        b.sync(1) => 1,
        after() => 1,
        at => 1,
        skip() => 1,
        v = w.write(1) => 1,
        skip => 1,
        skip => 1,
    };
    let errors = errors(arms);
    let found = [
        "found `;`: arms are separated by commas",
        "expected an arm before this `,`",
        "found `->`: write `=>`",
        "found `->`: write `=>`",
        "an arm says what to do when its guard fires: write `v = r.read() => …`",
        "expected `=>` before this: write `v = r.read() => …`",
        "expected what the arm does after `=>`",
        "expected a condition after `if`",
        "a precondition is a `bool` and binds nothing",
        "an arm binds without `let`",
        "the guard says what type its value has: write `v = …`",
        "a guard has no attributes: write a precondition",
        "found a second `=>`",
        "found `else`: write `skip`",
        "found `_`: write `skip`",
        "`read` takes no argument in a guard: write `r.read()`",
        "`read` has no type arguments in a guard: write `r.read()`",
        "the error of a channel is that of the whole alternation",
        "`try_read` is not a guard: write `r.read()`, and an arm `skip => …`",
        "`write_timeout` is not a guard: write `w.write(value)`, and an arm `after(duration) => …`",
        "the body of the arm is what the writer waits for",
        "`write` needs the value: write `w.write(value)`",
        "`write` takes one value: write `w.write((1, 2))`",
        "`sync` takes no argument in a guard: write `b.sync()`",
        "`after` takes one duration",
        "`at` takes one instant",
        "`skip` has no parentheses",
        "`w.write(1)` gives no value",
        "a second `skip`",
    ];
    assert_eq!(errors.len(), found.len(), "{errors:#?}");
    for (error, found) in errors.iter().zip(found) {
        assert!(error.starts_with(found), "{error}\nis not: {found}");
    }
}

#[test]
fn an_alternation_needs_a_guard_and_takes_forty() {
    let none = errors(quote!());
    assert!(none.len() == 1 && none[0].starts_with("an alternation without guards can never fire"), "{none:#?}");
    let arms = (0..40).map(|number| quote!(v = r.read() => #number,));
    assert_eq!(errors(quote!(#(#arms)*)), [""; 0]);
}
