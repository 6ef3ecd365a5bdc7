//! The examples of the chapter about audit and metrics, word for word as they are there, and the code that they need
//! around them.

use std::sync::mpsc::{SyncSender, sync_channel};

use actix_web::{
    App, HttpRequest, Responder, patch,
    test::{TestRequest, call_service, init_service},
    web::scope,
};
use auth_core::{
    Acl, Auth, AuthConfigError, AuthModel, Event, LoadContext, LoadError, NoConnection, Observer, Permission,
    User, account, allow,
    event::Metrics,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context,
};
use serde_json::Value;

const CHAPTER: &str = include_str!("../../docs/audit.md");

/// Hands denials to a thread that stores them.
struct ToAudit(SyncSender<String>);

impl Observer for ToAudit {
    fn decided(&self, event: &Event<'_>) {
        if event.decision.is_allowed() {
            return;
        }
        let Ok(line) = serde_json::to_string(event) else { return };
        if self.0.try_send(line).is_err() {
            metrics::counter!("audit_dropped_total").increment(1);
        }
    }
}

fn auth(mechanism: impl Mechanism, denials: SyncSender<String>) -> Result<Auth, AuthConfigError> {
    Auth::builder().mechanism(mechanism).observer(ToAudit(denials)).observer(Metrics::new()).build()
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

#[test]
fn the_examples_of_the_chapter_compile() {
    let compiled = include_str!("audit.rs");
    let blocks = blocks("rust");
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(compiled.contains(block), "this example is not in tests/guide/audit.rs:\n{block}");
    }
}

#[actix_web::test]
async fn the_observer_of_the_chapter_is_told_what_it_shows() {
    let (sender, denials) = sync_channel(1);
    let app = App::new().app_data(auth(Token, sender).unwrap());
    let app = init_service(app.service(scope("/api").service(change))).await;
    // There is room for one, and the other is dropped.
    for (id, status) in [(1, 200), (2, 403), (3, 403)] {
        let request = TestRequest::patch().uri(&format!("/api/sensors/{id}")).to_request();
        assert_eq!(call_service(&app, request).await.status(), status);
    }
    let told: Vec<String> = denials.try_iter().collect();
    assert_eq!(told.len(), 1);

    let mut shown: Value = serde_json::from_str(blocks("json")[0]).unwrap();
    let mut told: Value = serde_json::from_str(&told[0]).unwrap();
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
