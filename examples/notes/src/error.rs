//! Why a request is not carried out: a problem document, which says nothing about the reason of a denial.

use std::fmt::Display;

use actix_web::{Error, HttpResponse, ResponseError, http::StatusCode};
use auth_core::{AuthError, ChangeError, Problem};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// The answers of the library: 401, 403, 404, 429, 503.
    #[error(transparent)]
    Refused(#[from] AuthError),
    /// An answer of the service itself, with words for a person.
    #[error("{1}")]
    Problem(StatusCode, String),
}

impl ServiceError {
    /// 503. The cause is for the log.
    pub(crate) fn unavailable(cause: impl Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::Refused(AuthError::Unavailable)
    }
}

impl ResponseError for ServiceError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Refused(error) => error.error_response(),
            Self::Problem(status, detail) => Problem::new(*status, detail.as_str()).response(),
        }
    }
}

/// A violated constraint is a conflict with what is stored.
impl From<DieselError> for ServiceError {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, UniqueViolation};
        match error {
            DieselError::DatabaseError(UniqueViolation | ForeignKeyViolation | CheckViolation, _) => {
                Self::Problem(StatusCode::CONFLICT, "this contradicts what is stored".to_owned())
            }
            error => Self::unavailable(error),
        }
    }
}

impl From<ChangeError> for ServiceError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Failed(error) => error.into(),
            error => Self::Refused(error.into()),
        }
    }
}

/// For a body or a query that does not have the form that its handler takes.
pub(crate) fn invalid(error: &dyn Display) -> Error {
    ServiceError::Problem(StatusCode::BAD_REQUEST, error.to_string()).into()
}
