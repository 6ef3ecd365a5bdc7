//! The policy as data: the rules, the relations that they follow, and the checks at compile time.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::rule_row::RuleRow;
use super::{AMBIGUOUS, Policy, at, literals, permission, role, shown};
use crate::acl::{Column, ColumnTerm, Leaf, RelationRef, Rule, Value, written};
use crate::model::{KnownPermission, Permission};
use crate::nearest::suggestion_as;
use crate::row::{Relation, RelationKind};

impl Policy {
    /// The checks against the policies of related rows, each at the word that it concerns.
    pub(super) fn checks(&self) -> impl Iterator<Item = TokenStream> {
        let of_permissions = self.acl.grants.iter().flat_map(|grant| {
            let mut checks = Vec::new();
            let declared = permission(&grant.permission);
            if matches!(grant.permission, Permission::Path(_)) {
                let message =
                    format!("`{}` is declared twice; join the rules by `|`", written(&grant.permission));
                checks.push(quote_spanned! {at(grant.span)=>
                    const _: () = ::auth_core::__private::assert_distinct(&__AUTH_POLICY, #declared, #message);
                });
            }
            let trees = self.row.relations.iter().filter(|relation| relation.kind == RelationKind::Ancestors);
            if trees.count() > 1 {
                let message = format!(
                    "`{}` goes down several trees; declare another permission for all but one of them",
                    written(&grant.permission)
                );
                checks.push(quote_spanned! {at(grant.span)=>
                    const _: () = ::auth_core::__private::assert_one_tree(&__AUTH_POLICY, #declared, #message);
                });
            }
            self.check_granted(Some(&grant.permission), &grant.rule, &self.own_row(), &mut checks);
            checks
        });
        // No rule refers to these, so none of them can ask for itself.
        let others = self.acl.columns.iter().map(|grant| &grant.rule).chain(&self.acl.becomes);
        let others = others.flat_map(|rule| {
            let mut checks = Vec::new();
            self.check_granted(None, rule, &self.own_row(), &mut checks);
            checks
        });
        of_permissions.chain(others)
    }

    /// The checks of the permissions that a rule names.
    fn check_granted(
        &self,
        declared: Option<&Permission>,
        rule: &Rule,
        row: &RuleRow<'_>,
        checks: &mut Vec<TokenStream>,
    ) {
        let (granting, granted, span) = match rule {
            Rule::Any(rules) | Rule::All(rules) => {
                for rule in rules {
                    self.check_granted(declared, rule, row, checks);
                }
                return;
            }
            Rule::AnyRow(relation, rule) => {
                return self.check_granted(declared, rule, &row.behind(relation, true), checks);
            }
            Rule::Granted(Some(relation), granted, span) => (&row.behind(relation, false), granted, *span),
            Rule::Granted(None, granted, span) => (row, granted, *span),
            _ => return,
        };
        let relation = match rule {
            Rule::Granted(relation, ..) => relation.as_ref(),
            _ => None,
        };
        let own = relation.and_then(|relation| self.row.relations.get(relation.index?));
        let is_tree = own.is_some_and(|relation| relation.kind == RelationKind::Ancestors);
        let leads_to_self = own.is_some_and(|relation| self.row.name == shown(&relation.target));
        let (shown, policy, word) = (&granting.shown, &granting.policy, written(granted).replace('-', "_"));
        let unknown = format!(
            "the policy of `{shown}` has no permission `{word}`; declare it there, \
             or name one that it has"
        );
        let granted_item = permission(granted);
        checks.push(quote_spanned! {at(span)=>
            const _: () = ::auth_core::__private::assert_grants(#policy, #granted_item, #unknown);
        });
        let Some(declared) = declared else { return };
        let remedy = match relation {
            Some(RelationRef { name, .. }) if leads_to_self && !is_tree => format!(
                "say it without one of them, or, where the permission goes down the tree, \
                 `belongs_to({name}: Self, …, recursive)`"
            ),
            _ => "say it without one of them".to_owned(),
        };
        let needed = relation.map_or_else(|| word.clone(), |relation| format!("{}.{word}", relation.name));
        let cyclic = format!(
            "`{}` of `{}` needs `{needed}`, which needs it again in the end; {remedy}",
            written(declared),
            self.row.name
        );
        let declared = permission(declared);
        checks.push(quote_spanned! {at(span)=>
            const _: () = ::auth_core::__private::assert_acyclic(
                &__AUTH_POLICY, #declared, #policy, #granted_item, #is_tree, #cyclic,
            );
        });
    }

    fn own_row(&self) -> RuleRow<'_> {
        RuleRow::context(&self.row)
    }

    pub(super) fn relation(&self, relation: &Relation) -> TokenStream {
        let Relation { name, kind, target, foreign_key } = relation;
        let (this, written) = (relation.item(), name.unraw().to_string());
        let shown = shown(target);
        let span = at(target.span());
        let policy = quote_spanned!(span=> <#target>::__auth_policy());
        let relation = if *kind == RelationKind::Many {
            let (own, word) = (&self.row.name, foreign_key.unraw().to_string());
            let composite =
                format!("the key of `{own}` has several columns; a relation needs one of a single column");
            let mistyped = format!("`{word}` of `{shown}` has another type than the key of `{own}`");
            let unknown = format!(
                "no field of `{shown}` holds a column `{word}`; a relation names the foreign key of its rows"
            );
            quote_spanned! {at(foreign_key.span())=>
                ::auth_core::__private::relation_to_many(
                    #written,
                    <#own as ::auth_core::Scoped>::KEY,
                    #policy,
                    ::auth_core::__private::column::foreign_key_of(
                        <#target as ::auth_core::Scoped>::COLUMNS, #word, #unknown,
                    ),
                    #composite,
                    #mistyped,
                )
            }
        } else {
            let column = self.row.declared(foreign_key);
            let composite =
                format!("the key of `{shown}` has several columns; a relation needs one of a single column");
            let mistyped = format!("`{foreign_key}` has another type than the key of `{shown}`");
            let key = quote_spanned!(span=> <#target as ::auth_core::Scoped>::KEY);
            let kind = Ident::new(kind.variant(), Span::call_site());
            quote_spanned! {at(foreign_key.span())=>
                ::auth_core::__private::relation(
                    #written,
                    ::auth_core::__private::RelationKind::#kind,
                    #column,
                    #policy,
                    #key,
                    #composite,
                    #mistyped,
                )
            }
        };
        quote! {
            #[allow(non_upper_case_globals, reason = "the relation has the name")]
            static #this: ::auth_core::__private::Relation = #relation;
        }
    }

    /// The rule that says which rows are there, as data.
    pub(super) fn rows(&self) -> Option<TokenStream> {
        let rows = self.rule(self.rows.as_ref()?);
        Some(quote!(static __AUTH_ROWS: ::auth_core::__private::Rule = #rows;))
    }

    /// An expression that refers to [`rows`](Self::rows).
    pub(super) fn rows_item(&self) -> TokenStream {
        if self.rows.is_some() {
            quote!(::core::option::Option::Some(&__AUTH_ROWS))
        } else {
            quote!(::core::option::Option::None)
        }
    }

    /// The call that adds the rules for columns to the policy, if there are any.
    pub(super) fn column_grants(&self) -> Option<TokenStream> {
        let grants = self.acl.columns.iter().map(|grant| {
            let (permission, rule) = (permission(&grant.permission), self.rule(&grant.rule));
            let columns = grant.columns.iter().map(|column| self.row.declared(column));
            let serialized = if grant.is_mask() { grant.serialized(&self.row) } else { Vec::new() };
            quote! {
                ::auth_core::__private::ColumnGrant {
                    permission: #permission,
                    columns: &[#(#columns),*],
                    serialized: &[#(#serialized),*],
                    rule: #rule,
                }
            }
        });
        (!self.acl.columns.is_empty()).then(|| quote!(.with_columns(&[#(#grants),*])))
    }

    /// The call that adds the rule for what rows become, if there is one.
    pub(super) fn becomes(&self) -> Option<TokenStream> {
        let rule = self.rule(self.acl.becomes.as_ref()?);
        Some(quote!(.with_becomes(&#rule)))
    }

    /// A rule, as data.
    pub(super) fn rule(&self, rule: &Rule) -> TokenStream {
        rule_at(rule, &self.own_row())
    }
}

/// A rule about a row, as data.
fn rule_at(rule: &Rule, row: &RuleRow<'_>) -> TokenStream {
    let of = quote!(::auth_core::__private::Rule);
    let of_leaf = |leaf: TokenStream| quote!(#of::Leaf(#leaf));
    let joined = |rules: &[Rule]| {
        let rules = rules.iter().map(|rule| rule_at(rule, row));
        quote!(&[#(#rules),*])
    };
    match rule {
        Rule::Nobody => quote!(#of::Any(&[])),
        Rule::Subject(term, name) => {
            let leaf = leaf(term.leaf, name.as_ref().map(role).as_slice());
            // The columns of other rows are known where their policy is.
            let columns = row.row.is_none().then_some(&row.columns);
            match columns.filter(|_| term.is_everyone()) {
                None => of_leaf(leaf),
                Some(columns) => of_leaf(quote!(const {
                    ::auth_core::__private::column::assert_no_column(#columns, "everyone", #AMBIGUOUS);
                    #leaf
                })),
            }
        }
        Rule::Column(term, column, values) => column_rule(term, column, values, row),
        Rule::Granted(None, granted, _) => {
            let (columns, word) = (&row.columns, written(granted).replace('-', "_"));
            let ambiguous = format!(
                "`{word}` is a permission of `{}` and one of its columns; say `is({word}, true)` of the column, \
                 or rename one of them",
                row.shown
            );
            let granted = permission(granted);
            quote!(#of::Granted(const {
                ::auth_core::__private::column::assert_no_column(#columns, #word, #ambiguous);
                #granted
            }))
        }
        Rule::Granted(Some(relation), granted, _) => {
            let (relation, granted) = (row.behind(relation, false).relation, permission(granted));
            quote!(#of::Related(#relation, &#of::Granted(#granted)))
        }
        Rule::AnyRow(relation, rule) => {
            let row = row.behind(relation, true);
            let (relation, rule) = (&row.relation, rule_at(rule, &row));
            quote!(#of::Related(#relation, &#rule))
        }
        Rule::Any(rules) => {
            let rules = joined(rules);
            quote!(#of::Any(#rules))
        }
        Rule::All(rules) => {
            let rules = joined(rules);
            quote!(#of::All(#rules))
        }
    }
}

/// A term about a column, whose type the schema has, or the derive of the related rows.
fn column_rule(
    term: &ColumnTerm,
    Column { relation, name }: &Column,
    values: &[Value],
    row: &RuleRow<'_>,
) -> TokenStream {
    let of = quote!(::auth_core::__private::Rule);
    let (check, values) = (term.check, term.has_values.then(|| literals(values)));
    let leaf =
        |column| leaf(term.leaf, &[Some(column), values.clone()].into_iter().flatten().collect::<Vec<_>>());
    let span = at(name.span());
    let word = name.unraw().to_string();
    let behind = relation.as_ref().map(|relation| row.behind(relation, false));
    let tested = behind.as_ref().unwrap_or(row);
    if let Some(row) = tested.row {
        let table = row.table_at(span);
        let function = Ident::new(check.own, span);
        let mistyped = format!("the column `{word}` {}", check.mistyped);
        let values = values.as_ref().map(|values| quote!(, #values, #mistyped));
        let column = quote_spanned! {span=>
            const { ::auth_core::__private::column::#function::<#table::#name>(#word #values) }
        };
        let leaf = leaf(column);
        return quote!(#of::Leaf(#leaf));
    }
    let RuleRow { shown, columns, relation: reference, .. } = tested;
    // A permission stands where a boolean column does.
    let permissions = if term.is_flag() { KnownPermission::NAMES.as_slice() } else { &[] };
    let as_term = |meant: &str| {
        let meant = meant.replace('-', "_");
        relation.as_ref().map_or_else(|| meant.clone(), |RelationRef { name, .. }| format!("{name}.{meant}"))
    };
    let remedy = suggestion_as(&word, permissions, as_term).unwrap_or_else(|| {
        let related = if relation.is_some() { "a parent" } else { "related rows" };
        format!("a policy names columns of {related} that are fields of `{shown}`")
    });
    let unknown = format!("no field of `{shown}` holds a column `{word}`; {remedy}");
    let mistyped = format!("the column `{word}` of `{shown}` {}", check.mistyped);
    let function = Ident::new(check.of_related, span);
    let values = values.as_ref().map(|values| quote!(#values,));
    let column = quote_spanned! {span=>
        const { ::auth_core::__private::column::#function(#columns, #word, #values #unknown, #mistyped) }
    };
    let leaf = leaf(column);
    if relation.is_some() {
        quote!(#of::Related(#reference, &#of::Leaf(#leaf)))
    } else {
        quote!(#of::Leaf(#leaf))
    }
}

/// A term as data, with what stands in its parentheses.
fn leaf(leaf: Leaf, arguments: &[TokenStream]) -> TokenStream {
    let arguments = (!arguments.is_empty()).then(|| quote!((#(#arguments),*)));
    match leaf {
        Leaf::Plain(variant) => {
            let variant = Ident::new(variant, Span::call_site());
            quote!(::auth_core::__private::Leaf::#variant #arguments)
        }
        Leaf::Principal(principal) => {
            let principal = Ident::new(principal, Span::call_site());
            quote!(::auth_core::__private::Leaf::Subject(::auth_core::Principal::#principal #arguments))
        }
    }
}
