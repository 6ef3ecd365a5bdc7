//! Collects the errors in the user's code, so that one run reports all of them.

use std::fmt::Display;
use std::thread;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far. Has to be read with [`Errors::finish`]: dropping it unread would turn
/// an error into silence, so that complains in debug builds.
pub(crate) struct Errors {
    errors: Vec<syn::Error>,
    read: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self { errors: Vec::new(), read: false }
    }

    pub(crate) fn push(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// Points at all of `tokens`.
    pub(crate) fn push_spanned(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// Takes over the error that `syn` reports, or returns the value.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// One `compile_error!` for each error, in the order found; nothing where there is none.
    pub(crate) fn finish(mut self) -> TokenStream {
        self.read = true;
        self.errors.drain(..).map(syn::Error::into_compile_error).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(self.read || thread::panicking(), "errors were collected and never reported");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_every_error_in_the_order_found() {
        let mut errors = Errors::new();
        errors.push(Span::call_site(), "first");
        errors.push_spanned(quote::quote!(a b), "second");
        let report = errors.finish().to_string();
        let first = report.find("first").unwrap();
        let second = report.find("second").unwrap();
        assert!(first < second, "{report}");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "never reported")]
    fn complains_when_dropped_unread() {
        drop(Errors::new());
    }
}
