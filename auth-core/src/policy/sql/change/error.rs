//! Why a row is not changed, or not created.

use thiserror::Error;

use crate::{
    context::{AccessError, LoadError},
    error::AuthError,
    vocabulary::DenyReason,
};

/// Why a row is not changed, or not created.
///
/// Converted into an [`AuthError`], it tells a client no more than its status. A violated constraint, as of a key that is
/// there already, is [`Failed`](Self::Failed): an application answers it by words of its own before it converts the rest.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such row: 404.
    #[error("not found")]
    NotFound,
    /// The subject does not have the permission on the row: 403.
    #[error("denied")]
    Denied,
    /// The subject may change the row, but not this column: 403.
    #[error("denied for the column `{column}`")]
    DeniedColumn {
        /// The column, as the database names it.
        column: &'static str,
    },
    /// The row would become one that `becomes` refuses: 403.
    #[error("denied for what the row would become")]
    DeniedResult,
    /// The database failed, or refused the values: 503, unless the application knows better.
    #[error("the statement failed")]
    Failed(#[source] diesel::result::Error),
    /// A decision could not be taken: 503.
    #[error("the store failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ChangeError {
    /// Whether a rule refuses the change.
    #[must_use]
    pub const fn is_denial(&self) -> bool {
        matches!(self, Self::Denied | Self::DeniedColumn { .. } | Self::DeniedResult)
    }
}

/// So that a transaction can end with it.
impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::NotFound,
            error => Self::Failed(error),
        }
    }
}

impl From<LoadError> for ChangeError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound => Self::NotFound,
            LoadError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// So that a function that reads and changes has one error.
impl From<ChangeError> for AccessError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::NotFound,
            ChangeError::Denied | ChangeError::DeniedColumn { .. } | ChangeError::DeniedResult => {
                Self::Denied(DenyReason::NoMatch)
            }
            ChangeError::Failed(error) => Self::Unavailable(error.into()),
            ChangeError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// The answer to the client, without the column.
impl From<ChangeError> for AuthError {
    fn from(error: ChangeError) -> Self {
        AccessError::from(error).into()
    }
}
