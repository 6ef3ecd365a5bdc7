//! The pages of accounts: the list, one of them with its users, and the logs of accounts and users.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{
    Accessible, CurrentUser, Permission, ProtectedConfig, Scoped, Stored, auth_required, permission::Read,
    permission_required_for_context,
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use maud::{Markup, html};

use super::{
    PageError, PageQuery, Told,
    layout::{Page, Section, ok, scrolling},
    lists::Wanted,
};
use crate::{
    auth::LoggedIn,
    database::{Connection, Database},
    error::ServiceError,
    models::{Account, AccountAuditLog, User, UserAuditLog},
    routes::accounts::{self as endpoints, Column},
    schema::{account_roles, accounts, accounts_account_roles, roles, users, users_roles},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(view);
}

pub(super) fn path(id: i32) -> String {
    format!("/accounts/{id}")
}

/// The accounts that the caller may read, by name.
#[auth_required]
#[get("/accounts")]
async fn list(
    PageQuery(wanted): PageQuery<Wanted>,
    readable: Accessible<Account, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let listed = endpoints::read_page(readable, wanted.query(Column::Name), &database).await?;
    let page = Page::new(&current_user, Section::Accounts, "Accounts").after(wanted.done);
    let table = html! {
        ul.links {
            @for account in &listed.data {
                li {
                    a href=(path(account.id)) { (account.name) }
                    @if account.id == current_user.account_id { " (yours)" }
                }
            }
        }
    };
    Ok(ok(&page.with(&wanted.show("/accounts", &listed, &table))))
}

/// The most users that the page of an account shows.
const MOST_USERS: i64 = 200;

/// The content of the page of an account beside the account.
struct Surroundings {
    consultancy: Option<Account>,
    roles: Vec<String>,
    users: Vec<Shown>,
    may_read_log: bool,
    may_update: bool,
}

/// A user, with the roles, and whether the caller may read the user's log.
struct Shown {
    user: User,
    roles: Vec<String>,
    may_read_log: bool,
}

impl Surroundings {
    /// Loads the part of it that the caller may read. The roles of an account are part of it, and those of a user of the
    /// user.
    fn of(account: &Account, caller: &LoggedIn, connection: &mut Connection) -> Result<Self, ServiceError> {
        let read = Permission::READ;
        let consultancy = match account.consultancy_account_id {
            Some(id) => Account::accessible_by(caller, read)
                .filter(accounts::id.eq(id))
                .first(connection)
                .optional()?,
            None => None,
        };
        let of_account = accounts_account_roles::table.inner_join(account_roles::table);
        let roles = of_account
            .filter(accounts_account_roles::account_id.eq(account.id))
            .order(account_roles::name)
            .select(account_roles::name)
            .load(connection)?;
        let users: Vec<User> = User::accessible_by(caller, read)
            .filter(users::account_id.eq(account.id))
            .order((users::username, users::id))
            .limit(MOST_USERS)
            .load(connection)?;
        let ids: Vec<i32> = users.iter().map(|user| user.id).collect();
        let held: Vec<(i32, String)> = users_roles::table
            .inner_join(roles::table)
            .filter(users_roles::user_id.eq_any(&ids))
            .order(roles::name)
            .select((users_roles::user_id, roles::name))
            .load(connection)?;
        let logs: Vec<i32> = UserAuditLog::accessible_by(caller, read)
            .filter(users::id.eq_any(ids))
            .select(users::id)
            .load(connection)?;
        let shown = |user: User| Shown {
            roles: held.iter().filter(|(id, _)| *id == user.id).map(|(_, role)| role.clone()).collect(),
            may_read_log: logs.contains(&user.id),
            user,
        };
        Ok(Self {
            consultancy,
            roles,
            users: users.into_iter().map(shown).collect(),
            may_read_log: AccountAuditLog::check_access(connection, caller, account.id, read)?.is_allowed(),
            may_update: Account::check_access(connection, caller, account.id, Permission::UPDATE)?
                .is_allowed(),
        })
    }
}

/// The account, and those of its users that the caller may read.
#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view(
    account: Account,
    PageQuery(Told { done }): PageQuery<Told>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let (id, caller, asked) = (account.id, current_user.clone(), account.clone());
    let around = database
        .run(move |connection| {
            connection.read_transaction(|connection| Surroundings::of(&asked, &caller, connection))
        })
        .await?;
    let page =
        Page::new(&current_user, Section::Accounts, account.name).below("/accounts", "Accounts").after(done);
    Ok(ok(&page.with(&html! {
        dl {
            dt { "Number" }
            dd { (id) }
            dt { "Roles of the account" }
            dd { (listed(&around.roles)) }
            @if let Some(consultancy) = &around.consultancy {
                dt { "Consultancy" }
                dd { a href=(path(consultancy.id)) { (consultancy.name) } }
            }
        }
        h2 { "Users" }
        @if around.users.is_empty() {
            p { "It has no users that you may see." }
        } @else {
            (scrolling("users", &users_table(&around.users, current_user.id)))
        }
        @if around.may_update || around.may_read_log {
            h2 { "What you may do" }
            div.buttons {
                @if around.may_update { a.button.quiet href={ (path(id)) "/edit" } { "Edit" } }
                @if around.may_read_log {
                    a.button.quiet href={ (path(id)) "/audit-log" } { "Log of the account" }
                }
            }
        }
    })))
}

fn users_table(users: &[Shown], caller: i32) -> Markup {
    html! {
        table {
            caption.unseen id="users" { "Users" }
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Email address" }
                    th scope="col" { "Roles" }
                    th scope="col" { "Log" }
                }
            }
            tbody {
                @for Shown { user, roles, may_read_log } in users {
                    tr {
                        th scope="row" {
                            a href={ "/users/" (user.id) } { (user.username) }
                            @if user.id == caller { " (you)" }
                            @if !user.active { " (not active)" }
                        }
                        td { (user.email) }
                        td { (listed(roles)) }
                        td {
                            @if *may_read_log {
                                a href={ "/users/" (user.id) "/audit-log" } {
                                    "Log" span.unseen { " of " (user.username) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Names, for people.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
