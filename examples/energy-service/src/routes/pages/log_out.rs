//! The page with the button to log out.

use actix_web::{
    HttpRequest, HttpResponse, get, post,
    web::{Data, Query},
};
use auth_core::{CurrentUser, ProtectedConfig, auth_required, mechanism::session};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use maud::html;

use super::{
    PageError,
    layout::{ok, page},
};
use crate::{auth::LoggedIn, database::Database, routes::input::NoParameters, schema::users};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(submit);
}

#[auth_required("session")]
#[get("/log-out")]
async fn view() -> HttpResponse {
    ok(&page(
        "Log out",
        &html! {
            p { "This logs you out in every browser. Tokens of programs stay good." }
            form method="post" action="/log-out" {
                button type="submit" { "Log out" }
            }
            p { a href="/" { "Stay logged in" } }
        },
    ))
}

/// The session is forgotten. The log-out is counted as well, against sessions that the store cannot take back: a copy of
/// the cookie where the session is in it, and a request that stores its session again at this moment.
#[auth_required("session")]
#[post("/log-out")]
async fn submit(
    request: HttpRequest,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let id = current_user.id;
    database
        .run(move |connection| {
            let user = users::table.find(id);
            diesel::update(user).set(users::log_outs.eq(users::log_outs + 1)).execute(connection)?;
            Ok(())
        })
        .await?;
    session::log_out(&request)?;
    Ok(ok(&page(
        "You are logged out",
        &html! {
            p { a href="/log-in" { "Log in" } }
        },
    )))
}
