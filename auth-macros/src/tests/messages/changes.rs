//! The messages about rules for columns, about what rows become, and about structs of values.

use crate::tests::messages;
use crate::{auth_changeset, auth_model};

#[track_caller]
fn refuses(acl: &str, expected: &str) {
    let input = format!(
        "#[auth(connection = C)]
         #[acl(update = account(id), {acl})]
         struct Account {{ id: i32, name: String, plan: String, #[serde(flatten)] terms: Terms }}"
    );
    let found = messages(auth_model::derive(input.parse().unwrap()));
    if expected.is_empty() {
        assert_eq!(found, [""; 0], "{acl}");
    } else {
        assert_eq!(found, [expected], "{acl}");
    }
}

#[test]
fn rules_for_columns() {
    refuses(
        "read = account(id), read(name, plan) = nobody, update(plan, id,) = role(\"x\"), becomes = update",
        "",
    );
    refuses(
        "delete(name) = nobody",
        "columns are read and changed: `read(column) = RULE`, `update(column) = RULE`; `delete` is about the whole row",
    );
    refuses(
        "PUBLISH(name) = nobody",
        "columns are read and changed: `read(column) = RULE`, `update(column) = RULE`; `PUBLISH` is about the whole row",
    );
    refuses("update() = nobody", "which columns? Write `update(column, …) = RULE`");
    refuses(
        "update(plan) = nobody, update(name, plan) = nobody",
        "`update(plan)` is declared twice; join the rules by `|`",
    );
    refuses("update(plan, plan) = nobody", "`update(plan)` is declared twice; join the rules by `|`");
    refuses(
        "update(plan)",
        "unexpected end of input, a permission is declared with its rule: `update = account(account_id)`",
    );
    refuses("read(price) = nobody", "no field of `Account` holds the column `price`, so nothing shows it");
    refuses(
        "read(terms) = nobody",
        "the field of `terms` is flattened, so it cannot be left out; mask the columns that it has",
    );
}

#[test]
fn what_rows_become() {
    refuses("becomes = account(id), becomes = nobody", "`becomes` is declared twice; join the rules by `|`");
    refuses("becomes(name) = nobody", "`becomes` is about the whole row: `becomes = RULE`");
    refuses("becomes = accont(id)", "unknown term `accont`; did you mean `account`?");
}

#[track_caller]
fn refuses_values(input: &str, expected: &[&str]) {
    let found = messages(auth_changeset::derive(input.parse().unwrap()));
    assert_eq!(found, expected, "{input}");
}

#[test]
fn structs_of_values() {
    let with = |fields: &str| format!("#[diesel(table_name = accounts)] struct Changes {{ {fields} }}");
    refuses_values(&with("name: Option<String>, #[diesel(column_name = \"plan\")] terms: &'static str"), &[]);
    refuses_values(
        &with("#[diesel(embed)] others: Others"),
        &[
            "the columns of an embedded struct are not known here, so no rule would check them; write its fields into this one",
        ],
    );
    refuses_values(
        &with("#[diesel(serialize_as = Json)] name: String"),
        &[
            "the value that is written would not be the one of the field, which is checked; make the field of that type",
        ],
    );
    refuses_values(
        &with("name: String, #[diesel(column_name = name)] other: String"),
        &["two fields set the column `name`; only one of them could be checked"],
    );
    refuses_values(
        "struct Changes { name: String }",
        &["of which table are the columns? Say `#[diesel(table_name = …)]`"],
    );
    refuses_values(
        "#[diesel(table_name = accounts)] struct Changes<T> { name: T }",
        &["a changeset with type parameters cannot be derived; write a struct for each type"],
    );
    let unnamed =
        "`AuthChangeset` is derived for a struct with named fields, each of which is a value for a column";
    refuses_values("#[diesel(table_name = accounts)] struct Changes(String);", &[unnamed]);
    refuses_values("#[diesel(table_name = accounts)] enum Changes { A }", &[unnamed]);
    refuses_values(
        "#[auth(crat = a)] #[diesel(table_name = accounts)] struct Changes { name: String }",
        &["unknown key `crat`; expected `crate`"],
    );
    refuses_values(
        &with("#[diesel(skip_update)] name: String"),
        &["a changeset writes each of its columns; `skip_update` belongs into a struct without it"],
    );
}
