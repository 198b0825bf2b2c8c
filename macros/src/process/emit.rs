//! Writes the two functions a process becomes: outside, one that packs its arguments; inside, the user's own.
//!
//! Does not judge: it is handed functions that `check` has found right, and asked for a stub of those it has not.

use super::check;
use super::parse::{Function, OnCrash, Options};
use super::remedy;
use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, GenericParam, Generics, Pat, PatType, ReturnType, Type};

/// The process: what calling the function gives from now on.
pub(super) fn process(function: &Function, options: &Options) -> TokenStream {
    let krate = library(options);
    let result = result(function);
    let head = head(function, &krate, &result);
    let body = body(function);
    let arguments: Vec<_> = arguments(function).collect();
    let names: Vec<_> = arguments.iter().map(|argument| &argument.name).collect();
    let types: Vec<_> = arguments.iter().map(|argument| argument.ty).collect();
    let turbofish = turbofish(&function.signature.generics);
    let settings = settings(function, options, &krate);
    let messages: Vec<_> = (0..names.len()).map(|index| format_ident!("__A{index}")).collect();

    let returned = match &function.signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    let bounds = types.iter().map(|ty| remedy::bound(ty, &krate));
    let result_bound = returned.map_or_else(|| quote!(#krate::Message), |ty| remedy::bound(ty, &krate));
    let questions = remedy::questions(types.iter().copied().chain(returned), &function.signature.generics, &krate);

    let process = fresh(function, "__process");
    let inner = fresh(function, "__body");

    let block = quote! {
        #body
        #questions
        // One type parameter for each argument, because a bound that fails is reported at the type in the
        // turbofish below, which is the user's. A bound on the tuple as a whole would name no argument.
        #[track_caller]
        fn #process<#(#messages: #bounds,)* __R: #result_bound>(
            options: #krate::__private::Options,
            arguments: (#(#messages,)*),
            body: fn((#(#messages,)*)) -> __R,
            ending: fn(&__R) -> #krate::__private::ending::Ending,
        ) -> #krate::Process<__R> {
            #krate::__private::process(options, arguments, body, ending)
        }
        #process::<#(#types,)* #result>(
            #settings,
            (#(#names,)*),
            |(#(#names,)*)| #inner #turbofish (#(#names),*),
            |__outcome| {
                use #krate::__private::ending::*;
                (&&&Probe(__outcome)).ending()
            },
        )
    };
    let block = braced(function, block);
    quote!(#head #block)
}

/// An item for the callers of a function that cannot be a process: the same name, arguments and result as if it could.
pub(super) fn stub(function: &Function, options: &Options) -> TokenStream {
    let krate = library(options);
    let result = if check::result_is_owned(&function.signature) { result(function) } else { quote!(()) };
    let head = head(function, &krate, &result);
    // The body stays, so that its own errors are reported too and the editor keeps working inside it. It cannot where
    // it would need the `impl` around it, nor where the compiler would report an error again, with another remedy.
    let is_left_out = needs_impl(function) || !check::questions(function).is_empty();
    let body = if is_left_out { None } else { body(function) };
    let names = arguments(function).map(|argument| argument.name);
    let block = quote! {
        #body
        let _ = (#(#names,)*);
        ::core::unreachable!()
    };
    let block = braced(function, block);
    quote!(#head #block)
}

/// A block in the user's own braces: the compiler takes a function that ends in them for the user's, and says so when
/// it is never called.
fn braced(function: &Function, block: TokenStream) -> Group {
    let mut braces = Group::new(Delimiter::Brace, block);
    if let Some(body) = &function.body {
        braces.set_span(body.span());
    }
    braces
}

fn library(options: &Options) -> TokenStream {
    match &options.path {
        Some(path) => path.to_token_stream(),
        None => quote!(::csproc),
    }
}

fn result(function: &Function) -> TokenStream {
    match &function.signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

fn settings(function: &Function, options: &Options, krate: &TokenStream) -> TokenStream {
    let name = match &options.name {
        Some(name) => name.to_token_stream(),
        None => function.signature.ident.unraw().to_string().to_token_stream(),
    };
    let placement = if options.thread { quote!(Thread) } else { quote!(Process) };
    let on_crash = match options.on_crash {
        OnCrash::Poison => quote!(Poison),
        OnCrash::Retire => quote!(Retire),
    };
    quote! {
        #krate::__private::Options {
            name: #name,
            placement: #krate::Placement::#placement,
            on_crash: #krate::OnCrash::#on_crash,
        }
    }
}

/// The outer function up to its body.
fn head(function: &Function, krate: &TokenStream, result: &TokenStream) -> TokenStream {
    let (outside, _) = attributes(function);
    let visibility = &function.visibility;
    let signature = &function.signature;
    let (fn_token, ident) = (&signature.fn_token, &signature.ident);
    let Generics { lt_token, params, gt_token, where_clause } = &signature.generics;
    let receiver = signature.receiver().cloned().map(|mut receiver| {
        // As with every argument, `mut` is the body's.
        receiver.mutability = None;
        quote!(#receiver,)
    });
    let inputs = arguments(function).map(|Argument { name, ty }| quote!(#name: #ty));
    // A head that ends in a token of the user's is the user's for the compiler, which then points at it and not at the
    // attribute. `braced` does the same for the whole.
    let mut close = Punct::new('>', Spacing::Alone);
    close.set_span(end_of_head(function));
    quote! {
        #(#outside)*
        #[track_caller]
        #visibility #fn_token #ident #lt_token #params #gt_token (#receiver #(#inputs),*)
            -> #krate::Process<#result #close
        #where_clause
    }
}

/// The last token of the user's result, or the one it would follow.
fn end_of_head(function: &Function) -> Span {
    let last = match &function.signature.output {
        ReturnType::Type(_, ty) => ty.to_token_stream().into_iter().last(),
        ReturnType::Default => None,
    };
    match last {
        Some(TokenTree::Group(group)) => group.span_close(),
        Some(token) => token.span(),
        None => function.signature.paren_token.span.close(),
    }
}

/// The user's function: unchanged but for its name, and the attributes that belong outside.
fn body(function: &Function) -> Option<TokenStream> {
    let body = function.body.as_ref()?;
    let (_, inside) = attributes(function);
    let mut signature = function.signature.clone();
    let place = signature.ident.span();
    signature.ident = fresh(function, "__body");
    signature.ident.set_span(generated(place));
    // These lints are about the form of the function, which is reported outside, or propose what no process can be.
    Some(quote! {
        #(#inside)*
        #[allow(
            clippy::missing_const_for_fn,
            clippy::needless_pass_by_value,
            clippy::too_many_arguments,
            clippy::unnecessary_wraps,
            reason = "the form of a process is set by what it communicates"
        )]
        #signature #body
    })
}

/// A name of our own that nothing in the user's signature has: items are seen by whatever stands in their block.
fn fresh(function: &Function, name: &str) -> Ident {
    let mut name = name.to_string();
    while mentions(function.signature.to_token_stream(), &name) {
        name.push('_');
    }
    Ident::new(&name, Span::mixed_site())
}

/// Our own span, located where the user's is.
fn generated(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

struct Argument<'a> {
    name: Ident,
    ty: &'a Type,
}

fn arguments(function: &Function) -> impl Iterator<Item = Argument<'_>> {
    let typed = function.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    typed.enumerate().map(move |(index, argument)| Argument { name: name(function, argument, index), ty: &argument.ty })
}

/// The name of an argument outside: its own where it has one. Its pattern is matched in the process, not by the caller.
fn name(function: &Function, argument: &PatType, index: usize) -> Ident {
    match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            let mut name = pattern.ident.clone();
            // Ours, though spelled as the user's: `_name` is used outside, and that is no offence of the user's.
            name.set_span(generated(name.span()));
            name
        }
        _ => fresh(function, &format!("__argument_{index}")),
    }
}

fn turbofish(generics: &Generics) -> Option<TokenStream> {
    let mut names = Vec::new();
    for parameter in &generics.params {
        match parameter {
            GenericParam::Type(parameter) => names.push(&parameter.ident),
            GenericParam::Const(parameter) => names.push(&parameter.ident),
            GenericParam::Lifetime(_) => {}
        }
    }
    (!names.is_empty()).then(|| quote!(::<#(#names),*>))
}

/// The attributes of the item that callers and readers of its documentation see, and those of the code that runs.
///
/// Lint levels are the item's: set outside, they hold inside too, and an `expect` that stood in both places would be
/// unfulfilled in one.
fn attributes(function: &Function) -> (Vec<&Attribute>, Vec<&Attribute>) {
    const OUTSIDE: [&str; 10] =
        ["doc", "cfg", "cfg_attr", "deprecated", "must_use", "allow", "expect", "warn", "deny", "forbid"];
    let outside = |attribute: &&Attribute| OUTSIDE.iter().any(|name| attribute.path().is_ident(name));
    function.attributes.iter().partition(outside)
}

/// Whether the user's function is only valid inside an `impl`, where no function can stand in another.
fn needs_impl(function: &Function) -> bool {
    let signature = &function.signature;
    signature.receiver().is_some() || signature.variadic.is_some() || mentions(signature.to_token_stream(), "Self")
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Ident(ident) => ident == name,
        _ => false,
    })
}
