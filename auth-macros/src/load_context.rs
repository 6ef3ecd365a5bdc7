//! `#[derive(LoadContext)]`: a context that is one row of a diesel table, found by its primary key.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::DeriveInput;

use crate::acl::{self, Decides};
use crate::errors::Errors;
use crate::row::{Connection, Part, Row};
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
        expand(&row, decides)
    });
    let mut report = errors.finish();
    report.extend(output.map(|output| runtime.put_into(output)));
    report
}

/// The trait where the attributes hold errors, so that nobody is told that it is missing.
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

/// Where there is a policy, its derive loads the rows. Otherwise nothing is known of how the context decides: a row that
/// does not hold what is stored is no context.
fn expand(row: &Row, decides: Decides) -> TokenStream {
    let Row { name, key, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let load_context = database.of_trait("LoadContext");
    let id = Ident::new("__auth_id", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let key_type = row.key_type();
    let (load, asked) = match decides {
        Decides::Application => {
            let load = row.load(&id, &connection, &misfit(), &TokenStream::new());
            (quote!(::auth_core::__private::held({ #load }, __AUTH_COLUMNS)), None)
        }
        Decides::Context => (by_policy(database, "load", &id, &connection), Some("load_decided")),
        Decides::Database => (by_policy(database, "load", &id, &connection), Some("load_with_access")),
    };
    let asked = asked.map(|function| {
        let function = database.function(function);
        let question = Ident::new("__auth_question", Span::mixed_site());
        quote! {
            #asynchronous fn load_with_access(
                #id: Self::Id,
                #question: &::auth_core::__private::AccessQuery,
                #connection: &mut Self::Connection,
            ) -> ::core::result::Result<::auth_core::__private::Loaded<Self>, ::auth_core::LoadError> {
                ::auth_core::__private::#function(#id, #question, #connection)#awaited
            }
        }
    });
    let several = match key.as_slice() {
        [only] => Some(load_all(row, only, decides)),
        _ => None,
    };
    let implementations = quote! {
        #[automatically_derived]
        impl ::auth_core::#load_context for #name {
            type Id = #key_type;
            type Connection = #ty;

            #asynchronous fn load(
                #id: Self::Id,
                #connection: &mut Self::Connection,
            ) -> ::core::result::Result<Self, ::auth_core::LoadError> {
                #load
            }

            #asked
        }

        #several
    };
    if decides != Decides::Application {
        return implementations;
    }
    // Rows are found by the key, so it is held as it is stored.
    let columns = row.fields.iter().filter(|held| held.of_column);
    let columns = columns.filter(|held| key.iter().all(|part| part.field != held.field));
    let columns = columns.map(|held| row.declared(&held.column));
    let assertion = row.assertion();
    quote! {
        const _: () = {
            #[allow(unused_imports, reason = "for columns that cannot hold more than a field")]
            use ::auth_core::__private::UnknownSqlKind as _;

            #assertion

            static __AUTH_COLUMNS: &[::auth_core::__private::Column] = &[#(#columns),*];

            #implementations
        };
    }
}

/// Several rows by their ids, in one statement.
fn load_all(row: &Row, part: &Part, decides: Decides) -> TokenStream {
    let Row { name, connection: database, .. } = row;
    let Connection { ty, .. } = database;
    let (asynchronous, awaited) = database.awaited();
    let load_contexts = database.of_trait("LoadContexts");
    let ids = Ident::new("__auth_ids", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let (load, asked) = match decides {
        Decides::Application => {
            let load = row.load_all(part, &ids, &connection, &misfit());
            let field = &part.field;
            let found = quote! {
                ::auth_core::__private::all_held({ #load }, __AUTH_COLUMNS, |__auth_row| {
                    ::core::clone::Clone::clone(&__auth_row.#field)
                })
            };
            (found, None)
        }
        Decides::Context => (by_policy(database, "load_all", &ids, &connection), Some("load_all_decided")),
        Decides::Database => {
            (by_policy(database, "load_all", &ids, &connection), Some("load_all_with_access"))
        }
    };
    let asked = asked.map(|function| {
        let function = database.function(function);
        let question = Ident::new("__auth_question", Span::mixed_site());
        quote! {
            #asynchronous fn load_all_with_access(
                #ids: &[Self::Id],
                #question: &::auth_core::__private::AccessQuery,
                #connection: &mut #ty,
            ) -> ::core::result::Result<
                ::auth_core::__private::AllLoaded<Self::Id, Self>,
                ::auth_core::LoadError,
            > {
                ::auth_core::__private::#function(#ids, #question, #connection)#awaited
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
                #load
            }

            #asked
        }
    }
}

/// The first column that a field cannot hold.
fn misfit() -> TokenStream {
    quote!(::auth_core::__private::Misfit::<Self>::of(__AUTH_COLUMNS))
}

/// The statement of the policy's derive.
fn by_policy(database: &Connection, function: &str, key: &Ident, connection: &Ident) -> TokenStream {
    let function = database.function(function);
    let (_, awaited) = database.awaited();
    quote!(::auth_core::__private::#function(#key, #connection)#awaited)
}
