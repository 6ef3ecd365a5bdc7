//! `#[derive(AuthModel)]`: the policy of a context as data, for the database; and as an access-control list, where the policy
//! names nothing but fields of the context.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::DeriveInput;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use crate::acl::{self, Column, Grant, Rule, written};
use crate::errors::Errors;
use crate::model::{KnownPermission, Name, Permission};
use crate::nearest::{suggestion, suggestion_as, unknown};
use crate::row::{Connection, Part, Relation, Row};
use crate::runtime::Runtime;

mod stored;

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut runtime = Runtime::unnamed();
    let output = errors.keep(syn::parse2::<DeriveInput>(input)).map(|input| {
        let Some(row) = Row::of(&input, "AuthModel", &mut runtime, &mut errors) else {
            return refusal(&input);
        };
        let mut grants = acl::grants(&input, &row.relations, &mut errors);
        check_words(&row, &mut grants, &mut errors);
        Policy { row, grants }.expand()
    });
    let mut report = errors.finish();
    report.extend(output.map(|output| runtime.put_into(output)));
    report
}

/// The trait, where the attributes hold errors, so that rustc does not report that it is missing.
fn refusal(DeriveInput { ident, generics, .. }: &DeriveInput) -> TokenStream {
    let (parameters, usage, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters ::auth_core::AuthModel for #ident #usage #bounds {
            fn acl(&self) -> impl ::auth_core::Acl {}
        }
    }
}

/// A word that stands alone is a boolean column, unless it was meant to be a term.
fn check_words(row: &Row, grants: &mut [Grant], errors: &mut Errors) {
    const WORDS: [&str; 2] = ["every_logged_in_user", "nobody"];
    for grant in grants {
        let mut is_wrong = false;
        grant.rule.each(&mut |rule| {
            let Rule::Flag(Column { relation: None, name }) = rule else { return };
            if row.field(name).is_some() {
                return;
            }
            if let Some(suggestion) = suggestion(&name.to_string(), &WORDS) {
                errors.keep::<()>(Err(unknown("term", name, suggestion)));
                is_wrong = true;
            }
        });
        if is_wrong {
            grant.rule = Rule::Nobody;
        }
    }
}

/// The input of the derive: a row, and its grants.
struct Policy {
    row: Row,
    grants: Vec<Grant>,
}

impl Policy {
    fn expand(&self) -> TokenStream {
        let name = &self.row.name;
        let context = name.unraw().to_string();
        let relations = self.row.relations.iter().map(|relation| self.relation(relation));
        let relation_items = self.row.relations.iter().map(Relation::item);
        let grants = self.grants.iter().map(|grant| {
            let (permission, rule) = (permission(&grant.permission), self.rule(&grant.rule));
            quote!(::auth_core::__private::Grant { permission: #permission, rule: #rule })
        });
        let checks = self.checks();
        let assertion = self.row.assertion();
        let scoped = self.scoped();
        let stored = self.stored();
        let decides = if acl::are_held_by(&self.grants, &self.row) {
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

                static __AUTH_GRANTS: &[::auth_core::__private::Grant] = &[#(#grants),*];
                static __AUTH_POLICY: ::auth_core::Policy = ::auth_core::Policy::new(
                    #context,
                    ::core::module_path!(),
                    &[#(&#relation_items),*],
                    __AUTH_GRANTS,
                );

                #(#checks)*

                impl #name {
                    // Not a constant of the trait: two that refer to each other could not be evaluated.
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

    /// The checks against the parents' policies, each at the word that it is about.
    fn checks(&self) -> impl Iterator<Item = TokenStream> {
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

    fn relation(&self, relation: &Relation) -> TokenStream {
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
    fn rule(&self, rule: &Rule) -> TokenStream {
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

    fn scoped(&self) -> TokenStream {
        let Row { name, table, key, connection: Connection { backend, .. }, .. } = &self.row;
        let diesel = quote!(::auth_core::__private::diesel);
        let columns = self.row.columns().map(|held| self.row.declared(&held.column));
        let compared = self.compared();
        let compared = compared.iter().map(|column| self.row.declared(column));
        let key = if let [Part { column, .. }] = key.as_slice() {
            let column = self.row.declared(column);
            quote!(::core::option::Option::Some(#column))
        } else {
            quote!(::core::option::Option::None)
        };
        let parents = self.row.relations.iter().map(|Relation { name, parent, .. }| {
            let (span, written) = (Span::call_site().located_at(parent.span()), name.unraw().to_string());
            let call = quote_spanned! {span=>
                <#parent as ::auth_core::Scoped>::write_table(__auth_rest, __auth_out)
            };
            quote!([::auth_core::__private::Relation { name: #written, .. }, __auth_rest @ ..] => #call,)
        });
        quote! {
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
                >>;

                fn accessible_by(
                    __auth_subject: &dyn ::auth_core::Subject,
                    __auth_permission: ::auth_core::Permission,
                ) -> Self::Query {
                    ::auth_core::ScopedQuery::new(#diesel::QueryDsl::into_boxed(#diesel::QueryDsl::select(
                        #diesel::QueryDsl::filter(
                            #table::table,
                            <Self as ::auth_core::Scoped>::scope(__auth_subject, __auth_permission).of_many(),
                        ),
                        <Self as #diesel::SelectableHelper<#backend>>::as_select(),
                    )))
                }

                fn write_table(
                    __auth_path: &[&'static ::auth_core::__private::Relation],
                    __auth_out: #diesel::query_builder::AstPass<'_, '_, #backend>,
                ) -> #diesel::QueryResult<()> {
                    match __auth_path {
                        [] => ::auth_core::__private::write_table(&#table::table, __auth_out),
                        #(#parents)*
                        [__auth_relation, ..] => ::auth_core::__private::unknown_relation(__auth_relation),
                    }
                }
            }
        }
    }

    /// The context decides by itself: a typed expression over its fields.
    fn access_control_list(&self) -> TokenStream {
        let name = &self.row.name;
        let list = self.grants.iter().fold(None, |list: Option<TokenStream>, grant| {
            let (permission, rule) = (permission(&grant.permission), self.held(&grant.rule));
            Some(match list {
                None => quote!(::auth_core::allow(#permission, #rule)),
                Some(list) => quote!(#list.allow(#permission, #rule)),
            })
        });
        let list = list.unwrap_or_else(|| quote!(()));
        quote! {
            impl ::auth_core::AuthModel for #name {
                fn acl(&self) -> impl ::auth_core::Acl {
                    #list
                }
            }
        }
    }

    /// A rule over the fields.
    fn held(&self, rule: &Rule) -> TokenStream {
        let call = |function: &str, column: &Column| {
            let span = at(column.name.span());
            let function = Ident::new(function, span);
            let field = self.row.field(&column.name);
            let this = Ident::new("self", Span::call_site());
            let written = column.name.unraw().to_string();
            quote_spanned!(span=> ::auth_core::__private::#function(&#this.#field, #written))
        };
        let of_subject = |principal: &TokenStream| quote!(::auth_core::__private::subject(::auth_core::Principal::#principal));
        let joined = |rules: &[Rule], function: &str| {
            let function = Ident::new(function, Span::call_site());
            let joined = rules.iter().fold(None, |joined: Option<TokenStream>, rule| {
                let rule = self.held(rule);
                Some(match joined {
                    None => rule,
                    Some(joined) => quote!(::auth_core::__private::#function(#joined, #rule)),
                })
            });
            joined.unwrap_or_else(|| quote!(::auth_core::nobody()))
        };
        match rule {
            Rule::User(column) => call("user_of", column),
            Rule::Account(column) => call("account_of", column),
            Rule::IsNull(column) => call("is_null", column),
            Rule::Flag(column) => call("flag", column),
            Rule::EveryLoggedInUser => of_subject(&quote!(EveryLoggedInUser)),
            Rule::Role(name) => {
                let name = role(name);
                of_subject(&quote!(Role(#name)))
            }
            Rule::AccountRole(name) => {
                let name = role(name);
                of_subject(&quote!(AccountRole(#name)))
            }
            Rule::Nobody | Rule::Granted(..) => quote!(::auth_core::nobody()),
            Rule::Any(rules) => joined(rules, "either"),
            Rule::All(rules) => joined(rules, "both"),
        }
    }
}

/// What a term expects of its column: the function that checks a column of the context, the one that finds a column of a
/// parent, and what is wrong with another column.
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

/// A type, as a message shows it.
fn shown(ty: &syn::Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// The place of something that the user wrote, for generated tokens.
fn at(written: Span) -> Span {
    Span::mixed_site().located_at(written)
}
