//! The messages of the derives, and the items that they leave behind.

use crate::tests::messages;
use crate::{auth_model, load_context};

#[test]
fn a_rule_compares_nothing() {
    for rule in ["name = \"x\"", "user(id) | (level > 3)", "asset.level >= 3", "(level < 3) & user(id)"] {
        let input = format!(
            "#[auth(connection = C, belongs_to(asset: Asset, asset_id))] #[acl(read = {rule}, update = user(id))] \
             struct Sensor {{ id: i32, asset_id: i32 }}"
        );
        assert_eq!(
            messages(auth_model::derive(input.parse().unwrap())),
            [
                "a rule compares nothing by itself; it is made of the terms `user`, `account`, `role`, `account_role`, \
                 `permission`, `is_null`, `is`, `until`, `since`, `any`, `every_logged_in_user`, `everyone` and `nobody`, of boolean columns and of `relation.permission`"
            ],
            "{rule}"
        );
    }
}

/// The values of diesel's keys are types and expressions.
#[test]
fn attributes_of_others_are_skipped() {
    for said in [
        "select_expression = name, select_expression_type = Eq<resources::name, &'static str>",
        "select_expression_type = Eq<resources::name, &'static str>, select_expression = resources::name.eq(\"a\")",
        "select_expression = sql::<(Text, Bool)>(\"a, b\"), select_expression_type = SqlLiteral<(Text, Bool)>",
        "select_expression = if a < b { c } else { d }",
        "select_expression = a::<B, C>::d() + e[0]",
        "select_expression = |a, b| -> HashMap<A, B> { a }",
        "select_expression_type = dsl::case_when<A, fn(B, C) -> D<E, F>>",
        "select_expression_type = <A as B<C, D>>::E",
        "deserialize_as = HashMap<A, B>",
        "skip_insertion, treat_none_as_null = true, column_name = \"name\"",
        "sql_type(a < b), serialize_as = Wrapped<[u8; 3], 4>",
        "anything => at all",
    ] {
        let on_field =
            format!("#[auth(connection = C)] struct Row {{ id: i32, #[diesel({said})] other: A }}");
        assert_eq!(messages(load_context::derive(on_field.parse().unwrap())), [""; 0], "{said}");
        // The parser reads on behind it.
        let in_front =
            format!("#[diesel({said}, primary_key(other))] #[auth(connection = C)] struct Row {{ id: i32 }}");
        assert_eq!(
            messages(load_context::derive(in_front.parse().unwrap())),
            [
                "no field of `Row` holds the primary key `other`; add it, or name the key with `#[diesel(primary_key(…))]`"
            ],
            "{said}"
        );
    }
}

/// So that the error is the only one, and not followed by how often the trait is missing.
#[test]
fn what_is_wrong_leaves_the_traits() {
    let model = |item: &str| auth_model::derive(item.parse().unwrap()).to_string().replace(' ', "");
    let context = |item: &str| load_context::derive(item.parse().unwrap()).to_string().replace(' ', "");
    let wrong_rule = "#[auth(connection = C)] #[acl(read = a == b, update = nobdy)] struct Row { id: i32 }";
    let output = model(wrong_rule);
    for expected in
        ["compile_error", "AuthModelforRow", "Scopedfor Row", "StoredforRow", "Permission::READ", "UPDATE"]
    {
        assert!(output.contains(&expected.replace(' ', "")), "{expected}: {output}");
    }
    assert!(!output.contains("nobdy>"), "the word is no column: {output}");
    assert!(context(wrong_rule).contains("LoadContextforRow"));
    let wrong_row = "#[auth(conection = C)] #[acl(read = nobody)] struct Row<T: A> where T: B { id: T }";
    for (output, expected) in [
        (model(wrong_row), "impl<T:A>::auth_core::AuthModelforRow<T>whereT:B{"),
        (context(wrong_row), "impl<T:A>::auth_core::LoadContextforRow<T>whereT:B{"),
        (context(wrong_row), "impl<T:A>::auth_core::LoadContextsforRow<T>whereT:B{"),
    ] {
        assert!(output.contains("compile_error") && output.contains(expected), "{output}");
    }
}
