//! The chapter for those who come from casbin: its examples of this library, word for word, and what they decide.

use actix_web::{Responder, get, web::Json};
use auth_core::{
    Acl, AclTable, AuthModel, LoadContext, Permission, User, check_access, permission_required_for_context,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Serialize;

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        consultancy_id -> Nullable<Integer>,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(
    read = is_null(account_id) | account(account_id) | account(consultancy_id) & role("consultant"),
    update = account(account_id) & role("account-admin"),
)]
struct Asset {
    id: i32,
    account_id: Option<i32>,
    consultancy_id: Option<i32>,
}

#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}")]
async fn view(asset: Asset) -> impl Responder {
    Json(asset)
}

fn in_a_job(user: &User, asset: &Asset) -> bool {
    check_access(user, asset, Permission::READ).is_allowed()
}

struct Dashboard {
    acl: AclTable,
}

impl AuthModel for Dashboard {
    fn acl(&self) -> impl Acl {
        &self.acl
    }
}

fn dashboard(stored: &str) -> Result<Dashboard, serde_json::Error> {
    Ok(Dashboard { acl: serde_json::from_str(stored)? })
}

mod tests {
    use super::*;

    const CHAPTER: &str = include_str!("../../docs/from-casbin.md");

    #[test]
    fn it_decides_as_the_matcher_does() {
        let asset = |account_id, consultancy_id| Asset { id: 1, account_id, consultancy_id };
        let member = User::new(2).with_account(3);
        let consultant = member.clone().with_roles(["consultant"]);
        assert!(in_a_job(&member, &asset(Some(3), None)));
        assert!(in_a_job(&member, &asset(None, None)));
        assert!(!in_a_job(&member, &asset(Some(4), Some(3))));
        assert!(in_a_job(&consultant, &asset(Some(4), Some(3))));
        assert!(!in_a_job(&consultant, &asset(Some(4), None)));
        assert!(!check_access(&consultant, &asset(Some(3), None), Permission::UPDATE).is_allowed());
    }

    #[test]
    fn a_stored_list_decides_about_its_object() {
        let stored = r#"{"read": ["account:3", ["role:editor", "account:4"]], "update": "user:2"}"#;
        assert!(CHAPTER.contains(&format!("`{stored}`")));
        let dashboard = dashboard(stored).unwrap();
        let may = |user: &User, permission| check_access(user, &dashboard, permission).is_allowed();
        let reader = User::new(7).with_account(4);
        assert!(!may(&reader, Permission::READ));
        assert!(may(&reader.with_roles(["editor"]), Permission::READ));
        assert!(may(&User::new(2), Permission::UPDATE));
        assert!(super::dashboard(r#"{"read": "acount:3"}"#).is_err());
    }

    #[test]
    fn its_handler_is_guarded() {
        assert!(auth_core::report().entries().iter().any(|entry| entry.path() == "/assets/{asset_id}"));
        let _ = view;
    }
}
