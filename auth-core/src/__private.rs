//! What the attributes' expansions call. Not for use by hand: it changes without notice.

pub use core::{future::Future, marker::PhantomData};

pub use actix_web::{Error, HttpRequest, dev::Payload};
#[cfg(feature = "diesel")]
pub use diesel;

pub use crate::guard::{Admitted, Guard, Proved, ProvesNothing, assert_proof, authenticate, extract, role};
