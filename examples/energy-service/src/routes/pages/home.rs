//! The first page: who am I?

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{MaybeUser, ProtectedConfig, public};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use maud::html;

use super::{
    PageError,
    accounts::listed,
    layout::{Page, Section, ok, page},
};
use crate::{
    auth::LoggedIn,
    database::Database,
    schema::{accounts, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view);
}

#[public(reason = "the first page tells who is logged in, and shows the way to the log-in to others")]
#[get("/")]
async fn view(user: MaybeUser<LoggedIn>, database: Data<Database>) -> Result<HttpResponse, PageError> {
    let Some(user) = user.as_deref() else {
        return Ok(ok(&page(
            "Energy service",
            &html! {
                p { "You are not logged in." }
                p { a href="/log-in" { "Log in" } }
            },
        )));
    };
    let id = user.id;
    // The policies let every user read their own row and their own account.
    let (name, email, account): (String, String, String) = database
        .run(move |connection| {
            let user = users::table.inner_join(accounts::table).filter(users::id.eq(id));
            Ok(user.select((users::username, users::email, accounts::name)).first(connection)?)
        })
        .await?;
    let greeting = Page::new(user, Section::Overview, name);
    Ok(ok(&greeting.with(&html! {
        p { "You are logged in as " (email) "." }
        dl {
            dt { "Account" }
            dd { a href={ "/accounts/" (user.account_id) } { (account) } }
            dt { "Your roles" }
            dd { (listed(&user.roles)) }
            dt { "Roles of the account" }
            dd { (listed(&user.account_roles)) }
        }
        ul.links {
            li { a href="/assets" { "Your assets and public ones" } }
            li { a href={ "/users/" (id) "/audit-log" } { "What happened to you" } }
        }
    })))
}
