//! The first page: what this is, who may log in, what to look at, and who one is.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{MaybeUser, ProtectedConfig, public};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use maud::{Markup, html};

use super::{
    PageError,
    accounts::listed,
    demo_log_in,
    layout::{Page, Section, ok, page, reviews},
};
use crate::{
    Service,
    auth::LoggedIn,
    database::Database,
    schema::{accounts, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view);
}

#[public(reason = "the first page tells who is logged in, and shows the way to the log-in to others")]
#[get("/")]
async fn view(
    user: MaybeUser<LoggedIn>,
    service: Data<Service>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    match user.as_deref() {
        Some(user) => of_user(user, &service, &database).await,
        None => Ok(ok(&of_nobody(&service))),
    }
}

fn of_nobody(service: &Service) -> Markup {
    page(
        "Energy service",
        &html! {
            (about())
            h2 { "Who may log in" }
            @if service.is_demo() {
                p { "This is the demo: log in as each of its users with one click, and see what changes." }
                (demo_log_in::buttons(service, None, None))
                p { a href="/log-in" { "Log in with a password" } }
            } @else {
                p { "The users of each account. The account\u{2019}s admins and its consultants create them." }
                p.buttons { a.button href="/log-in" { "Log in" } }
            }
            h2 { "Three things to look at" }
            (sights(None))
            (interface())
        },
    )
}

async fn of_user(user: &LoggedIn, service: &Service, database: &Database) -> Result<HttpResponse, PageError> {
    let id = user.id;
    // The policies let every user read their own row and their own account.
    let (name, account): (String, String) = database
        .run(move |connection| {
            let user = users::table.inner_join(accounts::table).filter(users::id.eq(id));
            Ok(user.select((users::username, accounts::name)).first(connection)?)
        })
        .await?;
    let greeting = Page::new(user, Section::Overview, name);
    Ok(ok(&greeting.with(&html! {
        p { "You are logged in as " strong { (user.email) } "." }
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
        h2 { "Three things to look at" }
        (sights(Some(user)))
        @if service.is_demo() {
            h2 { "See it as somebody else" }
            (demo_log_in::buttons(service, Some(&user.email), None))
        }
        h2 { "About" }
        (about())
        (interface())
    })))
}

fn about() -> Markup {
    html! {
        p {
            "This service shows a library that puts the authorization of an actix-web service into one line above each handler: \
             who may call it, and on which object. The policies stand with the models, and each of them decides about \
             requests, lists and changes alike, and explains its decisions."
        }
    }
}

/// Where one sees that. A link for those who get in.
fn sights(user: Option<&LoggedIn>) -> Markup {
    let link = |path, text: &str, gets_in: bool| {
        html! { @if gets_in { a href=(path) { (text) } } @else { strong { (text) } } }
    };
    let reviews = user.is_some_and(reviews);
    html! {
        ol.sights {
            li {
                (link("/assets", "The assets", user.is_some()))
                ": each user sees those that the policy lets them read, and on each page the buttons that work for them."
            }
            li {
                strong { "Who may do what, and why" }
                ": a link on the page of each asset and each sensor, to every decision with the rules that are met."
            }
            li {
                (link("/access-matrix", "The access matrix", reviews))
                " and " (link("/guards", "the guards", reviews))
                ": who gets in where, as it was reviewed, and what each route requires."
                @if !reviews { " For those who may read everything." }
            }
        }
    }
}

/// The way to the interface for programs.
fn interface() -> Markup {
    html! {
        @if cfg!(feature = "swagger-ui") {
            p { "Programs have " a href="/docs/" { "an API, with its documentation" } ", under the same policies." }
        }
    }
}
