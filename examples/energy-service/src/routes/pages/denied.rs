//! Denials: a page for browsers, which says as whom its reader is logged in, and the problem document for programs.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use auth_core::{AuthError, denial};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    failure,
    layout::{Page, page, reviews, sentence, with_page},
    local_path::LocalPath,
};
use crate::auth::LoggedIn;

/// Renders denials: a page for clients that prefer HTML, and the problem document for programs.
pub(crate) fn denied(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    let mut response = if denial::prefers_html(request) {
        let page = match (error, denial::caller::<LoggedIn>(request)) {
            (AuthError::Unauthenticated(_), _) => not_logged_in(request),
            (_, Some(user)) => refused(request, error, &user),
            (_, None) => failure(error.status_code(), &error.to_string()),
        };
        with_page(error.error_response(), &page)
    } else {
        denial::problem_with_message(request, error)
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

fn not_logged_in(request: &HttpRequest) -> Markup {
    // The form is not sent again.
    let next = if request.method() == Method::GET { request.uri().path_and_query() } else { None };
    let log_in = match next.and_then(|next| LocalPath::new(next.as_str())) {
        Some(next) => format!("/log-in?next={}", utf8_percent_encode(next.as_str(), NON_ALPHANUMERIC)),
        None => "/log-in".to_owned(),
    };
    page(
        "Not logged in",
        &html! {
            p { "This is for those who are logged in." }
            p { a href=(log_in) { "Log in" } }
        },
    )
}

/// To a user who is logged in: the way to the other pages, and to the reason for those who review the service. The reason is no
/// part of the page, for it may say more about an object than its reader may know.
fn refused(request: &HttpRequest, error: &AuthError, user: &LoggedIn) -> Markup {
    let title = error.status_code().canonical_reason().unwrap_or("Not done");
    let is_forbidden = error.status_code() == StatusCode::FORBIDDEN;
    Page::elsewhere(user, title).with(&html! {
        p { (sentence(&error.to_string())) }
        p { "You are logged in as " strong { (user.email) } "." }
        @if is_forbidden && reviews(user) {
            @if let Some(decisions) = decisions(request) {
                p { a href=(decisions) { "Why?" } }
            }
            p { a href="/guards" { "What each route requires" } }
        }
        p { a href="/" { "To the first page" } }
    })
}

/// The page that explains the decisions about the object of the request.
fn decisions(request: &HttpRequest) -> Option<String> {
    let of = |parameter, objects| {
        let id: i32 = request.match_info().get(parameter)?.parse().ok()?;
        Some(format!("/{objects}/{id}/decisions"))
    };
    of("sensor_id", "sensors").or_else(|| of("asset_id", "assets"))
}
