//! The rules for changes of roles, put to the energy service.

use energy_service::{
    auth::{LoggedIn, can_modify_role},
    models::{Account, User},
};
use serde::Deserialize;

use crate::conformance::vectors::{self, Count, VectorUser};

#[derive(Deserialize)]
struct Question {
    user: VectorUser,
    roles: Vec<Option<String>>,
    modified_user: VectorUser,
}

#[test]
fn can_modify_role_on_users() {
    let mut count = Count::default();
    for vector in vectors::read::<Question, bool>("can-modify-role.jsonl") {
        let Question { user, roles, modified_user } = &vector.question;
        let roles: Vec<_> = roles.iter().map(Option::as_deref).collect();
        let answer = can_modify_role(
            &user.who_asks(),
            &roles,
            &modified_user.who_is_changed(),
            &modified_user.account(),
        );
        count.add(&vector, answer);
    }
    count.assert("can-modify-role.jsonl");
}

impl VectorUser {
    fn who_asks(&self) -> LoggedIn {
        LoggedIn {
            id: key(self.id),
            account_id: key(self.account.id),
            email: String::new(),
            roles: self.roles.clone(),
            account_roles: self.account.roles.clone(),
            token: None,
            log_outs: 0,
        }
    }

    fn who_is_changed(&self) -> User {
        User {
            id: key(self.id),
            account_id: key(self.account.id),
            email: String::new(),
            username: String::new(),
            active: true,
        }
    }

    fn account(&self) -> Account {
        Account {
            id: key(self.account.id),
            name: String::new(),
            consultancy_account_id: self.account.consultancy_account_id.map(key),
        }
    }
}

/// The keys of the service have 32 bits.
fn key(id: i64) -> i32 {
    id.try_into().unwrap()
}
