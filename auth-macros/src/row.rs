//! A row of a diesel table, as the derives see it: its table, key, connection and relations.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitStr, Path, Token, Type, parenthesized};

use self::attribute::{items, relation};
use crate::errors::Errors;
use crate::nearest::{one_of, remedy, suggestion, unknown};
use crate::runtime::Runtime;

mod attribute;
mod keyed;

/// A row of a table, as far as the implementations need it.
pub(crate) struct Row {
    pub(crate) name: Ident,
    pub(crate) table: Path,
    /// Not empty.
    pub(crate) key: Vec<Part>,
    pub(crate) fields: Vec<ColumnField>,
    pub(crate) connection: Connection,
    pub(crate) relations: Vec<Relation>,
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
}

/// A reference to a parent: `belongs_to(asset: Asset, asset_id)`.
pub(crate) struct Relation {
    pub(crate) name: Ident,
    pub(crate) parent: Type,
    pub(crate) foreign_key: Ident,
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
        let attributes = Attributes::by(&input.attrs, runtime, errors);
        if !input.generics.params.is_empty() {
            errors.push_spanned(
                &input.generics,
                format_args!("a row with generic parameters cannot be derived; implement `{derive}` by hand"),
            );
        }
        let is_valid = errors.is_empty();
        let fields: Vec<(ColumnField, &Type)> =
            fields.named.iter().filter_map(|field| Some((column_field(field, errors)?, &field.ty))).collect();
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
    pub(crate) fn field(&self, column: &Ident) -> Option<&Ident> {
        let column = column.unraw();
        self.columns().find(|field| field.column.unraw() == column).map(|field| &field.field)
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

/// The attributes of the struct.
#[derive(Default)]
struct Attributes {
    table: Option<Path>,
    primary_key: Option<Vec<Ident>>,
    backends: Vec<Path>,
    connection: Option<Type>,
    /// Whether it is an `async_connection`.
    is_async: bool,
    row_lock: Option<&'static str>,
    relations: Vec<Relation>,
}

impl Attributes {
    fn by(attributes: &[Attribute], runtime: &mut Runtime, errors: &mut Errors) -> Self {
        let mut parsed = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("diesel") {
                let result = items(attribute, |key, input| parsed.diesel(key, input));
                errors.keep(result);
            } else if attribute.path().is_ident("auth") {
                let result = items(attribute, |key, input| {
                    if key == "crate" {
                        runtime.take_value(key, input)?;
                    } else {
                        parsed.auth(key, input)?;
                    }
                    // In diesel's attributes, anything may follow.
                    if input.is_empty() || input.peek(Token![,]) {
                        Ok(())
                    } else {
                        Err(input.error("expected `,`"))
                    }
                });
                errors.keep(result);
            }
        }
        parsed
    }

    fn diesel(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if key == "table_name" {
            let _: Token![=] = input.parse()?;
            self.table = Some(input.call(Path::parse_mod_style)?);
        } else if key == "primary_key" {
            let content;
            parenthesized!(content in input);
            let fields = Punctuated::<Ident, Token![,]>::parse_terminated(&content)?;
            self.primary_key = Some(fields.into_iter().collect());
        } else if key == "check_for_backend" {
            let content;
            parenthesized!(content in input);
            let backends = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
            self.backends.extend(backends);
        } else if key == "base_query" {
            return Err(syn::Error::new(key.span(), BASE_QUERY));
        }
        Ok(())
    }

    fn auth(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        const KEYS: [&str; 5] = ["connection", "async_connection", "belongs_to", "row_lock", "crate"];
        if key == "connection" || key == "async_connection" {
            self.connection_of(key, input)
        } else if key == "row_lock" {
            let _: Token![=] = input.parse()?;
            let written: Ident = input.parse()?;
            let known = LOCKS.into_iter().find(|known| written == known);
            self.row_lock = Some(known.ok_or_else(|| {
                syn::Error::new(
                    written.span(),
                    format_args!("rows are not locked by `{written}`; say {}", one_of(&LOCKS)),
                )
            })?);
            Ok(())
        } else if key == "belongs_to" {
            let relation = relation(key, input)?;
            if self.relations.iter().any(|other| other.name == relation.name) {
                return Err(syn::Error::new(
                    relation.name.span(),
                    format_args!("two relations are called `{}`; give one another name", relation.name),
                ));
            }
            self.relations.push(relation);
            Ok(())
        } else {
            Err(unknown("key", key, remedy(&key.to_string(), &KEYS)))
        }
    }

    fn connection_of(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if self.connection.is_some() {
            return Err(syn::Error::new(key.span(), "the connection is given twice; remove one"));
        }
        let _: Token![=] = input.parse()?;
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            return Err(syn::Error::new(
                literal.span(),
                format_args!("`{key}` is a type, without quotes: `{key} = {}`", literal.value()),
            ));
        }
        self.connection = Some(input.call(Type::without_plus)?);
        self.is_async = key == "async_connection";
        Ok(())
    }

    /// The type of the connection: as named, or that of the one backend.
    fn connection(&self, span: Span, errors: &mut Errors) -> Option<Connection> {
        let diesel = quote!(::auth_core::__private::diesel);
        if let Some(ty) = &self.connection {
            let backend = if self.is_async {
                quote!(<#ty as ::auth_core::__private::diesel_async::AsyncConnectionCore>::Backend)
            } else {
                quote!(<#ty as #diesel::Connection>::Backend)
            };
            return Some(Connection {
                ty: ty.to_token_stream(),
                backend,
                lock: self.row_lock.or_else(|| lock_of(ty)),
                is_async: self.is_async,
            });
        }
        let [backend] = self.backends.as_slice() else {
            errors.push(span, CONNECTION);
            return None;
        };
        let name = backend.segments.last()?.ident.to_string();
        let (connection, lock) = match name.as_str() {
            "Sqlite" => ("SqliteConnection", "Transaction"),
            "Pg" => ("PgConnection", "Postgres"),
            "Mysql" => ("MysqlConnection", "Mysql"),
            _ => {
                errors.push_spanned(
                    backend,
                    format_args!(
                        "the connection of the backend `{name}` is not known; \
                         name it with `#[auth(connection = …)]`"
                    ),
                );
                return None;
            }
        };
        let connection = Ident::new(connection, Span::call_site());
        Some(Connection {
            ty: quote!(#diesel::#connection),
            backend: quote!(#backend),
            lock: self.row_lock.or(Some(lock)),
            is_async: false,
        })
    }
}

const CONNECTION: &str = "the type of the connection is not known; write \
     `#[auth(connection = diesel::SqliteConnection)]`, or let it follow from one backend: \
     `#[diesel(check_for_backend(diesel::sqlite::Sqlite))]`";

const BASE_QUERY: &str = "contexts are loaded from the table and not from `base_query`, so what it leaves out would be let \
     in; write its condition into the policy, and derive `HasQuery` for a struct of its own";

/// The variants of `auth_core::RowLock`.
const LOCKS: [&str; 3] = ["Transaction", "Postgres", "Mysql"];

/// How the connections of diesel and `diesel-async` lock rows. Other connections implement `LockRows`.
fn lock_of(connection: &Type) -> Option<&'static str> {
    let Type::Path(path) = connection else { return None };
    match path.path.segments.last()?.ident.to_string().as_str() {
        "SqliteConnection" => Some("Transaction"),
        "PgConnection" | "AsyncPgConnection" => Some("Postgres"),
        "MysqlConnection" | "AsyncMysqlConnection" => Some("Mysql"),
        _ => None,
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
fn column_field(field: &Field, errors: &mut Errors) -> Option<ColumnField> {
    let name = field.ident.clone()?;
    let mut column = name.clone();
    let (mut embeds, mut computed, mut of_column) = (false, false, true);
    for attribute in &field.attrs {
        if attribute.path().is_ident("diesel") {
            let result = items(attribute, |key, input| {
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
    (!embeds).then_some(ColumnField { column, field: name, computed, of_column })
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
