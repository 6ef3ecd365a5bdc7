//! A socket with the measurements of one sensor, from when it is opened.
//!
//! The guard decides about the upgrade, as about any request: a denied caller gets a problem document and no socket. A
//! socket outlives its request, so every check is repeated for each message:
//!
//! | message | the conditions at that moment |
//! |---|---|
//! | from the service: `[{"event_start": …, "event_value": …}, …]`, as a `GET` of the measurements answers | the log-in counts, the user has the account and the roles of the beginning, and may `read` the sensor |
//! | from the client: one such object, or a list of them, to be recorded | those of a `POST` of them |
//!
//! A measurement that the client records comes back as a message to all who follow the sensor, to itself as well. The
//! answer to a refused message is a problem document, and the socket stays open while the user may read.
//!
//! | the service closes with | when |
//! |---|---|
//! | 1001 | it stops, or the socket has become [too old](LiveConfig::max_age): open another |
//! | 1002, 1003, 1007 | the client breaks the protocol, sends binary data, or a text that is none |
//! | 1008 | the user may not read the sensor any more, or is not logged in any more; also without a message, by the next [heart beat](LiveConfig::heart_beat) |
//! | 1009 | a message is larger than [`MAX_MESSAGE`] |
//! | 1011 | the database does not answer: without a decision nothing is sent |
//! | 1013 | more was recorded than the client reads: get the measurements, and open another |
//!
//! A client that does not answer the heart beat, or does not read, is dropped without a close frame. A socket counts as
//! one of the user's until its connection has ended.
//!
//! In a browser, `new WebSocket(…)` sends no `Authorization`, so pages use the session, whose cookie browsers send to any
//! socket from any page. That is why the session's mechanism refuses upgrades from other origins.

use std::{
    convert::Infallible,
    io::ErrorKind,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    get, rt,
    web::{Bytes, Data, Payload, Query},
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, Closed, ProtocolError, Session};
use auth_core::{
    CurrentUser, OwnRule, Permission, Problem, ProtectedConfig, Stored, permission_required_for_context,
};
use tokio::{
    sync::broadcast,
    time::{self, Instant, MissedTickBehavior},
};
use utoipa::OpenApi;

use super::{
    input::{NoParameters, Validate},
    measurements::{self, NewEvents},
    openapi::{InvalidQuery, TooManySockets},
};
use crate::{
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    live::{Live, LiveConfig, Place},
    models::Sensor,
};

/// The largest message that is read, in bytes, in one piece or in several.
const MAX_MESSAGE: usize = 64 * 1024;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(follow);
}

#[derive(OpenApi)]
#[openapi(paths(follow))]
pub(super) struct Api;

/// Follows the measurements of a sensor through a WebSocket.
///
/// Each message is a list of measurements as a `GET` of them answers; a client may send such a list, or one
/// measurement, to record it.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    responses(
        (status = 101, description = "The WebSocket is open."),
        TooManySockets,
        InvalidQuery,
    ),
)]
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/measurements/live")]
async fn follow(
    sensor: Sensor,
    _: Query<NoParameters>,
    request: HttpRequest,
    body: Payload,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
    live: Data<Live>,
) -> Result<HttpResponse, ServiceError> {
    let place = live.place_for(current_user.id).ok_or(ServiceError::TooManySockets)?;
    let (response, session, messages) = actix_ws::handle(&request, body)
        .map_err(|error| ServiceError::invalid(format!("here is a WebSocket, and nothing else: {error}")))?;
    let messages =
        messages.max_frame_size(MAX_MESSAGE).aggregate_continuations().max_continuation_size(MAX_MESSAGE);
    // Before the client learns that it follows.
    let recorded = live.of_sensor(sensor.id);
    rt::spawn(
        Socket { sensor_id: sensor.id, current_user, database, live, session }.serve(messages, recorded),
    );
    Ok(response.map_body(|_, body| BoxBody::new(Held { body, _place: place })))
}

/// The service's end of a socket.
struct Socket {
    sensor_id: i32,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
    live: Data<Live>,
    session: Session,
}

/// Why a socket ends.
enum End {
    /// The client is not there any more, or does not read.
    Gone,
    /// For a reason, of which the client learns this part.
    Closed(CloseCode),
}

impl Socket {
    async fn serve(mut self, messages: AggregatedMessageStream, recorded: broadcast::Receiver<Arc<str>>) {
        let Err(end) = self.run(messages, recorded).await;
        if let End::Closed(code) = end {
            // A client that does not read this either is dropped.
            let wait = self.live.config().heart_beat;
            let _ = time::timeout(wait, self.session.close(Some(code.into()))).await;
        }
    }

    async fn run(
        &mut self,
        mut messages: AggregatedMessageStream,
        mut recorded: broadcast::Receiver<Arc<str>>,
    ) -> Result<Infallible, End> {
        let LiveConfig { heart_beat, max_age, .. } = self.live.config();
        let mut too_old = pin!(time::sleep(max_age));
        let mut heart_beats = time::interval_at(Instant::now() + heart_beat, heart_beat);
        heart_beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            tokio::select! {
                () = self.live.stopped() => return Err(End::Closed(CloseCode::Away)),
                () = &mut too_old => return Err(End::Closed(CloseCode::Away)),
                message = messages.recv() => {
                    heard = true;
                    self.receive(message.ok_or(End::Gone)??).await?;
                }
                text = recorded.recv() => {
                    let text = text.map_err(|_| End::Closed(CloseCode::Again))?;
                    self.may_read().await?;
                    self.send(&text).await?;
                }
                _ = heart_beats.tick() => {
                    if !heard {
                        return Err(End::Gone);
                    }
                    heard = false;
                    self.may_read().await?;
                    self.in_time(async |session| session.ping(b"").await).await?;
                }
            }
        }
    }

    /// Checks that the user may see the next measurement.
    async fn may_read(&self) -> Result<(), End> {
        let (user, sensor_id) = (self.current_user.clone(), self.sensor_id);
        let decided = self.database.run(move |connection| {
            let now = user.again(connection)?;
            if Sensor::check_access(connection, &now, sensor_id, Permission::READ)?.is_allowed() {
                Ok(())
            } else {
                let rule = OwnRule::new("live measurements");
                Err(user.deny(rule.on::<Sensor>(Permission::READ, &sensor_id)).into())
            }
        });
        Ok(decided.await?)
    }

    async fn receive(&mut self, message: AggregatedMessage) -> Result<(), End> {
        match message {
            AggregatedMessage::Text(text) => match self.record(&text).await {
                Ok(()) => Ok(()),
                Err(error @ (ServiceError::Unavailable(_) | ServiceError::Internal(_))) => Err(error.into()),
                Err(error) => {
                    self.may_read().await?;
                    let problem = Problem::new(error.status_code(), error.to_string());
                    self.send(&serde_json::to_string(&problem).map_err(ServiceError::internal)?).await
                }
            },
            AggregatedMessage::Binary(_) => Err(End::Closed(CloseCode::Unsupported)),
            AggregatedMessage::Ping(bytes) => self.in_time(async |session| session.pong(&bytes).await).await,
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(End::Closed(CloseCode::Normal)),
        }
    }

    /// Records the measurements of a message. The answer comes with those that others record.
    async fn record(&self, text: &str) -> Result<(), ServiceError> {
        let wrong = |error| ServiceError::invalid(format!("the message is wrong: {error}"));
        let events = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(wrong)?
        } else {
            NewEvents(vec![serde_json::from_str(text).map_err(wrong)?])
        };
        events.validate()?;
        let user = self.current_user.clone();
        measurements::store(self.sensor_id, move |_| Ok(events.clone()), user, &self.database, &self.live)
            .await
            .map(drop)
    }

    async fn send(&mut self, text: &str) -> Result<(), End> {
        self.in_time(async |session| session.text(text).await).await
    }

    /// Sends a message, to a client that has to read the ones before.
    async fn in_time(
        &mut self,
        send: impl AsyncFnOnce(&mut Session) -> Result<(), Closed>,
    ) -> Result<(), End> {
        match time::timeout(self.live.config().heart_beat, send(&mut self.session)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Closed)) | Err(_) => Err(End::Gone),
        }
    }
}

impl From<ServiceError> for End {
    fn from(error: ServiceError) -> Self {
        error.log();
        Self::Closed(match error {
            ServiceError::Unavailable(_) | ServiceError::Internal(_) => CloseCode::Error,
            _ => CloseCode::Policy,
        })
    }
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::Closed(match error {
            ProtocolError::Io(error) if error.kind() == ErrorKind::InvalidData => CloseCode::Invalid,
            // Too large in several pieces. Or the connection is broken, and the reason would reach no client.
            ProtocolError::Overflow | ProtocolError::Io(_) => CloseCode::Size,
            _ => CloseCode::Protocol,
        })
    }
}

/// The messages over a connection, together with its place among the user's sockets: it keeps the place also while a
/// client that does not read keeps the connection open, after the service has given the socket up.
struct Held {
    body: BoxBody,
    _place: Place,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
