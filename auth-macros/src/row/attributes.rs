//! The attributes of a row: `#[diesel(…)]` and `#[auth(…)]`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{DeriveInput, LitStr, Path, Token, Type, parenthesized};

use super::items::{items, relation};
use super::{Connection, Relation};
use crate::errors::Errors;
use crate::nearest::{one_of, remedy, unknown};
use crate::runtime::Runtime;

/// The attributes of the struct.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) table: Option<Path>,
    pub(super) primary_key: Option<Vec<Ident>>,
    backends: Vec<Path>,
    connection: Option<Type>,
    /// Whether it is an `async_connection`.
    is_async: bool,
    row_lock: Option<&'static str>,
    pub(super) relations: Vec<Relation>,
    pub(super) rows: Option<TokenStream>,
}

impl Attributes {
    pub(super) fn by(input: &DeriveInput, runtime: &mut Runtime, errors: &mut Errors) -> Self {
        let (mut parsed, row_name) = (Self::default(), &input.ident);
        for attribute in &input.attrs {
            if attribute.path().is_ident("diesel") {
                let result = items(attribute, row_name, |key, input| parsed.diesel(key, input));
                errors.keep(result);
            } else if attribute.path().is_ident("auth") {
                let result = items(attribute, row_name, |key, input| {
                    if key == "crate" {
                        runtime.take_value(key, input)?;
                    } else {
                        parsed.auth(key, input, row_name)?;
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

    fn auth(&mut self, key: &Ident, input: ParseStream<'_>, row: &Ident) -> syn::Result<()> {
        const KEYS: [&str; 7] =
            ["connection", "async_connection", "belongs_to", "has_many", "rows", "row_lock", "crate"];
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
        } else if key == "rows" {
            self.rows_by(key, input)
        } else if key == "belongs_to" || key == "has_many" {
            let relation = relation(key, input, row)?;
            if self.relations.iter().any(|other| other.name.unraw() == relation.name.unraw()) {
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

    /// The rule is read with the policy.
    fn rows_by(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if self.rows.is_some() {
            return Err(syn::Error::new(key.span(), "`rows` is given twice; join the rules by `&`"));
        }
        let _: Token![=] = input.parse()?;
        let mut rows = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            rows.extend([input.parse::<TokenTree>()?]);
        }
        if rows.is_empty() {
            return Err(input.error("which rows are there? Write `rows = is_null(deleted_at)`"));
        }
        self.rows = Some(rows);
        Ok(())
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
    pub(super) fn connection(&self, span: Span, errors: &mut Errors) -> Option<Connection> {
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
     in; say which rows are there by `#[auth(rows = is_null(deleted_at))]`, and derive `HasQuery` for a struct of its own";

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
