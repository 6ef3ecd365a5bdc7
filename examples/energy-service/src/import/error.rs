//! Why a world is not imported.

use std::{io, path::PathBuf};

use auth_core::mechanism::{GenerateTokenError, PasswordError};
use diesel::result::Error as DieselError;

use crate::error::ServiceError;

/// Why a world is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such file, or it may not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is no JSON.
    #[error("`{}` is not JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The place and the fault.
        source: serde_json::Error,
    },
    /// The file is JSON, and something else than worlds.
    #[error("`{}` does not hold worlds as they should be", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The place and the fault.
        source: serde_json::Error,
    },
    /// The file has no such world.
    #[error("there is no world {name:?} in the file; the worlds are: {names}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names in the file.
        names: String,
    },
    /// The file has two worlds of this name.
    #[error("there are several worlds {name:?} in the file; give them different names")]
    Ambiguous {
        /// The name that was given.
        name: String,
    },
    /// The world contradicts itself.
    #[error("the world cannot be imported: {0}")]
    Invalid(String),
    /// The ids of the file may be in use.
    #[error("a world is for an empty database, and this one holds other data: name another database")]
    Occupied,
    /// The database failed.
    #[error("cannot store the world")]
    Database(#[from] DieselError),
    /// No connection.
    #[error("cannot store the world")]
    Connection(#[from] ServiceError),
    /// There are no random numbers to be had.
    #[error("cannot make tokens and passwords for the users")]
    Token(#[from] GenerateTokenError),
    /// There is no memory to be had.
    #[error("cannot make tokens and passwords for the users")]
    Password(#[from] PasswordError),
}
