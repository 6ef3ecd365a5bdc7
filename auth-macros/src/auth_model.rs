//! `#[derive(AuthModel)]`: the policy of a context as data, for the database; and as an access-control list, where the policy
//! names nothing but fields of the context.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::DeriveInput;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use crate::acl::{self, Acl, Column, Rule, Value};
use crate::errors::Errors;
use crate::model::{Name, Permission};
use crate::nearest::{suggestion, unknown};
use crate::row::{Connection, Part, Relation, Row};
use crate::runtime::Runtime;

mod list;
mod rule_row;
mod rules;
mod stored;

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut runtime = Runtime::unnamed();
    let output = errors.keep(syn::parse2::<DeriveInput>(input)).map(|input| {
        let Some(row) = Row::of(&input, "AuthModel", &mut runtime, &mut errors) else {
            return refusal(&input);
        };
        let mut acl = acl::policy(&input, &row, &mut errors);
        check_words(&row, &mut acl, &mut errors);
        let rows = acl::rows(&row, &mut errors);
        Policy { row, acl, rows }.expand()
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
        impl #parameters ::auth_core::AuthModel for #ident #usage #bounds {
            fn acl(&self) -> impl ::auth_core::Acl {}
        }
    }
}

/// Reports single words that are typos of terms: any other word is a boolean column.
fn check_words(row: &Row, acl: &mut Acl, errors: &mut Errors) {
    const WORDS: [&str; 3] = ["every_logged_in_user", "everyone", "nobody"];
    for rule in acl.rules_mut() {
        let mut is_wrong = false;
        rule.each(&mut |rule| {
            let everyone = || row.fields.iter().find(|field| field.column.unraw() == "everyone");
            if let (Rule::Subject(term, None), Some(field)) = (rule, everyone())
                && term.is_everyone()
            {
                errors.push(field.column.span(), AMBIGUOUS);
                is_wrong = true;
            }
            let Rule::Column(term, Column { relation: None, name }, _) = rule else { return };
            if !term.is_flag() || row.field(name).is_some() {
                return;
            }
            if let Some(suggestion) = suggestion(&name.to_string(), &WORDS) {
                errors.keep::<()>(Err(unknown("term", name, suggestion)));
                is_wrong = true;
            }
        });
        if is_wrong {
            *rule = Rule::Nobody;
        }
    }
}

const AMBIGUOUS: &str = "in a policy, `everyone` is the term that matches everybody, and here it is a column as well; say \
     `is(everyone, true)` of the column, or `every_logged_in_user`";

/// The input of the derive: a row, its rules, and which rows are there.
struct Policy {
    row: Row,
    acl: Acl,
    rows: Option<Rule>,
}

/// Which rows are there, where code decides about them: a static, and an expression that refers to it.
pub(crate) fn rows_of(row: Row, errors: &mut Errors) -> (Row, Option<TokenStream>, TokenStream) {
    let rows = acl::rows(&row, errors);
    let policy = Policy { row, acl: Acl::default(), rows };
    let (declaration, item) = (policy.rows(), policy.rows_item());
    (policy.row, declaration, item)
}

impl Policy {
    fn expand(&self) -> TokenStream {
        let Row { name, table, .. } = &self.row;
        let context = name.unraw().to_string();
        let relations = self.row.relations.iter().map(|relation| self.relation(relation));
        let relation_items = self.row.relations.iter().map(Relation::item);
        let grants = self.acl.grants.iter().map(|grant| {
            let (permission, rule) = (permission(&grant.permission), self.rule(&grant.rule));
            quote!(::auth_core::__private::Grant { permission: #permission, rule: #rule })
        });
        let (checks, count) = (self.checks(), self.acl.grants.len());
        let (columns, becomes) = (self.column_grants(), self.becomes());
        let assertion = self.row.assertion();
        let scoped = self.scoped();
        let stored = self.stored();
        let (rows, rows_item) = (self.rows(), self.rows_item());
        let decides = if self.acl.needs_only_fields(self.rows.as_ref(), &self.row) {
            self.access_control_list()
        } else {
            self.decided_by_the_database()
        };
        quote! {
            #[automatically_derived]
            const _: () = {
                #[allow(unused_imports, reason = "for columns that no rule compares")]
                use ::auth_core::__private::UnknownSqlKind as _;

                #assertion

                #(#relations)*

                #rows
                static __AUTH_GRANTS: [::auth_core::__private::Grant; #count] = [#(#grants),*];
                static __AUTH_POLICY: ::auth_core::Policy = ::auth_core::Policy::new(
                    #context,
                    ::core::module_path!(),
                    <#name as ::auth_core::Scoped>::COLUMNS,
                    &[#(&#relation_items),*],
                    &__AUTH_GRANTS,
                    #rows_item,
                )
                .of_table(::auth_core::__private::TableOfRows::of::<#table::table, _>())
                #columns
                #becomes;

                #(#checks)*

                impl #name {
                    // Not a constant of the trait: the compiler cannot evaluate two that refer to each other.
                    #[doc(hidden)]
                    #[allow(unreachable_pub, reason = "the policies of children refer to it")]
                    pub const fn __auth_policy() -> &'static ::auth_core::Policy {
                        &__AUTH_POLICY
                    }
                }

                #scoped

                #stored

                #decides
            };
        }
    }

    fn scoped(&self) -> TokenStream {
        let Row { name, table, key, connection: Connection { backend, .. }, .. } = &self.row;
        let diesel = quote!(::auth_core::__private::diesel);
        let masks = self.visible_columns();
        let columns = self.row.columns().map(|field| self.row.declared(&field.column));
        let compared = self.compared();
        let compared = compared.iter().map(|column| self.row.declared(column));
        let key = if let [Part { column, .. }] = key.as_slice() {
            let column = self.row.declared(column);
            quote!(::core::option::Option::Some(#column))
        } else {
            quote!(::core::option::Option::None)
        };
        let related = self.row.relations.iter().map(|Relation { name, target, .. }| {
            let (span, written) = (Span::call_site().located_at(target.span()), name.unraw().to_string());
            let call = quote_spanned! {span=>
                <#target as ::auth_core::Scoped>::write_table(__auth_rest, __auth_out)
            };
            quote!([::auth_core::__private::Relation { name: #written, .. }, __auth_rest @ ..] => #call,)
        });
        let visible_columns =
            masks.as_ref().map(|_| quote!(, ::auth_core::__private::NoLock, __AuthVisibleColumns));
        quote! {
            #masks

            impl ::auth_core::Scoped for #name {
                const POLICY: &'static ::auth_core::Policy = &__AUTH_POLICY;
                const COLUMNS: &'static [::auth_core::__private::Column] = &[#(#columns),*];
                const HELD_EXACTLY: ::core::primitive::bool = ::auth_core::__private::are_checked(&[#(#compared),*]);
                const KEY: ::core::option::Option<::auth_core::__private::Column> = #key;

                type Table = #table::table;
                type Backend = #backend;
                type Query = ::auth_core::ScopedQuery<#table::BoxedQuery<
                    'static,
                    #backend,
                    ::auth_core::__private::SqlTypeOf<#diesel::helper_types::AsSelect<Self, #backend>>,
                > #visible_columns>;

                fn scoped_query(__auth_scope: ::auth_core::Scope<Self>) -> Self::Query {
                    let __auth_rows = #diesel::QueryDsl::into_boxed(#diesel::QueryDsl::select(
                        #table::table,
                        <Self as #diesel::SelectableHelper<#backend>>::as_select(),
                    ));
                    ::auth_core::ScopedQuery::new(if __auth_scope.has_all() {
                        __auth_rows
                    } else {
                        #diesel::QueryDsl::filter(__auth_rows, __auth_scope)
                    })
                }

                fn write_table(
                    __auth_path: &[&'static ::auth_core::__private::Relation],
                    __auth_out: #diesel::query_builder::AstPass<'_, '_, #backend>,
                ) -> #diesel::QueryResult<()> {
                    match __auth_path {
                        [] => ::auth_core::__private::write_table(&#table::table, __auth_out),
                        #(#related)*
                        [__auth_relation, ..] => ::auth_core::__private::unknown_relation(__auth_relation),
                    }
                }
            }
        }
    }
}

impl Policy {
    /// A type that stands for the columns that each reader may read, if the policy masks others.
    fn visible_columns(&self) -> Option<TokenStream> {
        let masks: Vec<_> = self.acl.columns.iter().filter(|grant| grant.is_mask()).collect();
        if masks.is_empty() {
            return None;
        }
        let (table, diesel) = (&self.row.table, quote!(::auth_core::__private::diesel));
        let is_masked = |column: &Ident| {
            masks.iter().flat_map(|grant| &grant.columns).any(|masked| masked.unraw() == column.unraw())
        };
        let visible = self.row.fields.iter().filter(|field| field.of_column && !is_masked(&field.column));
        let visible = visible.map(|field| {
            let column = &field.column;
            quote! {
                impl #diesel::expression::IsContainedInGroupBy<#table::#column> for __AuthVisibleColumns {
                    type Output = #diesel::expression::is_contained_in_group_by::Yes;
                }
            }
        });
        Some(quote! {
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
            pub enum __AuthVisibleColumns {}

            impl ::auth_core::__private::VisibleColumns for __AuthVisibleColumns {}

            #(#visible)*
        })
    }
}

fn permission(permission: &Permission) -> TokenStream {
    match permission {
        Permission::Known(known) => {
            let constant = Ident::new(known.constant(), Span::call_site());
            quote!(::auth_core::Permission::#constant)
        }
        Permission::Path(path) => path.to_token_stream(),
    }
}

fn role(name: &Name) -> TokenStream {
    match name {
        Name::Literal(literal) => literal.to_token_stream(),
        Name::Path(path) => quote!(const { ::auth_core::__private::role(#path) }),
    }
}

/// The values of `is`.
fn literals(values: &[Value]) -> TokenStream {
    let literal = quote!(::auth_core::__private::Literal);
    let values = values.iter().map(|value| match value {
        Value::Bool(value) => quote!(#literal::Bool(#value)),
        Value::Text(value) => quote!(#literal::Text(#value)),
        Value::Integer(value, span) => {
            let mut value = Literal::i64_unsuffixed(*value);
            value.set_span(*span);
            quote!(#literal::Integer(#value))
        }
        Value::Constant(path) => {
            let span = at(path.span());
            quote_spanned! {span=> {
                ::auth_core::__private::assert_literal(&#path);
                ::auth_core::__private::Constant(#path).literal()
            }}
        }
    });
    quote!(const { &[#(#values),*] })
}

/// A type, as a message shows it.
fn shown(ty: &syn::Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// The place of the user's tokens, for generated ones.
fn at(written: Span) -> Span {
    Span::mixed_site().located_at(written)
}
