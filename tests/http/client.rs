//! A service on a port of its own, and a client for it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt::System, web::ServiceConfig};
use serde_json::Value;
use ureq::{
    Agent,
    http::{HeaderMap, Request, StatusCode},
};

/// A running service, stopped when it is dropped.
pub(crate) struct Service {
    address: String,
    handle: ServerHandle,
    agent: Agent,
}

impl Service {
    /// Starts an app with the handlers that `configure` registers.
    pub(crate) fn start(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().configure(configure.clone()))
                    .workers(2)
                    .disable_signals()
                    .listen(listener)
                    .unwrap()
                    .run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Self { address, handle: receiver.recv().unwrap(), agent }
    }

    /// The host and the port, as a request names them.
    pub(crate) fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Response {
        self.send("GET", path, token.map(bearer).as_deref(), None)
    }

    /// A GET with these headers.
    pub(crate) fn send_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request("GET", path, headers)
    }

    /// A request without a body, with these headers.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request_of(method, path, headers, "")
    }

    /// A request with these headers and this body.
    pub(crate) fn request_of(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.run(request.body(body.to_owned()).unwrap())
    }

    /// Sends a request with the `Authorization` header and the body as they are.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Option<&str>,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.run(request.body(body.unwrap_or_default().to_owned()).unwrap())
    }

    /// Sends these bytes over a connection of their own. The status of the answer; none if the connection ends
    /// without one.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<u16> {
        self.begin(bytes).end(b"")
    }

    /// Sends the first bytes of a request over a connection of its own.
    pub(crate) fn begin(&self, bytes: &[u8]) -> Begun {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // The server need not read all of it.
        let _ = stream.write_all(bytes);
        Begun(stream)
    }

    fn run(&self, request: Request<String>) -> Response {
        let mut response = self.agent.run(request).unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        Response { status: response.status(), headers: response.headers().clone(), body }
    }
}

/// A request of which the server has not got all.
pub(crate) struct Begun(TcpStream);

impl Begun {
    /// Sends the rest, and reads the status of the answer.
    pub(crate) fn end(self, bytes: &[u8]) -> Option<u16> {
        let Self(mut stream) = self;
        let _ = stream.write_all(bytes);
        let mut start = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut start).ok()?;
        str::from_utf8(&start).unwrap().strip_prefix("HTTP/1.1 ").unwrap().parse().ok()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The server stops in its own thread; the test does not wait for it.
        drop(self.handle.stop(false));
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
