//! The text of every message.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use super::{CONTEXT, ROLES_ACCEPTED, ROLES_REQUIRED, expand, messages};
use crate::model::{Arguments, Kind};
use crate::{auth_model, load_context};

mod authentication;
mod changes;
mod derives;
mod terms;

const HANDLER: &str = "async fn view(sensor: Sensor, asset: Asset) {}";
const ROUTED: &str = r#"#[get("/accounts/{account_id}/sensors/{number}")] async fn view(sensor: Sensor) {}"#;

#[track_caller]
fn refuses(kind: Kind, args: &str, item: &str, expected: &[&str]) {
    let output = expand(kind, args, item);
    let found = messages(output);
    assert_eq!(found, expected, "{args} on {item}");
    for message in found {
        let first = message.chars().next().unwrap();
        assert!(!first.is_uppercase() && !message.ends_with('.'), "{message}");
    }
}

#[test]
fn roles() {
    let on = |args: &str, expected: &[&str]| refuses(ROLES_REQUIRED, args, HANDLER, expected);
    on("", &["`roles_required` needs at least one role: `#[roles_required(\"…\")]`"]);
    on(r#""""#, &["a role cannot be empty; nobody could have it"]);
    on(r#""a", "b", "a""#, &["role `a` is named twice; remove one"]);
    on(
        r#"5, true, "a""#,
        &[
            "expected a role, which is a string literal or a path to a `const &str`; found `5`",
            "expected a role, which is a string literal or a path to a `const &str`; found `true`",
        ],
    );
    on(
        r#""a", name = "x", "b""#,
        &["unknown key `name`; `roles_required` takes roles, \
           each a string literal or a path to a `const &str`, and the key `on_denied`"],
    );
    on(r#""a" "b""#, &["missing `,` before `\"b\"`"]);
    on(r#""a" = "b""#, &["a role has no value; remove what follows it"]);
    on("concat!(\"a\")", &["expected `,`, found `!`"]);
    on(", \"a\"", &["expected a role, which is a string literal or a path to a `const &str`; found `,`"]);
    on(
        "a, b::c, a, b::c",
        &["role `a` is named twice; remove one", "role `b :: c` is named twice; remove one"],
    );
    on("\"a\", a", &[]);
    on("a, b, A::<B>::C, <T as U>::R, crate::X", &[]);
}

#[test]
fn permissions_of_the_subject() {
    let on = |args: &str, expected: &[&str]| {
        refuses(Kind::PermissionsAccepted, args, HANDLER, expected);
    };
    on("", &["`permissions_accepted` needs at least one permission: `#[permissions_accepted(\"…\")]`"]);
    on(r#""""#, &["a permission cannot be empty; nobody could have it"]);
    on(r#""a", "a""#, &["permission `a` is named twice; remove one"]);
    on("5", &["expected a permission, which is a string literal or a path to a `const &str`; found `5`"]);
    on(
        "ctx = A",
        &["unknown key `ctx`; `permissions_accepted` takes permissions, \
           each a string literal or a path to a `const &str`, and the key `on_denied`"],
    );
    on(r#""a" = 1"#, &["a permission has no value; remove what follows it"]);
    on("\"invoices\", REFUND", &[]);
}

#[test]
fn no_arguments() {
    const FORM: &str = "`#[public(reason = \"anyone may know that the service runs\")]`";

    refuses(
        Kind::AuthTokenRequired,
        "\"token\"",
        HANDLER,
        &["`auth_token_required` takes no argument but the key `on_denied`; remove `\"token\"`"],
    );
    refuses(
        Kind::AnonymousUserRequired,
        "a, on_deneid = b",
        HANDLER,
        &[
            "`anonymous_user_required` takes no argument but the key `on_denied`; remove `a`",
            "unknown key `on_deneid`; did you mean `on_denied`?",
        ],
    );
    for args in
        ["x = 1", "on_denied = page", "\"everybody\"", "reason", "reason = \"a\", b", "reason = \"a\" \"b\""]
    {
        refuses(
            Kind::Public,
            args,
            HANDLER,
            &[&format!("`public` takes the key `reason` and nothing else: {FORM}")],
        );
    }
    for args in ["reason = 1", "reason = a::B"] {
        refuses(Kind::Public, args, HANDLER, &[&format!("`reason` is a text in quotes: {FORM}")]);
    }
    for args in ["reason = \"\"", "reason = \" \","] {
        refuses(Kind::Public, args, HANDLER, &[&format!("say why everybody may: {FORM}")]);
    }
}

#[test]
fn on_denied() {
    let guards = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Public);
    for kind in guards {
        let first = match kind.arguments() {
            Arguments::Names(..) => "\"a\", ",
            Arguments::Context => "\"read\", ctx_arg = \"sensor\", ",
            _ => "",
        };
        let on = |args: &str, expected: &[&str]| refuses(kind, &format!("{first}{args}"), HANDLER, expected);
        for path in ["page", "self::pages::page::<A, B>", "<A as B>::page", "::auth_core::denial::problem,"] {
            on(&format!("on_denied = {path}"), &[]);
        }
        let twice = "`on_denied` is given twice; remove one";
        on("on_denied = page, on_denied = page", &[twice]);
        on("on_denied = 5, on_denied = page, on_denied = other", &[&not_a_path("`5`"), twice, twice]);
        let needs_value = "`on_denied` needs a value: `on_denied = denial::page_or_problem`";
        on("on_denied", &[needs_value]);
        on("on_denied, on_denied = page", &[needs_value]);
        for (found, shown) in [
            ("\"page\"", "`\"page\"`"),
            ("5", "`5`"),
            ("|_, _| page()", "`|`"),
            ("true", "`true`"),
            (",", "`,`"),
            ("", "nothing"),
        ] {
            on(&format!("on_denied = {found}"), &[&not_a_path(shown)]);
        }
        on("on_denied = page()", &["expected `,`, found `(…)`"]);
    }
}

fn not_a_path(found: &str) -> String {
    format!("`on_denied` is a path to a function: `on_denied = denial::page_or_problem`; found {found}")
}

#[test]
fn on_denied_stands_behind_what_is_asked() {
    refuses(
        ROLES_REQUIRED,
        "on_denied = page, \"a\"",
        HANDLER,
        &["a role stands before the keys; move `\"a\"` to the front"],
    );
    refuses(
        ROLES_REQUIRED,
        "on_denied = page",
        HANDLER,
        &["`roles_required` needs at least one role: `#[roles_required(\"…\")]`"],
    );
    refuses(
        Kind::AuthRequired,
        "on_denied = page, \"session\"",
        HANDLER,
        &["a mechanism stands before the keys; move `\"session\"` to the front"],
    );
    let first = "expected the permission as the first argument: `create-children`, `read`, `update` \
                 or `delete` as a string literal, or a path to a `const Permission`";
    refuses(CONTEXT, "on_denied = page, ctx_arg = \"sensor\"", HANDLER, &[first]);
    refuses(
        CONTEXT,
        "on_denied = page, \"read\", ctx_arg = \"sensor\"",
        HANDLER,
        &[
            first,
            "one attribute checks one permission; \
             write another `permission_required_for_context` for this one",
        ],
    );
}

#[test]
fn one_renderer_for_all_attributes() {
    for path in ["page", "other"] {
        refuses(
            Kind::AuthRequired,
            "on_denied = page",
            &format!("#[roles_required(\"a\", on_denied = {path})] async fn view() {{}}"),
            &["`on_denied` is given twice; remove one"],
        );
    }
}

#[test]
fn permissions() {
    let on = |args: &str, expected: &[&str]| {
        refuses(CONTEXT, &format!("{args}, ctx_arg = \"sensor\""), HANDLER, expected);
    };
    on(r#""raed""#, &["unknown permission `raed`; did you mean `read`?"]);
    on(r#""create_children""#, &["unknown permission `create_children`; did you mean `create-children`?"]);
    on(
        r#""calibrate""#,
        &["unknown permission `calibrate`; expected `create-children`, `read`, `update` or \
           `delete`; an own permission is named by a path to a `const Permission`"],
    );
    on(r#""""#, &["a permission cannot be empty; write `create-children`, `read`, `update` or `delete`"]);
    on(r#""read" = "x""#, &["the permission has no value; write `\"read\", ctx_arg = \"…\"`"]);
    let first = "expected the permission as the first argument: `create-children`, `read`, `update` \
                 or `delete` as a string literal, or a path to a `const Permission`";
    on("5", &[first]);
    on("id = \"x\"", &[first]);
    on(
        "id = \"x\", \"read\"",
        &[
            first,
            "one attribute checks one permission; \
         write another `permission_required_for_context` for this one",
        ],
    );
    on("Permission::READ", &[]);
    refuses(CONTEXT, "", HANDLER, &[first, NO_CONTEXT]);
}

const NO_CONTEXT: &str = "no context is named; write `ctx_arg = \"…\"` for an argument of the \
     handler, or `ctx = Account` for a context that it does not take";

#[test]
fn keys() {
    let on = |args: &str, expected: &[&str]| {
        refuses(CONTEXT, &format!("\"read\", {args}"), HANDLER, expected);
    };
    on("ctx_agr = \"sensor\"", &["unknown key `ctx_agr`; did you mean `ctx_arg`?", NO_CONTEXT]);
    on(
        "ctx_arg = \"sensor\", optional = true",
        &[
            "unknown key `optional`; expected `ctx_arg`, `ctx`, `id`, `ctx_loader`, `allow_empty` or `on_denied`",
        ],
    );
    on(
        "ctx_arg = \"sensor\", allow_empty = true",
        &["`allow_empty` is about lists, and `sensor` is no `Vec`; remove it"],
    );
    on("ctx = Vec<Sensor>, allow_empty = 1", &["`allow_empty` is `true` or `false`"]);
    on("ctx_arg = \"sensor\", ctx_arg = \"asset\"", &["`ctx_arg` is given twice; remove one"]);
    on("ctx_arg = sensor", &["`ctx_arg` is the name of an argument in quotes: `ctx_arg = \"sensor\"`"]);
    on("ctx_arg = 5", &["`ctx_arg` is the name of an argument in quotes: `ctx_arg = \"…\"`"]);
    on("ctx_arg = \"\"", &["`ctx_arg` cannot be empty; name an argument of the handler"]);
    on("ctx = \"Account\"", &["`ctx` is a type, without quotes: `ctx = Account`"]);
    on("ctx = 5", &["`ctx` is a type, as in `ctx = Account`; found `5`"]);
    on("ctx = dyn Account + Send", &["expected `,`, found `+`"]);
    on("ctx_arg", &["`ctx_arg` needs a value: `ctx_arg = \"…\"`", NO_CONTEXT]);
    on(
        "\"x\"",
        &[
            "expected one of the keys `ctx_arg`, `ctx`, `id`, `ctx_loader`, `allow_empty` or `on_denied` with a value, \
           found `\"x\"`",
            NO_CONTEXT,
        ],
    );
    on(
        "ctx_arg = \"sensor\", ctx = Sensor",
        &["`ctx_arg` hands the context to the handler, `ctx` only checks it; remove one"],
    );
    on("ctx_arg = \"senser\"", &["the handler has no argument `senser`; did you mean `sensor`?"]);
    on("ctx_arg = \"x\"", &["the handler has no argument `x`; it has `sensor` and `asset`"]);
    refuses(
        CONTEXT,
        "\"read\", ctx_arg = \"x\"",
        "async fn view(_: X) {}",
        &["the handler has no argument `x`; it has no argument with a name"],
    );
}

#[test]
fn ids() {
    let on = |args: &str, expected: &[&str]| {
        let args = format!("\"read\", ctx_arg = \"sensor\", {args}");
        refuses(CONTEXT, &args, ROUTED, expected);
    };
    on("id = \"number\"", &[]);
    on("id = scope(\"anything\")", &[]);
    on(
        "id = number",
        &["`number` names no argument of the handler; a path parameter stands in quotes: `id = \"number\"`"],
    );
    on(
        "id = LIMIT + 1",
        &["`LIMIT + 1` names no argument of the handler; \
           name what the id is taken from, as in `id = body.account_id`"],
    );
    let with_a_body = |id: &str, expected: &[&str]| {
        let item = "#[post(\"/\")] async fn view(sensor: Sensor, web::Json(body): web::Json<New>) {}";
        refuses(CONTEXT, &format!("\"read\", ctx_arg = \"sensor\", id = {id}"), item, expected);
    };
    with_a_body("body.sensor_id", &[]);
    with_a_body("first(&body.sensors)", &[]);
    with_a_body("{ [body.sensor_id][0] }", &[]);
    with_a_body("Key { a: body.a }", &[]);
    with_a_body("(0..body.end).sum::<i32>()", &[]);
    with_a_body(
        "settings::body",
        &["`settings :: body` names no argument of the handler; \
           name what the id is taken from, as in `id = body.account_id`"],
    );
    with_a_body(
        "LIMITS.body",
        &["`LIMITS.body` names no argument of the handler; \
           name what the id is taken from, as in `id = body.account_id`"],
    );
    with_a_body(
        "sensor.parent_id",
        &[
            "this context is loaded from arguments too; use an extracted argument, or a context whose id is in the path, \
             query or a header",
        ],
    );
    on(
        "id = ,",
        &["`id` is the name of a path parameter in quotes, `scope(\"…\")`, `query(\"…\")`, `header(\"…\")` \
           or an expression over the handler's other arguments; found `,`"],
    );
    on("id = query(\"sensor\")", &[]);
    on("id = header(\"x-sensor\")", &[]);
    on("id = \"\"", &["`id` cannot be empty; name what holds it"]);
    on("id = scope(\"\")", &["`id` cannot be empty; name what holds it"]);
    on("id = query(x)", &["expected one name in quotes: `query(\"…\")`"]);
    on("id = scope(\"x\", \"y\")", &["expected one name; remove what follows it"]);
    on("id = header(\"x sensor\")", &["`x sensor` is not the name of a header"]);
    on("id = qurey(\"x\")", &["unknown source `qurey` of an id; did you mean `query`?"]);
    on(
        "id = cookie(\"x\")",
        &["unknown source `cookie` of an id; expected `id = \"…\"` for a path parameter, \
           or `scope(\"…\")` for one of an enclosing scope, `query(\"…\")` or `header(\"…\")`"],
    );
    on(
        "id = \"sensor_id\"",
        &["the route `/accounts/{account_id}/sensors/{number}` has no path parameter `sensor_id`, \
           it has `account_id` and `number`; \
           write `id = scope(\"sensor_id\")` for one of an enclosing scope"],
    );
    on(
        "",
        &["the route `/accounts/{account_id}/sensors/{number}` has no path parameter `sensor_id` \
           or `id`, it has `account_id` and `number`; write `id = \"…\"` for another, \
           or `id = scope(\"…\")` for one of an enclosing scope"],
    );
    on("id = (\"account_id\", \"number\")", &[]);
    on("id = (\"account_id\", query(\"number\"), header(\"x\"), scope(\"y\"))", &[]);
    on("id = ()", &[]);
    on("id = (\"number\")", &["one part stands without parentheses"]);
    on(
        "id = (\"account_id\", \"b\", \"c\")",
        &[
            "the route `/accounts/{account_id}/sensors/{number}` has no path parameter `b`, \
           it has `account_id` and `number`; write `id = scope(\"b\")` for one of an enclosing scope",
            "the route `/accounts/{account_id}/sensors/{number}` has no path parameter `c`, \
           it has `account_id` and `number`; write `id = scope(\"c\")` for one of an enclosing scope",
        ],
    );
    on(
        "id = (scope(\"a\"), scope(\"b\"), scope(\"c\"), scope(\"d\"), scope(\"e\"))",
        &["a key has four parts at most; use `ctx_loader` for more"],
    );
    on(
        "id = (\"account_id\", sensor.number)",
        &["a part of a key is a path parameter in quotes, `scope(\"…\")`, `query(\"…\")` or `header(\"…\")`"],
    );
    refuses(
        CONTEXT,
        "\"read\", ctx = Authorized<Account, Read>",
        "#[routes] #[get(\"/a/{x}\")] #[post(\"/a\")] async fn f() {}",
        &["every route of this handler has no path parameter `account_id` or `id`, it has none; \
           write `id = \"…\"` for another, or `id = scope(\"…\")` for one of an enclosing scope"],
    );
}

#[test]
fn several_attributes() {
    refuses(
        CONTEXT,
        "\"read\", ctx_arg = \"sensor\", id = \"a\"",
        "#[permission_required_for_context(\"update\", ctx_arg = \"sensor\", id = \"b\")]
         async fn view(sensor: Sensor) {}",
        &["`sensor` comes from `a` in another attribute; one argument holds one context"],
    );
    refuses(
        CONTEXT,
        "\"read\", ctx_arg = \"sensor\"",
        "#[permission_required_for_context(\"read\", ctx_arg = \"sensor\")]
         async fn view(sensor: Sensor) {}",
        &["`read` is required of `sensor` twice; remove one"],
    );
    refuses(
        Kind::Public,
        "",
        "#[auth_core::roles_required(\"a\")] async fn view() {}",
        &["an open handler has no guard; remove `public` or `roles_required`"],
    );
    refuses(
        ROLES_REQUIRED,
        "\"a\"",
        "#[public] async fn view() {}",
        &["an open handler has no guard; remove `public` or `roles_required`"],
    );
    refuses(Kind::Public, "", "#[public] async fn view() {}", &["`public` is written twice; remove one"]);
    let item = "#[anonymous_user_required] async fn view() {}";
    let anonymous = |expected: &str| {
        format!(
            "nothing can be required of a caller who is not logged in; remove `anonymous_user_required` or {expected}"
        )
    };
    refuses(ROLES_REQUIRED, "\"a\"", item, &[&anonymous("`roles_required`")]);
    refuses(Kind::AuthRequired, "", item, &[&anonymous("`auth_required`")]);
    refuses(
        Kind::AnonymousUserRequired,
        "",
        item,
        &["`anonymous_user_required` is written twice; remove one"],
    );
    refuses(
        Kind::AnonymousUserRequired,
        "",
        "async fn view(Admitted { .. }: Admitted<__view_guard>) {}",
        &[&anonymous("the guard")],
    );
    refuses(
        Kind::Public,
        "",
        item,
        &["an open handler has no guard; remove `public` or `anonymous_user_required`"],
    );
    refuses(
        Kind::AuthRequired,
        "",
        "#[roles_required = \"a\"] async fn view() {}",
        &["arguments stand in parentheses: `#[roles_required(…)]`"],
    );
}

#[test]
fn functions() {
    let on = |item: &str, expected: &[&str]| refuses(Kind::AuthRequired, "", item, expected);
    on("fn view() {}", &["a guarded handler is asynchronous; write `async fn view`"]);
    on(
        "async fn view(&self) {}",
        &["a guard goes on a free function, not on a method; move it out of the `impl`"],
    );
    let not_free = "a guard goes on a free function, not on one of an `impl`; move it out and name the type";
    for item in [
        "async fn view(a: Json<Self>) {}",
        "async fn view() -> Result<Self, Error> {}",
        "async fn view<T: From<Self>>(a: T) {}",
        "pub async fn view() { Self::helper(a, [Self::A]).await }",
        "#[get(\"/\")] async fn view() { if let Self::A = a { b } }",
    ] {
        on(item, &[not_free]);
    }
    for item in [
        "async fn view() { struct A; impl A { fn new() -> Self { Self } } A::new() }",
        "async fn view() { macro_of_others!(Self); }",
        "async fn view(self_service: A) { self::helper() }",
    ] {
        on(item, &[]);
    }
    on(
        "async fn view(#[cfg(x)] a: A) {}",
        &["an attribute on an argument would be lost; put it on the function"],
    );
    on(
        "async fn view(a: Json<(u8, impl Trait)>) {}",
        &["a guard has to name the type of each argument; \
           write a generic parameter instead of `impl`"],
    );
    let below = "below a guard, this does not see the handler's arguments, and leaves the body out of the document; put it \
                 above the guard";
    for utoipa in
        ["utoipa::path", "utoipa::path(responses((status = 204)))", "::utoipa::path(get)", "path(get)"]
    {
        on(&format!("#[{utoipa}] #[post(\"/\")] async fn view(body: Json<A>) {{}}"), &[below]);
        refuses(
            Kind::Public,
            "",
            &format!("#[{utoipa}] #[post(\"/\")] async fn view(body: Json<A>) {{}}"),
            &[],
        );
    }
    on("#[path = \"of/a/module\"] async fn view() {}", &[]);
    let not_a_function = "expected an `async fn`: a guard goes on a handler";
    for item in ["struct S;", "impl S {}", "pub mod m {}", "const X: u8 = 1;", "unsafe impl S {}"] {
        on(item, &[not_a_function]);
    }
    on("async fn view();", &["expected the body of the handler"]);
}

#[test]
fn marker() {
    let reserved = "`__auth_merged` is what the attributes write for each other; if you did not write it, \
         another attribute has changed the handler: put that one above";
    let wrapped = "async fn view(Admitted { .. }: Admitted<__view_guard>) {}";
    let marked = r#""a", __auth_merged = "roles_required""#;
    refuses(ROLES_REQUIRED, marked, wrapped, &[]);
    refuses(ROLES_REQUIRED, marked, HANDLER, &[reserved]);
    for kind in Kind::ALL {
        refuses(kind, &format!("__auth_merged = \"{}\"", kind.name()), wrapped, &[]);
    }
    for args in [
        r#""a", __auth_merged"#,
        r#""a", __auth_merged = "roles_required", "b""#,
        r#""a", __auth_merged("roles_required")"#,
        r#""a", __auth_merged = roles_required"#,
    ] {
        refuses(ROLES_REQUIRED, args, wrapped, &[reserved]);
    }
    refuses(
        Kind::AuthRequired,
        "",
        r#"#[roles_required("a", __auth_merged = "roles_required")] async fn view() {}"#,
        &[reserved],
    );
    // `use auth_core::roles_required as roles_accepted` must not make one role of two enough.
    refuses(
        ROLES_REQUIRED,
        r#""a", "b", __auth_merged = "roles_accepted""#,
        wrapped,
        &["`roles_required` stands here under the name of `roles_accepted`; \
           import it under a name that no other attribute has"],
    );
    refuses(
        ROLES_ACCEPTED,
        r#""b""#,
        r#"#[roles_required("a", __auth_merged = "roles_required")]
           async fn view(Admitted { .. }: Admitted<__view_guard>) {}"#,
        &[],
    );
    refuses(
        CONTEXT,
        r#""read", ctx_arg = "sensor""#,
        wrapped,
        &["the handler has no argument `sensor`; another guard has already taken the arguments; \
           write this attribute above the others, under its own name"],
    );
}

#[test]
fn one_argument_holds_one_context() {
    refuses(
        CONTEXT,
        "\"read\", ctx = Sensor, id = \"x\"",
        "#[permission_required_for_context(\"read\", ctx_arg = \"sensor\", id = \"y\")]
         #[permission_required_for_context(\"update\", ctx_arg = \"sensor\", id = \"x\")]
         #[get(\"/{x}/{y}\")] async fn view(sensor: Sensor) {}",
        &["`sensor` comes from `y` in another attribute; one argument holds one context"],
    );
}

#[test]
fn loaders() {
    let on = |args: &str, expected: &[&str]| {
        let item = "#[post(\"/{id}\")] async fn view(sensor: Sensor, Json(body): Json<New>) {}";
        refuses(CONTEXT, &format!("\"read\", {args}"), item, expected);
    };
    let a_call = "`ctx_loader` is the call of a function with arguments of the handler, without quotes: \
         `ctx_loader = load_sensors(body, connection)`";
    on("ctx_loader = f()", &[]);
    on("ctx_loader = f::<T>(body, connection), allow_empty = true", &[]);
    on("ctx_arg = \"sensor\", ctx_loader = <A as B>::f(connection, body)", &[]);
    on("ctx_loader = \"f\"", &[a_call]);
    on("ctx_loader = f", &[a_call]);
    on("ctx_loader = |body| f(body)", &[a_call]);
    on(
        "ctx_loader = f(&body)",
        &[
            "a `ctx_loader` takes arguments of the handler by their names alone, by reference, and `connection`",
        ],
    );
    on(
        "ctx_loader = f(body.sensors)",
        &[
            "a `ctx_loader` takes arguments of the handler by their names alone, by reference, and `connection`",
        ],
    );
    on("ctx_loader = f(bdy)", &["the handler has no argument `bdy`; did you mean `body`?"]);
    on("ctx_loader = f(connection, connection)", &["`connection` is named twice; there is one connection"]);
    on("ctx_loader = f(), id = \"id\"", &["`ctx_loader` finds the context without an id; remove `id`"]);
    on("ctx_loader = f(), ctx = Sensor", &["what `ctx_loader` makes is checked without `ctx`; remove `ctx`"]);
    on(
        "ctx_arg = \"sensor\", ctx_loader = f(sensor)",
        &[
            "this context is loaded from arguments too; use an extracted argument, or a context whose id is in the path, \
             query or a header",
        ],
    );
}

#[test]
fn policies() {
    #[track_caller]
    fn refuses(policy: &str, expected: &[&str]) {
        let input = format!(
            "#[auth(connection = C, belongs_to(asset: Asset, asset_id), belongs_to(owner: User, owner_id))] \
             {policy} struct Sensor {{ id: i32, owner_id: i32, is_public: bool }}"
        );
        assert_eq!(messages(auth_model::derive(input.parse().unwrap())), expected, "{policy}");
    }
    #[track_caller]
    fn refuses_rule(rule: &str, expected: &str) {
        refuses(&format!("#[acl(update = user(id), read = {rule})]"), &[expected]);
    }
    let terms = "the terms are `user`, `account`, `role`, `account_role`, `permission`, `is_null`, `is`, `until`, `since`, \
                 `any`, `every_logged_in_user`, `everyone` or `nobody`";

    refuses("", &["who may do what with it? Declare a policy: `#[acl(read = account(account_id))]`"]);
    for empty in ["#[acl]", "#[acl = \"read\"]"] {
        refuses(empty, &["a policy stands in parentheses: `#[acl(read = account(account_id))]`"]);
    }
    // A plain join table, about which only the policies of others have something to say.
    refuses("#[acl()]", &[]);
    refuses(
        "#[acl(read)]",
        &["unexpected end of input, a permission is declared with its rule: `read = account(account_id)`"],
    );
    refuses(
        "#[acl(write = nobody)]",
        &["unknown permission `write`; known are `create-children`, `read`, `update` or `delete`; \
           one of your own is a constant: `PUBLISH = …`"],
    );
    refuses(
        "#[acl(create_childen = nobody)]",
        &["unknown permission `create_childen`; did you mean `create_children`?"],
    );
    refuses(
        "#[acl(read = user(id), \"read\" = nobody)] #[acl(READ = user(id), READ = nobody)]",
        &[
            "`read` is declared twice; join the rules by `|`",
            "`READ` is declared twice; join the rules by `|`",
        ],
    );
    refuses_rule("user(id) || is_public", "rules are joined by `|`, not `||`");
    refuses_rule("(user(id) && is_public)", "rules are joined by `&`, not `&&`");
    refuses_rule("user(id) is_public", "expected `|`, `&` or `,`");
    refuses_rule("(user(id) is_public)", "expected `|` or `&`");
    refuses_rule(
        "!is_public",
        "a policy only grants, so nothing is negated; say who has the permission, and of a boolean column \
         `is(column, false)`",
    );
    refuses_rule(
        "\"user:2\"",
        &format!(
            "expected a term, such as `account(account_id)`, a boolean column, or `relation.permission`; {terms}"
        ),
    );
    refuses_rule("acount(id)", "unknown term `acount`; did you mean `account`?");
    refuses_rule("group(id)", &format!("unknown term `group`; {terms}"));
    refuses_rule(
        "every_loged_in_user",
        "unknown term `every_loged_in_user`; did you mean `every_logged_in_user`?",
    );
    refuses_rule("user", "`user` of what? Write `user(…)`");
    refuses_rule("asset", "what of `asset`? Write a permission: `asset.read`");
    refuses_rule(
        "user(2)",
        "`user` takes a column: `user(account_id)`, or one of a parent: `user(relation.account_id)`",
    );
    refuses_rule("user(id, owner_id)", "`user` takes one; join several by `|`: `user(…) | user(…)`");
    refuses_rule("every_logged_in_user(id)", "`every_logged_in_user` takes nothing");
    refuses_rule(
        "role()",
        "unexpected end of input, `role` takes a role, which is a literal or a path to a constant: `role(\"editor\")`",
    );
    refuses_rule("account_role(\"\")", "a role cannot be empty; nobody could have it");
    refuses_rule("aset.read", "unknown relation `aset`; did you mean `asset`?");
    refuses_rule("user(account.id)", "unknown relation `account`; there is `asset` or `owner`");
    refuses_rule(
        "asset.account.read",
        "a path leads to the parent and not beyond; declare a permission in the policy of `asset` that needs `account`, \
         and write it here: `asset.PERMISSION`",
    );
    let input = "#[acl(read = nobody)] enum Sensor {}".parse().unwrap();
    assert_eq!(
        messages(auth_model::derive(input)),
        [
            "`AuthModel` is derived for a struct, which is a row of a table; implement it by hand for this type"
        ]
    );
}

#[test]
fn relations() {
    let relation = "a relation is written `belongs_to(asset: Asset, asset_id)`: a name, the context, and the foreign key";
    for (written, expected) in [
        ("belongs_to", relation.to_owned()),
        ("belongs_to(Asset)", format!("{relation}; expected `:`")),
        ("belongs_to(asset: Asset)", format!("{relation}; expected `,`")),
        (
            "belongs_to(asset: Asset, asset_id, id)",
            format!("{relation}; remove what follows, or say `recursive`"),
        ),
        (
            "belongs_to(a: Asset, asset_id), belongs_to(a: Asset, id)",
            "two relations are called `a`; give one another name".to_owned(),
        ),
        (
            "belong_to(asset: Asset, asset_id)",
            "unknown key `belong_to`; did you mean `belongs_to`?".to_owned(),
        ),
    ] {
        let input = format!("#[auth({written})] #[acl(read = nobody)] struct Sensor {{ id: i32 }}");
        assert_eq!(messages(auth_model::derive(input.parse().unwrap())), [expected], "{written}");
    }
}

#[test]
fn rows() {
    #[track_caller]
    fn refuses(input: &str, expected: &[&str]) {
        assert_eq!(messages(load_context::derive(input.parse().unwrap())), expected);
    }
    let connection = "the type of the connection is not known; \
         write `#[auth(connection = diesel::SqliteConnection)]`, or let it follow from one backend: \
         `#[diesel(check_for_backend(diesel::sqlite::Sqlite))]`";
    refuses("struct Row { id: i32 }", &[connection]);
    refuses("#[diesel(check_for_backend(A, B))] struct Row { id: i32 }", &[connection]);
    refuses(
        "#[diesel(check_for_backend(my::Multi))] struct Row { id: i32 }",
        &["the connection of the backend `Multi` is not known; \
           name it with `#[auth(connection = …)]`"],
    );
    refuses(
        "#[auth(connection = C)] struct Row { uuid: i32 }",
        &["no field of `Row` holds the primary key `id`; \
           add it, or name the key with `#[diesel(primary_key(…))]`"],
    );
    refuses(
        "#[auth(connection = C)] #[diesel(primary_key(uiud))] struct Row { uuid: i32 }",
        &["no field of `Row` holds the primary key `uiud`; did you mean `uuid`?"],
    );
    refuses("#[auth(connection = C)] #[diesel(primary_key(a, b))] struct Row { a: i32, b: i32 }", &[]);
    // It would stand in paths, where a bound cannot.
    for said in
        ["connection = dyn C + Send", "async_connection = C +", "belongs_to(a: A, b) c, connection = C"]
    {
        let input = format!("#[auth({said})] struct Row {{ id: i32 }}");
        assert_eq!(
            messages(load_context::derive(input.parse().unwrap())).first().unwrap(),
            "expected `,`",
            "{said}"
        );
    }
    // As it comes from a `macro_rules!` macro.
    let group = |ty: TokenStream| TokenTree::from(Group::new(Delimiter::None, ty));
    let (connection, parent) = (group(quote!(diesel::SqliteConnection)), group(quote!(models::Asset)));
    let input = quote! {
        #[auth(connection = #connection, belongs_to(asset: #parent, asset_id))]
        struct Row { id: i32, asset_id: i32 }
    };
    assert_eq!(messages(load_context::derive(input)), [""; 0]);
    // An embedded struct has columns of its own, and is none.
    refuses(
        "#[auth(connection = C)] struct Row { #[diesel(embed)] id: Other }",
        &["no field of `Row` holds the primary key `id`; \
           add it, or name the key with `#[diesel(primary_key(…))]`"],
    );
    refuses(
        "#[auth(connection = C)] #[diesel(primary_key(a, longg))] struct Row { a: i32, long: i32 }",
        &["no field of `Row` holds the primary key `longg`; did you mean `long`?"],
    );
    refuses(
        "#[auth(connection = C)] #[diesel(primary_key(a, b, c, d, e))] struct Row { a: i32 }",
        &["a key of more than four columns cannot be derived; implement `LoadContext` by hand"],
    );
    refuses(
        "#[auth(connection = C)] #[diesel(primary_key())] struct Row { a: i32 }",
        &["`primary_key` names no column"],
    );
    refuses(
        "#[auth(connection = C)] struct Row<T> { id: T }",
        &["a row with generic parameters cannot be derived; implement `LoadContext` by hand"],
    );
    refuses(
        "enum Row { A }",
        &["`LoadContext` is derived for a struct, which is a row of a table; \
           implement it by hand for this type"],
    );
    for input in ["struct Row(i32);", "struct Row;"] {
        refuses(
            input,
            &["`LoadContext` is derived for a struct with named fields; \
               implement it by hand for this type"],
        );
    }
    for base_query in ["base_query = rows::table.filter(rows::deleted_at.is_null())", "base_query = rows"] {
        refuses(
            &format!("#[auth(connection = C)] #[diesel({base_query})] struct Row {{ id: i32 }}"),
            &[
                "contexts are loaded from the table and not from `base_query`, so what it leaves out would be let in; \
               say which rows are there by `#[auth(rows = is_null(deleted_at))]`, and derive `HasQuery` for a struct of its own",
            ],
        );
    }
    refuses(
        "#[auth(conection = C)] struct Row { id: i32 }",
        &["unknown key `conection`; did you mean `connection`?"],
    );
    refuses(
        "#[auth(connection = C, connection = D)] struct Row { id: i32 }",
        &["the connection is given twice; remove one"],
    );
    refuses(
        "#[auth(connection = \"C\")] struct Row { id: i32 }",
        &["`connection` is a type, without quotes: `connection = C`"],
    );
}
