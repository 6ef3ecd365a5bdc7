//! Explanations: which alternatives of an access-control list matched, and which term failed. They are for people, logs and
//! tools, not for clients.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    acl::{Acl, AuthModel},
    vocabulary::{Condition, Decision, Permission, Subject, decide},
};

/// Explains the decision of [`check_access`](crate::check_access): each alternative of the list, whether it matched, and
/// which terms failed.
///
/// ```
/// use auth_core::{Acl, AuthModel, Permission, User, account, allow, explain, role, user};
///
/// struct Sensor {
///     owner_id: i32,
///     account_id: i32,
/// }
///
/// impl AuthModel for Sensor {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::UPDATE, user(self.owner_id) | account(self.account_id) & role("account-admin"))
///     }
/// }
///
/// let sensor = Sensor { owner_id: 7, account_id: 3 };
/// let explanation = explain(&User::new(2).with_account(3), &sensor, Permission::UPDATE);
/// assert_eq!(
///     explanation.to_string(),
///     "deny (no-match): update\n\
///      - user:7: no\n\
///      - account:3 & role:account-admin: no, for role:account-admin fails\n"
/// );
///
/// // Term by term, for a page that says it in words of its own.
/// let [_, of_account_admins] = explanation.alternatives() else { panic!("there are two") };
/// let terms: Vec<_> = of_account_admins.terms().iter().map(|term| (term.text(), term.matched())).collect();
/// assert_eq!(terms, [("account:3", true), ("role:account-admin", false)]);
/// ```
pub fn explain<S, C>(subject: &S, context: &C, permission: Permission) -> Explanation
where
    S: Subject + ?Sized,
    C: AuthModel + ?Sized,
{
    Explanation::new(subject, permission, &context.acl().condition(subject, permission))
}

/// A decision with its grounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    permission: Permission,
    decision: Decision,
    alternatives: Vec<Alternative>,
}

/// One of the rules that suffice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alternative {
    rule: String,
    matched: bool,
    terms: Vec<Term>,
    failed: Vec<String>,
}

/// One of the terms of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Term {
    text: String,
    matched: bool,
}

impl Explanation {
    pub(crate) fn new<S: Subject + ?Sized>(
        subject: &S,
        permission: Permission,
        condition: &Condition,
    ) -> Self {
        let decision = decide(subject, permission, || condition.matches());
        let mut alternatives = Vec::new();
        condition.each_alternative(&mut |alternative| alternatives.push(Alternative::of(alternative)));
        Self { permission, decision, alternatives }
    }

    /// The permission that is decided about.
    #[must_use]
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// The decision. Admins are allowed even if no alternative matched.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The alternatives for this permission. If there are none, only admins have it.
    #[must_use]
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }
}

impl Alternative {
    fn of(condition: &Condition) -> Self {
        let (mut terms, mut failed) = (Vec::new(), Vec::new());
        condition.each_term(&mut |text, matched| terms.push(Term { text: text.to_owned(), matched }));
        condition.each_failed(&mut |term| failed.push(term.to_owned()));
        Self { rule: condition.to_string(), matched: condition.matches(), terms, failed }
    }

    /// The rule as text: principals, or the terms of a declared policy, joined by `|` and `&`.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Whether the subject matched it.
    #[must_use]
    pub fn matched(&self) -> bool {
        self.matched
    }

    /// All terms of the rule, in the order in which it names them.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The terms that failed; none where it matched.
    #[must_use]
    pub fn failed(&self) -> &[String] {
        &self.failed
    }
}

impl Term {
    /// As the rule names it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the subject matched it.
    #[must_use]
    pub fn matched(&self) -> bool {
        self.matched
    }
}

/// The decision, and a line for each alternative.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.decision, self.permission)?;
        if self.alternatives.is_empty() {
            return writeln!(f, "- no rule grants it");
        }
        for Alternative { rule, matched, failed, .. } in &self.alternatives {
            match failed.as_slice() {
                _ if *matched => writeln!(f, "- {rule}: yes")?,
                [] => writeln!(f, "- {rule}: no")?,
                [only] if only == rule => writeln!(f, "- {rule}: no")?,
                [only] => writeln!(f, "- {rule}: no, for {only} fails")?,
                several => writeln!(f, "- {rule}: no, for {} fail", several.join(" and "))?,
            }
        }
        Ok(())
    }
}

/// As an object with `permission`, `allowed`, `reason` and `alternatives`.
impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Explanation", 4)?;
        object.serialize_field("permission", self.permission.as_str())?;
        object.serialize_field("allowed", &self.decision.is_allowed())?;
        object.serialize_field("reason", self.decision.reason())?;
        object.serialize_field("alternatives", &self.alternatives)?;
        object.end()
    }
}
