//! `#[derive(LoadContext)]`: a context that is one row of a diesel table, found by its primary key.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::DeriveInput;

use crate::acl;
use crate::errors::Errors;
use crate::row::{Connection, Part, Row};

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let output = errors.keep(syn::parse2::<DeriveInput>(input)).and_then(|input| {
        let row = Row::of(&input, "LoadContext", &mut errors)?;
        let asks_database = acl::asks_database(&input, &row);
        Some(expand(&row, asks_database))
    });
    if errors.is_empty() {
        errors.finish();
        output.unwrap_or_default()
    } else {
        errors.finish()
    }
}

/// If the database decides about the context, it does so when it loads it.
fn expand(row: &Row, asks_database: bool) -> TokenStream {
    let Row { name, key, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let (run, load_context) = (database.run(), database.of_trait("LoadContext"));
    let id = Ident::new("__auth_id", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let query = Ident::new("__auth_query", Span::mixed_site());
    let question = Ident::new("__auth_question", Span::mixed_site());
    let diesel = quote!(::auth_core::__private::diesel);
    let key_type = row.key_type();
    let found = row.found_by(&id);
    let asked = asks_database.then(|| {
        let load_asked = database.function("load_asked");
        quote! {
            #asynchronous fn load_asked(
                #id: Self::Id,
                #question: &::auth_core::__private::Question,
                #connection: &mut Self::Connection,
            ) -> ::core::result::Result<::auth_core::__private::Asked<Self>, ::auth_core::LoadError> {
                ::auth_core::__private::#load_asked(#id, #question, #connection)#awaited
            }
        }
    });
    let several = match key.as_slice() {
        [only] => Some(load_all(row, only, asks_database)),
        _ => None,
    };
    quote! {
        #[automatically_derived]
        impl ::auth_core::#load_context for #name {
            type Id = #key_type;
            type Connection = #ty;

            #asynchronous fn load(
                #id: Self::Id,
                #connection: &mut Self::Connection,
            ) -> ::core::result::Result<Self, ::auth_core::LoadError> {
                let #query = #diesel::QueryDsl::select(
                    #found,
                    <Self as #diesel::SelectableHelper<_>>::as_select(),
                );
                ::core::result::Result::map_err(
                    #run::get_result(#query, #connection)#awaited,
                    ::core::convert::Into::into,
                )
            }

            #asked
        }

        #several
    }
}

/// Several rows by their ids, in one statement.
fn load_all(row: &Row, Part { column, field, .. }: &Part, asks_database: bool) -> TokenStream {
    let Row { name, table, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let (run, load_contexts) = (database.run(), database.of_trait("LoadContexts"));
    let ids = Ident::new("__auth_ids", Span::mixed_site());
    let rows = Ident::new("__auth_rows", Span::mixed_site());
    let row = Ident::new("__auth_row", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let query = Ident::new("__auth_query", Span::mixed_site());
    let question = Ident::new("__auth_question", Span::mixed_site());
    let diesel = quote!(::auth_core::__private::diesel);
    let asked = asks_database.then(|| {
        let load_all_asked = database.function("load_all_asked");
        quote! {
            #asynchronous fn load_all_asked(
                #ids: &[Self::Id],
                #question: &::auth_core::__private::Question,
                #connection: &mut #ty,
            ) -> ::core::result::Result<
                ::auth_core::__private::AllAsked<Self::Id, Self>,
                ::auth_core::LoadError,
            > {
                ::auth_core::__private::#load_all_asked(#ids, #question, #connection)#awaited
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::auth_core::#load_contexts for #name {
            #asynchronous fn load_all(
                #ids: &[Self::Id],
                #connection: &mut #ty,
            ) -> ::core::result::Result<::std::vec::Vec<(Self::Id, Self)>, ::auth_core::LoadError> {
                let #query = #diesel::QueryDsl::select(
                    #diesel::QueryDsl::filter(
                        #table::table,
                        #diesel::ExpressionMethods::eq_any(#table::#column, #ids),
                    ),
                    <Self as #diesel::SelectableHelper<_>>::as_select(),
                );
                let #rows: ::std::vec::Vec<Self> = #run::load(#query, #connection)#awaited?;
                let #rows = ::core::iter::Iterator::map(
                    ::core::iter::IntoIterator::into_iter(#rows),
                    |#row| (::core::clone::Clone::clone(&#row.#field), #row),
                );
                ::core::result::Result::Ok(::core::iter::Iterator::collect(#rows))
            }

            #asked
        }
    }
}
