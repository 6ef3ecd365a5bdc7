//! Requests while the store of the sessions does not answer: 503, after a bounded time.
//!
//! The middleware of the sessions asks the store only for a client that sends a cookie of a session, or gets one. It
//! answers an empty 500 where the store fails, and waits for ever where the store does not answer.

use std::collections::HashMap;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::{
    Error,
    body::MessageBody,
    cookie::time,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use auth_core::denial::prefers_html;
use tokio::time::timeout;

use super::REDIS_WAIT;
use crate::{error::ServiceError, routes::pages};

/// Answers 503 where the middleware of the sessions, which this is around, fails: by a page, or by a problem document.
pub(super) async fn or_unavailable(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // The request does not exist any more after a failure, and this must not hold a clone of it.
    let page = prefers_html(request.request());
    next.call(request).await.map_err(|error| {
        // With its causes.
        let error = ServiceError::unavailable(format!("{error:#}"));
        if page { pages::failed(error) } else { error.into() }
    })
}

/// A store that has to answer within [`REDIS_WAIT`].
pub(super) struct InTime<S>(pub(super) S);

impl<S: SessionStore> SessionStore for InTime<S> {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        timeout(REDIS_WAIT, self.0.load(key)).await.unwrap_or_else(|late| Err(LoadError::Other(late.into())))
    }

    async fn save(
        &self,
        state: HashMap<String, String>,
        ttl: &time::Duration,
    ) -> Result<SessionKey, SaveError> {
        let saved = timeout(REDIS_WAIT, self.0.save(state, ttl)).await;
        saved.unwrap_or_else(|late| Err(SaveError::Other(late.into())))
    }

    async fn update(
        &self,
        key: SessionKey,
        state: HashMap<String, String>,
        ttl: &time::Duration,
    ) -> Result<SessionKey, UpdateError> {
        let updated = timeout(REDIS_WAIT, self.0.update(key, state, ttl)).await;
        updated.unwrap_or_else(|late| Err(UpdateError::Other(late.into())))
    }

    async fn update_ttl(&self, key: &SessionKey, ttl: &time::Duration) -> Result<(), anyhow::Error> {
        timeout(REDIS_WAIT, self.0.update_ttl(key, ttl)).await?
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        timeout(REDIS_WAIT, self.0.delete(key)).await?
    }
}
