//! The identity of a request: which subject a mechanism found. The request keeps it, so that it is found once.

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest};

use super::Auth;
use crate::{
    error::AuthError,
    event::Check,
    mechanism::{Again, Authenticated, FindAgain},
    vocabulary::Subject,
};

/// The mark of a request without an identity, whose answer depends on that.
struct NobodyFound(Auth);

/// The outcome of authentication, which the request keeps.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(super) by: Auth,
    pub(crate) mechanism: &'static str,
    pub(super) authenticated: Authenticated,
}

impl Identity {
    pub(crate) fn subject(&self) -> Arc<dyn Subject> {
        Arc::clone(&self.authenticated.subject)
    }

    /// How the mechanism finds the subject once more, if it can.
    pub(crate) fn find_again(&self) -> Option<&dyn FindAgain> {
        self.authenticated.again.as_ref().map(Again::finder)
    }

    /// This check, with the subject.
    pub(crate) fn checked<'a>(&'a self, check: Check<'a>) -> Check<'a> {
        Check { subject: Some(&*self.authenticated.subject), mechanism: Some(self.mechanism), ..check }
    }

    /// Whether this very `Auth` found it.
    fn is_by(&self, auth: &Auth) -> bool {
        Arc::ptr_eq(&self.by.0, &auth.0)
    }

    /// Whether both have one subject. Subjects of two types may have the same ids.
    fn is(&self, other: &Self) -> bool {
        let (one, other) = (&*self.authenticated.subject, &*other.authenticated.subject);
        one.type_id() == other.type_id() && one.id() == other.id()
    }
}

impl Auth {
    /// Whether the request keeps an identity by this very `Auth`.
    pub(crate) fn has_cached_identity(&self, request: &HttpRequest) -> bool {
        request.extensions().get::<Identity>().is_some_and(|identity| identity.is_by(self))
    }

    /// The identity that the request keeps by this very `Auth`; an inner scope may have registered another one.
    pub(crate) fn cached_identity(&self, request: &HttpRequest) -> Option<Identity> {
        let extensions = request.extensions();
        extensions.get::<Identity>().filter(|identity| identity.is_by(self)).cloned()
    }

    /// Keeps this identity with the request; false if it keeps one of another subject. An outer guard let that one in, by
    /// a mechanism that this guard does not accept, or another extractor has found it meanwhile.
    pub(super) fn keep_identity(&self, request: &HttpRequest, identity: &Identity) -> bool {
        let before = request.extensions_mut().insert(identity.clone());
        match before.filter(|before| before.is_by(self) && !before.is(identity)) {
            Some(other) => {
                request.extensions_mut().insert(other);
                false
            }
            None => true,
        }
    }

    /// The `Auth` that looked for the caller of this request, if one did: the answer depends on what it found.
    pub(crate) fn of_answer(request: &HttpRequest) -> Option<Self> {
        let extensions = request.extensions();
        let nobody = || extensions.get::<NobodyFound>().map(|NobodyFound(auth)| auth);
        extensions.get::<Identity>().map(|identity| &identity.by).or_else(nobody).cloned()
    }

    /// Passes the outcome on. If it is no identity, the request keeps that, because a handler may go on without a subject.
    pub(super) fn noting_nobody(
        &self,
        request: &HttpRequest,
        identity: Result<Option<Identity>, AuthError>,
    ) -> Result<Option<Identity>, AuthError> {
        if !matches!(identity, Ok(Some(_))) {
            request.extensions_mut().insert(NobodyFound(self.clone()));
        }
        identity
    }
}
