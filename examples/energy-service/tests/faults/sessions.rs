//! The Redis of the sessions is gone, or does not answer: no session counts then, and other requests are served as
//! before.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use energy_service::demo::PASSWORD;

use crate::{
    faults::{
        load::{Client, REQUESTS, SetAtEnd},
        servers::Redis,
    },
    process::Process,
};

/// More than any request waits that does not need Redis: the machine may be busy.
const ANSWERED: Duration = Duration::from_secs(20);

/// Logs in with the form, which has to be answered so. The cookie of the session, if there is one.
fn log_in(client: &Client, expected: u16) -> Option<String> {
    let form = format!("email=mia@sunnyside.example&password={PASSWORD}");
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
        ("accept", "text/html"),
    ];
    let answer = client.respond("POST", "/log-in", &headers, &form).unwrap();
    assert_eq!(answer.status(), expected);
    let cookie = answer.headers().get("set-cookie")?;
    Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
}

/// The answers to a browser with this cookie: to a read that it may make, a page, a change that it may not make, and a
/// public request.
fn with_cookie(client: &Client, cookie: &str, expected: [u16; 4]) {
    let cookie = [("cookie", cookie), ("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let rename = r#"{"name":"Taken over"}"#;
    let requests = [
        ("GET", "/api/v3_0/assets/1", ""),
        ("GET", "/assets", ""),
        ("PATCH", "/api/v3_0/assets/3", rename),
        ("GET", "/style.css", ""),
    ];
    let statuses = requests.map(|(method, path, body)| {
        let (status, body) = client.send(method, path, &cookie, body).unwrap();
        assert!(status != 503 || !body.is_empty() && !body.contains("edis"), "{path}: {body}");
        status
    });
    assert_eq!(statuses, expected);
}

/// Browsers send requests meanwhile, also at the moment of the fault, and all of them get answers.
fn while_browsing(client: &Client, cookie: &str, fault: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..8 {
            let (client, over) = (client.clone(), &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let (status, body) =
                        client.send("GET", "/api/v3_0/assets/1", &[("cookie", cookie)], "").unwrap();
                    assert!([200, 503].contains(&status), "{status} {body}");
                }
            });
        }
        thread::sleep(Duration::from_millis(200));
        let _over = SetAtEnd(&over);
        fault();
    });
}

const RIGHT: [u16; 4] = [200, 200, 403, 200];
const GONE: [u16; 4] = [503; 4];
/// The sessions were in its memory alone.
const LOGGED_OUT: [u16; 4] = [401, 401, 401, 200];

#[test]
fn without_redis_sessions_are_unavailable_and_all_else_is_as_before() {
    let Some(mut redis) = Redis::start() else { return };
    let key = "c3".repeat(64);
    let url = redis.url();
    let service = Process::demo(&["--session-key", &key, "--redis", &url]);
    let client = Client::new(service.address);
    // All connections to Redis that there will be.
    let cookie = log_in(&client, 303).unwrap();
    while_browsing(&client, &cookie, || thread::sleep(Duration::from_millis(500)));
    let ((seen, frozen), traces) = service.leaves_nothing_behind(1, || {
        let cookie = log_in(&client, 303).unwrap();
        with_cookie(&client, &cookie, RIGHT);
        redis.kill();
        let (seen, ()) = client.load(4, &REQUESTS, || {
            for _ in 0..10 {
                with_cookie(&client, &cookie, GONE);
            }
            assert_eq!(log_in(&client, 503), None);
            // By a token, one still can.
            Client::new(service.address);
        });
        redis.start_again();
        with_cookie(&client, &cookie, LOGGED_OUT);
        let cookie = log_in(&client, 303).unwrap();
        with_cookie(&client, &cookie, RIGHT);

        let (frozen, ()) = client.load(4, &REQUESTS, || {
            while_browsing(&client, &cookie, || {
                redis.freeze();
                with_cookie(&client, &cookie, GONE);
                redis.thaw();
            });
        });
        with_cookie(&client, &cookie, RIGHT);
        (seen, frozen)
    });
    for seen in [&seen, &frozen] {
        assert!(seen.all_right(), "{seen}");
        assert!(seen.slowest() < ANSWERED, "{seen}");
        client.assert_stored(seen);
    }
    println!("Redis gone: by a session {{503: 41}}; without: {seen}");
    println!("Redis frozen: by a session {{503: 4}}; without: {frozen}; {traces}");
}
