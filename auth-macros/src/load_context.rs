//! `#[derive(LoadContext)]`: a context that is one row of a diesel table, found by its primary key.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::acl::{self, Decides};
use crate::auth_model::rows_of;
use crate::errors::Errors;
use crate::row::{Connection, Row};
use crate::runtime::Runtime;

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut runtime = Runtime::unnamed();
    let output = errors.keep(syn::parse2::<DeriveInput>(input)).map(|input| {
        let Some(row) = Row::of(&input, "LoadContext", &mut runtime, &mut errors) else {
            return refusal(&input);
        };
        let decides = acl::decides(&input, &row);
        expand(row, decides, &mut errors)
    });
    let mut report = errors.finish();
    report.extend(output.map(|output| runtime.put_into(output)));
    report
}

/// The trait for a row whose attributes have errors, so that rustc does not report it as missing.
fn refusal(DeriveInput { ident, generics, .. }: &DeriveInput) -> TokenStream {
    let (parameters, usage, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters ::auth_core::LoadContext for #ident #usage #bounds {
            type Id = ::std::string::String;
            type Connection = ::auth_core::NoConnection;

            fn load(
                _: Self::Id,
                _: &mut Self::Connection,
            ) -> ::core::result::Result<Self, ::auth_core::LoadError> {
                ::core::result::Result::Err(::auth_core::LoadError::NotFound)
            }
        }

        #[automatically_derived]
        impl #parameters ::auth_core::LoadContexts for #ident #usage #bounds {
            fn load_all(
                _: &[Self::Id],
                _: &mut Self::Connection,
            ) -> ::core::result::Result<::std::vec::Vec<(Self::Id, Self)>, ::auth_core::LoadError> {
                ::core::result::Result::Err(::auth_core::LoadError::NotFound)
            }
        }
    }
}

/// The derive of a policy implements how rows are found. Without a policy, code of the application decides, and every
/// field has to have the value of its column.
fn expand(row: Row, decides: Decides, errors: &mut Errors) -> TokenStream {
    let load = load(&row, decides);
    // One statement finds several rows only where the key is one column.
    let load_all = if let [_] = row.key.as_slice() { Some(load_all(&row, decides)) } else { None };
    let implementations = quote!(#load #load_all);
    if decides != Decides::Application {
        return implementations;
    }
    let (row, rows, rows_item) = rows_of(row, errors);
    // Rows are found by the key, so it is held as it is stored.
    let columns = row.fields.iter().filter(|field| field.of_column);
    let columns = columns.filter(|field| row.key.iter().all(|part| part.field != field.field));
    let columns = columns.map(|field| row.declared(&field.column));
    let assertion = row.assertion();
    let keyed = row.keyed(columns, &rows_item);
    quote! {
        const _: () = {
            #[allow(unused_imports, reason = "for columns that cannot hold more than a field")]
            use ::auth_core::__private::UnknownSqlKind as _;

            #assertion

            #rows

            #keyed

            #implementations
        };
    }
}

/// One row by its id.
fn load(row: &Row, decides: Decides) -> TokenStream {
    let Row { name, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let (load_context, module) = (database.of_trait("LoadContext"), database.module());
    let key_type = row.key_type();
    let with_access = match decides {
        Decides::Application => None,
        Decides::Context => Some(quote!(load_with_fallback)),
        Decides::Database => Some(quote!(load_with_access)),
    };
    let with_access = with_access.map(|function| {
        quote! {
            #asynchronous fn load_with_access(
                __auth_id: Self::Id,
                __auth_query: &::auth_core::__private::AccessQuery,
                __auth_connection: &mut Self::Connection,
            ) -> ::core::result::Result<::auth_core::__private::Loaded<Self>, ::auth_core::LoadError> {
                ::auth_core::__private::#module::#function(__auth_id, __auth_query, __auth_connection)#awaited
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::auth_core::#load_context for #name {
            type Id = #key_type;
            type Connection = #ty;

            #asynchronous fn load(
                __auth_id: Self::Id,
                __auth_connection: &mut Self::Connection,
            ) -> ::core::result::Result<Self, ::auth_core::LoadError> {
                ::auth_core::__private::#module::load(__auth_id, __auth_connection)#awaited
            }

            #with_access
        }
    }
}

/// Several rows by their ids, in one statement.
fn load_all(row: &Row, decides: Decides) -> TokenStream {
    let Row { name, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let (load_contexts, module) = (database.of_trait("LoadContexts"), database.module());
    let with_access = match decides {
        Decides::Application => None,
        Decides::Context => Some(quote!(load_all_with_fallback)),
        Decides::Database => Some(quote!(load_all_with_access)),
    };
    let with_access = with_access.map(|function| {
        quote! {
            #asynchronous fn load_all_with_access(
                __auth_ids: &[Self::Id],
                __auth_query: &::auth_core::__private::AccessQuery,
                __auth_connection: &mut #ty,
            ) -> ::core::result::Result<
                ::auth_core::__private::AllLoaded<Self::Id, Self>,
                ::auth_core::LoadError,
            > {
                ::auth_core::__private::#module::#function(__auth_ids, __auth_query, __auth_connection)#awaited
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::auth_core::#load_contexts for #name {
            #asynchronous fn load_all(
                __auth_ids: &[Self::Id],
                __auth_connection: &mut #ty,
            ) -> ::core::result::Result<::std::vec::Vec<(Self::Id, Self)>, ::auth_core::LoadError> {
                ::auth_core::__private::#module::load_all(__auth_ids, __auth_connection)#awaited
            }

            #with_access
        }
    }
}
