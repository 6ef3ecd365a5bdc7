//! The page of a user, the form that changes one, and the buttons that give and take roles.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{
    CurrentUser, LoadContext, Permission, ProtectedConfig, Stored, permission_required_for_context,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery, Told, accounts,
    form::{self, Field, Kind, Problem, again, still_of, version_field},
    layout::{Page, Section, ok, see_other},
};
use crate::{
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::{Account, User, UserAuditLog},
    routes::{
        input::Validate,
        user_roles::{self, Role, RoleChanges},
        users::{self as endpoints, UserChanges},
    },
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(edit).service(change).service(change_role);
}

pub(super) fn path(id: i32) -> String {
    format!("/users/{id}")
}

/// A page below that of the user's account, which every reader of a user may read.
fn below<'a>(user: &'a LoggedIn, account: &Account, title: impl Into<String>) -> Page<'a> {
    Page::new(user, Section::Accounts, title)
        .below("/accounts", "Accounts")
        .below(accounts::path(account.id), &*account.name)
}

async fn account_of(user: &User, database: &Database) -> Result<Account, ServiceError> {
    let id = user.account_id;
    database.run(move |connection| Ok(Account::load(id, connection)?)).await
}

/// The content of the page of a user beside the user.
struct Surroundings {
    account: Account,
    roles: Vec<Role>,
    may_update: bool,
    may_read_log: bool,
}

/// The user with the roles, and a button for each thing that the caller may do.
#[permission_required_for_context("read", ctx_arg = "user")]
#[get("/users/{user_id}")]
async fn view(
    user: User,
    PageQuery(Told { done }): PageQuery<Told>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let (shown, caller) = (user.clone(), current_user.clone());
    let around = database
        .run(move |connection| {
            connection.read_transaction(|connection| {
                let (id, read, update) = (shown.id, Permission::READ, Permission::UPDATE);
                Ok::<_, ServiceError>(Surroundings {
                    account: Account::load(shown.account_id, connection)?,
                    roles: user_roles::of_user(&shown, &caller, connection)?,
                    may_update: User::check_access(connection, &*caller, id, update)?.is_allowed(),
                    may_read_log: UserAuditLog::check_access(connection, &*caller, id, read)?.is_allowed(),
                })
            })
        })
        .await?;
    let page = below(&current_user, &around.account, &*user.username).after(done);
    Ok(ok(&page.with(&html! {
        dl {
            dt { "Number" }
            dd { (user.id) }
            dt { "Email address" }
            dd { (user.email) }
            dt { "Account" }
            dd { a href=(accounts::path(around.account.id)) { (around.account.name) } }
            dt { "Active" }
            dd { (if user.active { "Yes" } else { "No: may not log in" }) }
        }
        h2 { "Roles" }
        (roles(&user, &around))
        @if around.may_update || around.may_read_log {
            h2 { "What you may do" }
            div.buttons {
                @if around.may_update { a.button.quiet href={ (path(user.id)) "/edit" } { "Edit" } }
                @if around.may_read_log { a.button.quiet href={ (path(user.id)) "/audit-log" } { "Log" } }
            }
        }
    })))
}

/// The roles that the user has, and those that the caller may give.
fn roles(user: &User, Surroundings { roles, may_update, .. }: &Surroundings) -> Markup {
    let may_change = |role: &Role| *may_update && role.may_change;
    let shown: Vec<_> = roles.iter().filter(|role| role.is_held || may_change(role)).collect();
    html! {
        @if shown.is_empty() {
            p { "None." }
        } @else {
            ul.people {
                @for role in shown {
                    li {
                        strong { (role.name) }
                        span { (if role.is_held { "has it" } else { "does not have it" }) }
                        @if may_change(role) {
                            form method="post" action={ (path(user.id)) "/roles" } {
                                @let (action, word) =
                                    if role.is_held { ("revoke", "Take away") } else { ("grant", "Give") };
                                input type="hidden" name="role" value=(role.name);
                                input type="hidden" name="action" value=(action);
                                button.quiet type="submit" { (word) span.unseen { " the role " (role.name) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Grant,
    Revoke,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role: String,
    action: Action,
}

/// The transaction of the change decides about the role, as for a request of a program.
#[permission_required_for_context("update", ctx_arg = "user")]
#[post("/users/{user_id}/roles")]
async fn change_role(
    user: User,
    Form(RoleForm { role, action }): Form<RoleForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let (one, none) = (BTreeSet::from([role]), BTreeSet::new());
    let (grant, revoke) = match action {
        Action::Grant => (one, none),
        Action::Revoke => (none, one),
    };
    let here = format!("{}?done=saved", path(user.id));
    user_roles::update(user, RoleChanges { grant, revoke }, current_user, &database).await?;
    Ok(see_other(&here))
}

/// The input about a user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserForm {
    username: String,
    /// Only where the caller may change it.
    active: Option<bool>,
    version: Option<String>,
}

impl UserForm {
    /// The changed fields.
    fn read(&self, user: &User) -> Result<UserChanges, ServiceError> {
        still_of(user, self.version.as_deref())?;
        let changes = UserChanges {
            username: (self.username != user.username).then(|| self.username.clone()),
            active: self.active.filter(|active| *active != user.active),
        };
        changes.validate()?;
        Ok(changes)
    }
}

async fn may_activate(
    user: &User,
    current_user: &CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<bool, ServiceError> {
    let (user, caller) = (user.clone(), current_user.clone());
    database.run(move |connection| endpoints::may_activate(&user, &caller, connection)).await
}

/// With the fields that the caller may change.
#[permission_required_for_context("update", ctx_arg = "user")]
#[get("/users/{user_id}/edit")]
async fn edit(
    user: User,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let account = account_of(&user, &database).await?;
    let active = may_activate(&user, &current_user, &database).await?.then_some(user.active);
    let form = UserForm { username: user.username.clone(), active, version: Some(form::version(&user)?) };
    Ok(ok(&edit_page(&current_user, &account, &user, &form, None)))
}

#[permission_required_for_context("update", ctx_arg = "user")]
#[post("/users/{user_id}/edit")]
async fn change(
    user: User,
    Form(form): Form<UserForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let changed = match form.read(&user) {
        Ok(changes) => endpoints::update(user.clone(), changes, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(user) => Ok(see_other(&format!("{}?done=saved", path(user.id)))),
        Err(error) => {
            let account = account_of(&user, &database).await?;
            again(error, |problem| edit_page(&current_user, &account, &user, &form, Some(problem)))
        }
    }
}

fn edit_page(
    caller: &LoggedIn,
    account: &Account,
    user: &User,
    form: &UserForm,
    problem: Option<&Problem>,
) -> Markup {
    let here = path(user.id);
    let choices = [("true".to_owned(), "Yes"), ("false".to_owned(), "No: logs the user out for good")];
    let mut fields = vec![Field::new("username", "Name", &form.username)];
    if let Some(active) = form.active {
        let value = if active { "true" } else { "false" };
        fields.push(Field { kind: Kind::Choice(&choices), ..Field::new("active", "Active", value) });
    }
    fields.extend(form.version.as_deref().map(version_field));
    let form = form::form(&format!("{here}/edit"), &fields, "Save", &here, problem);
    below(caller, account, format!("Edit {}", user.username)).below(&*here, &*user.username).with(&form)
}
