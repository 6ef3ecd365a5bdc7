//! One guarded handler, as its attributes describe it.

use std::{
    fmt::{self, Display, Write as _},
    iter,
};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::guard::{CallerRequirement, ContextRequirement, Requirements};

/// A handler that has a guard or is `#[public]`: its route, and what its attributes require.
///
/// [`Display`] shows it in a line, and [`Serialize`] as JSON.
// The attributes write literals, as of `Route`: the compiler evaluates calls in every check.
#[derive(Debug, Clone, Copy)]
pub struct GuardedHandler {
    #[doc(hidden)]
    pub name: &'static str,
    #[doc(hidden)]
    pub module: &'static str,
    #[doc(hidden)]
    pub file: &'static str,
    #[doc(hidden)]
    pub line: u32,
    #[doc(hidden)]
    pub routes: &'static [Route],
    /// The guard that this one is around: an attribute under another name makes one of its own, and the inner one
    /// knows the routes.
    #[doc(hidden)]
    pub inner: Option<fn() -> &'static Self>,
    #[doc(hidden)]
    pub requirements: Requirements<'static>,
}

/// A route, as its attribute says it.
// Its fields are public because the attributes write literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Route {
    #[doc(hidden)]
    pub methods: &'static [&'static str],
    #[doc(hidden)]
    pub pattern: &'static str,
}

impl Route {
    /// The methods.
    #[must_use]
    pub const fn methods(&self) -> &'static [&'static str] {
        self.methods
    }

    /// The path as the attribute has it, without the scopes that it is registered in.
    #[must_use]
    pub const fn pattern(&self) -> &'static str {
        self.pattern
    }
}

impl GuardedHandler {
    /// The function's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The module that the function is in, as `module_path!` writes it.
    #[must_use]
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// Module and name, as in `service::routes::view`; for what others have written, its type.
    #[must_use]
    pub fn path(&self) -> String {
        if self.module.is_empty() { self.name.to_owned() } else { format!("{}::{}", self.module, self.name) }
    }

    /// The file that its attributes are in, as `file!` writes it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the attributes in that file, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The routes of the route attributes below ours; none for a function that is registered in another way.
    #[must_use]
    pub fn routes(&self) -> &'static [Route] {
        self.guards_inwards().last().map_or(self.routes, |innermost| innermost.routes)
    }

    /// Whether the handler is open to everybody.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.requirements.caller, CallerRequirement::Everybody(_))
    }

    /// Why the handler is open, if its attribute gives a reason: `#[public(reason = "…")]`.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self.requirements.caller {
            CallerRequirement::Everybody(reason) => reason,
            _ => None,
        }
    }

    /// The requirements, one line for each attribute, in the order of the phases.
    pub fn guards(&self) -> impl Iterator<Item = String> {
        self.requirements().flat_map(|requirements| guards(&requirements))
    }

    /// The rules of the declared policies that the guard checks: `Sensor: read = asset.read`. A context whose list is code
    /// has none.
    pub fn policies(&self) -> impl Iterator<Item = String> {
        self.requirements().flat_map(|requirements| requirements.contexts).flat_map(policies)
    }

    /// The requirements of all guards, from the outside in.
    pub(crate) fn requirements<'a>(&self) -> impl Iterator<Item = Requirements<'a>> + use<'a> {
        iter::once(*self).chain(self.guards_inwards().copied()).map(|handler| handler.requirements)
    }

    /// The guards inside this one, from the outside in.
    fn guards_inwards(&self) -> impl Iterator<Item = &'static Self> + use<> {
        iter::successors(self.inner, |inner| inner().inner).map(|inner| inner())
    }

    /// Whether this guard is around the other one.
    pub(crate) fn is_around(&self, other: &Self) -> bool {
        self.guards_inwards().any(|inner| inner.is(other))
    }

    /// Whether both are one guard of one function.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let place =
            |handler: &Self| (handler.module, handler.name, handler.file, handler.line, handler.routes());
        // Two handlers share a place if a macro writes two functions into the bodies of two others.
        place(self) == place(other) && self.inner.is_some() == other.inner.is_some()
    }
}

impl Display for GuardedHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Route { methods, pattern } in self.routes() {
            write!(f, "{} {pattern} ", methods.join(", "))?;
        }
        f.write_str(&self.path())?;
        for (index, guard) in self.guards().enumerate() {
            write!(f, "{}{guard}", if index == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl Serialize for GuardedHandler {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut handler = serializer.serialize_struct("GuardedHandler", 7)?;
        handler.serialize_field("handler", &self.path())?;
        handler.serialize_field("file", self.file)?;
        handler.serialize_field("line", &self.line)?;
        handler.serialize_field("routes", self.routes())?;
        handler.serialize_field("public", &self.is_public())?;
        handler.serialize_field("guards", &self.guards().collect::<Vec<_>>())?;
        handler.serialize_field("policies", &self.policies().collect::<Vec<_>>())?;
        handler.end()
    }
}

/// As they are written as attributes, one after the other.
pub(crate) fn guards<'a>(requirements: &Requirements<'a>) -> impl Iterator<Item = String> + use<'a> {
    let caller = match &requirements.caller {
        CallerRequirement::Everybody(None) => Some("public".to_owned()),
        CallerRequirement::Everybody(Some(reason)) => Some(format!("public(reason = {reason:?})")),
        CallerRequirement::Anonymous => Some("anonymous_user_required".to_owned()),
        // Every other attribute implies it.
        CallerRequirement::Authenticated(accepted) => {
            let implied =
                accepted.is_any() && !(requirements.checks.is_empty() && requirements.contexts.is_empty());
            (!implied).then(|| format!("auth_required{accepted}"))
        }
    };
    let checks = requirements.checks.iter().map(|check| {
        let names: Vec<String> = check.names.iter().map(|name| format!("{name:?}")).collect();
        format!("{}({})", check.name(), names.join(", "))
    });
    caller.into_iter().chain(checks).chain(requirements.contexts.iter().flat_map(context))
}

fn context(requirement: &ContextRequirement) -> impl Iterator<Item = String> {
    requirement.permissions.iter().map(|permission| {
        let mut text =
            format!("permission_required_for_context({:?}, {}", permission.as_str(), requirement.context);
        if let Some(id) = requirement.id {
            // A `String` takes all that is written to it.
            let _ = write!(text, ", id = {id}");
        }
        if requirement.allows_empty {
            text.push_str(", allow_empty = true");
        }
        text.push(')');
        text
    })
}

#[cfg(feature = "diesel")]
fn policies(requirement: &ContextRequirement) -> impl Iterator<Item = String> {
    let requirement = *requirement;
    requirement.policy.iter().flat_map(move |policy| {
        requirement.permissions.iter().map(move |permission| {
            let rules = policy.written_rules(*permission);
            format!("{}: {permission} = {rules}", policy.context())
        })
    })
}

#[cfg(not(feature = "diesel"))]
fn policies(_: &ContextRequirement) -> impl Iterator<Item = String> {
    iter::empty()
}
