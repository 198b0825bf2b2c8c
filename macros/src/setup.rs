//! The attribute `#[csproc::setup]`: the function stays as it is, and beside it a constructor of the program registers
//! it with the library.
//!
//! Knows nothing of when the library runs it.

use crate::fragments::visible_before_body;
use crate::head::{Head, Refusals};
use crate::list;
use crate::process::path_value;
use crate::report::Report;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Ident, LitInt, Path, Result, ReturnType, Token};

const OPTIONS: &str = "the options are `order = 1` and `crate = path`, each at most once";

/// Expands one `#[csproc::setup(options)] item`. Whatever is wrong, the item comes out as well.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let options = Options::parse(options, &mut report);
    let registration = match syn::parse2::<Head>(visible_before_body(item.clone())) {
        Ok(head) => {
            check(&head, &mut report);
            report.is_empty().then(|| registration(&head, &options))
        }
        Err(_) => {
            let message = "`#[csproc::setup]` marks a function, which each process runs before its own; write \
                           `#[csproc::setup] fn logging() { … }`";
            report.add(Error::new(item.clone().into_iter().next().span(), message));
            None
        }
    };
    let errors = report.into_tokens();
    quote!(#errors #item #registration)
}

#[derive(Default)]
struct Options {
    order: i32,
    path: Option<Path>,
}

impl Options {
    fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let mut options = Options::default();
        list::options(tokens, report, OPTIONS, &[], |option, input| {
            match option.to_string().as_str() {
                "order" => options.order = order(option, input)?,
                "crate" => options.path = Some(path_value(option, input)?),
                _ => return Ok(false),
            }
            Ok(true)
        });
        options
    }
}

fn order(option: &Ident, input: ParseStream<'_>) -> Result<i32> {
    let usage = "`order` takes a whole number; write `order = 1` or `order = -1`";
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        return Err(Error::new_spanned(option, usage));
    }
    let sign = if input.parse::<Option<Token![-]>>()?.is_some() { -1 } else { 1 };
    let number: LitInt = input.parse().map_err(|error| Error::new(error.span(), usage))?;
    match number.base10_parse::<i64>().ok().and_then(|number| i32::try_from(sign * number).ok()) {
        Some(order) if number.suffix().is_empty() => Ok(order),
        _ => Err(Error::new_spanned(number, usage)),
    }
}

const REFUSALS: Refusals = Refusals {
    constant: "a set-up changes what is there when it runs; remove `const`",
    asynchronous: "nothing drives a future before the process's function; remove `async`, and wait for what it needs \
                   with the runtime of your choice",
    dangerous: "nobody is there to keep a promise when the set-up runs; remove `unsafe`, and put an `unsafe` block \
                around what needs it",
    foreign: "only the library calls a set-up",
    parameters: "nobody chooses a type for a set-up; write a function without them, which may call one that has some",
    receiver: "there is no object before the process's function; write a function outside the `impl`",
    arguments: "a set-up takes none, for it runs before those of the process are read; take them from the environment \
                or a file, or give them to the process",
    variadic: "a set-up takes none",
    bodiless: "a set-up is what its body does; write it here",
};

fn check(head: &Head, report: &mut Report) {
    let name = &head.signature.ident;
    if name == "main" {
        report.at(name, "found `main`, with which the program begins: no process runs it; write a function beside it");
    }
    head.check(&REFUSALS, report);
}

/// The constructor runs before the one that forks the process server, which has the number 101.
fn registration(head: &Head, options: &Options) -> TokenStream {
    let krate = options.path.as_ref().map_or_else(|| quote!(::csproc), |path| quote!(#path));
    let Head { attributes, signature, .. } = head;
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let (function, order) = (&signature.ident, options.order);
    let name = function.unraw().to_string();
    let returned = match &signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, returned) => quote!(#returned),
    };
    let told = quote_spanned!(returned.span()=> <#returned as #krate::__private::SetUpResult>::told);
    quote! {
        #(#conditions)*
        const _: () = {
            static __CSPROC_SET_UP: #krate::__private::SetUp = #krate::__private::SetUp::new(
                #order,
                ::core::module_path!(),
                (::core::file!(), ::core::line!(), ::core::column!()),
                #name,
                || #told(#function()),
            );
            extern "C" fn __csproc_register() {
                __CSPROC_SET_UP.register();
            }
            #[used]
            #[unsafe(link_section = ".init_array.00100")]
            static __CSPROC_CONSTRUCTOR: extern "C" fn() = __csproc_register;
        };
    }
}
