//! How the rows of a table are found: its key.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{Connection, Part, Row};

impl Row {
    /// The type of the key: of its one part, or a tuple.
    pub(crate) fn key_type(&self) -> TokenStream {
        let types = self.key.iter().map(|Part { ty, .. }| ty);
        if self.key.len() == 1 { quote!(#(#types)*) } else { quote!((#(#types),*)) }
    }

    /// The table and the key, and the columns besides the key of which a field has to hold what is stored.
    pub(crate) fn keyed(
        &self,
        compared: impl Iterator<Item = TokenStream>,
        rows: &TokenStream,
    ) -> TokenStream {
        let Self { name, table, key, connection: Connection { backend, .. }, .. } = self;
        let key_type = self.key_type();
        let columns = key.iter().map(|Part { column, ty, .. }| {
            // A key of another type than its column is reported at the field.
            let span = Span::mixed_site().located_at(ty.span());
            quote_spanned!(span=> #table::#column,)
        });
        let fields =
            key.iter().map(|Part { field, .. }| quote!(::core::clone::Clone::clone(&__auth_row.#field)));
        let key_of = if key.len() == 1 { quote!(#(#fields)*) } else { quote!((#(#fields),*)) };
        let span =
            key.first().map_or_else(Span::mixed_site, |part| Span::mixed_site().located_at(part.ty.span()));
        let columns = quote_spanned!(span=> (#(#columns)*));
        quote! {
            impl ::auth_core::__private::KeyedRow for #name {
                type Database = #backend;
                type Key = #key_type;
                type Columns = #columns;

                const TABLE: &'static dyn ::auth_core::__private::diesel::query_builder::QueryFragment<#backend> =
                    &#table::table;
                const COMPARED: &'static [::auth_core::__private::Column] = &[#(#compared),*];
                const ROWS: ::core::option::Option<&'static ::auth_core::__private::Rule> = #rows;

                fn key_of(__auth_row: &Self) -> Self::Key {
                    #key_of
                }
            }
        }
    }
}
