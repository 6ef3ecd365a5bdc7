//! The service on a port, and a client of its sockets.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::rt::System;
use energy_service::{Config, database::Connection, live::LiveConfig};
use serde_json::{Value, json};
use tungstenite::{
    Error, Message, WebSocket,
    client::{IntoClientRequest, client},
    handshake::HandshakeError,
    http::{HeaderName, HeaderValue},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::super::requests::{Client, LoggedIn};

/// A sensor of the members' account, and one of the stranger's.
pub(super) const SENSOR: &str = "/sensors/1/measurements";
pub(super) const OTHER_SENSOR: &str = "/sensors/4/measurements";

/// So long that no heart beat hides a missing decision about a message.
pub(super) const NEVER: Duration = Duration::from_secs(60 * 60);
/// So long that a client which reads answers in time, however busy the machine is.
pub(super) const SLOW: Duration = Duration::from_secs(3);
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Server {
    pub(super) client: Client,
    pub(super) address: SocketAddr,
    pub(super) serving: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::of(|config| config)
    }

    pub(super) fn beating(heart_beat: Duration) -> Self {
        Self::of(|config| Config { live: LiveConfig { heart_beat, ..config.live }, ..config })
    }

    pub(super) fn of(configure: impl FnOnce(Config) -> Config) -> Self {
        let live = LiveConfig { heart_beat: NEVER, max_age: NEVER, ..LiveConfig::default() };
        let client =
            Client::of(|config| configure(Config { live, pool_size: 2, workers: Some(2), ..config }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let service = client.service.clone();
        let serving =
            thread::spawn(move || System::new().block_on(async move { service.start(listener)?.await }));
        Self { client, address, serving: Some(serving) }
    }

    /// The connection, once the service has switched protocols; or the status and the body of its answer instead.
    pub(super) fn try_follow(&self, path: &str, headers: &[(&str, &str)]) -> Result<Socket, (u16, Value)> {
        let url = format!("ws://{}/api/v3_0{path}/live", self.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(request, stream) {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => {
                let kind = response.headers().get("content-type").unwrap();
                assert_eq!(kind, "application/problem+json");
                let body = response.body().as_deref().unwrap_or_default();
                Err((response.status().as_u16(), serde_json::from_slice(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) fn follow(&self, who: &LoggedIn<'_>) -> Socket {
        self.try_follow(SENSOR, &[("authorization", &bearer(who))])
            .unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    pub(super) fn connection(&self, change: impl FnOnce(&mut Connection)) {
        change(&mut self.client.service.database().connection().unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends in its own thread, with its connections to the database.
        self.client.service.stop();
    }
}

pub(super) struct Socket(pub(super) WebSocket<TcpStream>);

impl Socket {
    pub(super) fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).unwrap();
    }

    /// The next message; the heart beats on the way are answered.
    pub(super) fn next(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Checks that nothing comes but the end, with this code and no reason.
    #[track_caller]
    pub(super) fn assert_closed(&mut self, code: CloseCode) {
        loop {
            match self.0.read().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(Some(CloseFrame { code: observed, reason })) => {
                    assert_eq!((observed, reason.as_str()), (code, ""));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(self.0.read(), Err(Error::ConnectionClosed)));
    }
}

pub(super) fn bearer(who: &LoggedIn<'_>) -> String {
    format!("Bearer {}", who.token)
}

/// The measurement of this minute of a day on which the demo has none.
pub(super) fn event(minute: u32) -> Value {
    json!({ "event_start": format!("2030-01-01T00:{minute:02}:00Z"), "event_value": 1.5 })
}

pub(super) async fn record(who: &LoggedIn<'_>, path: &str, events: Value) {
    assert_eq!(who.post(path, events).await.status, 201);
}
