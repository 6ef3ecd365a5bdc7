//! Bodies that a denial leaves unread: the connection ends with the answer, and the client gets the answer.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use actix_web::{App, HttpServer, Responder, http::Method, post, rt::System, web};
use auth_core::{
    ProtectedScope, auth_required, permission_required_for_context, protected::ScopeGuard, roles_required,
};

use crate::fixture::{Resource, World};

const PATIENCE: Duration = Duration::from_secs(20);

/// actix-http looks at its clock twice a second, so less could be over at once.
const LINGERS: Duration = Duration::from_secs(1);

#[auth_required]
#[post("/uploads")]
async fn upload(body: web::Bytes) -> impl Responder {
    body.len().to_string()
}

#[roles_required("chef")]
#[post("/recipes")]
async fn cook(body: web::Bytes) -> impl Responder {
    body.len().to_string()
}

#[permission_required_for_context("update", ctx_arg = "resource")]
#[post("/resources/{resource_id}")]
async fn change(resource: Resource, body: web::Bytes) -> impl Responder {
    format!("{} {}", resource.name, body.len())
}

#[auth_required]
#[post("/in-a-scope")]
async fn in_a_scope(body: web::Bytes) -> impl Responder {
    body.len().to_string()
}

#[auth_required]
async fn of_put() -> impl Responder {
    "put"
}

/// A server that talks to as few clients at once as this, and waits so long for those that it has answered.
fn start(connections: usize, lingers: Duration) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let auth = World::new().auth();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let app = move || {
                let scope = ProtectedScope::new("/guarded")
                    .guarded_by(ScopeGuard::auth_required())
                    .service(in_a_scope);
                let other = ProtectedScope::new("/protected").route("/of-put", Method::PUT, of_put);
                App::new()
                    .app_data(auth.clone())
                    .service((upload, cook, change))
                    .service(scope)
                    .service(other)
            };
            let server = HttpServer::new(app)
                .workers(1)
                .max_connections(connections)
                .client_disconnect_timeout(lingers)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
            sender.send(()).unwrap();
            server.await.unwrap();
        });
    });
    receiver.recv().unwrap();
    address
}

fn connect(address: std::net::SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The head of a POST, with or without credentials.
fn head(path: &str, token: Option<&str>, rest: &str) -> String {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{token}{rest}\r\n\r\n")
}

/// All bytes until the connection ends.
fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Denied, or not found, before the body: by missing credentials, a wrong token, a role, a context, a scope.
const DENIED: [(&str, Option<&str>, u16); 8] = [
    ("/uploads", None, 401),
    ("/uploads", Some("wrong"), 401),
    ("/recipes", Some("member"), 403),
    ("/resources/2", Some("chef"), 403),
    ("/resources/9", Some("chef"), 404),
    ("/guarded/in-a-scope", None, 401),
    // On a protected scope, no guard runs for a path without a handler, or without one of this method.
    ("/protected/nothing", None, 404),
    ("/protected/of-put", None, 405),
];

#[test]
fn a_denial_ends_the_connection_of_a_body_that_never_ends() {
    let address = start(100, LINGERS);
    for (path, token, status) in DENIED {
        let mut stream = connect(address);
        let head = head(path, token, "transfer-encoding: chunked");
        stream.write_all(format!("{head}5\r\nhello\r\n").as_bytes()).unwrap();
        let answer = answer(&mut stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{path}: {answer}");
    }
}

#[test]
fn bodies_that_never_end_keep_nobody_out() {
    let address = start(4, LINGERS);
    let endless: Vec<TcpStream> = (0..12)
        .map(|_| {
            let mut stream = connect(address);
            let head = head("/uploads", None, "transfer-encoding: chunked");
            stream.write_all(format!("{head}5\r\nhello\r\n").as_bytes()).unwrap();
            stream
        })
        .collect();
    let mut other = connect(address);
    other
        .write_all(head("/uploads", Some("member"), "content-length: 2\r\nconnection: close").as_bytes())
        .unwrap();
    other.write_all(b"ok").unwrap();
    assert!(answer(&mut other).starts_with("HTTP/1.1 200 "));
    for mut stream in endless {
        assert!(answer(&mut stream).starts_with("HTTP/1.1 401 "));
    }
}

#[test]
fn a_denied_request_without_a_body_keeps_its_connection() {
    let address = start(4, LINGERS);
    let mut stream = connect(address);
    for _ in 0..2 {
        stream.write_all(head("/uploads", None, "content-length: 0").as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401");
        // The rest of it, which ends with the document.
        let mut rest = Vec::new();
        while !rest.ends_with(b"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
    }
}

/// As many clients do: it reads nothing before it has written all.
#[test]
fn a_client_that_writes_all_before_it_reads_sees_the_denial() {
    let address = start(4, PATIENCE);
    let megabyte = vec![b'x'; 1 << 20];
    for (index, (path, token, status)) in DENIED.into_iter().enumerate() {
        // More than the system keeps for a server that does not read; and once a length that real clients send.
        let megabytes: usize = if index == 0 { 200 } else { 16 };
        for chunked in [false, true] {
            let mut stream = connect(address);
            let length = format!("content-length: {}", megabytes << 20);
            let framing = if chunked { "transfer-encoding: chunked" } else { length.as_str() };
            stream.write_all(head(path, token, framing).as_bytes()).unwrap();
            for _ in 0..megabytes {
                if chunked {
                    stream.write_all(b"100000\r\n").unwrap();
                }
                stream.write_all(&megabyte).unwrap();
                if chunked {
                    stream.write_all(b"\r\n").unwrap();
                }
            }
            stream.shutdown(Shutdown::Write).unwrap();
            let answer = answer(&mut stream);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        }
    }
}

#[test]
fn a_client_that_waits_before_its_body_sees_the_denial() {
    let address = start(4, LINGERS);
    for (path, token, status) in DENIED {
        let mut stream = connect(address);
        let expects = "content-length: 1000000\r\nexpect: 100-continue";
        stream.write_all(head(path, token, expects).as_bytes()).unwrap();
        let answer = answer(&mut stream);
        let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}
