//! The recorded decisions of FlexMeasures, put to this library. See `README.md` for the data and
//! `DEVIATIONS.md` for the cases in which this library decides otherwise on purpose.

mod models;
mod requests;
mod roles;
mod vectors;

use std::collections::HashSet;

use auth_core::{
    Acl, AclTable, AdminRoles, AuthModel, Decision, Permission, Principal, Principals, Rule, User,
    check_access,
};
use serde::Deserialize;

use crate::conformance::vectors::{Count, Terms, Vector, VectorUser};

#[derive(Deserialize)]
struct Matching {
    user: Option<VectorUser>,
    principals: Terms,
}

#[test]
fn principal_matching() {
    let mut count = Count::default();
    for vector in vectors::read::<Matching, bool>("principal-matching.jsonl") {
        let Vector { question: Matching { user, principals }, .. } = &vector;
        // An anonymous caller has no subject at all, so there is none to match.
        let matches = user.as_ref().is_some_and(|user| principals.read().matches(&user.subject()));
        count.add(&vector, matches);
    }
    count.assert("principal-matching.jsonl");
}

#[derive(Deserialize)]
struct Access {
    user: Option<VectorUser>,
    acl: Option<std::collections::BTreeMap<String, Terms>>,
    permission: String,
}

/// A context with the access-control list of a case.
struct Listed(AclTable);

impl AuthModel for Listed {
    fn acl(&self) -> impl Acl {
        &self.0
    }
}

/// The source of an answer: the library, or this harness, which answers as a guard does before it calls the library.
enum Answer {
    OfLibrary(&'static str),
    OfHarness(&'static str),
}

impl Answer {
    fn text(&self) -> &'static str {
        let (Self::OfLibrary(text) | Self::OfHarness(text)) = self;
        text
    }
}

impl Access {
    /// The answer of a guard: the caller comes first, then the context, then the permission.
    fn decide(&self) -> Answer {
        let Some(user) = self.user.as_ref().filter(|user| user.active) else {
            return Answer::OfHarness("unauthenticated");
        };
        // A guard answers 404 where there is no context, and no permission is unknown to the compiler.
        let (Some(acl), Ok(permission)) = (&self.acl, self.permission.parse::<Permission>()) else {
            return Answer::OfHarness("forbidden");
        };
        let known = acl.iter().filter_map(|(name, terms)| Some((name.parse().ok()?, terms.read())));
        let table = known
            .fold(AclTable::new(), |table, (permission, principals): (Permission, Principals)| {
                table.allow(permission, principals)
            });
        Answer::OfLibrary(match check_access(&user.subject(), &Listed(table), permission) {
            Decision::Allow(_) => "allow",
            Decision::Deny(_) => "forbidden",
        })
    }
}

#[test]
fn check_access_on_lists() {
    let mut count = Count::default();
    let mut of_library = 0;
    for vector in vectors::read::<Access, String>("check-access.jsonl") {
        let answer = vector.question.decide();
        of_library += usize::from(matches!(answer, Answer::OfLibrary(_)));
        count.add(&vector, answer.text().to_owned());
    }
    let of_harness = count.cases() - of_library;
    count.note(format!(
        "{of_library} decided by the library, {of_harness} by the harness: nobody asks, or there is no list or no such permission"
    ));
    count.assert("check-access.jsonl");
}

#[derive(Deserialize)]
#[serde(tag = "function", rename_all = "snake_case")]
enum Raising {
    UserMatchesPrincipals(Matching),
    CheckAccess(Access),
}

/// FlexMeasures raises an exception, which lets no caller in. Here the malformed principal is refused when the list is
/// read, and the other alternatives decide: a case lets in exactly where one of them matches.
#[test]
fn what_raises_there_lets_in_exactly_where_another_alternative_matches() {
    let (mut cases, mut let_in, mut wrong) = (0, 0, Vec::new());
    for vector in vectors::read::<Raising, String>("errors.jsonl") {
        let (admitted, expected) = match &vector.question {
            Raising::UserMatchesPrincipals(Matching { user, principals }) => (
                user.as_ref().is_some_and(|user| principals.read().matches(&user.subject())),
                user.as_ref().is_some_and(|user| principals.has_alternative_of(user)),
            ),
            Raising::CheckAccess(access) => (access.decide().text() == "allow", access.lets_in_by_texts()),
        };
        cases += 1;
        let_in += usize::from(admitted);
        if admitted != expected {
            wrong.push(format!("{}: let in is {admitted} instead of {expected}", vector.id));
        }
    }
    vectors::say(&format!(
        "errors.jsonl: {cases} cases, none panics, {let_in} let in by another alternative"
    ));
    assert!(cases > 0, "errors.jsonl has no cases");
    assert!(wrong.is_empty(), "errors.jsonl: {wrong:#?}");
}

/// An oracle that shares no code with the library: a principal matches if it is, letter for letter, one of the texts
/// that describe the user.
impl Terms {
    fn has_alternative_of(&self, user: &VectorUser) -> bool {
        let texts = user.texts();
        let holds = |term: &Terms| matches!(term, Terms::One(text) if texts.contains(text));
        let all_hold = |terms: &[Terms]| !terms.is_empty() && terms.iter().all(holds);
        match self {
            Self::Nobody => false,
            Self::One(_) => holds(self),
            Self::All { all } => all_hold(all),
            Self::Any { any } => any.iter().any(|term| match term {
                // A list within a list is the written form of a conjunction.
                Self::All { all: terms } | Self::Any { any: terms } => all_hold(terms),
                term => holds(term),
            }),
        }
    }
}

impl Access {
    fn lets_in_by_texts(&self) -> bool {
        let Some(user) = self.user.as_ref().filter(|user| user.active) else { return false };
        let Some(acl) = &self.acl else { return false };
        let has_role = |role: &str| user.roles.iter().any(|held| held == role);
        let is_known = ["create-children", "read", "update", "delete"].contains(&&*self.permission);
        let stands_above = has_role("admin") || self.permission == "read" && has_role("admin-reader");
        let is_listed = || acl.get(&self.permission).is_some_and(|terms| terms.has_alternative_of(user));
        is_known && (stands_above || is_listed())
    }
}

impl Terms {
    /// The terms as this library reads them. A term that it refuses to read is in no list, so in `any` it is no
    /// alternative, and an `all` that contains it is refused as a whole.
    fn read(&self) -> Principals {
        match self {
            Self::Nobody => Principals::new(),
            Self::One(_) | Self::All { .. } => {
                Principals::new().or_all(self.conjunction().unwrap_or_default())
            }
            Self::Any { any } => any.iter().fold(Principals::new(), |read, term| {
                // A list within a list is AND: JSON has no tuples, so that is the written form of a
                // conjunction.
                read.or_all(term.conjunction().unwrap_or_default())
            }),
        }
    }

    fn conjunction(&self) -> Option<Vec<Principal>> {
        match self {
            Self::Nobody => None,
            Self::One(text) => text.parse().ok().map(|principal| vec![principal]),
            Self::All { all: terms } | Self::Any { any: terms } => {
                terms.iter().map(Self::principal).collect()
            }
        }
    }

    fn principal(&self) -> Option<Principal> {
        match self {
            Self::One(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl VectorUser {
    /// Every principal that matches this user, as text. No user has a role without a name.
    fn texts(&self) -> HashSet<String> {
        let named = |prefix: &'static str, names: &[String]| {
            names
                .iter()
                .filter(|name| !name.is_empty())
                .map(move |name| format!("{prefix}:{name}"))
                .collect::<Vec<_>>()
        };
        let mut texts: HashSet<_> = named("role", &self.roles).into_iter().collect();
        texts.extend(named("account-role", &self.account.roles));
        texts.extend([
            format!("user:{}", self.id),
            format!("account:{}", self.account.id),
            "every-logged-in-user".to_owned(),
        ]);
        texts
    }

    fn subject(&self) -> User {
        User::new(self.id)
            .with_account(self.account.id)
            .with_roles(self.roles.iter().cloned())
            .with_account_roles(self.account.roles.iter().cloned())
            .with_admin_roles(AdminRoles::flexmeasures())
    }
}
