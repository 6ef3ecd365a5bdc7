//! The rule in Cedar: roles are parents of the caller, accounts are attributes.

use std::collections::{HashMap, HashSet};

use auth_core::Permission;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::{
    Error,
    rule::{Asset, Caller},
};

const POLICIES: &str = r#"
permit(principal in Role::"admin", action, resource);

permit(principal in Role::"admin-reader", action == Action::"read", resource);

permit(principal, action == Action::"read", resource)
when { !(resource has account) || principal has account && resource.account == principal.account };

permit(principal in Role::"consultant", action == Action::"read", resource)
when { resource has consultancy && principal has account && resource.consultancy == principal.account };

permit(principal in Role::"account-admin", action == Action::"update", resource)
when { resource has account && principal has account && resource.account == principal.account };
"#;

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    user: EntityTypeName,
    role: EntityTypeName,
    asset: EntityTypeName,
    action: EntityTypeName,
}

impl Cedar {
    /// # Errors
    ///
    /// If Cedar does not understand the policies.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: POLICIES.parse()?,
            user: "User".parse()?,
            role: "Role".parse()?,
            asset: "Asset".parse()?,
            action: "Action".parse()?,
        })
    }

    /// Includes the work of a handler for it: the handler has its own types, and Cedar its entities.
    ///
    /// # Errors
    ///
    /// If the entities are none that Cedar takes.
    pub fn may(&self, caller: &Caller, asset: &Asset, permission: Permission) -> Result<bool, Error> {
        let principal = uid(&self.user, &caller.id);
        let resource = uid(&self.asset, &asset.id);
        let action = uid(&self.action, &permission.as_str());
        let roles: HashSet<_> = caller.roles.iter().map(|role| uid(&self.role, role)).collect();
        let mut entities: Vec<_> =
            roles.iter().map(|role| Entity::new_no_attrs(role.clone(), HashSet::new())).collect();
        let of_caller = attributes([("account", caller.account_id)]);
        entities.push(Entity::new(principal.clone(), of_caller, roles)?);
        let of_asset = attributes([("account", asset.account_id), ("consultancy", asset.consultancy_id)]);
        entities.push(Entity::new(resource.clone(), of_asset, HashSet::new())?);
        let entities = Entities::from_entities(entities, None)?;
        let request = Request::new(principal, action, resource, Context::empty(), None)?;
        Ok(self.authorizer.is_authorized(&request, &self.policies, &entities).decision() == Decision::Allow)
    }
}

fn uid(kind: &EntityTypeName, id: &impl ToString) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id.to_string()))
}

fn attributes<const N: usize>(pairs: [(&str, Option<i32>); N]) -> HashMap<String, RestrictedExpression> {
    pairs
        .into_iter()
        .filter_map(|(name, id)| Some((name.to_owned(), RestrictedExpression::new_long(id?.into()))))
        .collect()
}
