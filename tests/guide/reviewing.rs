//! The chapter about reviews: its examples, word for word, and what they print.

use actix_web::{Responder, get, web::Json, web::ServiceConfig};
use auth_core::{
    AuthModel, LoadContext, ProtectedConfig, Scoped as _, permission_required_for_context, report,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Serialize;

diesel::table! {
    notes (id) {
        id -> Integer,
        account_id -> Integer,
        author_id -> Integer,
        text -> Text,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[acl(
    read = account(account_id) | role("auditor"),
    update = user(author_id) | account(account_id) & role("account-admin"),
)]
struct Note {
    id: i32,
    account_id: i32,
    author_id: i32,
    text: String,
}

#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/notes/{note_id}")]
async fn view(note: Note) -> impl Responder {
    Json(note)
}

fn service(config: &mut ServiceConfig) {
    ProtectedConfig::new(config).service(view);
}

async fn guards() -> Result<String, String> {
    let registered = report().of_crate("guide").registered_by(service).await;
    if registered.is_complete() { Ok(registered.report().to_markdown()) } else { Err(registered.to_string()) }
}

fn policies() -> String {
    Note::POLICY.to_string()
}

mod tests {
    use super::*;

    #[test]
    fn a_policy_is_printed() {
        let chapter = include_str!("../../docs/reviewing.md");
        let policies = policies();
        assert!(chapter.contains(&format!("```text\n{policies}```")), "{policies}");
        assert!(serde_json::to_string(&Note::POLICY).is_ok());
    }

    #[actix_web::test]
    async fn what_is_registered_nowhere_is_an_error() {
        // Only one handler of this crate is registered.
        let missing = guards().await.unwrap_err();
        assert!(missing.contains("guide::audit::change is guarded and registered nowhere"), "{missing}");
        assert!(!missing.contains("guide::reviewing::view"), "{missing}");
    }
}
