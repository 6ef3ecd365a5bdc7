//! A row of a diesel table, as the derives see it: its table, key, connection and relations.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Field, Fields, GenericArgument, LitStr, Path, PathArguments, Token, Type};

use self::attributes::Attributes;
pub(crate) use self::items::{items, of_row};
pub(crate) use self::serialized::Serialized;
use crate::errors::Errors;
use crate::nearest::suggestion;
use crate::runtime::Runtime;

mod attributes;
mod items;
mod keyed;
mod serialized;

/// A row of a table, as far as the implementations need it.
pub(crate) struct Row {
    pub(crate) name: Ident,
    pub(crate) table: Path,
    /// Not empty.
    pub(crate) key: Vec<Part>,
    pub(crate) fields: Vec<ColumnField>,
    pub(crate) connection: Connection,
    pub(crate) relations: Vec<Relation>,
    /// `rows = …`: the tokens of the rule.
    pub(crate) rows: Option<TokenStream>,
}

/// A part of the primary key: a column, and the field that holds it.
pub(crate) struct Part {
    pub(crate) column: Ident,
    pub(crate) field: Ident,
    pub(crate) ty: Type,
}

/// A column, and the field that holds it.
pub(crate) struct ColumnField {
    pub(crate) column: Ident,
    pub(crate) field: Ident,
    /// Whether the field differs from its column: diesel selects an expression, or converts the value.
    pub(crate) computed: bool,
    /// Whether diesel selects the column itself.
    pub(crate) of_column: bool,
    /// Whether a policy compares the field with values: it is of a plain type.
    pub(crate) is_plain: bool,
    pub(crate) serialized: Serialized,
}

/// A relation to rows of a context: `belongs_to(asset: Asset, asset_id)`, `has_many(shares: Share, project_id)`.
pub(crate) struct Relation {
    pub(crate) name: Ident,
    pub(crate) kind: RelationKind,
    /// The type of the related rows.
    pub(crate) target: Type,
    /// A column of the row, or, of many rows, one of theirs.
    pub(crate) foreign_key: Ident,
}

/// How many rows a relation leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    /// One at the most.
    Parent,
    /// One at the most, through which permissions go down: `recursive`.
    Ancestors,
    Many,
}

impl RelationKind {
    /// The variant of `RelationKind` in `auth_core`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Parent => "Parent",
            Self::Ancestors => "Ancestors",
            Self::Many => "Many",
        }
    }
}

impl Relation {
    /// The generated item that holds it. A relation has any name, also that of an argument in the generated code.
    pub(crate) fn item(&self) -> Ident {
        format_ident!("__auth_relation_{}", self.name.unraw(), span = Span::mixed_site())
    }
}

/// How the database is reached.
pub(crate) struct Connection {
    pub(crate) ty: TokenStream,
    pub(crate) backend: TokenStream,
    /// How it locks rows, if its name tells.
    pub(crate) lock: Option<&'static str>,
    /// Whether it is awaited.
    pub(crate) is_async: bool,
}

impl Row {
    /// Reads a struct for the derive of this name.
    pub(crate) fn of(
        input: &DeriveInput,
        derive: &str,
        runtime: &mut Runtime,
        errors: &mut Errors,
    ) -> Option<Self> {
        let Data::Struct(data) = &input.data else {
            errors.push(
                input.ident.span(),
                format_args!(
                    "`{derive}` is derived for a struct, which is a row of a table; \
                     implement it by hand for this type"
                ),
            );
            return None;
        };
        let Fields::Named(fields) = &data.fields else {
            errors.push(
                input.ident.span(),
                format_args!(
                    "`{derive}` is derived for a struct with named fields; \
                     implement it by hand for this type"
                ),
            );
            return None;
        };
        let attributes = Attributes::by(input, runtime, errors);
        if !input.generics.params.is_empty() {
            errors.push_spanned(
                &input.generics,
                format_args!("a row with generic parameters cannot be derived; implement `{derive}` by hand"),
            );
        }
        let is_valid = errors.is_empty();
        let case = serialized::case_of(&input.attrs, &input.ident);
        let fields: Vec<(ColumnField, &Type)> = fields
            .named
            .iter()
            .filter_map(|field| {
                Some((column_field(field, &input.ident, case.as_deref(), errors)?, &field.ty))
            })
            .collect();
        let key = key(&input.ident, derive, &attributes, &fields, errors);
        // An attribute with an error may be the one that names the connection.
        let connection = is_valid.then(|| attributes.connection(input.ident.span(), errors)).flatten();
        Some(Self {
            table: attributes.table.unwrap_or_else(|| default_table(&input.ident).into()),
            name: input.ident.clone(),
            key: key?,
            fields: fields.into_iter().map(|(field, _)| field).collect(),
            connection: connection?,
            relations: attributes.relations,
            rows: attributes.rows,
        })
    }

    /// Asserts that diesel loads the row, so that the compiler reports this first if it does not.
    pub(crate) fn assertion(&self) -> TokenStream {
        let (name, backend) = (&self.name, &self.connection.backend);
        let span = Span::mixed_site().located_at(name.span());
        quote_spanned! {span=>
            const _: () = ::auth_core::__private::assert_row::<#name, #backend>();
        }
    }

    /// A column of the table, as the schema declares it.
    pub(crate) fn declared(&self, column: &Ident) -> TokenStream {
        let span = Span::mixed_site().located_at(column.span());
        let table = self.table_at(span);
        let written = column.unraw().to_string();
        quote_spanned! {span=>
            ::auth_core::__private::Declared::<#table::#column>::column(
                #written,
                ::auth_core::__private::SqlKind::<::auth_core::__private::SqlTypeOf<#table::#column>>::KIND,
            )
        }
    }

    /// The table at the place of its column: the compiler reports errors about the column there.
    pub(crate) fn table_at(&self, span: Span) -> TokenStream {
        let tokens = self.table.to_token_stream().into_iter();
        let moved = tokens.map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        moved.collect()
    }

    /// The fields that have the values of their columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &ColumnField> {
        self.fields.iter().filter(|field| !field.computed)
    }

    /// The field that has the value of a column.
    pub(crate) fn field(&self, column: &Ident) -> Option<&ColumnField> {
        let column = column.unraw();
        self.columns().find(|field| field.column.unraw() == column)
    }
}

impl Connection {
    /// `async` in front of a function, and `.await` behind a call.
    pub(crate) fn awaited(&self) -> (Option<Token![async]>, Option<TokenStream>) {
        if self.is_async { (Some(<Token![async]>::default()), Some(quote!(.await))) } else { (None, None) }
    }

    /// The module of the runtime with the functions for such a connection.
    pub(crate) fn module(&self) -> TokenStream {
        if self.is_async { quote!(asynchronous) } else { quote!(blocking) }
    }

    /// A trait of the runtime, in the variant for such a connection.
    pub(crate) fn of_trait(&self, name: &str) -> Ident {
        let prefix = if self.is_async { "Async" } else { "" };
        format_ident!("{prefix}{name}")
    }
}

/// The columns of the primary key, in the order in which they are named.
fn key(
    row: &Ident,
    derive: &str,
    attributes: &Attributes,
    fields: &[(ColumnField, &Type)],
    errors: &mut Errors,
) -> Option<Vec<Part>> {
    let key = attributes.primary_key.clone().unwrap_or_else(|| vec![Ident::new("id", row.span())]);
    if key.is_empty() {
        errors.push(row.span(), "`primary_key` names no column");
        return None;
    }
    if let Some(fifth) = key.get(4) {
        errors.push(
            fifth.span(),
            format_args!("a key of more than four columns cannot be derived; implement `{derive}` by hand"),
        );
        return None;
    }
    let mut parts = Vec::new();
    for wanted in key {
        let name = wanted.unraw();
        if let Some((field, ty)) = fields.iter().find(|(field, _)| field.column.unraw() == name) {
            parts.push(Part { column: wanted, field: field.field.clone(), ty: (*ty).clone() });
            continue;
        }
        let columns: Vec<String> = fields.iter().map(|(field, _)| field.column.unraw().to_string()).collect();
        let remedy = suggestion(&name.to_string(), &columns)
            .unwrap_or_else(|| "add it, or name the key with `#[diesel(primary_key(…))]`".to_owned());
        errors.push(
            wanted.span(),
            format_args!("no field of `{row}` holds the primary key `{name}`; {remedy}"),
        );
        return None;
    }
    Some(parts)
}

/// The column of a field. A field that embeds another row has no column.
fn column_field(field: &Field, row: &Ident, case: Option<&str>, errors: &mut Errors) -> Option<ColumnField> {
    let name = field.ident.clone()?;
    let mut column = name.clone();
    let (mut embeds, mut computed, mut of_column) = (false, false, true);
    for attribute in &field.attrs {
        if attribute.path().is_ident("diesel") {
            let result = items(attribute, row, |key, input| {
                if key == "column_name" {
                    let _: Token![=] = input.parse()?;
                    column = if input.peek(LitStr) {
                        let name: LitStr = input.parse()?;
                        name.parse_with(Ident::parse_any)?
                    } else {
                        input.call(Ident::parse_any)?
                    };
                } else if key == "embed" {
                    embeds = true;
                } else if key == "select_expression" || key == "deserialize_as" {
                    computed = true;
                    of_column &= key != "select_expression";
                }
                Ok(())
            });
            errors.keep(result);
        }
    }
    let is_plain = is_plain(&field.ty);
    let serialized = serialized::serialized(&name, &field.attrs, case, row);
    (!embeds).then_some(ColumnField { column, field: name, computed, of_column, is_plain, serialized })
}

/// Whether a type is one of those that policies compare with values, by its name.
fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 5] = ["bool", "i16", "i32", "i64", "String"];
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        PathArguments::None => PLAIN.iter().any(|plain| last.ident == plain),
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            matches!(arguments.args.first(), Some(GenericArgument::Type(ty)) if is_plain(ty))
        }
        PathArguments::AngleBracketed(_) | PathArguments::Parenthesized(_) => false,
    }
}

/// The table that diesel assumes, by its own rule: each upper case letter begins a word.
fn default_table(row: &Ident) -> Ident {
    let mut name = String::new();
    for (position, character) in row.unraw().to_string().chars().enumerate() {
        if character.is_uppercase() && position > 0 {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    format_ident!("{name}s", span = row.span())
}
