//! The models of the tracker, with their policies.

use auth_core::{AuthModel, Indexes, LoadContext, Permission, Policy, Scoped};
use diesel::prelude::*;
use serde::Serialize;
use time::PrimitiveDateTime;

use crate::database::AnyConnection;

diesel::table! {
    organisations (id) { id -> Integer, name -> Text }
}

diesel::table! {
    memberships (id) {
        id -> Integer,
        organisation_id -> Integer,
        user_id -> Integer,
        level -> Text,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    projects (id) {
        id -> Integer,
        organisation_id -> Integer,
        name -> Text,
        state -> Text,
        is_locked -> Bool,
        opens_at -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    shares (id) {
        id -> Integer,
        project_id -> Integer,
        user_id -> Nullable<Integer>,
        team_id -> Nullable<Integer>,
        level -> Text,
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    teams (id) { id -> Integer, name -> Text }
}

diesel::table! {
    team_members (team_id, user_id) { team_id -> Integer, user_id -> Integer }
}

diesel::table! {
    folders (id) {
        id -> Integer,
        parent_id -> Nullable<Integer>,
        project_id -> Nullable<Integer>,
        owner_id -> Nullable<Integer>,
        name -> Text,
        inherits -> Bool,
    }
}

diesel::table! {
    tasks (id) {
        id -> Integer,
        folder_id -> Nullable<Integer>,
        assignee_id -> Nullable<Integer>,
        text -> Text,
        priority -> SmallInt,
        is_done -> Bool,
    }
}

diesel::table! {
    notices (id) { id -> Integer, begins_at -> Nullable<Timestamp>, ends_at -> Nullable<Timestamp> }
}

diesel::joinable!(projects -> organisations (organisation_id));
diesel::allow_tables_to_appear_in_same_query!(projects, organisations, shares);

/// Whoever is a member, by any membership that has not ended.
pub(crate) const MEMBER: Permission = Permission::new("member");
/// A member who may change what the organisation has.
pub(crate) const EDITOR: Permission = Permission::new("editor");

/// A way up a tree, at each step of which another one begins.
pub(crate) const LIST: Permission = Permission::new("list");

const EDIT: &str = "edit";
const PUBLISHED: &str = "published";
const URGENT: i16 = 3;

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = organisations)]
#[auth(connection = AnyConnection, has_many(memberships: Membership, organisation_id))]
#[acl(
    MEMBER = any(memberships: user(user_id) & until(ends_at)),
    EDITOR = any(memberships: user(user_id) & is(level, EDIT, "own") & until(ends_at)),
    read = any(memberships: user(user_id) & until(ends_at)),
)]
pub(crate) struct Organisation {
    pub(crate) id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = memberships)]
#[auth(connection = AnyConnection, belongs_to(organisation: Organisation, organisation_id))]
#[acl(read = user(user_id) | organisation.EDITOR)]
pub(crate) struct Membership {
    pub(crate) id: i32,
    pub(crate) organisation_id: i32,
    pub(crate) user_id: i32,
    pub(crate) level: String,
    pub(crate) ends_at: Option<PrimitiveDateTime>,
}

#[derive(Debug, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = projects)]
#[auth(
    connection = AnyConnection,
    belongs_to(organisation: Organisation, organisation_id),
    has_many(shares: Share, project_id),
    rows = is_null(deleted_at),
)]
#[acl(
    read = organisation.MEMBER
        | any(shares: (user(user_id) | team.MEMBER) & until(expires_at))
        | is(state, PUBLISHED) & since(opens_at) & everyone,
    update = (organisation.EDITOR | any(shares: user(user_id) & is(level, EDIT) & until(expires_at)))
        & is(is_locked, false),
    delete = permission("projects-delete") | organisation.EDITOR & is(state, "draft", "archived"),
)]
pub(crate) struct Project {
    pub(crate) id: i32,
    pub(crate) organisation_id: i32,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) is_locked: bool,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares)]
#[auth(
    connection = AnyConnection,
    belongs_to(project: Project, project_id),
    belongs_to(team: Team, team_id),
)]
#[acl(read = user(user_id) | project.update)]
pub(crate) struct Share {
    pub(crate) id: i32,
    pub(crate) project_id: i32,
    pub(crate) user_id: Option<i32>,
    pub(crate) team_id: Option<i32>,
    pub(crate) level: String,
    pub(crate) expires_at: Option<PrimitiveDateTime>,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = teams)]
#[auth(connection = AnyConnection, has_many(members: TeamMember, team_id))]
#[acl(MEMBER = any(members: user(user_id)))]
pub(crate) struct Team {
    pub(crate) id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = team_members, primary_key(team_id, user_id))]
#[auth(connection = AnyConnection)]
#[acl()]
pub(crate) struct TeamMember {
    pub(crate) team_id: i32,
    pub(crate) user_id: i32,
}

/// Rights go down from folder to folder where a folder says that it inherits them.
#[derive(Debug, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = folders)]
#[auth(
    connection = AnyConnection,
    belongs_to(parent: Self, parent_id, recursive),
    belongs_to(project: Project, project_id),
)]
#[acl(
    read = user(owner_id) | project.read | parent.read & inherits,
    update = user(owner_id) | project.update | parent.update & inherits,
    LIST = parent.update & inherits | parent.LIST,
)]
pub(crate) struct Folder {
    pub(crate) id: i32,
    pub(crate) parent_id: Option<i32>,
    pub(crate) project_id: Option<i32>,
    pub(crate) owner_id: Option<i32>,
    pub(crate) name: String,
    pub(crate) inherits: bool,
}

#[derive(Debug, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = tasks)]
#[auth(connection = AnyConnection, belongs_to(folder: Folder, folder_id))]
#[acl(
    read = folder.read | user(assignee_id),
    update = folder.update & is(is_done, false) | user(assignee_id) & is(priority, 1, 2, URGENT),
)]
pub(crate) struct Task {
    pub(crate) id: i32,
    pub(crate) folder_id: Option<i32>,
    pub(crate) assignee_id: Option<i32>,
    pub(crate) text: String,
    pub(crate) priority: i16,
    pub(crate) is_done: bool,
}

/// Is there for a while, for everybody.
#[derive(Debug, Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = notices)]
#[auth(connection = AnyConnection, rows = (is_null(begins_at) | since(begins_at)) & until(ends_at))]
#[acl(read = everyone)]
pub(crate) struct Notice {
    pub(crate) id: i32,
}

/// The indexes that the policies of all of these want.
pub(crate) fn indexes() -> Indexes {
    let policies = [
        Organisation::POLICY,
        Membership::POLICY,
        Project::POLICY,
        Share::POLICY,
        Team::POLICY,
        TeamMember::POLICY,
        Folder::POLICY,
        Task::POLICY,
        Notice::POLICY,
    ];
    policies.into_iter().flat_map(Policy::indexes).collect()
}
