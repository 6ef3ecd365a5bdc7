//! Pages for people with a browser: they log in, see and change the objects that they may, and see why they may or may
//! not. Made on the server, and without anything from another host. One page has a script, which keeps it up to date, and works
//! without it. Everything else is for programs.
//!
//! A page shows the buttons that its reader may press: it decides by the policies of the guards behind the buttons. A
//! form makes its change by the function that the endpoint for programs calls, too.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    error::UrlencodedError,
    get,
    http::{StatusCode, header},
    web::{FormConfig, Query},
};
use auth_core::{ProtectedConfig, public};
use maud::{Markup, html};
use serde::{Deserialize, de::DeserializeOwned};

pub(crate) use self::denied::denied;
use self::layout::{Done, page, sentence, with_page};
use crate::error::{ServiceError, is_too_slow};

mod account_forms;
mod accounts;
mod asset_forms;
mod assets;
mod chart;
mod days;
mod decisions;
mod demo_log_in;
mod denied;
mod form;
mod home;
mod layout;
mod lists;
mod local_path;
mod log_in;
mod log_out;
mod logs;
mod may;
mod review;
mod scale;
mod sensors;
mod shares;
mod users;

/// The largest form that is read, in bytes.
const MAX_FORM: usize = 16 * 1024;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .app_data(FormConfig::default().limit(MAX_FORM).error_handler(|error, _| form_error(&error).into()))
        .service(style)
        .service(icon)
        .service(script)
        .configure(home::configure)
        // First, as the pattern of an asset fits `/assets/new`, too.
        .configure(asset_forms::configure)
        .configure(assets::configure)
        .configure(sensors::configure)
        .configure(decisions::configure)
        .configure(accounts::configure)
        .configure(account_forms::configure)
        .configure(logs::configure)
        .configure(users::configure)
        .configure(shares::configure)
        .configure(log_in::configure)
        .configure(demo_log_in::configure)
        .configure(log_out::configure)
        .configure(review::configure);
}

/// Why a page could not be shown.
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

/// The page for this error.
#[cfg(feature = "redis")]
pub(crate) fn failed(error: ServiceError) -> actix_web::Error {
    PageError(error).into()
}

fn form_error(error: &UrlencodedError) -> PageError {
    PageError(match error {
        UrlencodedError::Overflow { .. } => ServiceError::TooLarge,
        UrlencodedError::Payload(error) if is_too_slow(error) => ServiceError::TooSlow,
        _ => ServiceError::invalid("the form is not one of these pages"),
    })
}

/// The error, in a sentence of the service.
fn failure(status: StatusCode, reason: &str) -> Markup {
    page(
        status.canonical_reason().unwrap_or("Not done"),
        &html! {
            p { (sentence(reason)) }
            p { a href="/" { "To the first page" } }
        },
    )
}

/// The parameters of a page's URL. The answer to an unknown parameter is a page.
struct PageQuery<T>(T);

impl<T: DeserializeOwned> FromRequest for PageQuery<T> {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match Query::from_query(request.query_string()) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(_) => Err(ServiceError::invalid("this address is not one of these pages").into()),
        })
    }
}

/// The parameters of a page that takes only the action before it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    done: Option<Done>,
}

#[public(reason = "the page of the log-in has this style")]
#[get("/style.css")]
async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(include_str!("style.css"))
}

#[public(reason = "the page of the log-in has this icon")]
#[get("/icon.svg")]
async fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .body(include_str!("icon.svg"))
}

#[public(reason = "it is the same for everybody, and shows nothing by itself")]
#[get("/live.js")]
async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(include_str!("live.js"))
}
