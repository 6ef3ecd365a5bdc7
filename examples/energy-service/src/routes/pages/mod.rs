//! Pages for people with a browser: log in, log out, who am I. Made on the server, without a script, and without
//! anything from another host. Everything else is for programs.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    error::UrlencodedError,
    get,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::FormConfig,
};
use auth_core::{AuthError, ProtectedConfig, denial, public};
use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::local_path::LocalPath;
use crate::error::ServiceError;

mod home;
mod local_path;
mod log_in;
mod log_out;

/// The largest form that is read, in bytes.
const MAX_FORM: usize = 16 * 1024;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .app_data(FormConfig::default().limit(MAX_FORM).error_handler(|error, _| form_error(&error).into()))
        .service(style)
        .configure(home::configure)
        .configure(log_in::configure)
        .configure(log_out::configure);
}

/// Renders denials: a page for who prefers HTML, and the problem document for programs.
pub(crate) fn denied(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    let mut response = if denial::prefers_html(request) {
        with_page(error.error_response(), &explanation(request, error))
    } else {
        denial::problem(request, error)
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

fn explanation(request: &HttpRequest, error: &AuthError) -> Markup {
    if !matches!(error, AuthError::Unauthenticated(_)) {
        return failure(error.status_code(), &error.to_string());
    }
    // What was to be sent is not sent again.
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

/// Why a page is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct PageError(ServiceError);

impl<E: Into<ServiceError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        with_page(self.0.error_response(), &failure(self.status_code(), &self.0.to_string()))
    }
}

fn form_error(error: &UrlencodedError) -> PageError {
    PageError(match error {
        UrlencodedError::Overflow { .. } => ServiceError::TooLarge,
        _ => ServiceError::invalid("the form is not one of these pages"),
    })
}

/// What went wrong, in a sentence of the service.
fn failure(status: StatusCode, reason: &str) -> Markup {
    page(
        status.canonical_reason().unwrap_or("Not done"),
        &html! {
            p { (sentence(reason)) }
            p { a href="/" { "To the first page" } }
        },
    )
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

/// A whole page. What is put into `html!` is escaped.
fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Energy service" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}

fn ok(page: &Markup) -> HttpResponse {
    with_page(HttpResponse::Ok().finish(), page)
}

/// The response with this page as its body, and what a browser has to know of it.
fn with_page(response: HttpResponse, page: &Markup) -> HttpResponse {
    let mut response = response.set_body(page.0.clone()).map_into_boxed_body();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Not `no-referrer`: that would take the origin from forms, too, by which they are told from foreign ones.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The style of the service and its forms, and nothing else: no script, no other host, no frame around a page.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[public(reason = "the page of the log-in has this style")]
#[get("/style.css")]
async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(include_str!("style.css"))
}

fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
