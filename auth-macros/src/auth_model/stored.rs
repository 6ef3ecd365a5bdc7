//! How the rows of a context with a policy are found, locked and read anew.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;

use super::Policy;
use crate::acl::Rule;
use crate::row::{Connection, Row};

impl Policy {
    /// How the rows are found and locked.
    pub(super) fn stored(&self) -> TokenStream {
        let Row { name, key, connection: database, .. } = &self.row;
        let Connection { ty: connection, lock, .. } = database;
        let stored = database.of_trait("Stored");
        let key_type = self.row.key_type();
        let compared = self.compared();
        // The columns of the key need no comparison: the row was found by them.
        let beside_key = |column: &&&Ident| key.iter().all(|part| part.column.unraw() != column.unraw());
        let beside_key = compared.iter().filter(beside_key).map(|column| self.row.declared(column));
        let keyed = self.row.keyed(beside_key, &self.rows_item());
        let lock = if let Some(lock) = lock {
            let lock = format_ident!("{lock}");
            quote!(::auth_core::RowLock::#lock)
        } else {
            quote!(<#connection as ::auth_core::LockRows>::row_lock(__auth_connection))
        };
        quote! {
            #keyed

            impl ::auth_core::#stored for #name {
                type Id = #key_type;
                type Connection = #connection;

                fn row_lock(__auth_connection: &Self::Connection) -> ::auth_core::RowLock {
                    #lock
                }
            }
        }
    }

    /// The database decides, as rows of other tables matter.
    pub(super) fn decided_by_the_database(&self) -> TokenStream {
        let Row { name, connection, .. } = &self.row;
        let module = connection.module();
        quote! {
            impl ::auth_core::__private::Context for #name {
                const IN_DATABASE: ::core::primitive::bool = true;

                fn decide(
                    &self,
                    _: &dyn ::auth_core::Subject,
                    _: ::auth_core::Permission,
                ) -> ::core::option::Option<::auth_core::Decision> {
                    ::core::option::Option::None
                }

                async fn reload<__AuthLender: ::auth_core::__private::Lender>(
                    __auth_contexts: &[&Self],
                    __auth_query: &::auth_core::__private::AccessQuery,
                    __auth_lender: &__AuthLender,
                ) -> ::core::result::Result<
                    ::std::vec::Vec<(Self, ::auth_core::__private::Granted)>,
                    __AuthLender::Error,
                > {
                    ::auth_core::__private::#module::reload(__auth_contexts, __auth_query, __auth_lender).await
                }
            }
        }
    }

    /// The columns whose values decide in memory.
    pub(super) fn compared(&self) -> Vec<&Ident> {
        let mut compared: Vec<&Ident> = Vec::new();
        if !self.acl.needs_only_fields(self.rows.as_ref(), &self.row) {
            return compared;
        }
        for grant in &self.acl.grants {
            grant.rule.each(&mut |term| {
                let Rule::Column(term, column, _) = term else { return };
                if term.check.reads_value && compared.iter().all(|other| other.unraw() != column.name.unraw())
                {
                    compared.push(&column.name);
                }
            });
        }
        compared
    }
}
