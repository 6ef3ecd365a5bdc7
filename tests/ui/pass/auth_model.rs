//! Policies compile wherever they stand, without a warning: with a shadowed prelude, keywords for names, tables in a
//! schema, columns under another name, keys of several columns, and contexts that refer to each other.
#![deny(warnings)]

mod names {
    #![allow(dead_code)]

    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Vec;
    pub(super) struct Send;
    pub(super) struct Clone;
}

pub mod schema {
    diesel::table! {
        energy.accounts (id) {
            id -> Integer,
            owner_id -> Nullable<Integer>,
        }
    }

    diesel::table! {
        users (id) {
            id -> Integer,
            #[sql_name = "account"]
            account_id -> Integer,
            is_active -> Nullable<Bool>,
        }
    }

    diesel::table! {
        shares (account_id, r#type) {
            account_id -> Integer,
            r#type -> Text,
        }
    }
}

pub mod contexts {
    #[allow(unused_imports)]
    use crate::pass::auth_model::names::{Clone, None, Ok, Option, Result, Send, Some, Vec};
    use crate::pass::auth_model::schema::{accounts, shares, users};

    pub const PUBLISH: auth_core::Permission = auth_core::Permission::new("publish");
    pub const EDITOR: &str = "editor";

    /// Of the user, in turn. Its relation has the name of an argument in generated code.
    #[derive(diesel::Queryable, diesel::Selectable, auth_core::AuthModel, auth_core::LoadContext)]
    #[diesel(table_name = accounts, check_for_backend(diesel::sqlite::Sqlite))]
    #[auth(belongs_to(connection: User, owner_id))]
    #[acl(
        "create-children" = connection.read & account_role("Prosumer"),
        read = account(id) | connection.is_active,
        update = connection.update | is_null(owner_id),
        PUBLISH = nobody,
    )]
    pub struct Account {
        pub id: i32,
        pub owner_id: ::core::option::Option<i32>,
    }

    #[derive(auth_core::LoadContext, auth_core::AuthModel, diesel::Queryable, diesel::Selectable)]
    #[diesel(table_name = users)]
    #[auth(connection = diesel::SqliteConnection)]
    #[auth(belongs_to(r#type: Account, account_id))]
    #[acl(read = r#type.read | (user(id) | role(EDITOR)) & role(self::EDITOR))]
    #[acl(update = user(id) | every_logged_in_user() & is_active, crate::pass::auth_model::contexts::PUBLISH = r#type.PUBLISH)]
    pub struct User {
        #[diesel(column_name = id)]
        pub key: i32,
        pub account_id: i32,
        pub is_active: ::core::option::Option<bool>,
    }

    /// Decides by itself.
    #[derive(diesel::Queryable, diesel::Selectable, auth_core::AuthModel, auth_core::LoadContext)]
    #[diesel(table_name = shares, primary_key(account_id, r#type), check_for_backend(diesel::sqlite::Sqlite))]
    #[acl(read = account(account_id) | user(r#type), delete = every_logged_in_user & nobody)]
    pub struct Share {
        pub account_id: i32,
        pub r#type: ::std::string::String,
    }
}

/// What a macro passes on stays together, and what is computed is not what is in the column.
pub mod passed_on {
    use crate::pass::auth_model::schema::users;

    macro_rules! user {
        ($name:ident, $rule:expr, $role:expr) => {
            #[derive(diesel::Queryable, diesel::Selectable, auth_core::AuthModel)]
            #[diesel(table_name = users, check_for_backend(diesel::sqlite::Sqlite))]
            #[acl(read = $rule & account(account_id), update = account(account_id) & $rule, delete = role($role))]
            pub struct $name {
                pub id: i32,
                #[diesel(select_expression = users::id, select_expression_type = users::id)]
                pub account_id: i32,
                #[diesel(select_expression = diesel::ExpressionMethods::is_null(users::is_active))]
                #[diesel(select_expression_type = diesel::dsl::IsNull<users::is_active>)]
                pub unknown: bool,
            }
        };
    }

    user!(User, role("editor") | user(id), "boss");
}

mod queried {
    use auth_core::{AuthModel, Permission, Scoped, User};
    use diesel::prelude::*;

    use super::schema::users;

    /// With a query of diesel's own, whose trait is in scope as well.
    #[derive(HasQuery, AuthModel)]
    #[diesel(table_name = users, check_for_backend(diesel::sqlite::Sqlite))]
    #[acl(read = user(id))]
    pub(super) struct Person {
        pub(super) id: i32,
    }

    pub(super) fn queries() -> [String; 2] {
        let sql = |query| diesel::debug_query::<diesel::sqlite::Sqlite, _>(query).to_string();
        let own = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&Person::query()).to_string();
        [own, sql(&Person::accessible_by(&User::new(1), Permission::READ))]
    }
}

mod perms {
    pub(super) const PUBLISH: auth_core::Permission = auth_core::Permission::new("publish");
}

diesel::table! {
    folders (id) {
        id -> Integer,
        type_id -> Nullable<Integer>,
        owner_id -> Integer,
        kind -> SmallInt,
    }
}

use perms::PUBLISH;

/// A permission that goes down a tree by any of its paths, a keyword for the relation, and constants of the row itself.
#[derive(diesel::Queryable, diesel::Selectable, auth_core::AuthModel)]
#[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(r#type: Self, type_id, recursive))]
#[acl(
    perms::PUBLISH = user(owner_id) | r#type.PUBLISH,
    read = is(kind, Self::OPEN, 3i16, -0x1) & role(Self::READER) | type.read,
)]
pub struct Tree {
    pub id: i32,
    pub type_id: ::core::option::Option<i32>,
    pub owner_id: i32,
    pub kind: i16,
}

impl Tree {
    const OPEN: i16 = 1;
    const READER: &'static str = "reader";
}

pub fn run() {
    use auth_core::{AuthModel, LoadContext, Permission, Scoped, User, check_access, explain};

    fn decides<C: AuthModel + LoadContext + Scoped>(context: &C) -> bool {
        let user = User::new(1).with_account(2);
        explain(&user, context, Permission::READ).decision().is_allowed()
            && check_access(&user, context, Permission::READ).is_allowed()
    }
    assert!(decides(&contexts::Share { account_id: 2, r#type: "ordinary".to_owned() }));

    let user = User::new(1).with_account(2).with_account_roles(["Prosumer"]);
    let sql = |permission| {
        let query = contexts::Account::accessible_by(&user, permission);
        diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string()
    };
    assert_eq!(
        sql(Permission::UPDATE),
        "SELECT `energy`.`accounts`.`id`, `energy`.`accounts`.`owner_id` FROM `energy`.`accounts` WHERE \
         (`energy`.`accounts`.`id` IS NOT NULL AND ((`energy`.`accounts`.`owner_id` IS NULL) OR \
         (`energy`.`accounts`.`owner_id` IN (SELECT __auth_1.`id` FROM `users` AS __auth_1 WHERE \
         (__auth_1.`id` = ?) OR (__auth_1.`is_active` = TRUE))))) -- binds: [1]"
    );
    assert!(sql(contexts::PUBLISH).ends_with("WHERE (1 = 0) -- binds: []"));
    // Of the user, and of that one's account, through a column of another name.
    assert!(sql(Permission::CREATE_CHILDREN).contains("WHERE __auth_1.`account` IN (SELECT"));
    assert_eq!(
        contexts::User::POLICY.to_string(),
        "User\n  read = type.read | (user(id) | role(\"editor\")) & role(\"editor\")\n  \
         update = user(id) | every_logged_in_user & is_active\n  publish = type.publish\n"
    );
    // Of two that refer to each other, it comes to an end.
    assert!(format!("{:?}", contexts::Account::POLICY).starts_with("Policy { context: \"Account\""));

    assert_eq!(
        Tree::POLICY.to_string(),
        "Tree\n  publish = user(owner_id) | type.publish\n  \
         read = is(kind, 1, 3, -1) & role(\"reader\") | type.read\n"
    );

    let [own, scoped] = queried::queries();
    assert!(!own.contains("WHERE") && scoped.contains("WHERE"), "{own}\n{scoped}");

    let rules = passed_on::User::POLICY.to_string();
    assert_eq!(
        rules,
        "User\n  read = (role(\"editor\") | user(id)) & account(account_id)\n  \
         update = account(account_id) & (role(\"editor\") | user(id))\n  delete = role(\"boss\")\n"
    );
    // Not by what was selected instead: there is no list for an object in memory.
    let query = passed_on::User::accessible_by(&user, Permission::READ);
    let sql = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
    assert!(
        sql.ends_with("WHERE ((`users`.`id` = ?) AND (`users`.`account` = ?)) -- binds: [1, 2]"),
        "{sql}"
    );
}
