//! The messages about how the caller is authenticated.

use super::{HANDLER, refuses};
use crate::model::Kind;

#[test]
fn mechanisms() {
    let on = |args: &str, expected: &[&str]| refuses(Kind::AuthRequired, args, HANDLER, expected);
    on("", &[]);
    on("\"token\", SESSION, within = \"15 min\", grace = \"1 h\",", &[]);
    on(r#""""#, &["a mechanism cannot be empty; write the name of one, such as `token`"]);
    on(
        r#""a", B, "a", B"#,
        &["mechanism `a` is named twice; remove one", "mechanism `B` is named twice; remove one"],
    );
    on("5", &["expected a mechanism, which is a string literal or a path to a `const &str`; found `5`"]);
    on("\"a\" = 1", &["a mechanism has no value; remove what follows it"]);
    on("\"a\" \"b\"", &["missing `,` before `\"b\"`"]);
    let front = "a mechanism stands before the keys; move `\"a\"` to the front";
    on("within = \"1 s\", \"a\"", &[front]);
}

#[test]
fn freshness() {
    let on = |args: &str, expected: &[&str]| refuses(Kind::AuthRequired, args, HANDLER, expected);
    on("wihtin = \"1 h\"", &["unknown key `wihtin`; did you mean `within`?"]);
    on("realm = \"x\"", &["unknown key `realm`; expected `within`, `grace` or `on_denied`"]);
    on("within", &["`within` needs a value: `within = \"15 min\"`"]);
    on("within = \"1 h\", within = \"1 h\"", &["`within` is given twice; remove one"]);
    on("within = 900", &["`within` is a duration in quotes: `within = \"15 min\"`"]);
    on("within = \"\"", &["`within` is a whole number and a unit, as in `\"15 min\"`"]);
    on("within = \"1.5 h\"", &["`within` is a whole number and a unit, as in `\"15 min\"`"]);
    on("within = \"0 h\"", &["`within` cannot be zero; write a duration such as `\"15 min\"`"]);
    on("within = \"15\"", &["`within` has no unit; write a duration such as `\"15 min\"`"]);
    on("within = \"20 mins\"", &["unknown unit `mins`; did you mean `\"20 min\"`?"]);
    on("within = \"2 m\"", &["unknown unit `m`; expected `s`, `min`, `h` or `d`, as in `\"15 min\"`"]);
    let too_long = "`grace` is too long; write a duration such as `\"15 min\"`";
    on("within = \"1 s\", grace = \"99999999999 s\"", &[too_long]);
    let nothing_stale = "without `within` nothing becomes stale; \
         add `within`, as in `within = \"15 min\"`, or remove `grace`";
    on("grace = \"1 h\"", &[nothing_stale]);
    refuses(
        Kind::AuthRequired,
        "within = \"1 h\"",
        "#[auth_required(grace = \"1 h\")] async fn view() {}",
        &[nothing_stale],
    );
}

#[test]
fn realm() {
    let on = |args: &str, expected: &[&str]| refuses(Kind::HttpAuthRequired, args, HANDLER, expected);
    on("", &[]);
    on("realm = \"Plant 2, north\",", &[]);
    on("raelm = \"x\"", &["unknown key `raelm`; did you mean `realm`?"]);
    on("within = \"x\"", &["unknown key `within`; expected `realm` or `on_denied`"]);
    on("realm", &["`realm` needs a value: `realm = \"…\"`"]);
    on(
        "\"x\"",
        &["`http_auth_required` takes the keys `realm` and `on_denied` alone, as in `realm = \"…\"`; \
           found `\"x\"`"],
    );
    on("realm = Plant", &["`realm` is a text in quotes: `realm = \"Plant\"`"]);
    on("realm = 5", &["`realm` is a text in quotes: `realm = \"…\"`"]);
    on("realm = \"\"", &["`realm` cannot be empty; name what the password is for, or leave `realm` out"]);
    for written in ["\\n", "\\\"", "\\\\", "ü"] {
        let message = format!("`realm` is sent in a header, which cannot hold `{written}`; remove it");
        on(&format!("realm = \"a{written}\""), &[&message]);
    }
    on("realm = \"a\", realm = \"a\"", &["`realm` is given twice; remove one"]);
}

#[test]
fn several_attributes() {
    let on = |item: &str, expected: &[&str]| {
        let item = format!("{item} async fn view() {{}}");
        refuses(Kind::AuthRequired, "\"token\", SESSION", &item, expected);
    };
    on("#[auth_token_required] #[auth_required]", &[]);
    on(
        "#[http_auth_required]",
        &["no mechanism is accepted both by `http_auth_required` (`basic`) and by \
           `auth_required` (`token` or `SESSION`), so nobody could pass; remove one of them"],
    );
    // The value behind a path is not known.
    on(
        "#[auth_required(TOKEN, \"SESSION\")]",
        &["no mechanism is accepted both by `auth_required` (`TOKEN` or `SESSION`) and by \
           `auth_required` (`token` or `SESSION`), so nobody could pass; remove one of them"],
    );
    on(
        "#[auth_required(SESSION, \"x\")] #[auth_required(\"x\", \"token\")]",
        &["no mechanism is accepted both by `auth_required` (`x` or `token`) and by \
           the attributes before it together (`SESSION`), so nobody could pass; remove one of them"],
    );
    refuses(
        Kind::HttpAuthRequired,
        "realm = \"a\"",
        "#[http_auth_required(realm = \"b\")] #[http_auth_required(realm = \"a\")] #[http_auth_required]
         async fn view() {}",
        &["another attribute names the realm `a`; one challenge has one realm, remove one"],
    );
}
