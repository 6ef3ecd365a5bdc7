#![allow(unused)]

use auth_core::{AuthModel, Permission};
use diesel::{prelude::*, sqlite::Sqlite};

diesel::table! {
    projects (id) { id -> Integer, parent_id -> Integer, twin_id -> Integer, state -> Text, size -> SmallInt, cost -> Float }
}

diesel::table! {
    shares (id) { id -> Integer, project_id -> Integer, user_id -> Integer, name -> Text, everyone -> Bool }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares, check_for_backend(Sqlite))]
#[auth(belongs_to(project: Project, project_id))]
#[acl(read = user(user_id))]
struct Share {
    id: i32,
    project_id: i32,
    user_id: i32,
    name: String,
    everyone: bool,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = projects, check_for_backend(Sqlite))]
#[acl(read = nobody)]
struct Project {
    id: i32,
}

macro_rules! project {
    ($name:ident: $($relation:ident($($relation_of:tt)*)),*; $($rule:tt)*) => {
        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = projects, check_for_backend(Sqlite))]
        #[auth($($relation($($relation_of)*)),*)]
        #[acl(read = $($rule)*)]
        struct $name {
            id: i32,
            parent_id: i32,
        }
    };
}

project!(UnknownColumn: has_many(shares: Share, project_id); any(shares: user(usr_id)));
project!(UnknownForeignKey: has_many(shares: Share, project); any(shares: user(user_id)));
project!(MistypedForeignKey: has_many(shares: Share, name); any(shares: user(user_id)));
project!(UnknownPermission: has_many(shares: Share, project_id); any(shares: update));
project!(UnknownRelation: has_many(shares: Share, project_id); any(shares: team.read));
project!(OneRow: has_many(shares: Share, project_id); any(shares: any(project: user(id))));
project!(AmbiguousWord: has_many(shares: Share, project_id); any(shares: everyone));
project!(NoTime: has_many(shares: Share, project_id); any(shares: until(name)));
project!(NoSuchValue: has_many(shares: Share, project_id); any(shares: is(user_id, "7")));
project!(NoTimeHere: ; since(state));
project!(TooLarge: ; is(size, 32768));
project!(NotCompared: ; is(cost, 1));
project!(Circle: belongs_to(parent: Self, parent_id); parent.read);
project!(TwoTrees: belongs_to(parent: Self, parent_id, recursive), belongs_to(twin: Self, twin_id, recursive);
    parent.read | twin.read);
project!(NoConstant: ; is(state, Permission::READ));

fn main() {}
