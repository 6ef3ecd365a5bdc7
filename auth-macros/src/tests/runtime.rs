//! The path of auth-core, where it is not `::auth_core`.

use super::{expand, expanded_whole, messages};
use crate::model::{Arguments, Kind};
use crate::{auth_model, load_context};

#[test]
fn every_attribute_takes_the_path() {
    let args = |kind: Kind| match kind.arguments() {
        Arguments::Names(..) => "\"a\", b::C, ",
        Arguments::Context => "\"read\", ctx_arg = \"sensor\", id = body.id, on_denied = page, ",
        Arguments::Authentication(None) => "\"token\", within = \"1 h\", ",
        Arguments::Reason => "reason = \"a\", ",
        _ => "",
    };
    for kind in Kind::ALL {
        for item in [
            "#[get(\"/{id}\")] pub async fn view(sensor: Authorized<Sensor, Read>, body: Json<New>) {}",
            "async fn view<T: A>(sensor: Sensor, body: Json<T>) {}",
            "#[get(\"/\")] async fn view(other: ::auth_core_of_others::A, body: a::auth_core::B, sensor: A) {}",
        ] {
            let args = format!("{}crate = reexported::authz", args(kind));
            let output = expand(kind, &args, item);
            assert_eq!(messages(output.clone()), [""; 0], "{args} on {item}");
            let output =
                output.to_string().replace(' ', "").replace("a::auth_core::B", "").replace("_of_others", "");
            let elsewhere = output.replace("::auth_core::A", "");
            assert!(!elsewhere.contains("auth_core"), "{elsewhere}");
            let is_open_function = kind == Kind::Public && !item.starts_with('#');
            assert!(is_open_function || output.contains("reexported::authz::"), "{output}");
        }
    }
}

#[test]
fn a_handler_with_errors_keeps_the_path() {
    let output =
        expand(Kind::AuthRequired, "crate = crate::authz, \"\"", "#[get(\"/\")] async fn view(a: A) {}");
    assert_eq!(messages(output.clone()).len(), 1);
    assert!(!output.to_string().contains("auth_core"), "{output}");
}

#[test]
fn one_of_several_attributes_may_give_the_path() {
    let output = expanded_whole(
        "#[auth_required] #[roles_accepted(\"a\", crate = authz)] #[get(\"/\")] async fn view(a: A) {}",
    );
    assert!(!output.contains("auth_core"), "{output}");
    assert!(output.contains("authz::__private::Admitted"), "{output}");
}

#[test]
fn the_derives_take_the_path() {
    for said in ["connection = C", "async_connection = C"] {
        for (relation, rule) in [
            ("", "account(account_id) & role(ADMIN) | is_open"),
            (", belongs_to(a: A, account_id)", "a.read | user(a.owner_id) & is_null(a.owner_id) | is_open"),
        ] {
            for crates in ["authz", "::authz", "crate::reexported::auth_core"] {
                let input = format!(
                    "#[auth({said}{relation}, crate = {crates})] #[acl(read = {rule}, PUBLISH = nobody)] \
                     struct Row {{ id: i32, account_id: i32, is_open: bool }}"
                );
                for derive in [auth_model::derive, load_context::derive] {
                    let output = derive(input.parse().unwrap());
                    assert_eq!(messages(output.clone()), [""; 0], "{input}");
                    let output = output.to_string().replace(' ', "");
                    assert!(output.contains(&format!("{crates}::")), "{output}");
                    assert!(
                        !output.replace("crate::reexported::auth_core", "").contains("auth_core"),
                        "{output}"
                    );
                }
            }
        }
    }
    // Before and behind what is wrong.
    for said in ["crate = authz, conection = C", "conection = C, crate = authz"] {
        let input = format!("#[auth({said})] #[acl(read = nobody)] struct Row {{ id: i32 }}");
        let output = auth_model::derive(input.parse().unwrap());
        assert_eq!(messages(output).len(), 1, "{said}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let form = "`crate` is the path of auth-core, without quotes: `crate = authz`";
    let on = |args: &str, expected: &[&str]| {
        let output = expand(Kind::RolesRequired, args, "async fn view() {}");
        assert_eq!(messages(output), expected, "{args}");
    };
    on("\"a\", crate = \"authz\"", &[form]);
    on("crate, \"a\"", &[form]);
    on("\"a\", crate = 5", &[form]);
    on("\"a\", crate = a, crate = a", &["`crate` is given twice; remove one"]);
    on("crate = a, crate::ROLE", &[]);
    let output = expanded_messages(
        "#[roles_required(\"a\", crate = a)] #[auth_required(crate = b)] async fn view() {}",
    );
    assert_eq!(output, ["another attribute of this handler names another path; name one in both"]);
    let output = expanded_messages(
        "#[roles_required(\"a\", crate = a)] #[auth_required(crate = a)] async fn view() {}",
    );
    assert_eq!(output, [""; 0]);
    for (said, expected) in [
        ("crate = a, crate = a", "`crate` is given twice; remove one"),
        ("crate = \"a\"", form),
        ("crate", form),
    ] {
        let input = format!("#[auth(connection = C, {said})] struct Row {{ id: i32 }}");
        assert_eq!(
            messages(load_context::derive(input.parse().unwrap())).first().unwrap(),
            expected,
            "{said}"
        );
    }
}

/// The arguments of the first attribute on a function.
fn expanded_messages(item: &str) -> Vec<String> {
    let (first, rest) = item.split_once(")] ").unwrap();
    let args = first.trim_start_matches("#[roles_required(");
    messages(expand(Kind::RolesRequired, args, rest))
}
