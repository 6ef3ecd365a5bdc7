//! The guide for engineers who come from `FlexMeasures`: every Rust example of it stands in `examples.rs`, word for word,
//! and so compiles; the last test registers the handlers and sends requests to some of them.

mod audit;
mod changes;
mod deploying;
mod examples;
mod layers;
mod policies;
mod recipes;
mod security;
mod statements;
mod statements_of_changes;
mod testing;

use actix_web::{
    App,
    http::StatusCode,
    test::{TestRequest, call_service, init_service},
};
use auth_core::{Auth, User, test::AlwaysAs};

const GUIDE: &str = include_str!("../../docs/from-flexmeasures.md");

/// The blocks of the guide in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    GUIDE.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_examples_of_the_guide_compile() {
    let compiled = include_str!("examples.rs");
    let blocks = blocks("rust");
    assert!(blocks.len() > 10, "the guide has {} examples", blocks.len());
    for block in blocks {
        assert!(
            compiled.contains(block),
            "this example of the guide is not in tests/guide/examples.rs:\n{block}"
        );
    }
}

#[test]
fn each_attribute_has_its_place_in_the_guide() {
    let before = blocks("python").concat();
    let after = blocks("rust").concat();
    for attribute in [
        "auth_required",
        "auth_token_required",
        "http_auth_required",
        "anonymous_user_required",
        "roles_required",
        "roles_accepted",
        "account_roles_required",
        "account_roles_accepted",
        "permissions_required",
        "permissions_accepted",
        "permission_required_for_context",
    ] {
        assert!(before.contains(&format!("@{attribute}")), "{attribute} in Python");
        assert!(after.contains(&format!("#[{attribute}")), "{attribute} in Rust");
    }
}

#[actix_web::test]
async fn the_handlers_of_the_guide_answer() {
    let member = User::new(2).with_account(3);
    let auth = Auth::builder().mechanism(AlwaysAs(member)).build().unwrap();
    let app = init_service(App::new().app_data(auth).configure(examples::configure)).await;
    for (path, status) in [
        ("/sensors/1", StatusCode::OK),
        ("/sensors/2", StatusCode::FORBIDDEN),
        ("/sensors/9", StatusCode::NOT_FOUND),
        ("/sensors?id=1", StatusCode::OK),
        ("/sensors?id=1&id=2", StatusCode::FORBIDDEN),
        ("/sensors", StatusCode::FORBIDDEN),
        ("/invoices", StatusCode::FORBIDDEN),
        ("/clients", StatusCode::FORBIDDEN),
        ("/reports/1", StatusCode::OK),
        ("/reports/2", StatusCode::FORBIDDEN),
        ("/welcome", StatusCode::FORBIDDEN),
    ] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "{path}");
    }
}
