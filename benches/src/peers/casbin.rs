//! The rule in casbin, as a matcher over the attributes of caller and asset (ABAC).

use actix_web::rt::System;
use auth_core::Permission;
use casbin::{CoreApi, DefaultModel, Enforcer};
use serde::Serialize;

use crate::{
    Error,
    rule::{Asset, Caller},
};

const MODEL: &str = r#"
[request_definition]
r = sub, obj, act

[policy_definition]
p = act

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = "admin" in r.sub.roles || r.act == "read" && ("admin-reader" in r.sub.roles || r.obj.account_id == () || r.obj.account_id == r.sub.account_id || r.obj.consultancy_id != () && r.obj.consultancy_id == r.sub.account_id && "consultant" in r.sub.roles) || r.act == "update" && r.obj.account_id != () && r.obj.account_id == r.sub.account_id && "account-admin" in r.sub.roles
"#;

#[derive(Serialize, Hash)]
struct Sub<'a> {
    account_id: Option<i32>,
    roles: &'a [String],
}

#[derive(Serialize, Hash)]
struct Obj {
    account_id: Option<i32>,
    consultancy_id: Option<i32>,
}

pub struct Casbin(Enforcer);

impl Casbin {
    /// # Errors
    ///
    /// If casbin does not understand the model.
    pub fn new() -> Result<Self, Error> {
        System::new().block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            Ok(Self(Enforcer::new(model, ()).await?))
        })
    }

    /// # Errors
    ///
    /// If the matcher fails.
    pub fn may(&self, caller: &Caller, asset: &Asset, permission: Permission) -> Result<bool, Error> {
        let sub = Sub { account_id: caller.account_id, roles: &caller.roles };
        let obj = Obj { account_id: asset.account_id, consultancy_id: asset.consultancy_id };
        Ok(self.0.enforce((sub, obj, permission.as_str()))?)
    }
}
