//! The schema of a row as its callers may see it: masked columns are optional, and `_can` is described.

use std::borrow::Cow;

use utoipa::{
    __dev::ComposeSchema,
    ToSchema,
    openapi::{
        RefOr, Schema, Type,
        schema::{ArrayBuilder, ObjectBuilder},
    },
};

use crate::{
    policy::{PermissionList, Visible, sql::Scoped},
    vocabulary::Permission,
};

/// `PartialSchema` for it is utoipa's own: where `#[utoipa::path]` sees a type with parameters, it composes the schema.
impl<T: ToSchema + Scoped, P: PermissionList> ComposeSchema for Visible<T, P> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        match T::schema() {
            RefOr::T(schema) => RefOr::T(visible::<T, P>(schema)),
            reference @ RefOr::Ref(_) => reference,
        }
    }
}

impl<T: ToSchema + Scoped, P: PermissionList> ToSchema for Visible<T, P> {
    fn name() -> Cow<'static, str> {
        let permissions = P::PERMISSIONS.iter().map(|permission| format!("_{permission}"));
        format!("Visible{}{}", T::name(), permissions.collect::<String>()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

fn visible<T: Scoped, P: PermissionList>(schema: Schema) -> Schema {
    match schema {
        Schema::Object(mut object) => {
            let masks = T::POLICY.column_grants(Permission::READ);
            let masked: Vec<&str> = masks.flat_map(|mask| mask.serialized).copied().collect();
            object.required.retain(|name| !masked.contains(&name.as_str()));
            // Of several objects that make one, the first has it.
            if !P::PERMISSIONS.is_empty() {
                object.properties.insert("_can".to_owned(), can::<P>().into());
                object.required.push("_can".to_owned());
            }
            Schema::Object(object)
        }
        Schema::AllOf(mut all) => {
            let is_object = |item: &RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(_)));
            if let Some(own) = all.items.iter_mut().find(|item| is_object(item))
                && let RefOr::T(schema) = own.clone()
            {
                *own = RefOr::T(visible::<T, P>(schema));
            }
            Schema::AllOf(all)
        }
        other => other,
    }
}

/// The permissions of the caller on the row.
fn can<P: PermissionList>() -> Schema {
    let names = P::PERMISSIONS.iter().map(|permission| permission.as_str());
    let permission = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build();
    let can = ArrayBuilder::new().items(permission).description(Some("What the caller may do with it."));
    Schema::Array(can.build())
}
