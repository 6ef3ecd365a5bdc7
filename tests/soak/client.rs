//! Two instances of the service that share a database, and a client for both.

use std::{
    collections::VecDeque,
    io::{self, Read},
    net::TcpListener,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::rt::System;
use energy_service::{Config, Service, sessions::SessionConfig, test::TestDatabase};
use serde_json::Value;
use ureq::{Agent, SendBody, http::Request};

use crate::soak::{
    ask::{Ask, Body},
    model::{By, Credential, Object},
    right::{Answer, Seen},
};

pub(crate) struct Instances {
    pub(crate) services: [Service; 2],
    servers: [Option<JoinHandle<()>>; 2],
    pub(crate) addresses: [String; 2],
}

impl Instances {
    pub(crate) fn start(place: &TestDatabase) -> Self {
        // A log-in at one instance counts at the other.
        let key = Some("c3".repeat(64).parse().unwrap());
        let sessions = SessionConfig { key, ..SessionConfig::default() };
        let config = Config {
            database: place.location().clone(),
            workers: Some(2),
            sessions,
            // A machine that has much else to do is no fault of the service.
            pool_wait: Duration::from_secs(30),
            ..Config::default()
        };
        let services = [(); 2].map(|()| Service::open(&config).unwrap());
        let [(here, one), (there, other)] = services.each_ref().map(serve);
        Self { services, servers: [Some(one), Some(other)], addresses: [here, there] }
    }
}

fn serve(service: &Service) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, started) = mpsc::channel();
    let service = service.clone();
    let server = thread::spawn(move || {
        System::new().block_on(async move {
            let server = service.start(listener).unwrap();
            sender.send(()).unwrap();
            server.await.unwrap();
        });
    });
    started.recv().unwrap();
    (address, server)
}

impl Drop for Instances {
    fn drop(&mut self) {
        for (service, server) in self.services.iter().zip(&mut self.servers) {
            service.stop();
            // A test that fails must not panic once more.
            let _ = server.take().map(JoinHandle::join);
        }
    }
}

/// An answer, with the data that clients need later.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) created: Created,
}

#[derive(Default)]
pub(crate) struct Created {
    /// The key of a new object.
    pub(crate) id: Option<i32>,
    /// A new token, or the cookie of a new session.
    pub(crate) secret: Option<String>,
}

pub(crate) struct Client {
    agent: Agent,
    addresses: [String; 2],
}

impl Client {
    pub(crate) fn new(instances: &Instances) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .into();
        Self { agent, addresses: instances.addresses.clone() }
    }

    /// The body is not sent before this returns. The guard may have decided by then, and the handler has done nothing.
    pub(crate) fn send(
        &self,
        instance: usize,
        ask: &Ask,
        credential: Option<&Credential>,
        hold_back: &mut dyn FnMut(),
    ) -> Reply {
        let (method, path, body) = ask.request();
        // As a browser marks a request that no other site causes.
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.addresses[instance]))
            .header("sec-fetch-site", "same-origin");
        if let Some(Credential { by, secret, .. }) = credential {
            request = match by {
                By::Token => request.header("authorization", format!("Bearer {secret}")),
                By::Session => request.header("cookie", &**secret),
            };
        }
        let (content, body) = match body {
            Body::None => (None, String::new()),
            Body::Json(body) => (Some("application/json"), body.to_string()),
            Body::Form(body) => (Some("application/x-www-form-urlencoded"), body),
        };
        if let Some(content) = content {
            request = request.header("content-type", content).header("content-length", body.len());
        }
        let mut body = HeldBack { hold_back: Some(hold_back), rest: body.into_bytes().into() };
        let response = if content.is_some() {
            self.agent.run(request.body(SendBody::from_reader(&mut body)).unwrap())
        } else {
            self.agent.run(request.body(SendBody::none()).unwrap())
        };
        let mut response = response.unwrap();
        let status = response.status().as_u16();
        let cookie = response.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        let text = response.body_mut().read_to_string().unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let served = matches!(status, 200 | 201);
        let created = Created {
            id: (status == 201).then(|| number(&body["id"])).flatten(),
            secret: match ask {
                Ask::LogIn { by: By::Token, .. } => body["auth_token"].as_str().map(str::to_owned),
                Ask::LogIn { by: By::Session, .. } => cookie,
                _ => None,
            },
        };
        let seen = if served { seen(ask, &body) } else { Seen::Nothing };
        Reply { answer: Answer { status, seen }, created }
    }
}

/// A body that comes late.
struct HeldBack<'a> {
    hold_back: Option<&'a mut dyn FnMut()>,
    rest: VecDeque<u8>,
}

impl Read for HeldBack<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(hold_back) = self.hold_back.take() {
            hold_back();
        }
        self.rest.read(buffer)
    }
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| number.try_into().ok())
}

fn seen(ask: &Ask, body: &Value) -> Seen {
    let names = |value: &Value| {
        let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    let ids = |rows: &Value| {
        let rows = rows.as_array().into_iter().flatten();
        Seen::Ids(rows.filter_map(|row| number(&row["id"])).collect())
    };
    match ask {
        Ask::View(Object::AccountLog(_) | Object::UserLog(_)) => Seen::Nothing,
        Ask::View(_) | Ask::ViewInAccount { .. } | Ask::Rename(..) | Ask::SetActive { .. } => {
            number(&body["id"]).map_or(Seen::Nothing, Seen::Id)
        }
        Ask::List { .. } => {
            let Seen::Ids(shown) = ids(&body["data"]) else { return Seen::Nothing };
            // A list that does not show all that it counts, or counts other rows than it shows, is wrong.
            if body["filtered-records"] == shown.len() { Seen::Ids(shown) } else { Seen::Nothing }
        }
        Ask::Clients | Ask::Portfolio => ids(body),
        Ask::RolesOf(_) | Ask::ChangeRoles { .. } => Seen::Names(names(body)),
        Ask::Me => Seen::Me {
            id: number(&body["id"]).unwrap_or_default(),
            account: number(&body["account_id"]).unwrap_or_default(),
            roles: names(&body["roles"]),
            account_roles: names(&body["account_roles"]),
        },
        _ => Seen::Nothing,
    }
}
