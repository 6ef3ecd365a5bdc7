//! A decision on a loaded context allocates nothing.

use auth_core::{
    Acl, AdminRoles, AuthModel, Permission, Subject, User, account, account_role, allow, check_access,
    every_logged_in_user, role, user,
};

/// Keys of two kinds, one of which may be absent.
struct Resource {
    owner: String,
    account_id: Option<i64>,
}

impl AuthModel for Resource {
    fn acl(&self) -> impl Acl {
        let members = self.account_id.map(account);
        let everyone = self.account_id.is_none().then(every_logged_in_user);
        allow(Permission::READ, account_role("Auditor") | members | everyone)
            .allow(Permission::UPDATE, user(&self.owner) | role("account-admin") & members)
            .allow(Permission::new("publish"), user(&self.owner))
    }
}

#[test]
fn a_decision_allocates_nothing() {
    let resources = [
        Resource { owner: "mia".into(), account_id: Some(3) },
        Resource { owner: "67e55044-10b1-426f-9247-bb680e5fe0c8".into(), account_id: None },
    ];
    let users = [
        User::new("mia").with_account(3),
        User::new(2)
            .with_account("three")
            .with_roles(["chef", "account-admin"])
            .with_account_roles(["Auditor"]),
        User::new(3).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures()),
        User::new("67e55044-10b1-426f-9247-bb680e5fe0c8"),
    ];
    let mut outcomes = [0; 2];
    let measured = allocation_counter::measure(|| {
        for resource in &resources {
            for user in &users {
                for permission in
                    [Permission::READ, Permission::UPDATE, Permission::DELETE, Permission::new("publish")]
                {
                    let subject: &dyn Subject = user;
                    let decision = check_access(subject, resource, permission);
                    assert_eq!(decision, check_access(user, resource, permission));
                    outcomes[usize::from(decision.is_allowed())] += 1;
                }
            }
        }
    });
    assert_eq!(measured.count_total, 0);
    assert!(outcomes.iter().all(|count| *count > 0), "some are allowed and some denied: {outcomes:?}");
}
