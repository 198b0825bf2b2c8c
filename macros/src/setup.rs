//! The attribute `#[csproc::setup]`: the function stays as it is, and beside it a constructor of the program registers
//! it with the library.
//!
//! Knows nothing of when the library runs it.

use crate::fragments::visible_before_body;
use crate::list;
use crate::process::path_value;
use crate::report::{Report, text};
use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, Ident, LitInt, Path, Result, ReturnType, Safety, Signature, Token, Visibility};

const OPTIONS: &str = "the options are `order = 1` and `crate = path`, each at most once";

/// Expands one `#[csproc::setup(options)] item`. Whatever is wrong, the item comes out as well.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let options = Options::parse(options, &mut report);
    let registration = match syn::parse2::<Head>(visible_before_body(item.clone())) {
        Ok(head) => {
            head.check(&mut report);
            report.is_empty().then(|| head.registration(&options))
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
        list::options(tokens, report, OPTIONS, |option, input| {
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

/// A function as far as its body, which is the compiler's to judge.
struct Head {
    attributes: Vec<Attribute>,
    signature: Signature,
    has_body: bool,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let signature = input.parse()?;
        let has_body = input.parse::<Option<Token![;]>>()?.is_none();
        while input.parse::<Option<TokenTree>>()?.is_some() {}
        Ok(Head { attributes, signature, has_body })
    }
}

impl Head {
    fn check(&self, report: &mut Report) {
        let signature = &self.signature;
        if signature.ident == "main" {
            report.at(
                &signature.ident,
                "found `main`, with which the program begins: no process runs it; write a function beside it",
            );
        }
        if let Some(found) = &signature.constness {
            report.at(found, "found `const fn`: a set-up changes what is there when it runs; remove `const`");
        }
        if let Some(found) = &signature.asyncness {
            report.at(
                found,
                "found `async fn`: nothing drives a future before the process's function; remove `async`, and wait for \
                 what it needs with the runtime of your choice",
            );
        }
        if let Safety::Unsafe(found) = &signature.safety {
            report.at(
                found,
                "found `unsafe fn`: nobody is there to keep a promise when the set-up runs; remove `unsafe`, and put \
                 an `unsafe` block around what needs it",
            );
        }
        if let Some(found) = &signature.abi {
            let message = format!("found `{} fn`: only the library calls a set-up; remove `{0}`", text(found));
            report.at(found, message);
        }
        if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
            report.at(
                &signature.generics,
                "found parameters: nobody chooses a type for a set-up; write a function without them, which may call \
                 one that has some",
            );
        }
        match signature.inputs.first() {
            Some(FnArg::Receiver(found)) => report.at(
                found,
                "found a `self` receiver: there is no object before the process's function; write a function outside \
                 the `impl`",
            ),
            Some(_) => report.at(
                &signature.inputs,
                "found arguments: a set-up takes none, for it runs before those of the process are read; take them \
                 from the environment or a file, or give them to the process",
            ),
            None => (),
        }
        if let Some(found) = &signature.variadic {
            report.at(found, "found variadic arguments: a set-up takes none");
        }
        if !self.has_body {
            report.at(signature, "found a function without a body: a set-up is what its body does; write it here");
        }
    }

    /// The constructor runs before the one that forks the process server, which has the number 101.
    fn registration(&self, options: &Options) -> TokenStream {
        let krate = options.path.as_ref().map_or_else(|| quote!(::csproc), |path| quote!(#path));
        let Head { attributes, signature, .. } = self;
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
}
