//! Reads the options of `#[process(…)]` and the function under it; refuses what is not a function at all.
//!
//! Does not know which functions can be processes: `check` judges what is read here.

use crate::list;
use crate::report::Report;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, LitStr, Path, Result, Signature, Token, Visibility, token};

const OPTIONS: &str = "the options are `thread`, `name = \"…\"`, `on_crash = \"poison\"` or \
                       `on_crash = \"retire\"`, and `crate = path`, each at most once";

/// What `#[process(…)]` was given; what was not given is the default.
#[derive(Default)]
pub(super) struct Options {
    pub(super) thread: bool,
    pub(super) name: Option<LitStr>,
    pub(super) on_crash: OnCrash,
    pub(super) path: Option<Path>,
}

/// What becomes of the ends of a process that crashes.
#[derive(Default)]
pub(super) enum OnCrash {
    #[default]
    Poison,
    Retire,
}

impl Options {
    /// Reads as many options as can be read, and reports the others one by one.
    pub(super) fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let mut options = Options::default();
        list::options(tokens, report, OPTIONS, &[], |option, input| options.set(option, input));
        options
    }

    fn set(&mut self, option: &Ident, input: ParseStream<'_>) -> Result<bool> {
        match option.to_string().as_str() {
            "thread" => {
                if input.peek(Token![=]) || input.peek(token::Paren) {
                    let message = "`thread` takes no value; write `#[process(thread)]`";
                    return Err(Error::new_spanned(option, message));
                }
                self.thread = true;
            }
            "name" => {
                let name = string_value(option, "name = \"…\"", input)?;
                if name.value().is_empty() {
                    let message = "a name says which process it is in reports; leave the option out \
                                   to use the name of the function";
                    return Err(Error::new_spanned(name, message));
                }
                self.name = Some(name);
            }
            "on_crash" => {
                let usage = "on_crash = \"poison\"` or `on_crash = \"retire\"";
                let value = string_value(option, usage, input)?;
                self.on_crash = match value.value().as_str() {
                    "poison" => OnCrash::Poison,
                    "retire" => OnCrash::Retire,
                    "restart" => {
                        let message = "how often a process is started again is said where it is run: leave this option \
                                       out, and write `worker(input).on_crash(OnCrash::Restart { max: 3, within: \
                                       Duration::from_secs(10) })`";
                        return Err(Error::new_spanned(value, message));
                    }
                    other => {
                        let message = format!("found \"{other}\"; write `{usage}`");
                        return Err(Error::new_spanned(value, message));
                    }
                };
            }
            "crate" => self.path = Some(path_value(option, input)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn string_value(option: &Ident, usage: &str, input: ParseStream<'_>) -> Result<LitStr> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        let message = format!("`{option}` takes a value; write `{usage}`");
        return Err(Error::new_spanned(option, message));
    }
    if input.peek(LitStr) {
        return input.parse();
    }
    if input.is_empty() {
        let message = format!("expected a string; write `{usage}`");
        return Err(Error::new_spanned(option, message));
    }
    Err(input.error(format!("expected a string; write `{usage}`")))
}

pub(crate) fn path_value(option: &Ident, input: ParseStream<'_>) -> Result<Path> {
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        let message = "`crate` takes a path; write `crate = some::path`";
        return Err(Error::new_spanned(option, message));
    }
    if input.peek(LitStr) {
        let path: LitStr = input.parse()?;
        return path.parse_with(Path::parse_mod_style);
    }
    if input.peek(Token![::]) || input.peek(Ident::peek_any) {
        return input.call(Path::parse_mod_style);
    }
    Err(input.error("expected a path; write `crate = some::path`"))
}

/// The function under the attribute. Its body stays tokens: what is wrong inside it is the compiler's to report.
pub(super) struct Function {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
    pub(super) body: Option<TokenTree>,
}

impl Function {
    pub(super) fn parse(item: TokenStream) -> Result<Self> {
        syn::parse2(item)
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        refuse_other_items(input)?;
        let signature = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else {
            match input.parse()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(TokenTree::Group(group)),
                other => return Err(Error::new_spanned(other, "expected the body of a function")),
            }
        };
        Ok(Function { attributes, visibility, signature, body })
    }
}

fn refuse_other_items(input: ParseStream<'_>) -> Result<()> {
    let found = if input.peek(Token![struct]) {
        "a struct"
    } else if input.peek(Token![enum]) {
        "an enum"
    } else if input.peek(Token![impl]) {
        "an `impl` block"
    } else if input.peek(Token![mod]) {
        "a module"
    } else if input.peek(Token![trait]) {
        "a trait"
    } else if input.peek(Token![let]) {
        "a `let` statement"
    } else if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        "a closure"
    } else if input.peek(Token![const]) && input.peek2(syn::Ident) || input.peek(Token![static]) {
        "a constant or static"
    } else if input.peek(Token![type]) || input.peek(Token![use]) {
        "another item"
    } else {
        return Ok(());
    };
    Err(input.error(format!(
        "found {found}: `#[process]` marks a function, whose arguments are the ends it communicates on; \
         write `#[process] fn worker(input: Reader<u64>) {{ … }}`"
    )))
}
