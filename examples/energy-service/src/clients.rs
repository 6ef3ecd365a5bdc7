//! Clients that are slow, or too many: how long the service waits for them, and how many it talks to at once.
//!
//! actix-web waits only so long for the first request of a connection, and for a next one to begin. It waits for a body
//! for ever, so that wait is limited here. A denial of a guard does not wait for the body in any case.
//!
//! An answer that leaves a body unread closes the connection, after a while (`LINGER`).
//!
//! The time for the head of a later request is not limited, nor the time for a client to read an answer: such clients
//! hold one of the [connections](ClientLimits::connections) each. A proxy in front ends those.

use std::{future::Future as _, io::ErrorKind, pin::Pin, time::Duration};

use actix_web::{
    HttpMessage as _,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::Method,
};
use futures_util::stream::{Stream as _, poll_fn};
use tokio::time::sleep;

/// How long the service still reads and discards a body after an answer that did not need it. A client that writes all
/// before it reads loses the answer if it takes longer; until then, it holds a connection.
pub(crate) const LINGER: Duration = Duration::from_secs(5);

/// How long the service waits for clients, and how many there may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientLimits {
    /// How long the head of the first request of a connection may take; then the answer is 408.
    pub head: Duration,
    /// How long a body may take, from when a handler begins to read it; then the answer is 408.
    pub body: Duration,
    /// The most connections at once. Others wait until one is closed. Each takes a file, and some kilobytes.
    pub connections: usize,
}

impl Default for ClientLimits {
    /// 5 seconds, 30 seconds, 10,000 connections.
    fn default() -> Self {
        Self { head: Duration::from_secs(5), body: Duration::from_secs(30), connections: 10_000 }
    }
}

/// The request, with a body that becomes an error when it does not come in time.
pub(crate) fn limit_body(mut request: ServiceRequest, limit: Duration) -> ServiceRequest {
    // The only GET that reads anything is that of a WebSocket, which has a heart beat.
    if request.method() == Method::GET {
        return request;
    }
    let mut body = request.take_payload();
    if matches!(body, Payload::None) {
        return request;
    }
    // From when the handler begins to read it: the guard takes its own time.
    let mut timer = None;
    let limited = poll_fn(move |context| {
        let polled = Pin::new(&mut body).poll_next(context);
        if polled.is_ready() {
            return polled;
        }
        let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer.as_mut().poll(context).map(|()| Some(Err(PayloadError::Io(ErrorKind::TimedOut.into()))))
    });
    request.set_payload(Payload::Stream { payload: Box::pin(limited) });
    request
}
