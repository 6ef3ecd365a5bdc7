//! The extractor that gives a handler its caller.

use std::{any::Any, any::type_name, fmt, future::Future, ops::Deref, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::{
    auth::Auth,
    error::AuthError,
    subject::{Subject, User},
};

/// The caller, as the type that the application's mechanism makes.
///
/// In a handler without a guard it authenticates the request itself and answers 401 to anonymous callers. It checks
/// nothing else.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth_core::{CurrentUser, Subject, auth_required};
///
/// #[auth_required]
/// #[get("/whoami")]
/// async fn whoami(user: CurrentUser) -> impl Responder {
///     user.id().to_string()
/// }
/// ```
pub struct CurrentUser<U: Subject = User>(pub(crate) Arc<U>);

impl<U: Subject> CurrentUser<U> {
    /// The caller, to be moved to another thread or task.
    #[must_use]
    pub fn into_inner(self) -> Arc<U> {
        self.0
    }
}

impl<U: Subject> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<U: Subject> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: Subject + fmt::Debug> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentUser").field(&self.0).finish()
    }
}

impl<U: Subject> FromRequest for CurrentUser<U> {
    type Error = AuthError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AuthError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let subject: Arc<dyn Any + Send + Sync> = Auth::of(&request)?.authenticate(&request).await?;
            subject.downcast().map(Self).map_err(|_| {
                tracing::error!(
                    target: "auth",
                    asked = type_name::<U>(),
                    "a handler asks for a `CurrentUser` of a type that the mechanism which authenticated the request does not make"
                );
                AuthError::Misconfigured
            })
        })
    }
}
