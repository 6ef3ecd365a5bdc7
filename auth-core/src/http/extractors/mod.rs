//! Extractors for a handler's arguments: its caller, and the rows that the caller may see or change.

#[cfg(feature = "diesel")]
mod accessible;
mod current_user;

use std::pin::Pin;

use actix_web::HttpRequest;

#[cfg(feature = "diesel")]
pub use self::accessible::Accessible;
pub use self::current_user::{CurrentUser, MaybeUser};
use super::{auth::Auth, catch_panic::caught, denial::Denial};
use crate::error::AuthError;

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Denial>>>>;

/// Extracts with the registered `Auth`. An error or a panic is a denial.
fn extract<T: 'static>(
    request: &HttpRequest,
    extract: impl AsyncFnOnce(&Auth, &HttpRequest) -> Result<T, AuthError> + 'static,
) -> Extraction<T> {
    let request = request.clone();
    Box::pin(async move {
        let extracted = async { extract(Auth::of(&request)?, &request).await };
        caught("authenticate", &request, extracted).await.map_err(|error| Denial::new(&request, error))
    })
}
