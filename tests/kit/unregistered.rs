//! The error of a service that is not set up: it is printed where a test has no subscriber, which would log it.

use std::{env, process::Command};

use actix_web::{
    App, get,
    test::{TestRequest, call_service, init_service},
};
use auth_core::{Acl, Auth, AuthModel, LoadContext, LoadError, permission_required_for_context};

use super::Named;

/// Runs in a process of its own, which prints.
#[actix_web::test]
async fn answers_500() {
    let Some(lacks) = env::var_os("AUTH_TEST_LACKS") else { return };
    let _subscriber = (lacks == "pool, with a subscriber").then(|| {
        tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(std::io::sink).finish())
    });
    let app = App::new().service(pooled);
    let app =
        if lacks == "auth" { app } else { app.app_data(Auth::builder().mechanism(Named).build().unwrap()) };
    let request = TestRequest::get().uri("/pooled/1").insert_header(("who", "member")).to_request();
    let status = call_service(&init_service(app).await, request).await.status();
    assert_eq!(status, 500);
}

/// Needs a connection that no pool lends.
struct Pooled;

impl LoadContext for Pooled {
    type Id = u8;
    type Connection = String;

    fn load(_: u8, _: &mut String) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Pooled {
    fn acl(&self) -> impl Acl {}
}

#[permission_required_for_context("read", ctx = Pooled, id = "id")]
#[get("/pooled/{id}")]
async fn pooled() -> &'static str {
    "never"
}

#[test]
fn what_is_not_registered_is_said_where_a_test_has_no_subscriber() {
    let printed = |lacks: &str| {
        let done = Command::new(env::current_exe().unwrap())
            .args(["--exact", "kit::unregistered::answers_500", "--nocapture"])
            .env("AUTH_TEST_LACKS", lacks)
            .output()
            .unwrap();
        let printed = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{printed}{}", String::from_utf8_lossy(&done.stdout));
        printed
    };
    let line = printed("auth");
    assert!(line.contains("ERROR auth: no `Auth` is registered"), "{line}");
    assert!(line.contains("add `.app_data(auth.clone())` to the `App`"), "{line}");
    let line = printed("pool");
    assert!(line.contains("ERROR auth: ") && line.contains("add `.connections(pool)`"), "{line}");
    assert!(!printed("pool, with a subscriber").contains("ERROR auth"));
}
