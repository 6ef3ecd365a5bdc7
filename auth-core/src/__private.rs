//! What the attributes' expansions call. Not for use by hand: it changes without notice.

pub use actix_web::{Error, HttpRequest, dev::Payload};
#[cfg(feature = "diesel")]
pub use diesel;

pub use crate::{
    auth::Accepted,
    denial::OnDenied,
    guard::{
        Admitted, Guard, Proved, ProvesNothing, Source, anonymous, assert_proof, authenticate, evaluate,
        extract, finish, finish_blocking, on_denied, permission, role,
    },
};
