//! The answers of the service to requests that it does not carry out: problem documents (RFC 9457), as the authorization
//! library has them, too. Internal failures are logged, and never shown to the client.

use std::{error::Error, fmt, io::ErrorKind};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use auth_core::{
    AccessError, AuthError, ChangeError, LoadError, Problem,
    mechanism::{LogInError, PasswordError},
};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a request was not served. The client reads its text.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The library refused, in a handler that called it.
    #[error(transparent)]
    Refused(#[from] AuthError),
    /// 401: no active user has this email address and password. The answer does not tell which of them was wrong.
    #[error("the email address or the password is wrong")]
    LogInFailed,
    /// 400: a part of the request has no meaning.
    #[error("{0}")]
    Invalid(String),
    /// 400: a field has a value without meaning.
    #[error("`{field}` {problem}")]
    InvalidField {
        /// The name of the field.
        field: &'static str,
        /// The fault of it.
        problem: String,
    },
    /// 408: the body did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// 413: the body is larger than the service reads.
    #[error("the body is too large")]
    TooLarge,
    /// 409: the request contradicts the stored data.
    #[error("{0}")]
    Conflict(&'static str),
    /// 404: the object of the URL does not exist, or no longer.
    #[error("there is nothing here")]
    NotFound,
    /// 429: the user has the most sockets that one user may have.
    #[error("there are too many open sockets of this user; close one")]
    TooManySockets,
    /// 501: an endpoint of `FlexMeasures` that the service does not have.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// 503: the database, or the store of the sessions, is out of reach, locked, or busy for too long.
    #[error("the service cannot answer at the moment; try again later")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// 500: a fault of the service.
    #[error("the service failed to answer")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ServiceError {
    /// [`Unavailable`](Self::Unavailable), because of `source`.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// [`Internal`](Self::Internal), because of `source`.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// [`Invalid`](Self::Invalid), because of `reason`.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    /// Logs the cause of an internal failure.
    pub(crate) fn log(&self) {
        match self {
            Self::Unavailable(source) => {
                tracing::error!(error = %chain(source.as_ref()), "what is needed to answer is out of reach");
            }
            Self::Internal(source) => tracing::error!(error = %chain(source.as_ref()), "a request failed"),
            Self::Refused(_)
            | Self::LogInFailed
            | Self::Invalid(_)
            | Self::InvalidField { .. }
            | Self::TooSlow
            | Self::TooLarge
            | Self::Conflict(_)
            | Self::NotFound
            | Self::TooManySockets
            | Self::NotImplemented(_) => {}
        }
    }

    /// [`InvalidField`](Self::InvalidField): this field has this problem.
    pub fn invalid_field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidField { field, problem: problem.into() }
    }

    /// A [`Conflict`](Self::Conflict) with this text for a duplicate key, and else the error as it is.
    #[must_use]
    pub fn or_duplicate(error: DieselError, meaning: &'static str) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Conflict(meaning),
            error => error.into(),
        }
    }

    /// An [`InvalidField`](Self::InvalidField) for a reference to a missing row, and else the error as it is.
    #[must_use]
    pub fn or_missing(error: ChangeError, field: &'static str, problem: &str) -> Self {
        match error {
            ChangeError::Failed(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
                Self::invalid_field(field, problem)
            }
            error => error.into(),
        }
    }

    /// A [`Conflict`](Self::Conflict) with this text where other rows refer to the deleted one, and else the error as it
    /// is.
    #[must_use]
    pub fn or_in_use(error: DieselError, meaning: &'static str) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::Conflict(meaning),
            error => error.into(),
        }
    }
}

impl From<DieselError> for ServiceError {
    fn from(error: DieselError) -> Self {
        match &error {
            // The latter: the row to which a new row refers was deleted between the guard, which loaded it, and the
            // change.
            DieselError::NotFound | DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                Self::NotFound
            }
            outage if is_outage(outage) || is_conflict(outage) => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

/// Whether another transaction was in the way, so that the same work can succeed when it is done again: this error may
/// say so, or one of its causes.
pub(crate) fn is_conflict(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref() {
        Some(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        Some(DieselError::DatabaseError(_, information)) => {
            CONFLICTS.iter().any(|text| information.message().starts_with(text))
        }
        Some(DieselError::RollbackErrorOnCommit { commit_error, .. }) => is_conflict(commit_error),
        Some(_) => false,
        None => error.source().is_some_and(is_conflict),
    }
}

/// Whether the database is out of reach, or made a statement wait for too long.
fn is_outage(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(_, information) => {
            let message = information.message();
            message.ends_with("is locked") || OUTAGES.iter().any(|text| message.starts_with(text))
        }
        DieselError::RollbackErrorOnCommit { commit_error, .. } => is_outage(commit_error),
        _ => false,
    }
}

/// Conflicts that diesel has no kind for: a deadlock in `PostgreSQL`, and in `MariaDB`.
const CONFLICTS: [&str; 3] = ["deadlock detected", "Deadlock found", "Record has changed since last read"];

/// Outages that diesel has no kind for: in `PostgreSQL` (`SQLite` says "… is locked"), the others in `MariaDB`.
const OUTAGES: [&str; 8] = [
    "canceling statement due to",
    "Query execution was interrupted",
    "Lock wait timeout exceeded",
    "Lost connection to",
    "Server has gone away",
    "MySQL server has gone away",
    "Connection was killed",
    "Server shutdown in progress",
];

impl From<PasswordError> for ServiceError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

/// The answer names the email address, and not a name.
impl From<LogInError> for ServiceError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => Self::LogInFailed,
            LogInError::Unavailable(source) => Self::Unavailable(source),
            error => Self::Refused(error.into()),
        }
    }
}

impl From<LoadError> for ServiceError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound => Self::NotFound,
            LoadError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

/// As a guard answers. A statement that the database refused is an error of the database.
impl From<ChangeError> for ServiceError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Failed(error) => error.into(),
            error => AccessError::from(error).into(),
        }
    }
}

/// As a guard answers; but with the cause of an outage, as that says whether a new attempt at the work can succeed.
impl From<AccessError> for ServiceError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::NotFound,
            AccessError::Unavailable(source) => Self::Unavailable(source),
            denied => Self::Refused(denied.into()),
        }
    }
}

impl ResponseError for ServiceError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(error) => error.status_code(),
            Self::LogInFailed => StatusCode::UNAUTHORIZED,
            Self::Invalid(_) | Self::InvalidField { .. } => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooManySockets => StatusCode::TOO_MANY_REQUESTS,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Refused(error) = self {
            return error.error_response();
        }
        self.log();
        // Clients of FlexMeasures show the message.
        let mut response = Problem::new(self.status_code(), self.to_string()).with_message().response();
        if matches!(self, Self::LogInFailed) {
            // A 401 has to say how one authenticates (RFC 9110, section 15.5.2).
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The error with all its causes, for logs and for the command line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// For `JsonConfig`: a body that does not have the form that the handler takes.
pub(crate) fn json_error(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            ServiceError::TooLarge
        }
        JsonPayloadError::ContentType => {
            ServiceError::invalid("the content type has to be `application/json`")
        }
        JsonPayloadError::Deserialize(error) => {
            ServiceError::invalid(format!("the body is wrong: {}", shortened(&error)))
        }
        JsonPayloadError::Payload(error) if is_too_slow(&error) => ServiceError::TooSlow,
        _ => ServiceError::invalid("the body could not be read"),
    }
    .into()
}

/// Whether the body did not come in time, as [`clients`](crate::clients) reports it.
pub(crate) fn is_too_slow(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == ErrorKind::TimedOut)
}

/// For `QueryConfig`: a query that does not have the form that the handler takes.
pub(crate) fn query_error(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    match error {
        QueryPayloadError::Deserialize(error) => {
            ServiceError::invalid(format!("the query is wrong: {}", shortened(&error)))
        }
        _ => ServiceError::invalid("the query could not be read"),
    }
    .into()
}

/// An error's text, which may repeat what the client sent.
fn shortened(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    match text.char_indices().nth(MOST_OF_AN_ERROR) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The characters of an error that an answer repeats.
const MOST_OF_AN_ERROR: usize = 400;

/// For `PathConfig`: a path without a valid id, which names no object.
pub(crate) fn path_error(_: PathError, _: &HttpRequest) -> actix_web::Error {
    ServiceError::NotFound.into()
}
