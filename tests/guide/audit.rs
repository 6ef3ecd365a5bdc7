//! The examples of the chapter about audit and metrics, word for word as they are there, and the code that they need
//! around them.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, Responder, patch, post,
    test::{TestRequest, call_service, init_service},
    web::{self, scope},
};
use auth_core::{
    Acl, Auth, AuthConfigError, AuthModel, CurrentUser, LoadContext, LoadError, NoConnection, Permission,
    Subject, User, account, allow, auth_required,
    event::{Batched, Metrics},
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context,
};
use serde_json::Value;

const CHAPTER: &str = include_str!("../../docs/audit.md");

/// Stores denials, each as a line.
fn denials(mut file: impl Write + Send + 'static) -> io::Result<Batched> {
    Batched::builder().interval(Duration::from_secs(10)).at_most(10_000).start(
        |event| if event.decision.is_allowed() { None } else { serde_json::to_string(event).ok() },
        move |lines: &[String], missed| {
            lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            metrics::counter!("audit_missed_total").increment(missed);
            Ok::<_, io::Error>(())
        },
    )
}

fn auth(mechanism: impl Mechanism, denials: Batched) -> Result<Auth, AuthConfigError> {
    Auth::builder().mechanism(mechanism).observer(denials).observer(Metrics::new()).build()
}

#[auth_required]
#[post("/night-shift")]
async fn begin(user: CurrentUser) -> Result<HttpResponse, Error> {
    web::block(move || if user.has_role("night") { Ok(()) } else { Err(user.deny("night shift")) }).await??;
    Ok(HttpResponse::NoContent().finish())
}

/// User 7 of account 1.
struct Token;

impl Mechanism for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some(User::new(7).with_account(1).into()))
    }
}

#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sensor 2 belongs to account 2, and so on.
struct Sensor(i32);

impl LoadContext for Sensor {
    type Id = i32;
    type Connection = NoConnection;

    fn load(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self(id))
    }
}

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::UPDATE, account(self.0))
    }
}

#[permission_required_for_context("update", ctx = Sensor)]
#[patch("/sensors/{sensor_id}")]
async fn change() -> impl Responder {
    "changed"
}

fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    CHAPTER.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[actix_web::test]
async fn the_observer_of_the_chapter_is_told_what_it_shows() {
    let file = File::default();
    let denials = denials(file.clone()).unwrap();
    let app = App::new().app_data(auth(Token, denials.clone()).unwrap());
    let app = init_service(app.service(scope("/api").service(change).service(begin))).await;
    let patched = |id| TestRequest::patch().uri(&format!("/api/sensors/{id}"));
    for (request, status) in
        [(patched(1), 200), (patched(2), 403), (TestRequest::post().uri("/api/night-shift"), 403)]
    {
        assert_eq!(call_service(&app, request.to_request()).await.status(), status);
    }
    denials.flush(Duration::from_secs(60)).unwrap();
    let written = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
    let told: Vec<&str> = written.lines().collect();
    assert_eq!(told.len(), 2, "{written}");
    assert!(told[1].contains(r#""guard":"night shift""#), "{written}");

    let mut shown: Value = serde_json::from_str(blocks("json")[0]).unwrap();
    let mut told: Value = serde_json::from_str(told[0]).unwrap();
    for time in ["time_us", "duration_us", "load_us"] {
        assert!(told[time].is_u64() && shown[time].is_u64(), "{time}");
        (told[time], shown[time]) = (Value::Null, Value::Null);
    }
    assert_eq!(told, shown);
}

#[test]
fn the_schema_is_that_of_the_documentation() {
    let documentation = include_str!("../../auth-core/src/event/mod.rs");
    let rows: Vec<_> = documentation.lines().filter_map(|line| line.strip_prefix("//! |")).collect();
    assert_eq!(rows.len(), 18, "16 fields");
    for row in rows {
        assert!(CHAPTER.contains(&format!("\n|{row}\n")), "docs/audit.md lacks:\n|{row}");
    }
    let decisions = include_str!("../../auth-core/src/vocabulary/decision.rs");
    let reasons = decisions.lines().filter_map(|line| {
        let (decision, reason) = line.trim().split_once(" => \"")?;
        decision.starts_with("Self::").then(|| reason.trim_end_matches("\","))
    });
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(reasons.len(), 15);
    for reason in reasons {
        let word = format!("`{reason}`");
        assert!(CHAPTER.contains(&word) && documentation.contains(&word), "{reason}");
    }
}
