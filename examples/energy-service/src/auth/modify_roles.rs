//! The rules for giving and taking roles. They are beyond access-control lists, which know a user as a whole: a
//! permission to change a role depends on the role, too.

use auth_core::Subject;

use super::{ACCOUNT_ADMIN, ADMIN, ADMIN_READER, CONSULTANT, LoggedIn};
use crate::models::{Account, User};

/// Whether `user` may give these roles to `modified_user`, who belongs to `account`, or take them away. `None` stands for a role that
/// does not exist. All of the roles may be changed, or none; without any there is nothing to allow.
///
/// | role | who changes it |
/// |---|---|
/// | `admin` | no user: the operator of the service does it in the database |
/// | `admin-reader` | admins |
/// | `account-admin` | admins, and consultants of the account's consultancy who look after it, which the caller checks |
/// | `consultant` | admins, and account-admins of the same account |
/// | any other | no user |
///
/// The semantics are those of FlexMeasures' `can_modify_role`, but that nobody changes their own roles: there,
/// only the endpoint sees to that.
///
/// ```
/// use energy_service::{
///     auth::{LoggedIn, can_modify_role},
///     models::{Account, User},
/// };
///
/// # fn main() {
/// let adam = LoggedIn {
///     id: 2,
///     account_id: 3,
///     email: "adam@sunnyside.example".to_owned(),
///     roles: vec!["account-admin".to_owned()],
///     account_roles: Vec::new(),
///     token: None,
///     log_outs: 0,
/// };
/// let mia = User {
///     id: 1,
///     account_id: 3,
///     email: "mia@sunnyside.example".to_owned(),
///     username: "Mia".to_owned(),
///     active: true,
/// };
/// let sunnyside = Account { id: 3, name: "Sunnyside Farm".to_owned(), consultancy_account_id: None };
/// assert!(can_modify_role(&adam, &[Some("consultant")], &mia, &sunnyside));
/// assert!(!can_modify_role(&adam, &[Some("consultant"), Some("account-admin")], &mia, &sunnyside));
/// # }
/// ```
#[must_use]
pub fn can_modify_role(
    user: &LoggedIn,
    roles: &[Option<&str>],
    modified_user: &User,
    account: &Account,
) -> bool {
    let is_admin = || user.has_role(ADMIN);
    let is_consultant =
        || user.has_role(CONSULTANT) && account.consultancy_account_id == Some(user.account_id);
    let is_account_admin = || user.has_role(ACCOUNT_ADMIN) && account.id == user.account_id;
    user.id != modified_user.id
        && account.id == modified_user.account_id
        && !roles.is_empty()
        && roles.iter().all(|role| match *role {
            Some(ADMIN_READER) => is_admin(),
            Some(ACCOUNT_ADMIN) => is_admin() || is_consultant(),
            Some(CONSULTANT) => is_admin() || is_account_admin(),
            // ADMIN is among these.
            Some(_) | None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::can_modify_role;
    use crate::{
        auth::LoggedIn,
        models::{Account, User},
    };

    const ROLES: [&str; 4] = ["admin", "admin-reader", "account-admin", "consultant"];

    fn who_asks(id: i32, account_id: i32, role: &str) -> LoggedIn {
        let roles = vec![role.to_owned()];
        LoggedIn {
            id,
            account_id,
            email: String::new(),
            roles,
            account_roles: Vec::new(),
            token: None,
            log_outs: 0,
        }
    }

    /// User 1 of account 3.
    fn mia() -> User {
        User {
            id: 1,
            account_id: 3,
            email: "mia@example".to_owned(),
            username: "Mia".to_owned(),
            active: true,
        }
    }

    fn account(id: i32, consultancy_account_id: Option<i32>) -> Account {
        Account { id, name: String::new(), consultancy_account_id }
    }

    /// With account 2 as the consultancy of hers.
    fn can_modify_mia(user: &LoggedIn, roles: &[Option<&str>]) -> bool {
        can_modify_role(user, roles, &mia(), &account(3, Some(2)))
    }

    #[test]
    fn who_may_change_which_role() {
        for (who, may) in [
            (who_asks(9, 9, "admin"), [false, true, true, true]),
            (who_asks(9, 9, "admin-reader"), [false; 4]),
            (who_asks(9, 3, "account-admin"), [false, false, false, true]),
            (who_asks(9, 9, "account-admin"), [false; 4]),
            (who_asks(9, 2, "consultant"), [false, false, true, false]),
            (who_asks(9, 9, "consultant"), [false; 4]),
            (who_asks(9, 3, "no role that counts"), [false; 4]),
        ] {
            let observed = ROLES.map(|role| can_modify_mia(&who, &[Some(role)]));
            assert_eq!(observed, may, "{who:?} {ROLES:?}");
        }
    }

    #[test]
    fn one_role_that_may_not_be_changed_denies_all() {
        let admin = who_asks(9, 9, "admin");
        assert!(can_modify_mia(&admin, &[Some("consultant"), Some("account-admin")]));
        for roles in [
            &[] as &[Option<&str>],
            &[None],
            &[Some("")],
            &[Some("Consultant")],
            &[Some("consultant"), Some("gardener")],
            &[Some("admin"), Some("consultant")],
        ] {
            assert!(!can_modify_mia(&admin, roles), "{roles:?}");
        }
    }

    #[test]
    fn nobody_changes_their_own_roles() {
        for role in ROLES {
            let herself = who_asks(1, 3, role);
            for changed in ROLES {
                assert!(!can_modify_mia(&herself, &[Some(changed)]), "{role} {changed}");
            }
        }
    }

    #[test]
    fn an_account_without_a_consultancy_has_no_consultants() {
        let (consultant, account_admin) = (who_asks(9, 2, "consultant"), [Some("account-admin")]);
        assert!(can_modify_role(&consultant, &account_admin, &mia(), &account(3, Some(2))));
        assert!(!can_modify_role(&consultant, &account_admin, &mia(), &account(3, None)));
    }

    #[test]
    fn another_account_than_the_users_decides_nothing() {
        for who in [who_asks(9, 9, "admin"), who_asks(9, 2, "consultant"), who_asks(9, 4, "account-admin")] {
            for role in ROLES {
                assert!(
                    !can_modify_role(&who, &[Some(role)], &mia(), &account(4, Some(2))),
                    "{who:?} {role}"
                );
            }
        }
    }
}
