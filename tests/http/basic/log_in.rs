//! An application's own log-in by a password, beside Basic.

use std::time::Duration;

use actix_web::{
    App, HttpRequest, post,
    test::{TestRequest, call_service, init_service},
    web::{Data, Form, ServiceConfig},
};
use auth_core::{
    Auth, AuthError, Subject,
    mechanism::{Attempts, BasicAuth, PasswordLogIn},
    public,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Plant, basic, plain, unlimited};
use crate::{
    fixture::{Member, World},
    log,
};

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

#[public]
#[post("/log-in")]
async fn log_in(
    request: HttpRequest,
    Form(Credentials { name, password }): Form<Credentials>,
    log_in: Data<PasswordLogIn<Member>>,
) -> Result<String, AuthError> {
    Ok(log_in.log_in(&request, &name, password).await?.id().to_string())
}

/// A log-in that may fail three times, which Basic shares.
fn configured() -> (World, impl Fn(&mut ServiceConfig) + Clone) {
    let (world, passwords) = Plant::world();
    let attempts = Attempts::new(unlimited().per_account(3, Duration::from_secs(3600)));
    let shared = PasswordLogIn::<Member>::new(world.pool.clone()).passwords(passwords).attempts(attempts);
    let auth = Auth::builder().mechanism(BasicAuth::by(shared.clone())).build().unwrap();
    let configure = move |app: &mut ServiceConfig| {
        app.app_data(auth.clone()).app_data(Data::new(shared.clone())).service((log_in, plain));
    };
    (world, configure)
}

fn credentials(name: &str, password: &str) -> TestRequest {
    TestRequest::post().uri("/log-in").set_form([("name", name), ("password", password)])
}

#[actix_web::test]
async fn a_log_in_and_basic_share_their_attempts() {
    let (_world, configure) = configured();
    let app = init_service(App::new().configure(configure)).await;
    let by_basic = |name, password| {
        let authorization = ("authorization", basic(name, password));
        TestRequest::get().uri("/plain").insert_header(authorization)
    };
    for (request, status) in [
        (credentials("member", "sesame"), 200),
        (credentials("member", "wrong"), 401),
        (by_basic("member", "wrong"), 401),
        (by_basic("member", "sesame"), 200),
        (credentials("member", "wrong"), 401),
        (by_basic("member", "sesame"), 429),
        (credentials("member", "sesame"), 429),
        (credentials("chef", "a:b £"), 200),
    ] {
        assert_eq!(call_service(&app, request.to_request()).await.status(), status);
    }
}

#[actix_web::test]
async fn the_log_has_outcome_and_address_and_never_the_typed_name() {
    let (world, configure) = configured();
    let line = async |name: &str, password: &str| -> Value {
        let request = credentials(name, password).peer_addr("192.0.2.7:4711".parse().unwrap());
        let (_, mut events) = log::events_of(configure.clone(), request).await;
        let text = format!("{events:?}");
        assert!(!text.contains("member") && !text.contains("sesame"), "{text}");
        events.retain(|event| event["fields"]["message"] == "log-in");
        assert_eq!(events.len(), 1, "{text}");
        let mut fields = events.remove(0)["fields"].take();
        assert_eq!(fields["address"].take(), "192.0.2.7");
        fields
    };
    let expected = |outcome: &str, more: Value| {
        let mut fields = json!({"message": "log-in", "address": null, "outcome": outcome});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    assert_eq!(line("member", "sesame").await, expected("allow", json!({"subject": "1"})));
    let wrong = expected("deny", json!({"reason": "bad-credentials"}));
    assert_eq!(line("sesame", "nobody has this name").await, wrong);
    for _ in 0..3 {
        assert_eq!(line("member", "wrong").await, wrong);
    }
    let too_many = expected("deny", json!({"reason": "too-many-requests"}));
    assert_eq!(line("member", "sesame").await, too_many);
    world.execute("ALTER TABLE passwords RENAME TO gone");
    let failed = line("chef", "a:b £").await;
    assert_eq!([&failed["outcome"], &failed["reason"]], ["deny", "unavailable"]);
    assert!(failed["error"].as_str().unwrap().ends_with("no such table: passwords"), "{failed}");
}
