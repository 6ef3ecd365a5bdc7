//! The log-in of the demo: a button for each of its users. Everybody knows their password, so nothing is given away; a service
//! that is no demo has neither the buttons nor the log-in behind them.

use actix_web::{
    HttpRequest, HttpResponse, post,
    web::{Data, Form},
};
use auth_core::{
    ProtectedConfig,
    mechanism::{PasswordLogIn, session},
    public,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{PageError, denied, local_path::LocalPath, log_in};
use crate::{
    Service,
    auth::LoggedIn,
    demo::{self, PASSWORD},
    error::ServiceError,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(submit);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    email: String,
    next: Option<String>,
}

/// As the [form](super::log_in) with the password of the demo: another site logs nobody in, attempts are limited, and a user who
/// was deactivated is refused.
#[public(reason = "who logs in is not logged in yet, or is somebody else")]
#[post("/demo/log-in")]
async fn submit(
    request: HttpRequest,
    service: Data<Service>,
    Form(Chosen { email, next }): Form<Chosen>,
    passwords: Data<PasswordLogIn<LoggedIn>>,
) -> Result<HttpResponse, PageError> {
    if !service.is_demo() {
        return Err(ServiceError::NotFound.into());
    }
    if let Err(error) = session::refuse_cross_site(&request) {
        return Ok(denied(&request, &error));
    }
    if !demo::people().any(|person| person.email == email) {
        return Err(ServiceError::invalid("the demo has no such user").into());
    }
    log_in::with_password(&request, &service, &email, PASSWORD.to_owned(), next.as_deref(), &passwords).await
}

/// A button for each user of the demo but this one, who comes back to `next`. Nothing where the service is no demo.
pub(super) fn buttons(service: &Service, but: Option<&str>, next: Option<&LocalPath>) -> Markup {
    html! {
        @if service.is_demo() {
            ul.people.log-ins {
                @for person in demo::people().filter(|person| Some(person.email) != but) {
                    li {
                        form method="post" action="/demo/log-in" {
                            input type="hidden" name="email" value=(person.email);
                            @if let Some(next) = next {
                                input type="hidden" name="next" value=(next.as_str());
                            }
                            button.quiet type="submit" { "Log in as " (person.username) }
                        }
                        span { (person.is) }
                    }
                }
            }
        }
    }
}
