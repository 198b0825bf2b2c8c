//! Writes the block an alternation becomes: the guards in order, the choice, and the body of the arm that fired.
//!
//! Does not parse and does not refuse: whatever was read has an expansion.
//!
//! A body may move an end, drop it, or leave with `return` or `break`, so all guards, which borrow the ends, must be
//! gone before it runs. The inner block sees to that: it ends with the guards, and all that leaves it is the value of
//! the arm that fired, in an enum with one variant for each arm.

use super::parse::{Alternation, Arm, Guard, Mode};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

/// The whole block.
pub(super) fn alternation(alternation: &Alternation) -> TokenStream {
    let Alternation { mode, library, arms } = alternation;
    let guards: Vec<Names> = arms.iter().enumerate().map(|(number, arm)| Names::new(number, arm)).collect();
    let types: Vec<Ident> = (0..arms.len()).map(|number| hidden(&format!("__T{number}"))).collect();
    let variants = guards.iter().map(|names| &names.variant);
    let begin = arms.iter().zip(&guards).map(|(arm, names)| begin(arm, names));
    let late = arms.iter().rposition(|arm| !matches!(arm.guard, Guard::Skip(_))).unwrap_or(0);
    let warnings = arms[..late].iter().filter(|_| *mode == Mode::Pri).filter_map(skip_is_not_last);
    let warnings = warnings.chain(arms.iter().filter_map(ticker_begins_anew));
    let choose = choose(*mode, &guards);
    let take = arms.iter().zip(&guards).enumerate().map(|(number, (arm, names))| {
        // The library gives the number of an arm, so the last pattern need not name it.
        let last = number + 1 == arms.len();
        let number = if last { quote!(_) } else { Literal::usize_unsuffixed(number).into_token_stream() };
        let take = take(arm, names);
        quote_spanned!(Span::mixed_site()=> ::core::result::Result::Ok(#number) => #take,)
    });
    let run = arms.iter().zip(&guards).map(|(arm, names)| run(arm, names));
    let block = quote_spanned! {Span::mixed_site()=>
        {
            enum __Fired<#(#types),*> {
                #(#variants(#types),)*
            }
            let __fired = {
                use #library::__private::alternation as __alternation;
                #(#warnings)*
                #(#begin)*
                match #choose {
                    #(#take)*
                    ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
                }
            };
            match __fired {
                ::core::result::Result::Ok(__fired) => {
                    let __result = match __fired {
                        #(#run)*
                    };
                    // Only for this statement, which nothing reaches when no body comes to its end.
                    #[allow(unreachable_code, reason = "a body need not come to its end")]
                    let __result = ::core::result::Result::Ok(__result);
                    __result
                }
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    };
    // Not the block itself: where its value is unused, rustc proposes to write a `;` behind it, which is there.
    quote_spanned!(Span::mixed_site()=> match () { () => #block })
}

/// What belongs to one arm, standing where the user wrote its guard: an error is drawn there.
struct Names {
    span: Span,
    end: Ident,
    value: Ident,
    guard: Ident,
    variant: Ident,
}

impl Names {
    fn new(number: usize, arm: &Arm) -> Names {
        let place = match &arm.guard {
            Guard::Read(end) | Guard::ReadExtended(end) | Guard::Write { end, .. } | Guard::Sync(end) => end.span(),
            Guard::After(time) | Guard::At(time) => time.span(),
            Guard::Skip(skip) => skip.span(),
            Guard::Value(guard) => guard.span(),
        };
        let span = Span::mixed_site().located_at(place);
        Names {
            span,
            end: format_ident!("__end{number}", span = span),
            value: format_ident!("__value{number}", span = span),
            guard: format_ident!("__guard{number}", span = span),
            variant: format_ident!("__Arm{number}", span = Span::mixed_site()),
        }
    }

    /// A call of the library. With the path that the macro was given it would begin in the library's own macro, and an
    /// error would be drawn from there.
    fn call(&self, function: TokenStream, arguments: TokenStream) -> TokenStream {
        quote_spanned!(self.span=> __alternation::#function(#arguments))
    }
}

/// The statements that evaluate a guard.
fn begin(arm: &Arm, names: &Names) -> TokenStream {
    let (function, operand) = match &arm.guard {
        Guard::After(time) => return begin_without_end(arm, names, quote!(after), time.to_token_stream()),
        Guard::At(time) => return begin_without_end(arm, names, quote!(at), time.to_token_stream()),
        Guard::Skip(_) => return begin_without_end(arm, names, quote!(skip), TokenStream::new()),
        Guard::Write { end, value } => return begin_writing(arm, names, end, value),
        Guard::Read(end) => (quote!(read), end.to_token_stream()),
        Guard::ReadExtended(end) => (quote!(read_extended), end.to_token_stream()),
        Guard::Sync(end) => (quote!(sync), end.to_token_stream()),
        // An operator would take the `&` for its left operand.
        Guard::Value(guard) => (quote!(guard), quote_spanned!(names.span=> (#guard))),
    };
    let end = &names.end;
    let operands = quote_spanned!(names.span=> &#operand);
    begin_with(arm, names, function, operands, end.to_token_stream(), end.to_token_stream())
}

fn begin_writing(arm: &Arm, names: &Names, end: &Expr, value: &Expr) -> TokenStream {
    // A value of the wrong type is an error of the value.
    let span = Span::mixed_site().located_at(value.span());
    let (end_name, value_name) = (&names.end, Ident::new(&names.value.to_string(), span));
    let reference = quote_spanned!(names.span=> &#end);
    begin_with(
        arm,
        names,
        quote!(write),
        quote_spanned!(names.span=> (#reference, #value)),
        quote_spanned!(names.span=> (#end_name, #value_name)),
        quote_spanned!(names.span=> #end_name, #value_name),
    )
}

/// A guard made of an end. The end has a `let` of its own, in which `&` keeps it alive until the guards are gone even
/// if it is a temporary; that holds in `if` and `Some` as well.
fn begin_with(
    arm: &Arm,
    names: &Names,
    function: TokenStream,
    operands: TokenStream,
    pattern: TokenStream,
    arguments: TokenStream,
) -> TokenStream {
    let guard = &names.guard;
    let call = names.call(function, arguments);
    match &arm.condition {
        None => quote_spanned! {names.span=>
            let #pattern = #operands;
            let mut #guard = #call;
        },
        Some(condition) => {
            let operands = present(names, condition, operands);
            let kept = &names.end;
            quote_spanned! {names.span=>
                let #kept = #operands;
                let mut #guard = match #kept {
                    ::core::option::Option::Some(#pattern) => ::core::option::Option::Some(#call),
                    ::core::option::Option::None => ::core::option::Option::None,
                };
            }
        }
    }
}

fn begin_without_end(arm: &Arm, names: &Names, function: TokenStream, arguments: TokenStream) -> TokenStream {
    let guard = &names.guard;
    let call = names.call(function, arguments);
    let call = match &arm.condition {
        None => call,
        Some(condition) => present(names, condition, call),
    };
    quote_spanned!(names.span=> let mut #guard = #call;)
}

/// `expression`, evaluated only if the precondition holds.
fn present(names: &Names, condition: &Expr, expression: TokenStream) -> TokenStream {
    quote_spanned! {names.span=>
        if #condition { ::core::option::Option::Some(#expression) } else { ::core::option::Option::None }
    }
}

/// Complains, as a warning, about a `skip` that others follow: an order of priority that does not hold.
fn skip_is_not_last(arm: &Arm) -> Option<TokenStream> {
    let Guard::Skip(skip) = &arm.guard else { return None };
    let span = Span::mixed_site().located_at(skip.span());
    // Stable Rust has no other way for a macro to warn.
    Some(quote_spanned! {span=>
        {
            #[deprecated(note = "`skip` is taken only when nothing else is ready, wherever it stands; write it last")]
            const SKIP_BEFORE_OTHERS: () = ();
            let () = SKIP_BEFORE_OTHERS;
        }
    })
}

/// Complains, as a warning, about a ticker that lives for one selection only.
fn ticker_begins_anew(arm: &Arm) -> Option<TokenStream> {
    let Guard::Value(Expr::Call(call)) = &arm.guard else { return None };
    let Expr::Path(function) = &*call.func else { return None };
    function.path.get_ident().filter(|name| *name == "tick")?;
    let span = Span::mixed_site().located_at(call.span());
    Some(quote_spanned! {span=>
        {
            #[deprecated(note = "a ticker that is made here begins anew with each selection: write \
                                 `let ticker = tick(period);` before it, and `ticker` here; for one wait, \
                                 `after(duration)`")]
            const TICKER_IN_AN_ARM: () = ();
            let () = TICKER_IN_AN_ARM;
        }
    })
}

/// The call that waits, with the number of an arm as its value.
fn choose(mode: Mode, guards: &[Names]) -> TokenStream {
    let guards = guards.iter().map(|names| {
        let guard = &names.guard;
        quote_spanned!(names.span=> &mut #guard)
    });
    let arms = quote_spanned!(Span::mixed_site()=> &mut [#(#guards),*]);
    match mode {
        Mode::Alt => quote_spanned!(Span::mixed_site()=> __alternation::alt_select(#arms)),
        Mode::Pri => quote_spanned!(Span::mixed_site()=> __alternation::pri_select(#arms)),
        // One turn for each place in the program and each process, be that a thread or not.
        Mode::Fair => quote_spanned! {Span::mixed_site()=>
            {
                ::std::thread_local! {
                    static __TURN: __alternation::Turn = const { __alternation::Turn::new() };
                }
                __alternation::fair_select(&__TURN, #arms)
            }
        },
    }
}

/// The value of the arm that fired, on its way out of the inner block.
fn take(arm: &Arm, names: &Names) -> TokenStream {
    let (guard, variant) = (&names.guard, &names.variant);
    let value = names.call(quote!(Take::take), quote_spanned!(names.span=> &mut #guard));
    if kept(arm) {
        quote_spanned!(names.span=> ::core::result::Result::map(#value, __Fired::#variant))
    } else {
        // A value that nobody wants is dropped before the body runs.
        quote_spanned!(names.span=> ::core::result::Result::map(#value, |_| __Fired::#variant(())))
    }
}

/// Whether the value goes to the body: an extended read does even without a pattern, for its writer waits.
fn kept(arm: &Arm) -> bool {
    arm.pattern.is_some() || matches!(arm.guard, Guard::ReadExtended(_))
}

/// The arm of the outer `match`, with the user's body.
fn run(arm: &Arm, names: &Names) -> TokenStream {
    let Arm { pattern, body, .. } = arm;
    let variant = &names.variant;
    if !kept(arm) {
        return quote_spanned!(Span::mixed_site()=> __Fired::#variant(()) => #body,);
    }
    let value = Ident::new("__value", names.span);
    let binding = match pattern {
        Some(pattern) => {
            quote_spanned!(Span::mixed_site().located_at(pattern.span())=> let #pattern = #value;)
        }
        // Dropped before the body runs.
        None => quote_spanned!(Span::mixed_site()=> { let _value = __value; }),
    };
    // What is wrong with the type of the whole is drawn at the body.
    let span = Span::mixed_site().located_at(body.span());
    let statements = statements(body);
    let body = quote_spanned!(span=> { #binding #statements });
    if !matches!(arm.guard, Guard::ReadExtended(_)) {
        return quote_spanned!(Span::mixed_site()=> __Fired::#variant(__value) => #body);
    }
    let result = Ident::new("__result", span);
    // When the body leaves early, `__hold` is dropped, and the writer learns of it.
    quote_spanned! {Span::mixed_site()=>
        __Fired::#variant(__value) => {
            let (__value, __hold) = __value.split();
            let __result = #body;
            // Only for this statement, which nothing reaches when the body does not come to its end.
            #[allow(unreachable_code, reason = "a body need not come to its end")]
            __hold.finish();
            #result
        }
    }
}

/// A body as it stands in a block. One that is a block itself goes without its braces, which the compiler would find
/// unnecessary inside others.
fn statements(body: &Expr) -> TokenStream {
    match body {
        Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
            let statements = &block.block.stmts;
            quote!(#(#statements)*)
        }
        _ => body.to_token_stream(),
    }
}

/// A name that the user's expressions cannot see.
fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
