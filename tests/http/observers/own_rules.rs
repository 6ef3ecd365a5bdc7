//! Denials that handlers decide by rules of their own.

use std::sync::Arc;

use actix_web::{
    App, Error, HttpRequest, HttpResponse, get,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, ServiceConfig, scope},
};
use auth_core::{
    Auth, AuthError, CurrentUser, Decider, MaybeUser, OwnRule, Permission, auth_required, public,
    test::current_user,
};
use serde_json::{Value, json};

use super::{Told, service::Scripted};
use crate::log;

struct Shift;

fn night(shift: &dyn std::fmt::Debug) -> OwnRule<'_> {
    OwnRule::new("night shift").on::<Shift>(Permission::UPDATE, shift).roles(&["night", "chef"])
}

#[auth_required]
#[get("/here/{shift}")]
async fn here(request: HttpRequest) -> Result<HttpResponse, AuthError> {
    Err(Auth::deny(&request, night(&7)))
}

#[auth_required]
#[get("/by-name/{shift}")]
async fn by_name(user: CurrentUser) -> Result<HttpResponse, AuthError> {
    Err(user.deny("night shift"))
}

#[auth_required]
#[get("/on-a-thread/{shift}")]
async fn on_a_thread(user: CurrentUser) -> Result<HttpResponse, Error> {
    web::block(move || Err(user.deny(night(&"a7")))).await??;
    Ok(HttpResponse::Ok().finish())
}

#[public]
#[get("/anybody/{shift}")]
async fn anybody(_: MaybeUser, request: HttpRequest) -> Result<HttpResponse, Error> {
    let decider = Decider::of(&request)?;
    web::block(move || Err(decider.deny(night(&"9".repeat(5_000))))).await??;
    Ok(HttpResponse::Ok().finish())
}

fn configure(app: &mut ServiceConfig) {
    app.service(scope("/api").service((here, by_name, on_a_thread, anybody)));
}

/// The answer to a chef, unless the path is another one's, and the events of the denial.
async fn send(path: &str, headers: &[(&'static str, &'static str)]) -> (u16, String, Vec<Value>) {
    let told = Arc::new(Told::default());
    let auth = Auth::builder().mechanism(Scripted).observer(Arc::clone(&told)).build().unwrap();
    let app = init_service(App::new().app_data(auth).configure(configure)).await;
    let mut request = TestRequest::get().uri(path);
    for header in headers {
        request = request.insert_header(*header);
    }
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    (status, body, told.take())
}

const CHEF: &[(&str, &str)] = &[("x-as", "chef")];

#[actix_web::test]
async fn a_denial_by_a_rule_of_a_handler_is_an_event_as_that_of_a_guard() {
    let denied = |route: &str| {
        json!({
            "guard": "night shift", "method": "GET", "route": route, "subject": 7, "mechanism": "scripted",
            "outcome": "deny", "reason": "no-match",
        })
    };
    let on = |route: &str, id: &str| {
        let mut event = denied(route);
        event["permission"] = "update".into();
        event["context"] = "http::observers::own_rules::Shift".into();
        event["context_id"] = id.into();
        event["required"] = json!(["night", "chef"]);
        event
    };
    for (path, expected) in [
        ("/api/here/1", on("/api/here/{shift}", "7")),
        ("/api/by-name/1", denied("/api/by-name/{shift}")),
        ("/api/on-a-thread/1", on("/api/on-a-thread/{shift}", r#""a7""#)),
    ] {
        let (status, body, events) = send(path, CHEF).await;
        assert_eq!(status, 403, "{path}");
        assert!(body.contains("you may not do this") && !body.contains("night"), "{body}");
        assert_eq!(events.last(), Some(&expected), "{path}");
        let outcomes: Vec<_> = events.iter().map(|event| event["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["allow", "deny"], "{path}");
    }
}

#[actix_web::test]
async fn a_caller_who_need_not_be_logged_in_is_denied_as_well() {
    let (status, _, events) = send("/api/anybody/1", CHEF).await;
    assert_eq!((status, &events.last().unwrap()["subject"]), (403, &json!(7)));
    let (status, _, events) = send("/api/anybody/1", &[]).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((status, event.get("subject"), &event["guard"]), (403, None, &json!("night shift")));
    assert_eq!(event["context_id"].as_str().unwrap().len(), 256, "a rule does not fill the log");
}

#[actix_web::test]
async fn the_log_has_it_too() {
    let auth = Auth::builder().mechanism(Scripted).build().unwrap();
    let request = TestRequest::get().uri("/api/here/1").insert_header(("x-as", "chef"));
    let (status, events) = log::events_of(|app| configure(app.app_data(auth)), request).await;
    let fields = &events.last().unwrap()["fields"];
    assert_eq!((status, &fields["guard"], &fields["outcome"]), (403, &json!("night shift"), &json!("deny")));
    assert_eq!([&fields["route"], &fields["subject"]], ["/api/here/{shift}", "7"]);
}

#[actix_web::test]
async fn without_an_auth_the_answer_is_a_500() {
    #[get("/here")]
    async fn unguarded(request: HttpRequest) -> Result<HttpResponse, AuthError> {
        Err(Auth::deny(&request, "night shift"))
    }
    #[get("/on-a-thread")]
    async fn elsewhere(request: HttpRequest) -> Result<HttpResponse, AuthError> {
        Err(Decider::of(&request)?.deny("night shift"))
    }
    for path in ["/here", "/on-a-thread"] {
        let request = TestRequest::get().uri(path);
        let (status, events) = log::events_of(|app| _ = app.service((unguarded, elsewhere)), request).await;
        assert_eq!(status, 500, "{path}");
        assert!(
            events.iter().any(|event| event["fields"]["message"].as_str().unwrap().contains("no `Auth`"))
        );
    }
}

#[test]
fn a_caller_without_a_request_is_denied_in_the_log_alone() {
    assert_eq!(current_user(auth_core::User::new(7)).deny(night(&1)), AuthError::Forbidden);
}
