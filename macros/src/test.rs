//! The attribute `#[csproc::test]`: the function becomes an ordinary test, whose body the library runs under one
//! schedule after the other.
//!
//! Knows nothing of schedules or of what the options mean.

use crate::fragments::visible_before_body;
use crate::head::{Head, Refusals};
use crate::list;
use crate::process::path_value;
use crate::report::Report;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Path, Result, ReturnType, Token, parenthesized};

const OPTIONS: &str = "the options are `schedules = 1000`, `exhaustive`, `replay = \"csp1:…\"`, `crashes = 1`, \
                       `panics = 1`, `poisons = 1`, `delays = 1`, `lossy(\"channel\", 1)`, `in_order(\"channel\")`, \
                       `processes(\"worker\")` and `crate = path`";

const REFUSALS: Refusals = Refusals {
    constant: "a test is run, never evaluated by the compiler; remove `const`",
    asynchronous: "the body of a test is a process, and simply waits in `read` and `write`; remove `async`",
    dangerous: "nobody is there to keep a promise when the test runs; remove `unsafe`, and put an `unsafe` block \
                around what needs it",
    foreign: "only the library calls the body of a test",
    parameters: "nobody chooses a type for a test; write a function without them, which may call one that has some",
    receiver: "there is no object before the test runs; write a function outside the `impl`",
    arguments: "a test under schedules takes none; for inputs, write a test of `proptest!` with `s in schedule()` \
                beside them, and `simulate(&s, || …)`",
    variadic: "a test takes none",
    bodiless: "a test is what its body does; write it here",
};

/// Expands one `#[csproc::test(options)] item`. Whatever is wrong, the item comes out as well.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let options = Options::parse(options, &mut report);
    let test = match syn::parse2::<Head>(visible_before_body(item.clone())) {
        Ok(head) => {
            check(&head, &mut report);
            report.is_empty().then(|| emit(&head, &options))
        }
        Err(_) => {
            let message = "`#[csproc::test]` marks a function, whose body is run under one schedule after the other; \
                           write `#[csproc::test] fn nobody_waits_for_ever() { … }`";
            report.add(Error::new(item.clone().into_iter().next().span(), message));
            None
        }
    };
    let errors = report.into_tokens();
    match test {
        Some(test) => test,
        None => quote!(#errors #item),
    }
}

fn check(head: &Head, report: &mut Report) {
    if let Some(found) = head.attributes.iter().find(|attribute| attribute.path().is_ident("test")) {
        report.at(found, "found `#[test]`: `#[csproc::test]` makes it a test already; remove `#[test]`");
    }
    head.check(&REFUSALS, report);
}

#[derive(Default)]
struct Options {
    /// Calls of methods that say how the test is tried.
    how: Vec<TokenStream>,
    /// Calls of methods that say which faults there may be.
    faults: Vec<TokenStream>,
    path: Option<Path>,
}

impl Options {
    fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let mut options = Options::default();
        let (mut exhaustive, mut delays) = (None, None);
        list::options(tokens, report, OPTIONS, &["lossy", "in_order"], |option, input| {
            match option.to_string().as_str() {
                "schedules" => {
                    let count = number(option, "schedules = 1000", input)?;
                    options.how.push(quote!(.#option(#count)));
                }
                "exhaustive" => {
                    exhaustive = Some(option.clone());
                    options.how.push(quote!(.#option()));
                }
                "replay" => {
                    let token = token(option, input)?;
                    options.how.push(quote!(.#option(#token)));
                }
                "crashes" | "panics" | "poisons" | "delays" => {
                    if option == "delays" {
                        delays = Some(option.clone());
                    }
                    let most = number(option, &format!("{option} = 1"), input)?;
                    options.faults.push(quote!(.#option(#most)));
                }
                "lossy" => {
                    let Lossy { channel, most } = inside(option, "lossy(\"channel\", 1)", input)?;
                    options.faults.push(quote!(.#option(#channel, #most)));
                }
                "in_order" => {
                    let Name(channel) = inside(option, "in_order(\"channel\")", input)?;
                    options.faults.push(quote!(.#option(#channel)));
                }
                "processes" => {
                    let Names(names) = inside(option, "processes(\"worker\")", input)?;
                    options.faults.push(quote!(.#option(&[#names])));
                }
                "crate" => options.path = Some(path_value(option, input)?),
                _ => return Ok(false),
            }
            Ok(true)
        });
        if let (Some(_), Some(found)) = (exhaustive, delays) {
            let message = "found `delays` beside `exhaustive`: who comes late is drawn, and not one of all schedules; \
                           remove one of them";
            report.at(found, message);
        }
        options
    }
}

/// A number, or what comes to one.
fn number(option: &Ident, usage: &str, input: ParseStream<'_>) -> Result<Expr> {
    let message = format!("`{option}` takes a number; write `{usage}`");
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        return Err(Error::new_spanned(option, message));
    }
    let value: Expr = input.parse()?;
    is_number(&value).then_some(()).ok_or_else(|| Error::new_spanned(&value, message))?;
    Ok(value)
}

/// It may be one: what a path or a call comes to is the compiler's to judge.
fn is_number(value: &Expr) -> bool {
    !matches!(value, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_)))
}

fn token(option: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let message = "`replay` takes the token that a run has printed; write `replay = \"csp1:…\"`";
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        return Err(Error::new_spanned(option, message));
    }
    input.parse().map_err(|error| Error::new(error.span(), message))
}

/// What stands in the parentheses of an option.
fn inside<T: Parse>(option: &Ident, usage: &str, input: ParseStream<'_>) -> Result<T> {
    let what = if option == "lossy" { "the name of a channel, and a number" } else { "names in quotes" };
    let wrong = |span: Span| Error::new(span, format!("`{option}` takes {what}; write `{usage}`"));
    if !input.peek(syn::token::Paren) {
        return Err(wrong(option.span()));
    }
    let content;
    parenthesized!(content in input);
    let value = content.parse::<T>().map_err(|error| wrong(error.span()));
    let (place, rest) = (content.span(), content.parse::<TokenStream>()?);
    if value.is_err() || rest.is_empty() { value } else { Err(wrong(place)) }
}

struct Lossy {
    channel: LitStr,
    most: Expr,
}

impl Parse for Lossy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let channel = input.parse()?;
        input.parse::<Token![,]>()?;
        let most: Expr = input.parse()?;
        if !is_number(&most) {
            return Err(Error::new_spanned(most, "no number"));
        }
        input.parse::<Option<Token![,]>>()?;
        Ok(Lossy { channel, most })
    }
}

struct Name(LitStr);

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse().map(Name)
    }
}

struct Names(Punctuated<LitStr, Token![,]>);

impl Parse for Names {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let names = input.call(Punctuated::parse_terminated)?;
        if names.is_empty() { Err(input.error("no name")) } else { Ok(Names(names)) }
    }
}

/// The test takes the place of the function, which stands inside under its own name.
fn emit(head: &Head, options: &Options) -> TokenStream {
    let krate = options.path.as_ref().map_or_else(|| quote!(::csproc), |path| quote!(#path));
    let Head { attributes, visibility, signature, body } = head;
    let function = &signature.ident;
    let (name, Options { how, faults, .. }) = (function.unraw().to_string(), options);
    // It is to fail: what fails is no news.
    let is_to_fail = attributes.iter().any(|attribute| attribute.path().is_ident("should_panic"));
    let keeping = is_to_fail.then(|| quote!(.forgets()));
    let returned = match &signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, returned) => returned.to_token_stream(),
    };
    let told = quote_spanned!(returned.span()=> <#returned as #krate::__private::testing::TestResult>::told);
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #function() {
            #signature #body
            #krate::__private::testing::Trial::new(
                ::core::concat!(::core::module_path!(), "::", #name),
                ::core::file!(),
                || #told(#function()),
            )
            #keeping
            #(#how)*
            .with(#krate::testing::schedule()#(#faults)*)
            .run()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_calls_the_library_with_the_function_inside() {
        let options = quote!(schedules = 2 * N, crashes = 1, lossy("a", 1), lossy("b", 2), processes("x", "y"));
        let item = quote!(
            #[doc = "Says why."]
            #[should_panic(expected = "deadlock")]
            fn waits() -> Result<(), Error> {
                body()
            }
        );
        let expected = quote! {
            #[::core::prelude::v1::test]
            #[doc = "Says why."]
            #[should_panic(expected = "deadlock")]
            fn waits() {
                fn waits() -> Result<(), Error> {
                    body()
                }
                ::csproc::__private::testing::Trial::new(
                    ::core::concat!(::core::module_path!(), "::", "waits"),
                    ::core::file!(),
                    || <Result<(), Error> as ::csproc::__private::testing::TestResult>::told(waits()),
                )
                .forgets()
                .schedules(2 * N)
                .with(
                    ::csproc::testing::schedule()
                        .crashes(1)
                        .lossy("a", 1)
                        .lossy("b", 2)
                        .processes(&["x", "y"])
                )
                .run()
            }
        };
        assert_eq!(expand(options, item).to_string(), expected.to_string());
    }

    #[test]
    fn whatever_is_wrong_the_function_comes_out_as_it_was() {
        let item = quote!(
            async fn waits(x: u8) {}
        );
        let text = expand(quote!(crash = 1), item.clone()).to_string();
        assert_eq!(text.matches("compile_error").count(), 3, "{text}");
        assert!(text.ends_with(&item.to_string()), "{text}");
    }
}
