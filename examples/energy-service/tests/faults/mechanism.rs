//! The service with one mechanism more, which panics.

use std::{net::TcpListener, sync::mpsc, thread};

use actix_web::{App, HttpRequest, HttpServer, http::header::HeaderValue, rt::System};
use auth_core::{
    Auth,
    mechanism::{Authenticated, BearerToken, Mechanism, Rejection, SessionCookie},
};
use energy_service::{Config, Service, auth::LoggedIn};

use crate::faults::load::{Client, REQUESTS};

/// A bug: it panics when its header is there, before its first await or after it.
struct Faulty;

impl Mechanism for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        match request.headers().get("x-fault").map(HeaderValue::as_bytes) {
            Some(b"at once") => panic!("a bug in a mechanism"),
            Some(b"later") => {
                actix_web::rt::task::yield_now().await;
                panic!("a bug in a mechanism, later")
            }
            _ => Ok(None),
        }
    }
}

#[test]
fn a_mechanism_that_panics_is_answered_and_takes_no_worker_with_it() {
    let service = Service::open(&Config { demo: true, ..Config::default() }).unwrap();
    let pool = service.database().pool().clone();
    let auth = Auth::builder()
        .mechanism(Faulty)
        .mechanism(BearerToken::<LoggedIn>::new(pool.clone()))
        .mechanism(SessionCookie::<LoggedIn>::new(pool.clone()))
        .connections(pool)
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, started) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async {
            let app = move || {
                // Of two, the later one counts.
                App::new().configure(|config| service.configure(config)).app_data(auth.clone())
            };
            let server = HttpServer::new(app).workers(2).disable_signals().listen(listener).unwrap().run();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = started.recv().unwrap();
    let client = Client::new(address);
    let mut answered = 0;
    let (seen, ()) = client.load(4, &REQUESTS, || {
        let token = format!("Bearer {}", client.token("ada"));
        for fault in ["at once", "later"].repeat(100) {
            let headers = [("authorization", token.as_str()), ("x-fault", fault)];
            let (status, body) = client.clone().send("GET", "/api/v3_0/assets/1", &headers, "").unwrap();
            assert_eq!(status, 503, "{body}");
            assert!(!body.contains("bug"), "{body}");
            answered += 1;
        }
    });
    assert!(seen.all_right(), "{seen}");
    client.assert_stored(&seen);
    drop(handle.stop(false));
    println!("a mechanism that panics: {answered} requests: {{503: {answered}}}; meanwhile, others: {seen}");
}
