//! `#[derive(AuthChangeset)]`: a struct whose fields are values for columns.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    Data, DeriveInput, Field, Fields, GenericArgument, LitBool, LitStr, Path, PathArguments, Token, Type,
};

use crate::errors::Errors;
use crate::row::items;
use crate::runtime::Runtime;
use crate::types::path_of;

/// Expands the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut runtime = Runtime::unnamed();
    let output = errors.keep(syn::parse2::<DeriveInput>(input)).and_then(|input| {
        let changeset = Changeset::of(&input, &mut runtime, &mut errors)?;
        Some(changeset.expand(&input))
    });
    let mut report = errors.finish();
    report.extend(output.map(|output| runtime.put_into(output)));
    report
}

/// The values that a struct has for columns.
struct Changeset {
    table: Path,
    values: Vec<Value>,
}

/// A field, and the column that it sets.
struct Value {
    column: Ident,
    field: Ident,
    ty: Type,
    /// Whether it sets its column only where it is `Some`.
    is_optional: bool,
}

impl Changeset {
    fn of(input: &DeriveInput, runtime: &mut Runtime, errors: &mut Errors) -> Option<Self> {
        let fields = match &input.data {
            Data::Struct(data) => &data.fields,
            Data::Enum(_) | Data::Union(_) => &Fields::Unit,
        };
        let Fields::Named(fields) = fields else {
            errors.push(
                input.ident.span(),
                "`AuthChangeset` is derived for a struct with named fields, each of which is a value for a column",
            );
            return None;
        };
        let (mut table, mut none_is_null) = (None, false);
        for attribute in &input.attrs {
            let result = if attribute.path().is_ident("diesel") {
                items(attribute, &input.ident, |key, input| {
                    if key == "table_name" {
                        let _: Token![=] = input.parse()?;
                        table = Some(input.call(Path::parse_mod_style)?);
                    } else if key == "treat_none_as_null" {
                        let _: Token![=] = input.parse()?;
                        none_is_null = input.parse::<LitBool>()?.value;
                    }
                    Ok(())
                })
            } else if attribute.path().is_ident("auth") {
                items(attribute, &input.ident, |key, input| {
                    if key == "crate" {
                        return runtime.take_value(key, input);
                    }
                    Err(syn::Error::new(key.span(), format_args!("unknown key `{key}`; expected `crate`")))
                })
            } else {
                Ok(())
            };
            errors.keep(result);
        }
        let mut values: Vec<Value> = Vec::new();
        for field in &fields.named {
            let Some(value) = errors.keep(value(field, none_is_null, &input.ident)).flatten() else {
                continue;
            };
            if values.iter().any(|other| other.column.unraw() == value.column.unraw()) {
                let column = &value.column;
                let problem =
                    format!("two fields set the column `{column}`; only one of them could be checked");
                errors.push(value.field.span(), problem);
            }
            values.push(value);
        }
        if table.is_none() {
            let problem = "of which table are the columns? Say `#[diesel(table_name = …)]`";
            errors.push(input.ident.span(), problem);
        }
        if let Some(parameter) = input.generics.type_params().next() {
            errors.push(
                parameter.ident.span(),
                "a changeset with type parameters cannot be derived; write a struct for each type",
            );
        }
        if errors.is_empty() { Some(Self { table: table?, values }) } else { None }
    }

    fn expand(&self, input: &DeriveInput) -> TokenStream {
        let Self { table, values } = self;
        let name = &input.ident;
        let (_, usage, _) = input.generics.split_for_impl();
        let lifetimes = input.generics.lifetimes();
        let diesel = quote!(::auth_core::__private::diesel);
        let bounds = values.iter().map(|Value { column, ty, .. }| {
            let span = Span::call_site().located_at(ty.span());
            let sql_type = quote_spanned!(span=> ::auth_core::__private::SqlTypeOf<#table::#column>);
            quote_spanned! {span=>
                __AuthDb: #diesel::sql_types::HasSqlType<#sql_type>,
                #ty: #diesel::serialize::ToSql<#sql_type, __AuthDb>,
            }
        });
        let sets = values.iter().map(|Value { column, field, ty, is_optional }| {
            let span = Span::call_site().located_at(ty.span());
            let this = Ident::new("self", Span::call_site());
            let set = |value: TokenStream| {
                quote_spanned! {span=>
                    __auth_values.set::<::auth_core::__private::SqlTypeOf<#table::#column>, _>(
                        <#table::#column as #diesel::Column>::NAME,
                        #value,
                    );
                }
            };
            if *is_optional {
                let set = set(quote!(__auth_value));
                quote! {
                    if let ::core::option::Option::Some(__auth_value) = &#this.#field {
                        #set
                    }
                }
            } else {
                set(quote!(&#this.#field))
            }
        });
        let where_clause = input.generics.where_clause.as_ref().map(|clause| &clause.predicates);
        quote! {
            #[automatically_derived]
            impl<#(#lifetimes,)* __AuthDb> ::auth_core::AuthChangeset<__AuthDb> for #name #usage
            where
                __AuthDb: #diesel::backend::Backend,
                #(#bounds)*
                #where_clause
            {
                type Table = #table::table;

                fn values(&self) -> ::auth_core::__private::NewValues<'_, __AuthDb> {
                    let mut __auth_values = ::auth_core::__private::NewValues::none();
                    #(#sets)*
                    __auth_values
                }
            }
        }
    }
}

/// The value of a field.
fn value(field: &Field, none_is_null: bool, of: &Ident) -> syn::Result<Option<Value>> {
    let Some(name) = field.ident.clone() else { return Ok(None) };
    let (mut column, mut none_is_null) = (name.clone(), none_is_null);
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("diesel")) {
        items(attribute, of, |key, input| {
            match key.to_string().as_str() {
                "column_name" => {
                    let _: Token![=] = input.parse()?;
                    column = if input.peek(LitStr) {
                        input.parse::<LitStr>()?.parse_with(Ident::parse_any)?
                    } else {
                        input.call(Ident::parse_any)?
                    };
                }
                "treat_none_as_null" => {
                    let _: Token![=] = input.parse()?;
                    none_is_null = input.parse::<LitBool>()?.value;
                }
                "embed" => {
                    return Err(syn::Error::new(
                        key.span(),
                        "the columns of an embedded struct are not known here, so no rule would check them; write its \
                         fields into this one",
                    ));
                }
                "serialize_as" => {
                    return Err(syn::Error::new(
                        key.span(),
                        "the value that is written would not be the one of the field, which is checked; make the field \
                         of that type",
                    ));
                }
                "skip_update" | "skip_insertion" => {
                    return Err(syn::Error::new(
                        key.span(),
                        format_args!(
                            "a changeset writes each of its columns; `{key}` belongs into a struct without it"
                        ),
                    ));
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    let inner = option_of(&field.ty).filter(|_| !none_is_null);
    let ty = inner.unwrap_or(&field.ty).clone();
    Ok(Some(Value { column, field: name, ty, is_optional: inner.is_some() }))
}

/// `T`, if the type is written as `Option<T>`.
fn option_of(ty: &Type) -> Option<&Type> {
    let last = path_of(ty)?.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}
