//! Odd input is an error, never a panic; and the same input gives the same output.

use proc_macro2::TokenStream;

use super::messages;
use crate::model::Kind;
use crate::{attribute, auth_model, load_context};

const ARGS: [&str; 59] = [
    "",
    ",",
    ",,",
    "=",
    "\"",
    "\"a\"",
    "\"a\",",
    "\"a\",,",
    "\"a\" \"b\"",
    "= \"a\"",
    "\"a\" = 1",
    "a",
    "a::b",
    "::a",
    "a::",
    "<A as B>::C",
    "<",
    "!",
    "a!()",
    "(\"a\")",
    "[a]",
    "{a}",
    "1",
    "1.5",
    "'a'",
    "'a",
    "true",
    "b\"a\"",
    "r#\"a\"#",
    "\"\\u{0}\"",
    "fn",
    "async",
    "self",
    "__auth_merged",
    "__auth_merged =",
    "__auth_merged = \"public\"",
    "within",
    "within =",
    "within = \"\"",
    "within = \"99999999999999999999 d\"",
    "within = \"1 \\u{1F600}\"",
    "within = \"\\u{661} s\"",
    "\"a\", within = \"1 s\", grace = \"1 s\"",
    "\"a\", within = \"1 s\" grace = 5, \"b\"",
    "grace = \"1 s\"",
    "realm",
    "realm = ",
    "realm = \"\"",
    "realm = \"\\u{0}\"",
    "realm = \"a\", realm = \"b\"",
    "on_denied",
    "on_denied =",
    "on_denied = a, on_denied = a, \"b\"",
    "\"a\", on_denied = <A as B>::c, on_denied = 5",
    "on_denied::a, on_denied = 'a",
    "\"read\", ctx =",
    "\"read\", id = scope",
    "\"read\", ctx_arg = \"a\", id = scope(",
    "\"read\", ctx = impl Foo + 'a, id = \"x\"",
];

const ITEMS: [&str; 38] = [
    "",
    ";",
    "x",
    "#",
    "#!",
    "#[a]",
    "#[]",
    "#[a] #[b",
    "fn",
    "fn f",
    "fn f()",
    "fn f();",
    "fn f() {}",
    "async fn f() {}",
    "async fn f(a: A) {}",
    "async fn f(a) {}",
    "async fn f(self) {}",
    "async fn f(self: Box<Self>, a: A, ..) {}",
    "async fn f(...) {}",
    "async fn (a: A) {}",
    "pub(in a::b) async unsafe extern \"C\" fn f<'a, T: ?Sized, const N: usize>() where T: A {}",
    "const async fn f() {}",
    "default async fn f() {}",
    "gen fn f() {}",
    "async move {}",
    "pub",
    "struct S;",
    "enum E {}",
    "union U { a: A }",
    "trait T { fn f(); }",
    "macro_rules! m { () => {} }",
    "#[get] async fn f() {}",
    "#[get(\"{{{\")] async fn f(a: A) {}",
    "#[routes] async fn f(a: A) {}",
    "#[roles_required] #[public = 1] async fn f(a: A) {}",
    "#[auth_required(\"x\", within = \"1 s\")] #[http_auth_required] async fn f(a: A) {}",
    "#[anonymous_user_required] #[public] async fn f(a: A) {}",
    "async fn f(Admitted(a): Admitted<__f_guard_4294967295>) {}",
];

#[test]
fn attributes_do_not_panic() {
    for kind in Kind::ALL {
        for args in ARGS.into_iter().filter_map(tokens) {
            for item in ITEMS.into_iter().filter_map(tokens) {
                let output = attribute::expand(kind, args.clone(), item.clone()).to_string();
                let again = attribute::expand(kind, args.clone(), item.clone()).to_string();
                assert_eq!(output, again, "{kind:?}: {args} on {item}");
            }
        }
    }
}

#[test]
fn attributes_without_a_function_are_errors() {
    for kind in Kind::ALL {
        for item in ["", ";", "struct S;", "fn", "fn f", "x y z"] {
            let output = attribute::expand(kind, TokenStream::new(), item.parse().unwrap());
            assert!(!messages(output).is_empty(), "{kind:?} on {item}");
        }
    }
}

#[test]
fn the_derives_do_not_panic() {
    let attributes = [
        "diesel",
        "diesel()",
        "diesel = 1",
        "diesel(table_name)",
        "diesel(table_name =)",
        "diesel(table_name = \"a\")",
        "diesel(table_name = a<b>)",
        "diesel(primary_key)",
        "diesel(primary_key(1))",
        "diesel(primary_key(a,, b))",
        "diesel(check_for_backend)",
        "diesel(check_for_backend())",
        "diesel(,)",
        "diesel(a = b, c(d), e)",
        "auth",
        "auth()",
        "auth(connection)",
        "auth(connection = )",
        "auth(connection = 5)",
        "auth[connection = A]",
        "auth(connection = A, belongs_to)",
        "auth(connection = A, belongs_to())",
        "auth(connection = A, belongs_to(a: A, a), belongs_to(,))",
        "auth(async_connection = A, belongs_to(r#fn: fn(), r#fn))",
        "acl",
        "acl = 5",
        "acl()",
        "acl(,)",
        "acl(read)",
        "acl(read =)",
        "acl(read = |)",
        "acl(read = a |)",
        "acl(read = & a)",
        "acl(read = (), update = (a), delete = ((a)",
        "acl(read = ((((((((((((((((((((((((((((((((a)))))))))))))))))))))))))))))))))",
        "acl(read = user(), update = user(a.), delete = user(.a))",
        "acl(read = a.b.c, update = a., delete = .a)",
        "acl(read = role(<), update = role(a::), delete = role(1))",
        "acl(read = a b, = c, 5 = d, \"\" = e, a::b::C = f)",
        "acl(READ = 'a | r#fn, self = super, crate::A = _)",
    ];
    let fields = ["", "id: i32", "#[diesel(column_name)] id: i32", "#[diesel(column_name = 5)] a: A"];
    for attribute in attributes {
        for fields in fields {
            let row = format!("#[{attribute}] struct Row {{ {fields} }}");
            if let Some(row) = tokens(&row) {
                load_context::derive(row.clone());
                auth_model::derive(row);
            }
        }
    }
    for item in ITEMS.into_iter().filter_map(tokens) {
        load_context::derive(item.clone());
        auth_model::derive(item);
    }
}

fn tokens(text: &str) -> Option<TokenStream> {
    text.parse().ok()
}
