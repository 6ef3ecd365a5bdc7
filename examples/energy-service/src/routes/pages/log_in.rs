//! The page with the form to log in.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError, get, post,
    web::{Data, Form, Query},
};
use auth_core::{
    AuthError, ProtectedConfig, anonymous_user_required,
    mechanism::{PasswordLogIn, session},
    public,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, demo_log_in, denied,
    form::{Field, Kind},
    layout::{ok, page, see_other, sentence, with_page},
    local_path::LocalPath,
};
use crate::{Service, auth::LoggedIn, error::ServiceError};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(submit);
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

#[anonymous_user_required(on_denied = already_logged_in)]
#[get("/log-in")]
async fn view(request: HttpRequest, service: Data<Service>) -> HttpResponse {
    ok(&form(&service, "", next(&request).as_ref(), None))
}

/// No `Debug`: a password is not for logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submitted {
    email: String,
    password: String,
    next: Option<String>,
}

/// The log-in counts in a browser that is logged in, too, or the page says that it is wrong: a person who sees no error
/// believes to be the user of the form. Another site must not log a browser in: its user would enter things as another
/// user.
#[public(reason = "who logs in is not logged in yet, or is somebody else")]
#[post("/log-in")]
async fn submit(
    request: HttpRequest,
    Form(Submitted { email, password, next }): Form<Submitted>,
    service: Data<Service>,
    passwords: Data<PasswordLogIn<LoggedIn>>,
) -> Result<HttpResponse, PageError> {
    if let Err(error) = session::refuse_cross_site(&request) {
        return Ok(denied(&request, &error));
    }
    with_password(&request, &service, &email, password, next.as_deref(), &passwords).await
}

/// Begins the session of the user with this email address and password, and leads on to `next`; or the form again.
pub(super) async fn with_password(
    request: &HttpRequest,
    service: &Service,
    email: &str,
    password: String,
    next: Option<&str>,
    passwords: &PasswordLogIn<LoggedIn>,
) -> Result<HttpResponse, PageError> {
    let next = next.and_then(LocalPath::new);
    match passwords.log_in(request, email, password).await.map_err(ServiceError::from) {
        Ok(user) => {
            session::log_in(request, user.session())?;
            Ok(see_other(next.unwrap_or_else(LocalPath::first).as_str()))
        }
        Err(
            error @ (ServiceError::LogInFailed | ServiceError::Refused(AuthError::TooManyRequests { .. })),
        ) => {
            let page = form(service, email, next.as_ref(), Some(&sentence(&error.to_string())));
            Ok(with_page(error.error_response(), &page))
        }
        Err(error) => Err(error.into()),
    }
}

fn form(service: &Service, email: &str, next: Option<&LocalPath>, failure: Option<&str>) -> Markup {
    page(
        "Log in",
        &html! {
            @if let Some(failure) = failure {
                p role="alert" { (failure) }
            }
            form method="post" action="/log-in" {
                (Field { kind: Kind::Username, ..Field::new("email", "Email address", email) }.with(None))
                (Field { kind: Kind::Password, ..Field::new("password", "Password", "") }.with(None))
                @if let Some(next) = next {
                    input type="hidden" name="next" value=(next.as_str());
                }
                div.buttons {
                    button type="submit" { "Log in" }
                    a href="/" { "Cancel" }
                }
            }
            @if service.is_demo() {
                h2 { "Users of the demo" }
                (demo_log_in::buttons(service, None, next))
            }
        },
    )
}

fn already_logged_in(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    match error {
        AuthError::Forbidden => see_other(next(request).unwrap_or_else(LocalPath::first).as_str()),
        _ => denied(request, error),
    }
}

/// The place to which the link to this page wants to lead its reader.
fn next(request: &HttpRequest) -> Option<LocalPath> {
    let Query(Next { next }) = Query::from_query(request.query_string()).ok()?;
    next.as_deref().and_then(LocalPath::new)
}
