//! The messages about the terms of a policy, and about relations.

use crate::tests::messages;
use crate::{auth_model, load_context};

#[track_caller]
fn refuses(rule: &str, expected: &str) {
    let input = format!(
        "#[auth(connection = C, belongs_to(asset: Asset, asset_id), has_many(shares: Share, sensor_id),
             belongs_to(parent: Self, parent_id, recursive), belongs_to(twin: Sensor, twin_id, recursive))]
         #[acl(update = user(id), read = {rule})]
         struct Sensor {{ id: i32, asset_id: i32, parent_id: i32, twin_id: i32, state: String }}"
    );
    let found = messages(auth_model::derive(input.parse().unwrap()));
    if expected.is_empty() {
        assert_eq!(found, [""; 0], "{rule}");
    } else {
        assert_eq!(found, [expected], "{rule}");
    }
}

#[test]
fn values() {
    for allowed in [
        "is(state, \"a\")",
        "is(state, \"a\", B, c::D, <E as F>::G, 1, -1, true,)",
        "is(asset.state, 1) & until(asset.ends_at) | since(begins_at)",
        "permission(\"delete-all\") | permission(ALL) | everyone | everyone()",
    ] {
        refuses(allowed, "");
    }
    refuses("is", "`is` of what? Write `is(…)`");
    refuses("until", "`until` of what? Write `until(…)`");
    refuses("permission(\"\")", "a permission cannot be empty; nobody could have it");
    refuses(
        "permission(1)",
        "`permission` takes a permission, which is a literal or a path to a constant: `permission(\"editor\")`",
    );
    refuses("is(state)", "unexpected end of input, compared with which value? Write `is(column, value, …)`");
    refuses("is(state,)", "unexpected end of input, compared with which value? Write `is(column, value, …)`");
    refuses("is(state = 1)", "compared with which value? Write `is(column, value, …)`");
    refuses("is(state, 1 2)", "expected `,` and a value");
    let values = "a value is a boolean, an integer, a text, or a path to a constant";
    for value in ["1.5", "'c'", "b\"x\"", "-true", "-\"x\"", "[1]", "$"] {
        refuses(&format!("is(state, {value})"), values);
    }
    refuses(
        "is(state, 9223372036854775808)",
        "number too large to fit in target type: `9223372036854775808`",
    );
    refuses("is(state, 3i32, -0x10_u8, Self::DRAFT) & until(r#type) & r#parent.read", "");
    refuses("since(begins_at, ends_at)", "`since` takes one; join several by `|`: `since(…) | since(…)`");
    refuses("everyone(1)", "`everyone` takes nothing");
}

#[test]
fn comparisons_say_what_to_write() {
    for rule in ["state == \"a\"", "user(id) | (asset.level == 3)", "any(shares: level == 1)"] {
        refuses(rule, "a column is compared with values by `is(column, value)`");
    }
    refuses(
        "state != \"a\"",
        "a policy only grants, so nothing is negated; say which values grant: `is(column, value, …)`",
    );
    for rule in ["!is_locked", "any(shares: !is_locked)"] {
        refuses(
            rule,
            "a policy only grants, so nothing is negated; say who has the permission, and of a boolean column \
             `is(column, false)`",
        );
    }
}

#[test]
fn rows_of_a_relation() {
    for allowed in [
        "any(shares: user(user_id))",
        "any(shares: read | CONST & team.MEMBER | is_open)",
        "any(shares: any(members: user(person.user_id)) & until(expires_at))",
    ] {
        refuses(allowed, "");
    }
    let example = "write `any(relation: RULE)`, where RULE is about one of its rows";
    refuses("any", "any of which rows? Write `any(relation: RULE)`");
    refuses("any()", &format!("unexpected end of input, any of which rows? {example}"));
    refuses("any(shares)", &format!("unexpected end of input, what of `shares`? {example}"));
    refuses("any(shares::user)", &format!("what of `shares`? {example}"));
    refuses("any(shaers: user(id))", "unknown relation `shaers`; did you mean `shares`?");
    refuses("shares", "which of `shares`? Write `any(shares: RULE)`");
    let many = "`shares` leads to many rows; say what one of them has to meet: `any(shares: RULE)`";
    refuses("shares.read", many);
    refuses("user(shares.user_id)", many);
    refuses(
        "any(asset: user(id))",
        "`asset` leads to one row; write `asset.PERMISSION`, or a term about its column: `user(asset.user_id)`",
    );
}

#[test]
fn relations() {
    #[track_caller]
    fn refuses(said: &str, expected: &str) {
        let input =
            format!("#[auth(connection = C, {said})] #[acl(read = nobody)] struct Sensor {{ id: i32 }}");
        assert_eq!(messages(auth_model::derive(input.parse().unwrap())), [expected], "{said}");
    }
    let many = "a relation is written `has_many(shares: Share, project_id)`: a name, the context, and its foreign key";
    refuses("has_many", many);
    refuses("has_many(shares)", &format!("{many}; expected `:`"));
    refuses(
        "has_many(shares: Share, sensor_id, recursive)",
        &format!(
            "{many}; `recursive` follows a tree from each row to its parent: `belongs_to(parent: Self, parent_id, \
             recursive)`"
        ),
    );
    let one = "a relation is written `belongs_to(asset: Asset, asset_id)`: a name, the context, and the foreign key";
    refuses(
        "belongs_to(parent: Asset, parent_id, recursive)",
        &format!(
            "{one}; `recursive` follows a tree of rows of one type: `belongs_to(parent: Self, parent_id, recursive)`"
        ),
    );
    refuses(
        "belongs_to(parent: Self, parent_id, recursively)",
        &format!("{one}; remove what follows, or say `recursive`"),
    );
}

#[test]
fn which_rows_are_there_is_the_same_for_everybody() {
    let refused = |said: &str, policy: &str| {
        let input = format!(
            "#[auth(connection = C, belongs_to(asset: Asset, asset_id), {said})] {policy} struct Row {{ id: i32 }}"
        );
        [
            messages(auth_model::derive(format!("{input} ").replace("POLICY", "").parse().unwrap())),
            messages(load_context::derive(input.parse().unwrap())),
        ]
    };
    let row = "which rows are there is the same for everybody, and said by their own columns: `is_null(column)`, \
               `is(column, value)`, `until(column)`, `since(column)` and boolean columns";
    for rule in [
        "user(id)",
        "is_null(deleted_at) & role(\"x\")",
        "asset.read",
        "is_null(asset.deleted_at)",
        "everyone",
    ] {
        let [by_model, by_context] = refused(&format!("rows = {rule}"), "#[acl(read = nobody)]");
        assert_eq!(by_model, [row], "{rule}");
        assert_eq!(by_context, [""; 0], "the derive of the policy says it");
        let [_, without_policy] = refused(&format!("rows = {rule}"), "");
        assert_eq!(without_policy, [row], "{rule}");
    }
    for rule in ["is_null(deleted_at) | is(state, 1)", "(is_there)", "until(ends_at) & since(begins_at)"] {
        let [by_model, by_context] = refused(&format!("rows = {rule}"), "#[acl(read = nobody)]");
        assert_eq!([by_model, by_context], [[""; 0], [""; 0]], "{rule}");
    }
    let [nothing, _] = refused("rows =", "#[acl(read = nobody)]");
    assert_eq!(
        nothing,
        ["unexpected end of input, which rows are there? Write `rows = is_null(deleted_at)`"]
    );
    let [twice, _] = refused("rows = is_there, rows = is_here", "#[acl(read = nobody)]");
    assert_eq!(twice, ["`rows` is given twice; join the rules by `&`"]);
}

#[test]
fn a_column_is_not_taken_for_everybody() {
    let derive = |rule: &str| {
        let input =
            format!("#[auth(connection = C)] #[acl(read = {rule})] struct Row {{ id: i32, everyone: bool }}");
        messages(auth_model::derive(input.parse().unwrap()))
    };
    let ambiguous = "in a policy, `everyone` is the term that matches everybody, and here it is a column as well; say \
                     `is(everyone, true)` of the column, or `every_logged_in_user`";
    assert_eq!(derive("user(id) | everyone"), [ambiguous]);
    assert_eq!(derive("is(everyone, true)"), [""; 0]);
}
