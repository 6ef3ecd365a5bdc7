//! The answers to requests that are not admitted.
//!
//! The answer is a problem document (RFC 9457) that says no more than its status does, but for the label of a
//! group where an application gives one. Why a request was denied is in the log, not here.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use serde::Serialize;
use thiserror::Error;

use crate::{
    context::AccessError,
    vocabulary::{Decision, DenyReason},
};

/// The answer to a request that is not admitted. A handler that decides by itself may return it, alone or in an error of the
/// application's own: [`GuardedResponses`](crate::protected::GuardedResponses) renders it then.
///
/// ```
/// use actix_web::{ResponseError, http::StatusCode};
/// use auth_core::AuthError;
///
/// assert_eq!(AuthError::Forbidden.status_code(), StatusCode::FORBIDDEN);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// 401: nobody is logged in, or the credentials are wrong. Carries what `WWW-Authenticate` says.
    #[error("you must log in to do this")]
    Unauthenticated(Challenges),
    /// 403: the subject may not do this.
    #[error("you may not do this")]
    Forbidden,
    /// 403: the subject may not do this with one of the contexts that a loader has labelled so.
    #[error("you may not do this: {label}")]
    ForbiddenGroup {
        /// The label of the group, as the application's loader wrote it.
        label: String,
    },
    /// 404: the context does not exist, or is [hidden](crate::AuthBuilder::hide_unreadable) from the subject.
    #[error("there is nothing here")]
    NotFound,
    /// 429: too many attempts to log in, so the credentials were not even looked at. Carries what
    /// `Retry-After` says.
    #[error("there were too many attempts to log in; try again later")]
    TooManyRequests {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// 503: a store that is needed to decide did not answer. Says nothing about what the subject may do.
    #[error("the service cannot answer at the moment; try again later")]
    Unavailable,
    /// 500: the application lacks what is needed to decide.
    #[error("the service is not set up to answer this")]
    Misconfigured,
}

impl AuthError {
    /// A 401 without a challenge.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::Unauthenticated(Challenges::default())
    }

    /// The problem document of this denial.
    pub(crate) fn problem(&self) -> Problem {
        Problem::new(self.status_code(), self.to_string())
    }

    /// Adds the headers that HTTP requires, where the response has none of its own.
    pub(crate) fn complete(&self, response: &mut HttpResponse) {
        let status = response.status();
        let headers = response.headers_mut();
        keep_private(headers);
        match self {
            Self::Unauthenticated(challenges)
                if status == self.status_code() && !headers.contains_key(header::WWW_AUTHENTICATE) =>
            {
                for challenge in challenges.iter() {
                    // A challenge that is no header value is a mistake of the mechanism; the 401 stands without it.
                    if let Ok(challenge) = HeaderValue::from_str(challenge) {
                        headers.append(header::WWW_AUTHENTICATE, challenge);
                    }
                }
            }
            Self::TooManyRequests { retry_after }
                if status == self.status_code() && !headers.contains_key(header::RETRY_AFTER) =>
            {
                headers.insert(header::RETRY_AFTER, whole_seconds(*retry_after).into());
            }
            _ => {}
        }
    }
}

/// No cache keeps this, unless it says otherwise, and no browser takes it for something else than it says.
pub(crate) fn keep_private(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// In the extensions of a response: this was returned as an error, whatever error it is in, and no renderer has seen it.
#[derive(Debug, Clone)]
pub(crate) struct Returned(pub(crate) AuthError);

/// The challenges of a 401, one `WWW-Authenticate` header each (RFC 9110, section 11.6.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenges(Vec<Cow<'static, str>>);

impl Challenges {
    /// The challenges, each as a header's value.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl<C: Into<Cow<'static, str>>> FromIterator<C> for Challenges {
    fn from_iter<I: IntoIterator<Item = C>>(challenges: I) -> Self {
        Self(challenges.into_iter().map(Into::into).collect())
    }
}

/// A problem document (RFC 9457), for an application that answers its own errors as this library does.
///
/// ```
/// use actix_web::http::StatusCode;
/// use auth_core::Problem;
///
/// let response = Problem::new(StatusCode::CONFLICT, "there is a sensor of this name").response();
/// assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Problem {
    /// A problem that is nothing more than its status (`"type": "about:blank"`), explained to a person by
    /// `detail`.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: detail.into(),
            message: None,
        }
    }

    /// Repeats `detail` in a member `message`, for clients that look for an error's text there. RFC 9457 allows such members.
    ///
    /// ```
    /// use actix_web::http::StatusCode;
    /// use auth_core::Problem;
    ///
    /// let problem = Problem::new(StatusCode::CONFLICT, "there is a sensor of this name").with_message();
    /// let document = serde_json::to_value(&problem)?;
    /// assert_eq!(document["message"], "there is a sensor of this name");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn with_message(mut self) -> Self {
        self.message = Some(self.detail.clone());
        self
    }

    /// The response with this document as its body, which no cache may keep: an error is for one caller
    /// alone.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        HttpResponse::build(status)
            .content_type("application/problem+json")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(self)
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForbiddenGroup { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.problem().response();
        self.complete(&mut response);
        // There is no request here. What has one renders it as the application wants it.
        response.extensions_mut().insert(Returned(self.clone()));
        response
    }
}

impl Decision {
    /// `Ok` where the subject may, for `?` in a handler.
    ///
    /// # Errors
    ///
    /// The [`AuthError`] that answers a request that is denied for this reason.
    pub fn into_result(self) -> Result<(), AuthError> {
        match self {
            Self::Allow(_) => Ok(()),
            Self::Deny(DenyReason::Anonymous | DenyReason::BadCredentials | DenyReason::Stale) => {
                Err(AuthError::unauthenticated())
            }
            Self::Deny(DenyReason::TooManyRequests { retry_after }) => {
                Err(AuthError::TooManyRequests { retry_after })
            }
            Self::Deny(
                DenyReason::CrossSite | DenyReason::NoMatch | DenyReason::LoggedIn | DenyReason::Empty,
            ) => Err(AuthError::Forbidden),
            Self::Deny(DenyReason::NotFound | DenyReason::TooMany) => Err(AuthError::NotFound),
            Self::Deny(DenyReason::Unavailable) => Err(AuthError::Unavailable),
            Self::Deny(DenyReason::Misconfigured) => Err(AuthError::Misconfigured),
        }
    }
}

/// The answer to the client. The error of a store is not a part of it.
impl From<AccessError> for AuthError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(reason) => {
                Decision::Deny(reason).into_result().err().unwrap_or(Self::Forbidden)
            }
            AccessError::NotFound => Self::NotFound,
            AccessError::Unavailable(_) => Self::Unavailable,
        }
    }
}

/// The header has whole seconds. Whoever waits for so many must not come too early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::AllowReason;

    #[test]
    fn too_many_attempts_say_when_to_come_back() {
        for (retry_after, header) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60")] {
            let retry_after = Duration::from_millis(retry_after);
            let response = AuthError::TooManyRequests { retry_after }.error_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), header, "{retry_after:?}");
        }
    }

    #[test]
    fn every_denial_is_an_error() {
        assert_eq!(Decision::Allow(AllowReason::Match).into_result(), Ok(()));
        for (reason, error) in [
            (DenyReason::Anonymous, AuthError::unauthenticated()),
            (DenyReason::BadCredentials, AuthError::unauthenticated()),
            (DenyReason::Stale, AuthError::unauthenticated()),
            (DenyReason::CrossSite, AuthError::Forbidden),
            (
                DenyReason::TooManyRequests { retry_after: Duration::from_secs(7) },
                AuthError::TooManyRequests { retry_after: Duration::from_secs(7) },
            ),
            (DenyReason::LoggedIn, AuthError::Forbidden),
            (DenyReason::NoMatch, AuthError::Forbidden),
            (DenyReason::NotFound, AuthError::NotFound),
            (DenyReason::Unavailable, AuthError::Unavailable),
            (DenyReason::Misconfigured, AuthError::Misconfigured),
        ] {
            assert_eq!(Decision::Deny(reason).into_result(), Err(error));
        }
    }
}
