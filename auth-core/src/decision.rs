//! Decisions: may this subject do this with this context?

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    acl::{Acl, AuthModel},
    error::AuthError,
    permission::Permission,
    subject::{Rank, Subject},
};

/// Decides whether the subject has the permission on the context: the same decision that a guard takes, for
/// code that has no request (a job, a command line, a WebSocket message).
///
/// Semantics of FlexMeasures' `check_access`: the subject's [`admin_roles`](Subject::admin_roles) come first,
/// then the context's access-control list.
///
/// It sees the context and no database. A row that a query of your own has loaded may hold something else than its table:
/// SQLite stores anything in any column, and diesel reads `4294967298` and `'2abc'` as the `i32` 2. Guards and the derived
/// loaders see to that. For a row of your own query, let the database decide: `Stored::check_access`.
///
/// ```
/// use auth_core::{Acl, AuthModel, Permission, User, account, allow, check_access};
///
/// struct Sensor {
///     account_id: i32,
/// }
///
/// impl AuthModel for Sensor {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::READ, account(self.account_id))
///     }
/// }
///
/// let sensor = Sensor { account_id: 3 };
/// let member = User::new(2).with_account(3);
/// assert!(check_access(&member, &sensor, Permission::READ).is_allowed());
/// assert!(!check_access(&member, &sensor, Permission::UPDATE).is_allowed());
/// ```
#[inline]
pub fn check_access<S, C>(subject: &S, context: &C, permission: Permission) -> Decision
where
    S: Subject + ?Sized,
    C: AuthModel + ?Sized,
{
    decide(subject, permission, || context.acl().grants(subject, permission))
}

/// Admins first, then what the access-control list says, wherever it is asked.
#[inline]
pub(crate) fn decide<S: Subject + ?Sized>(
    subject: &S,
    permission: Permission,
    matches: impl FnOnce() -> bool,
) -> Decision {
    if let Some(reason) = above_lists(subject, permission) {
        Decision::Allow(reason)
    } else if matches() {
        Decision::Allow(AllowReason::Match)
    } else {
        Decision::Deny(DenyReason::NoMatch)
    }
}

/// Why no access-control list needs to be asked, if the subject stands above them.
#[inline]
pub(crate) fn above_lists<S: Subject + ?Sized>(subject: &S, permission: Permission) -> Option<AllowReason> {
    subject.rank(permission == Permission::READ).map(|rank| match rank {
        Rank::Admin => AllowReason::Admin,
        Rank::Reader => AllowReason::AdminReader,
    })
}

#[inline]
pub(crate) fn is_admin<S: Subject + ?Sized>(subject: &S) -> bool {
    subject.rank(false).is_some()
}

/// `Allow` or `Deny`, with its reason. The reason is for logs and tests, not for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a decision protects nothing until somebody acts on it"]
pub enum Decision {
    /// The subject may.
    Allow(AllowReason),
    /// The subject may not.
    Deny(DenyReason),
}

/// Why a decision is `Allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AllowReason {
    /// The subject has the role that may do everything.
    Admin,
    /// The subject has the role that may read everything.
    AdminReader,
    /// What the guard or the access-control list asks for is there.
    Match,
}

/// Why a decision is `Deny`. An error is a `Deny`, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenyReason {
    /// Nobody is logged in.
    Anonymous,
    /// Credentials were given, and they are wrong.
    BadCredentials,
    /// There were too many attempts to log in.
    TooManyRequests {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// The subject proved too long ago who it is.
    Stale,
    /// Another site caused the request, and the browser sent the credentials on its own.
    CrossSite,
    /// What the guard or the access-control list asks for is not there.
    NoMatch,
    /// Somebody is logged in, and the guard asks for nobody.
    LoggedIn,
    /// The context does not exist.
    NotFound,
    /// There is no context to check: a list or a labelled group is empty.
    Empty,
    /// More contexts are named than a guard loads.
    TooMany,
    /// A store that is needed to decide did not answer.
    Unavailable,
    /// The application lacks what is needed to decide.
    Misconfigured,
}

impl Decision {
    /// Whether the subject may.
    #[inline]
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// `allow` or `deny`, for logs.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        if self.is_allowed() { "allow" } else { "deny" }
    }

    /// The reason, as a word for logs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Allow(AllowReason::Admin) => "admin",
            Self::Allow(AllowReason::AdminReader) => "admin-reader",
            Self::Allow(AllowReason::Match) => "match",
            Self::Deny(DenyReason::Anonymous) => "anonymous",
            Self::Deny(DenyReason::BadCredentials) => "bad-credentials",
            Self::Deny(DenyReason::TooManyRequests { .. }) => "too-many-requests",
            Self::Deny(DenyReason::Stale) => "stale",
            Self::Deny(DenyReason::CrossSite) => "cross-site",
            Self::Deny(DenyReason::LoggedIn) => "logged-in",
            Self::Deny(DenyReason::NoMatch) => "no-match",
            Self::Deny(DenyReason::NotFound) => "not-found",
            Self::Deny(DenyReason::Empty) => "empty",
            Self::Deny(DenyReason::TooMany) => "too-many",
            Self::Deny(DenyReason::Unavailable) => "unavailable",
            Self::Deny(DenyReason::Misconfigured) => "misconfigured",
        }
    }

    /// `Ok` where the subject may, for `?` in a handler.
    ///
    /// # Errors
    ///
    /// The [`AuthError`] that answers a request that is denied for this reason.
    pub fn into_result(self) -> Result<(), AuthError> {
        match self {
            Self::Allow(_) => Ok(()),
            Self::Deny(DenyReason::Anonymous | DenyReason::BadCredentials | DenyReason::Stale) => {
                Err(AuthError::unauthenticated())
            }
            Self::Deny(DenyReason::TooManyRequests { retry_after }) => {
                Err(AuthError::TooManyRequests { retry_after })
            }
            Self::Deny(
                DenyReason::CrossSite | DenyReason::NoMatch | DenyReason::LoggedIn | DenyReason::Empty,
            ) => Err(AuthError::Forbidden),
            Self::Deny(DenyReason::NotFound | DenyReason::TooMany) => Err(AuthError::NotFound),
            Self::Deny(DenyReason::Unavailable) => Err(AuthError::Unavailable),
            Self::Deny(DenyReason::Misconfigured) => Err(AuthError::Misconfigured),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.outcome(), self.reason())
    }
}

/// As its words: `{"outcome": "deny", "reason": "no-match"}`.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut decision = serializer.serialize_struct("Decision", 2)?;
        decision.serialize_field("outcome", self.outcome())?;
        decision.serialize_field("reason", self.reason())?;
        decision.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        acl::{allow, user},
        subject::{AdminRoles, User},
    };

    struct OfUserOne;

    impl AuthModel for OfUserOne {
        fn acl(&self) -> impl Acl {
            allow(Permission::UPDATE, user(1))
        }
    }

    fn decide(subject: &User, permission: Permission) -> Decision {
        check_access(subject, &OfUserOne, permission)
    }

    #[test]
    fn the_access_control_list_decides() {
        assert_eq!(decide(&User::new(1), Permission::UPDATE), Decision::Allow(AllowReason::Match));
        assert_eq!(decide(&User::new(1), Permission::READ), Decision::Deny(DenyReason::NoMatch));
        assert_eq!(decide(&User::new(2), Permission::UPDATE), Decision::Deny(DenyReason::NoMatch));
    }

    #[test]
    fn admins_may_everything_and_admin_readers_may_read() {
        let named = |role| User::new(2).with_roles([role]).with_admin_roles(AdminRoles::flexmeasures());
        let (admin, reader) = (named("admin"), named("admin-reader"));
        for permission in Permission::BUILT_IN.into_iter().chain([Permission::new("publish")]) {
            assert_eq!(decide(&admin, permission), Decision::Allow(AllowReason::Admin));
            assert_eq!(decide(&reader, permission).is_allowed(), permission == Permission::READ);
        }
    }

    #[test]
    fn a_user_is_above_no_list_by_the_name_of_a_role() {
        for role in ["admin", "admin-reader", "superuser", "root", ""] {
            let user = User::new(2).with_roles([role]);
            assert!(!is_admin(&user), "{role}");
            for permission in Permission::BUILT_IN {
                assert_eq!(
                    decide(&user, permission),
                    Decision::Deny(DenyReason::NoMatch),
                    "{role} {permission}"
                );
            }
            // What is stored of a user, or sent by somebody, says nothing of it either.
            let stored = serde_json::to_string(&user.with_admin_roles(AdminRoles::flexmeasures())).unwrap();
            let read: User = serde_json::from_str(&stored).unwrap();
            assert!(!is_admin(&read), "{role}");
            let sent = format!(r#"{{"id": 2, "roles": ["{role}"], "admin_roles": {{"admin": "{role}"}}}}"#);
            assert!(serde_json::from_str::<User>(&sent).is_err());
        }
    }

    #[test]
    fn an_application_names_its_admin_roles() {
        let superuser = User::new(2).with_roles(["superuser", "admin"]);
        let with =
            |roles| decide(&superuser.clone().with_admin_roles(roles), Permission::DELETE).is_allowed();
        assert!(with(AdminRoles::flexmeasures()));
        assert!(with(AdminRoles::none().admin("superuser")));
        assert!(!with(AdminRoles::none().reader("superuser")));
        assert!(!with(AdminRoles::none()));
    }

    #[test]
    fn a_subject_is_asked_through_a_trait_object_as_well() {
        let subject: &dyn Subject = &User::new(1);
        assert!(check_access(subject, &OfUserOne, Permission::UPDATE).is_allowed());
    }

    #[test]
    fn a_role_without_a_name_makes_no_admin() {
        let nameless = User::new(2).with_roles([""]);
        for roles in [AdminRoles::none().admin(""), AdminRoles::none().reader("")] {
            let subject = nameless.clone().with_admin_roles(roles);
            assert!(!is_admin(&subject));
            assert!(!decide(&subject, Permission::READ).is_allowed());
        }
    }

    #[test]
    fn a_reader_is_no_admin() {
        let named = |role| User::new(2).with_roles([role]).with_admin_roles(AdminRoles::flexmeasures());
        assert!(is_admin(&named("admin")));
        assert!(!is_admin(&named("admin-reader")));
    }

    #[test]
    fn every_denial_is_an_error() {
        assert_eq!(decide(&User::new(1), Permission::UPDATE).into_result(), Ok(()));
        for (reason, error) in [
            (DenyReason::Anonymous, AuthError::unauthenticated()),
            (DenyReason::BadCredentials, AuthError::unauthenticated()),
            (DenyReason::Stale, AuthError::unauthenticated()),
            (DenyReason::CrossSite, AuthError::Forbidden),
            (
                DenyReason::TooManyRequests { retry_after: Duration::from_secs(7) },
                AuthError::TooManyRequests { retry_after: Duration::from_secs(7) },
            ),
            (DenyReason::LoggedIn, AuthError::Forbidden),
            (DenyReason::NoMatch, AuthError::Forbidden),
            (DenyReason::NotFound, AuthError::NotFound),
            (DenyReason::Unavailable, AuthError::Unavailable),
            (DenyReason::Misconfigured, AuthError::Misconfigured),
        ] {
            assert_eq!(Decision::Deny(reason).into_result(), Err(error));
        }
    }
}
