//! A function that is called without arguments, as a set-up and a test are: read as far as its body, which is the
//! compiler's to judge, and told what such a function is not.
//!
//! Knows nothing of what it is called for: why something is refused is said by whoever calls it.

use crate::report::{Report, text};
use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Result, Safety, Signature, Token, Visibility};

/// A function as far as its body.
pub(crate) struct Head {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// In its braces; `None` if there is a semicolon.
    pub(crate) body: Option<TokenStream>,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let (visibility, signature) = (input.parse()?, input.parse()?);
        let has_body = input.parse::<Option<Token![;]>>()?.is_none();
        let body = input.parse()?;
        Ok(Head { attributes, visibility, signature, body: has_body.then_some(body) })
    }
}

/// Why each of these is refused, and what to write instead.
pub(crate) struct Refusals {
    pub(crate) constant: &'static str,
    pub(crate) asynchronous: &'static str,
    pub(crate) dangerous: &'static str,
    /// Without the remedy.
    pub(crate) foreign: &'static str,
    pub(crate) parameters: &'static str,
    pub(crate) receiver: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) variadic: &'static str,
    pub(crate) bodiless: &'static str,
}

impl Head {
    /// Reports at its token whatever keeps it from being called without arguments.
    pub(crate) fn check(&self, why: &Refusals, report: &mut Report) {
        let signature = &self.signature;
        if let Some(found) = &signature.constness {
            report.at(found, format!("found `const fn`: {}", why.constant));
        }
        if let Some(found) = &signature.asyncness {
            report.at(found, format!("found `async fn`: {}", why.asynchronous));
        }
        if let Safety::Unsafe(found) = &signature.safety {
            report.at(found, format!("found `unsafe fn`: {}", why.dangerous));
        }
        if let Some(found) = &signature.abi {
            report.at(found, format!("found `{} fn`: {}; remove `{0}`", text(found), why.foreign));
        }
        if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
            report.at(&signature.generics, format!("found parameters: {}", why.parameters));
        }
        match signature.inputs.first() {
            Some(FnArg::Receiver(found)) => report.at(found, format!("found a `self` receiver: {}", why.receiver)),
            Some(_) => report.at(&signature.inputs, format!("found arguments: {}", why.arguments)),
            None => (),
        }
        if let Some(found) = &signature.variadic {
            report.at(found, format!("found variadic arguments: {}", why.variadic));
        }
        if self.body.is_none() {
            report.at(signature, format!("found a function without a body: {}", why.bodiless));
        }
    }
}
