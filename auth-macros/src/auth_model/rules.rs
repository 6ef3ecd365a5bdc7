//! The policy as data: the rules, the relations that they follow, and the checks at compile time.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::{Policy, at, permission, role, shown};
use crate::acl::{Column, Rule, written};
use crate::model::{KnownPermission, Permission};
use crate::nearest::suggestion_as;
use crate::row::Relation;

impl Policy {
    /// The checks against the parents' policies, each at the word that it concerns.
    pub(super) fn checks(&self) -> impl Iterator<Item = TokenStream> {
        self.grants.iter().flat_map(|grant| {
            let mut checks = Vec::new();
            let declared = permission(&grant.permission);
            if matches!(grant.permission, Permission::Path(_)) {
                let message =
                    format!("`{}` is declared twice; join the rules by `|`", written(&grant.permission));
                checks.push(quote_spanned! {at(grant.span)=>
                    const _: () = ::auth_core::__private::assert_distinct(&__AUTH_POLICY, #declared, #message);
                });
            }
            grant.rule.each(&mut |rule| {
                let Rule::Granted(index, granted, span) = rule else { return };
                let Some(Relation { name, parent, .. }) = self.row.relations.get(*index) else { return };
                let (word, shown) = (written(granted).replace('-', "_"), shown(parent));
                let unknown = format!(
                    "the policy of `{shown}` has no permission `{word}`; declare it there, \
                     or ask for one that it has"
                );
                let cyclic = format!(
                    "`{}` of `{}` asks `{name}.{word}`, which asks for it again in the end; \
                     say it without one of them",
                    written(&grant.permission),
                    self.row.name
                );
                let granted = permission(granted);
                checks.push(quote_spanned! {at(*span)=>
                    const _: () = ::auth_core::__private::assert_grants(
                        <#parent as ::auth_core::Scoped>::POLICY, #granted, #unknown,
                    );
                    const _: () = ::auth_core::__private::assert_acyclic(
                        &__AUTH_POLICY, #declared, <#parent as ::auth_core::Scoped>::POLICY, #granted, #cyclic,
                    );
                });
            });
            checks
        })
    }

    pub(super) fn relation(&self, relation: &Relation) -> TokenStream {
        let Relation { name, parent, foreign_key } = relation;
        let (this, written) = (relation.item(), name.unraw().to_string());
        let column = self.row.declared(foreign_key);
        let shown = shown(parent);
        let composite =
            format!("the key of `{shown}` has several columns; a relation needs one of a single column");
        let mistyped = format!("`{foreign_key}` has another type than the key of `{shown}`");
        let span = at(parent.span());
        let policy = quote_spanned!(span=> <#parent>::__auth_policy());
        let key = quote_spanned!(span=> <#parent as ::auth_core::Scoped>::KEY);
        let relation = quote_spanned! {at(foreign_key.span())=>
            ::auth_core::__private::relation(#written, #column, #policy, #key, #composite, #mistyped)
        };
        quote! {
            #[allow(non_upper_case_globals, reason = "the relation has the name")]
            static #this: ::auth_core::__private::Relation = #relation;
        }
    }

    /// A rule, as data.
    pub(super) fn rule(&self, rule: &Rule) -> TokenStream {
        let of = quote!(::auth_core::__private::Rule);
        let rules = |rules: &[Rule]| {
            let rules = rules.iter().map(|rule| self.rule(rule));
            quote!(&[#(#rules),*])
        };
        match rule {
            Rule::Nobody => quote!(#of::Any(&[])),
            Rule::EveryLoggedInUser => {
                let leaf = subject(&quote!(EveryLoggedInUser));
                quote!(#of::Leaf(#leaf))
            }
            Rule::Role(name) => {
                let name = role(name);
                let leaf = subject(&quote!(Role(#name)));
                quote!(#of::Leaf(#leaf))
            }
            Rule::AccountRole(name) => {
                let name = role(name);
                let leaf = subject(&quote!(AccountRole(#name)));
                quote!(#of::Leaf(#leaf))
            }
            Rule::User(column) => self.column_rule(column, &ID, |column| subject(&quote!(User(#column)))),
            Rule::Account(column) => {
                self.column_rule(column, &ID, |column| subject(&quote!(Account(#column))))
            }
            Rule::IsNull(column) => self.column_rule(column, &NULL, |column| leaf(&quote!(IsNull(#column)))),
            Rule::Flag(column) => self.column_rule(column, &FLAG, |column| leaf(&quote!(Flag(#column)))),
            Rule::Granted(relation, granted, _) => {
                let (relation, granted) = (self.relation_item(*relation), permission(granted));
                quote!(#of::Granted(&#relation, #granted))
            }
            Rule::Any(all) => {
                let all = rules(all);
                quote!(#of::Any(#all))
            }
            Rule::All(all) => {
                let all = rules(all);
                quote!(#of::All(#all))
            }
        }
    }

    /// A term about a column, whose type the schema has, or the parent's derive.
    fn column_rule(
        &self,
        Column { relation, name }: &Column,
        expected: &Expected,
        leaf: impl Fn(&TokenStream) -> TokenStream,
    ) -> TokenStream {
        let of = quote!(::auth_core::__private::Rule);
        let span = at(name.span());
        let word = name.unraw().to_string();
        let relation = relation.and_then(|index| self.row.relations.get(index));
        let Some(relation) = relation else {
            let table = self.row.table_at(span);
            let function = Ident::new(expected.own, span);
            let column = quote_spanned! {span=>
                const { ::auth_core::__private::column::#function::<#table::#name>(#word) }
            };
            let leaf = leaf(&column);
            return quote!(#of::Leaf(#leaf));
        };
        let Relation { name: through, parent, .. } = relation;
        let shown = shown(parent);
        // A permission stands where a boolean column does.
        let permissions = if expected.own == FLAG.own { KnownPermission::NAMES.as_slice() } else { &[] };
        let as_term = |meant: &str| format!("{through}.{}", meant.replace('-', "_"));
        let remedy = suggestion_as(&word, permissions, as_term).unwrap_or_else(|| {
            format!("a policy asks about the columns of a parent that are fields of `{shown}`")
        });
        let unknown = format!("no field of `{shown}` holds a column `{word}`; {remedy}");
        let mistyped = format!("the column `{word}` of `{shown}` {}", expected.mistyped);
        let function = Ident::new(expected.of_parent, span);
        let column = quote_spanned! {span=>
            const {
                ::auth_core::__private::column::#function(
                    <#parent as ::auth_core::Scoped>::COLUMNS, #word, #unknown, #mistyped,
                )
            }
        };
        let (relation, leaf) = (relation.item(), leaf(&column));
        quote!(#of::Through(&#relation, #leaf))
    }

    fn relation_item(&self, index: usize) -> Option<Ident> {
        self.row.relations.get(index).map(Relation::item)
    }
}

/// A term's requirement on its column: the function that checks a column of the context, the one that finds a column of a
/// parent, and the error for a column of another type.
struct Expected {
    own: &'static str,
    of_parent: &'static str,
    mistyped: &'static str,
}

const ID: Expected = Expected { own: "id_column", of_parent: "id_column_of", mistyped: "does not hold ids" };
const NULL: Expected =
    Expected { own: "null_column", of_parent: "null_column_of", mistyped: "is never null" };
const FLAG: Expected = Expected {
    own: "flag_column",
    of_parent: "flag_column_of",
    mistyped: "is not true or false; compare it",
};

fn leaf(term: &TokenStream) -> TokenStream {
    quote!(::auth_core::__private::Leaf::#term)
}

fn subject(principal: &TokenStream) -> TokenStream {
    leaf(&quote!(Subject(::auth_core::Principal::#principal)))
}
