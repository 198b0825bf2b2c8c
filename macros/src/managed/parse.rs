//! Reads the options of `#[managed(…)]` and the `impl` under it; refuses what is none, and which of its functions a
//! proxy has.
//!
//! Does not know which methods can be called from other processes: `check` judges what is read here.

use crate::list;
use crate::process::path_value;
use crate::report::{Report, text};
use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, ImplItem, ImplItemFn, ItemImpl, Path, Result, ReturnType, Token, Type, Visibility, token};

const OPTIONS: &str = "the options are `proxy = Name`, `exclusive` and `crate = path`, each at most once";

/// What `#[managed(…)]` was given; what was not given is the default.
#[derive(Default)]
pub(super) struct Options {
    pub(super) proxy: Option<Ident>,
    pub(super) exclusive: bool,
    pub(super) path: Option<Path>,
}

impl Options {
    pub(super) fn parse(tokens: TokenStream, report: &mut Report) -> Options {
        let mut options = Options::default();
        list::options(tokens, report, OPTIONS, &[], |option, input| options.set(option, input));
        options
    }

    fn set(&mut self, option: &Ident, input: ParseStream<'_>) -> Result<bool> {
        match option.to_string().as_str() {
            "proxy" => {
                let usage = "`proxy` takes the name of a type; write `proxy = Name`";
                if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
                    return Err(Error::new_spanned(option, usage));
                }
                self.proxy = Some(input.parse().map_err(|error| Error::new(error.span(), usage))?);
            }
            "exclusive" => {
                if input.peek(Token![=]) || input.peek(token::Paren) {
                    let message = "`exclusive` takes no value; write `#[managed(exclusive)]`";
                    return Err(Error::new_spanned(option, message));
                }
                self.exclusive = true;
            }
            "crate" => self.path = Some(path_value(option, input)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The `impl` under the attribute.
pub(super) struct Methods(pub(super) ItemImpl);

/// What a function is for a proxy.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// It makes an object.
    Maker,
    /// It is called on one.
    Method,
}

impl Methods {
    /// `None` if it is an `impl`, and what is inside cannot be read.
    pub(super) fn parse(item: TokenStream) -> Result<Option<Methods>> {
        if let Ok(methods) = syn::parse2(item.clone()) {
            return Ok(Some(Methods(methods)));
        }
        let is_impl = |input: ParseStream<'_>| {
            input.call(Attribute::parse_outer)?;
            input.parse::<Option<Token![unsafe]>>()?;
            let is_impl = input.peek(Token![impl]);
            input.parse::<TokenStream>()?;
            Ok(is_impl)
        };
        if is_impl.parse2(item.clone()).unwrap_or(false) {
            return Ok(None);
        }
        let message = "`#[managed]` marks the `impl` of a type whose objects a manager is to have; write \
                       `#[managed] impl Counter { … }`";
        Err(Error::new(item.into_iter().next().span(), message))
    }

    /// The last name of the type, if it has one.
    pub(super) fn name(&self) -> Option<&Ident> {
        match &*self.0.self_ty {
            Type::Path(path) if path.qself.is_none() => path.path.segments.last().map(|last| &last.ident),
            _ => None,
        }
    }

    /// How the proxy is called.
    pub(super) fn proxy(&self, options: &Options) -> Option<Ident> {
        let made = || self.name().map(|name| format_ident!("{}Proxy", name.unraw(), span = name.span()));
        options.proxy.clone().or_else(made)
    }

    /// The functions that a proxy has, and for what.
    pub(super) fn public(&self) -> impl Iterator<Item = (&ImplItemFn, Role)> {
        self.0.items.iter().filter_map(|item| match item {
            ImplItem::Fn(function) if !matches!(function.vis, Visibility::Inherited) => {
                Some((function, self.role(function)?))
            }
            _ => None,
        })
    }

    fn role(&self, function: &ImplItemFn) -> Option<Role> {
        if function.sig.receiver().is_some() {
            return Some(Role::Method);
        }
        let ReturnType::Type(_, result) = &function.sig.output else { return None };
        let result = text(result);
        (result == "Self" || result == text(&self.0.self_ty)).then_some(Role::Maker)
    }
}
