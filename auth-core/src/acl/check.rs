//! The decision about an object in memory.

use super::{Acl as _, AuthModel};
use crate::vocabulary::{Decision, Permission, Subject, decide};

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

#[cfg(test)]
mod tests {
    use crate::{
        acl::{Acl, AuthModel, allow, check_access, user},
        vocabulary::{AdminRoles, AllowReason, Decision, DenyReason, Permission, Subject, User, is_admin},
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
            // Neither does a stored user, nor one that a client sends.
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
    fn a_subject_may_be_a_trait_object() {
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
}
