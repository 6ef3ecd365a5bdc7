//! `#[derive(LoadContext)]`: a context that is one row of a diesel table, found by its primary key.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, Index, LitStr, Meta, Path, Token, Type, parenthesized,
};

use crate::errors::Errors;
use crate::nearest::nearest;

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let row = errors.keep(syn::parse2::<DeriveInput>(input)).and_then(|input| row(input, &mut errors));
    let mut output = errors.finish();
    if output.is_empty() {
        output.extend(row.map(|row| expand(&row)));
    }
    output
}

/// A row of a table: what the implementation needs to know.
struct Row {
    name: Ident,
    table: Path,
    /// Not empty.
    key: Vec<Part>,
    connection: TokenStream,
}

fn row(input: DeriveInput, errors: &mut Errors) -> Option<Row> {
    let Data::Struct(data) = &input.data else {
        errors.push(
            input.ident.span(),
            "`LoadContext` is derived for a struct, which is a row of a table; \
             implement it by hand for this type",
        );
        return None;
    };
    let Fields::Named(fields) = &data.fields else {
        errors.push(
            input.ident.span(),
            "`LoadContext` is derived for a struct with named fields; \
             implement it by hand for this type",
        );
        return None;
    };
    let said = Said::by(&input.attrs, errors);
    if !input.generics.params.is_empty() {
        errors.push_spanned(
            &input.generics,
            "a row with generic parameters cannot be derived; implement `LoadContext` by hand",
        );
    }
    let understood = errors.is_empty();
    let key = key(&input.ident, &said, fields.named.iter(), errors);
    // Where an attribute is wrong, what is missing may be what it was to say.
    let connection = understood.then(|| said.connection(input.ident.span(), errors)).flatten();
    Some(Row {
        table: said.table.unwrap_or_else(|| default_table(&input.ident).into()),
        name: input.ident,
        key: key?,
        connection: connection?,
    })
}

/// A part of the primary key: a column, and the field that holds it.
struct Part {
    column: Ident,
    field: Ident,
    ty: Type,
}

fn expand(row: &Row) -> TokenStream {
    let Row { name, table, key, connection: ty } = row;
    let id = Ident::new("__auth_id", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let query = Ident::new("__auth_query", Span::mixed_site());
    let diesel = quote!(::auth_core::__private::diesel);
    let types = key.iter().map(|Part { ty, .. }| ty);
    let (key_type, several) = match key.as_slice() {
        [only @ Part { ty: key, .. }] => (quote!(#key), Some(load_all(row, only))),
        _ => (quote!((#(#types),*)), None),
    };
    let filter = |query: TokenStream, (index, Part { column, .. }): (usize, &Part)| {
        let part = if key.len() == 1 {
            quote!(#id)
        } else {
            let index = Index::from(index);
            quote!(#id.#index)
        };
        quote! {
            #diesel::QueryDsl::filter(
                #query,
                #diesel::ExpressionMethods::eq(#table::#column, #part),
            )
        }
    };
    let found = key.iter().enumerate().fold(quote!(#table::table), filter);
    quote! {
        #[automatically_derived]
        impl ::auth_core::LoadContext for #name {
            type Id = #key_type;
            type Connection = #ty;

            fn load(
                #id: Self::Id,
                #connection: &mut Self::Connection,
            ) -> ::core::result::Result<Self, ::auth_core::LoadError> {
                let #query = #diesel::QueryDsl::select(
                    #found,
                    <Self as #diesel::SelectableHelper<_>>::as_select(),
                );
                ::core::result::Result::map_err(
                    #diesel::RunQueryDsl::first(#query, #connection),
                    ::core::convert::Into::into,
                )
            }
        }

        #several
    }
}

/// Several rows by their ids, in one statement.
fn load_all(row: &Row, Part { column, field, .. }: &Part) -> TokenStream {
    let Row { name, table, connection: ty, .. } = row;
    let ids = Ident::new("__auth_ids", Span::mixed_site());
    let rows = Ident::new("__auth_rows", Span::mixed_site());
    let row = Ident::new("__auth_row", Span::mixed_site());
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let query = Ident::new("__auth_query", Span::mixed_site());
    let diesel = quote!(::auth_core::__private::diesel);
    quote! {
        #[automatically_derived]
        impl ::auth_core::LoadContexts for #name {
            fn load_all(
                #ids: &[Self::Id],
                #connection: &mut #ty,
            ) -> ::core::result::Result<::std::vec::Vec<(Self::Id, Self)>, ::auth_core::LoadError> {
                let #query = #diesel::QueryDsl::select(
                    #diesel::QueryDsl::filter(
                        #table::table,
                        #diesel::ExpressionMethods::eq_any(#table::#column, #ids),
                    ),
                    <Self as #diesel::SelectableHelper<_>>::as_select(),
                );
                let #rows: ::std::vec::Vec<Self> = #diesel::RunQueryDsl::load(#query, #connection)?;
                let #rows = ::core::iter::Iterator::map(
                    ::core::iter::IntoIterator::into_iter(#rows),
                    |#row| (::core::clone::Clone::clone(&#row.#field), #row),
                );
                ::core::result::Result::Ok(::core::iter::Iterator::collect(#rows))
            }
        }
    }
}

/// What the attributes of the struct say.
#[derive(Default)]
struct Said {
    table: Option<Path>,
    primary_key: Option<Vec<Ident>>,
    backends: Vec<Path>,
    connection: Option<Type>,
}

impl Said {
    fn by(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut said = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("diesel") {
                let result = items(attribute, |key, input| said.diesel(key, input));
                errors.keep(result);
            } else if attribute.path().is_ident("auth") {
                let result = items(attribute, |key, input| said.auth(key, input));
                errors.keep(result);
            }
        }
        said
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
        }
        Ok(())
    }

    fn auth(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        const KEYS: [&str; 1] = ["connection"];
        if key != "connection" {
            let written = key.to_string();
            let remedy = nearest(&written, &KEYS).map_or_else(
                || "expected `connection`".to_owned(),
                |known| format!("did you mean `{known}`?"),
            );
            return Err(syn::Error::new(key.span(), format_args!("unknown key `{written}`; {remedy}")));
        }
        if self.connection.is_some() {
            return Err(syn::Error::new(key.span(), "`connection` is given twice; remove one"));
        }
        let _: Token![=] = input.parse()?;
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            return Err(syn::Error::new(
                literal.span(),
                format_args!("`connection` is a type, without quotes: `connection = {}`", literal.value()),
            ));
        }
        self.connection = Some(input.parse()?);
        Ok(())
    }

    /// The type of the connection: as named, or that of the one backend.
    fn connection(&self, span: Span, errors: &mut Errors) -> Option<TokenStream> {
        if let Some(named) = &self.connection {
            return Some(named.to_token_stream());
        }
        let [backend] = self.backends.as_slice() else {
            errors.push(span, CONNECTION);
            return None;
        };
        let name = backend.segments.last()?.ident.to_string();
        let connection = match name.as_str() {
            "Sqlite" => "SqliteConnection",
            "Pg" => "PgConnection",
            "Mysql" => "MysqlConnection",
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
        Some(quote!(::auth_core::__private::diesel::#connection))
    }
}

const CONNECTION: &str = "the type of the connection is not known; write \
     `#[auth(connection = diesel::SqliteConnection)]`, or let it follow from one backend: \
     `#[diesel(check_for_backend(diesel::sqlite::Sqlite))]`";

/// The columns of the primary key, in the order in which they are named.
fn key<'a>(
    row: &Ident,
    said: &Said,
    fields: impl Iterator<Item = &'a Field>,
    errors: &mut Errors,
) -> Option<Vec<Part>> {
    let key = said.primary_key.clone().unwrap_or_else(|| vec![Ident::new("id", row.span())]);
    if key.is_empty() {
        errors.push(row.span(), "`primary_key` names no column");
        return None;
    }
    if let Some(fifth) = key.get(4) {
        errors.push(
            fifth.span(),
            "a key of more than four columns cannot be derived; implement `LoadContext` by hand",
        );
        return None;
    }
    let fields: Vec<(String, &Field)> =
        fields.filter_map(|field| Some((column(field, errors)?, field))).collect();
    let mut found = Vec::new();
    for wanted in key {
        let name = wanted.unraw().to_string();
        if let Some((_, field)) = fields.iter().find(|(column, _)| *column == name) {
            let ty = field.ty.clone();
            found.push(Part { column: wanted, field: field.ident.clone()?, ty });
            continue;
        }
        let columns: Vec<&String> = fields.iter().map(|(column, _)| column).collect();
        let remedy = match nearest(&name, &columns) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "add it, or name the key with `#[diesel(primary_key(…))]`".to_owned(),
        };
        errors.push(
            wanted.span(),
            format_args!("no field of `{row}` holds the primary key `{name}`; {remedy}"),
        );
        return None;
    }
    Some(found)
}

/// The column that a field holds.
fn column(field: &Field, errors: &mut Errors) -> Option<String> {
    let mut column = field.ident.as_ref()?.unraw().to_string();
    for attribute in &field.attrs {
        if attribute.path().is_ident("diesel") {
            let result = items(attribute, |key, input| {
                if key == "column_name" {
                    let _: Token![=] = input.parse()?;
                    column = if input.peek(LitStr) {
                        input.parse::<LitStr>()?.value()
                    } else {
                        input.parse::<Ident>()?.unraw().to_string()
                    };
                }
                Ok(())
            });
            errors.keep(result);
        }
    }
    Some(column)
}

/// Calls `item` behind each key of `#[attribute(key, key = value, key(…))]`; what it leaves unread
/// of the value is skipped.
fn items(
    attribute: &Attribute,
    mut item: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let Meta::List(list) = &attribute.meta else {
        return Ok(());
    };
    let items = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            item(&key, input)?;
            while !input.is_empty() && !input.peek(Token![,]) {
                let _: TokenTree = input.parse()?;
            }
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(())
    };
    items.parse2(list.tokens.clone())
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
