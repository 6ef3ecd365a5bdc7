//! The keys of the attributes: one row of a table for each, and how a row is used.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, ExprPath, Ident, Token};

use super::{next, only_name, starts_pair, starts_path};
use crate::model::Kind;
use crate::nearest::{remedy, unknown};

/// One key of attributes with the arguments `A`.
pub(super) struct Key<A> {
    pub(super) name: &'static str,
    /// The attribute that takes it.
    pub(super) of: Kind,
    /// A value, as a message shows it.
    pub(super) example: &'static str,
    /// Takes what follows the key into its slot.
    pub(super) take: fn(&mut A, &Ident, ParseStream<'_>) -> syn::Result<()>,
}

/// The keys that one attribute takes besides [`ON_DENIED`].
pub(super) struct Keys<A: 'static>(Vec<&'static Key<A>>);

impl<A> Keys<A> {
    pub(super) fn of(kind: Kind, table: &'static [Key<A>]) -> Self {
        Self(table.iter().filter(|key| key.of == kind).collect())
    }

    /// Takes a `key = value` into the arguments.
    pub(super) fn take(&self, args: &mut A, input: ParseStream<'_>) -> syn::Result<()> {
        let key = input.call(Ident::parse_any)?;
        match self.named(&key.to_string()) {
            Some(known) => (known.take)(args, &key, input),
            None => Err(unknown_key(&key, &self.names())),
        }
    }

    /// The error for a key without a value, if that is next.
    pub(super) fn without_value(&self, input: ParseStream<'_>) -> Option<syn::Error> {
        let Key { name, example, .. } = self.named(&only_name(input)?)?;
        Some(input.error(format_args!("`{name}` needs a value: `{name} = {example}`")))
    }

    /// All that the attribute takes.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|key| key.name).chain([ON_DENIED]).collect()
    }

    pub(super) fn first(&self) -> Option<&'static Key<A>> {
        self.0.first().copied()
    }

    fn named(&self, name: &str) -> Option<&'static Key<A>> {
        self.0.iter().copied().find(|key| key.name == name)
    }
}

pub(super) fn unknown_key(key: &Ident, known: &[&str]) -> syn::Error {
    unknown("key", key, remedy(&key.to_string(), known))
}

/// The value of one key. It can be given and still have no value, where that was an error.
pub(crate) struct Slot<T> {
    pub(crate) given: Option<Span>,
    pub(crate) value: Option<T>,
}

impl<T> Slot<T> {
    pub(crate) fn absent() -> Self {
        Self { given: None, value: None }
    }

    /// Takes what follows `key`: `=`, and what `value` parses.
    pub(super) fn take(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        value: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<()> {
        if self.given.replace(key.span()).is_some() {
            return Err(syn::Error::new(key.span(), format_args!("`{key}` is given twice; remove one")));
        }
        let _: Token![=] = input.parse()?;
        self.value = Some(value(input)?);
        Ok(())
    }
}

/// The key that every attribute takes but `public`.
pub(super) const ON_DENIED: &str = "on_denied";

pub(super) fn take_on_denied(slot: &mut Slot<ExprPath>, input: ParseStream<'_>) -> syn::Result<()> {
    const EXAMPLE: &str = "`on_denied = denial::page_or_problem`";

    if !starts_pair(input) {
        return Err(input.error(format_args!("`{ON_DENIED}` needs a value: {EXAMPLE}")));
    }
    slot.take(&input.call(Ident::parse_any)?, input, |input| {
        if starts_path(input) {
            return input.parse();
        }
        let (span, found) = (input.span(), next(input));
        // A closure left unread would be one more error.
        let _ = input.parse::<Expr>();
        Err(syn::Error::new(
            span,
            format_args!("`{ON_DENIED}` is a path to a function: {EXAMPLE}; found {found}"),
        ))
    })
}
