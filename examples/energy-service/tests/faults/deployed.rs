//! The service as it is deployed: nginx in front of it, with TLS and a cache.

use std::{
    io::{Read as _, Write as _},
    thread,
    time::{Duration, Instant},
};

use energy_service::demo::PASSWORD;
use serde_json::Value;
use tungstenite::{Message, client::IntoClientRequest as _};

use crate::{
    faults::nginx::{Answer, Deployed, HOST},
    process::PATIENCE,
};

const MIA: &str = "mia@sunnyside.example";
const SVEN: &str = "sven@bakery.example";
const ME: &str = "/api/v3_0/users/me";
const RECORD: &str = "/api/v3_0/sensors/1/measurements";

/// Where each caller of these tests connects from: all of these are addresses of this machine.
const CLIENT: &str = "127.0.0.2";
const FLOOD: &str = "127.0.0.3";
const OTHER: &str = "127.0.0.4";
/// An address that no client of these tests has.
const SPOOFED: &str = "198.51.100.9";

fn log_in(deployed: &Deployed, jar: &str, email: &str) -> Answer {
    let form = format!("email={email}&password={PASSWORD}");
    let origin = format!("origin: https://{HOST}:{}", deployed.port);
    deployed
        .get(&["-b", jar, "-c", jar, "-H", "accept: text/html", "-H", &origin, "--data", &form], "/log-in")
}

fn token(deployed: &Deployed, email: &str) -> String {
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    let answer = deployed.get(&["--json", &body], "/api/requestAuthToken");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    format!("authorization: Bearer {}", body["auth_token"].as_str().unwrap())
}

#[test]
fn no_answer_of_one_caller_reaches_another() {
    let Some(deployed) = Deployed::start(&[]) else { return };
    // The cache keeps public answers.
    let cached = || deployed.get(&[], "/style.css").header("x-cache-status").map(str::to_owned);
    cached();
    assert_eq!(cached().as_deref(), Some("HIT"));

    let (mia, sven) = (token(&deployed, MIA), token(&deployed, SVEN));
    let jar = deployed.jar("mia");
    assert_eq!(log_in(&deployed, &jar, MIA).status, 303);
    let page = ["-H", "accept: text/html"];
    let by_token = ["-H", mia.as_str()];
    let by_session = ["-b", jar.as_str(), "-H", "accept: text/html"];
    for (path, arguments, mark) in [
        (ME, &by_token as &[&str], MIA),
        (ME, &by_session, MIA),
        ("/api/v3_0/assets", &by_token, "Solar roof"),
        ("/api/v3_0/assets/1", &by_token, "Solar roof"),
        ("/api/v3_0/accounts/3", &by_session, "Sunnyside Farm"),
        ("/", &by_session, "logged in as <strong>mia@"),
        ("/assets", &by_session, "Solar roof"),
        ("/assets/1", &by_session, "Solar roof"),
        ("/sensors/1", &by_session, "Solar roof"),
    ] {
        let first = deployed.get(arguments, path);
        assert!(first.status == 200 && first.body.contains(mark), "{path}: {first:?}");
        for caller in [&page as &[&str], &[], &["-H", &sven], &["-H", "authorization: Bearer wrong"]] {
            let answer = deployed.get(caller, path);
            assert!(!answer.body.contains(mark), "{path} for {caller:?}: {answer:?}");
            let of_his_own = [ME, "/api/v3_0/assets", "/assets"].contains(&path);
            let may_read = match caller {
                [_, header] if *header == sven => of_his_own || path == "/",
                [_, header] if header.ends_with("wrong") => false,
                _ => path == "/",
            };
            assert_eq!(answer.status == 200, may_read, "{path} for {caller:?}: {answer:?}");
        }
        assert_eq!(first.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(deployed.get(&[], ME).status, 401);
}

#[test]
fn cookies_need_tls() {
    let Some(deployed) = Deployed::start(&[]) else { return };
    let jar = deployed.jar("mia");
    let answer = log_in(&deployed, &jar, MIA);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"] {
        assert!(cookie.split("; ").any(|found| found == attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    // Curl does as browsers do: it keeps such a cookie only if it came with TLS, and sends it only with TLS.
    assert_eq!(deployed.get(&["-b", &jar], ME).status, 200);
    assert_eq!(deployed.get_directly(&["-b", &jar], ME).status, 401);
}

#[test]
fn the_session_ends_with_the_log_out_and_leaves_nothing_to_go_back_to() {
    let Some(deployed) = Deployed::start(&[]) else { return };
    let jar = deployed.jar("mia");
    assert_eq!(log_in(&deployed, &jar, MIA).status, 303);
    let copied = deployed.jar("copied");
    std::fs::copy(&jar, &copied).unwrap();
    let get = |jar: &str, path| deployed.get(&["-b", jar, "-c", jar, "-H", "accept: text/html"], path);
    let pages = ["/", "/assets", "/assets/1", "/sensors/1", "/accounts/3"];
    for path in pages {
        let answer = get(&jar, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        // A browser that goes back sends a new request.
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let origin = format!("origin: https://{HOST}:{}", deployed.port);
    let log_out = ["-b", &jar, "-c", &jar, "-H", "accept: text/html", "-H", &origin, "--data", ""];
    let answer = deployed.get(&log_out, "/log-out");
    assert!(answer.status == 200 && answer.body.contains("You are logged out"), "{answer:?}");
    for jar in [&jar, &copied] {
        for path in pages {
            let answer = get(jar, path);
            assert!(!answer.body.contains("logged in as"), "{path}: {answer:?}");
            assert!(!answer.body.contains("Solar roof"), "{path}: {answer:?}");
            assert_eq!(answer.status == 200, path == "/", "{path}: {answer:?}");
        }
    }
}

/// Wrong log-ins from this address, each for one of these; the last status.
fn fail(deployed: &Deployed, arguments: &[&str], email: &str) -> u16 {
    let body = format!(r#"{{"email":"{email}","password":"wrong"}}"#);
    deployed.get(&[arguments, &["--json", &body]].concat(), "/api/requestAuthToken").status
}

#[test]
fn addresses_of_callers_are_those_that_the_trusted_proxy_says() {
    let Some(deployed) = Deployed::start(&["--trusted-proxy", "127.0.0.1"]) else { return };
    let flood = ["--interface", FLOOD];
    // Ten failures for each of five accounts use up the limit of the address.
    for account in 0..5 {
        let email = format!("nobody-{account}@sunnyside.example");
        for _ in 0..10 {
            assert_eq!(fail(&deployed, &flood, &email), 401);
        }
    }
    // The reserve of an account without failures, and then the limit, wherever the client says that it is.
    let forwarded = format!("x-forwarded-for: {SPOOFED}");
    let real = format!("x-real-ip: {SPOOFED}");
    let rfc = format!("forwarded: for={SPOOFED}");
    assert_eq!(fail(&deployed, &flood, SVEN), 401);
    assert_eq!(fail(&deployed, &flood, SVEN), 429);
    for header in [&forwarded, &real, &rfc] {
        assert_eq!(fail(&deployed, &[&flood as &[&str], &["-H", header]].concat(), SVEN), 429, "{header}");
    }
    // All others get in: this one from another address, and one without failures from the same.
    let right = |email: &str, address: &str| {
        let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
        deployed.get(&["--interface", address, "--json", &body], "/api/requestAuthToken").status
    };
    assert_eq!([right(SVEN, OTHER), right(MIA, FLOOD)], [200, 200]);
    deployed.service.assert_logged(&format!("address={FLOOD} "), 56);
    deployed.service.assert_logged(&format!("address={OTHER} "), 1);

    // A client that comes without the proxy is where it is.
    let body = r#"{"email":"mia@sunnyside.example","password":"wrong"}"#;
    let directly = ["--interface", CLIENT, "-H", &forwarded, "--json", body];
    assert_eq!(deployed.get_directly(&directly, "/api/requestAuthToken").status, 401);
    deployed.service.assert_logged(&format!("address={CLIENT} "), 1);
    assert_eq!(deployed.service.logged(SPOOFED), 0);
    assert_eq!(deployed.service.logged(NOT_TRUSTED), 0);
}

const NOT_TRUSTED: &str = "the proxy that makes 127.0.0.1";

#[test]
fn a_proxy_that_is_not_trusted_is_noticed_in_the_log() {
    let Some(deployed) = Deployed::start(&[]) else { return };
    deployed.service.assert_logged(NOT_TRUSTED, 1);
    let warning = "a header about the caller's address is ignored";
    for _ in 0..3 {
        assert_eq!(fail(&deployed, &["--interface", CLIENT], MIA), 401);
    }
    deployed.service.assert_logged("address=127.0.0.1 ", 3);
    deployed.service.assert_logged(warning, 1);
}

/// The status of an answer that begins so.
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn post(authorization: &str, body: &str) -> String {
    let authorization = if authorization.is_empty() { String::new() } else { format!("{authorization}\r\n") };
    format!(
        "POST {RECORD} HTTP/1.1\r\nhost: {HOST}\r\n{authorization}content-type: application/json\r\n{body}"
    )
}

const CHUNKED: &str = "transfer-encoding: chunked\r\n\r\n2\r\n[ \r\n";

#[test]
fn slow_and_unfinished_requests_end_and_others_are_served_meanwhile() {
    let arguments = ["--head-wait", "1000", "--body-wait", "1500"];
    let Some(deployed) = Deployed::start(&arguments) else { return };
    let (mia, sven) = (token(&deployed, MIA), token(&deployed, SVEN));
    let length = "content-length: 1000\r\n\r\n";
    let requests = [
        ("slow head", "GET / HTTP/1.1\r\nx-slow: ".to_owned(), None),
        ("slow body", post(&mia, length), Some(408)),
        ("slow body in chunks", post(&mia, CHUNKED), Some(408)),
        ("denied slow body", post(&sven, length), Some(403)),
        ("denied slow body in chunks", post(&sven, CHUNKED), Some(403)),
        ("slow body of nobody", post("", length), Some(401)),
        ("slow body of nobody in chunks", post("", CHUNKED), Some(401)),
    ];
    let others = || [deployed.get(&["-H", &mia], ME).status, deployed.get(&[], RECORD).status];
    thread::scope(|scope| {
        let slow = requests.map(|(what, begin, right)| {
            let deployed = &deployed;
            // One goes on a byte at a time until there is an answer, another sends nothing more.
            let ended = [true, false].map(|goes_on| {
                let begin = begin.clone();
                scope.spawn(move || {
                    let mut connection = deployed.connect();
                    connection.write_all(begin.as_bytes()).unwrap();
                    connection.flush().unwrap();
                    let deadline = Instant::now() + PATIENCE;
                    while !connection.is_answered_within(Duration::from_millis(100)) {
                        assert!(Instant::now() < deadline, "{what} has no end");
                        let more = if begin.contains("chunked") { "1\r\n \r\n" } else { " " };
                        if goes_on
                            && (connection.write_all(more.as_bytes()).is_err() || connection.flush().is_err())
                        {
                            break;
                        }
                    }
                    connection.read_to_end()
                })
            });
            (what, right, ended)
        });
        for _ in 0..10 {
            assert_eq!(others(), [200, 401]);
        }
        for (what, right, ended) in slow {
            for answer in ended {
                let answer = answer.join().unwrap();
                println!("{what}: {:?}", answer.lines().next());
                match right {
                    Some(_) => assert_eq!(status(&answer), right, "{what}: {answer}"),
                    // nginx may close the connection without an answer.
                    None => assert!(matches!(status(&answer), None | Some(408)), "{what}: {answer}"),
                }
            }
        }
    });
    assert_eq!(others(), [200, 401]);
}

/// More than there may be connections.
const CROWD: usize = 40;

#[test]
fn denied_uploads_that_never_end_keep_nobody_out() {
    let Some(deployed) = Deployed::start(&["--connections", "40"]) else { return };
    let mia = token(&deployed, MIA);
    for _ in 0..2 {
        // Directly: the service closes the connection with the denial.
        let mut uploads: Vec<_> = (0..CROWD)
            .map(|_| {
                let mut upload = deployed.service.connect();
                upload.write_all(post("", CHUNKED).as_bytes()).unwrap();
                upload
            })
            .collect();
        for upload in &mut uploads {
            let mut answer = String::new();
            upload.read_to_string(&mut answer).unwrap();
            assert_eq!(status(&answer), Some(401), "{answer}");
        }
        assert_eq!(deployed.get_directly(&["-H", &mia], ME).status, 200);
        drop(uploads);

        // Through nginx, with connections that stay open.
        let mut uploads: Vec<_> = (0..CROWD)
            .map(|_| {
                let mut upload = deployed.connect();
                upload.write_all(post("", CHUNKED).as_bytes()).unwrap();
                upload.flush().unwrap();
                upload
            })
            .collect();
        for upload in &mut uploads {
            let mut answer = [0; "HTTP/1.1 401".len()];
            upload.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 401");
        }
        assert_eq!(deployed.get(&["-H", &mia], ME).status, 200);
        assert_eq!(deployed.get_directly(&["-H", &mia], ME).status, 200);
    }
}

#[test]
fn live_measurements_come_through_the_proxy() {
    let Some(deployed) = Deployed::start(&[]) else { return };
    let mia = token(&deployed, MIA);
    let url = format!("ws://{HOST}:{}{RECORD}/live", deployed.port);
    let upgrade = |authorization: Option<&str>, origin: Option<String>| {
        let mut request = url.as_str().into_client_request().unwrap();
        if let Some(authorization) = authorization {
            let (_, value) = authorization.split_once(": ").unwrap();
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        tungstenite::client(request, deployed.connect()).map_err(|error| error.to_string())
    };
    assert!(upgrade(None, None).is_err());
    let own = format!("https://{HOST}:{}", deployed.port);
    let (mut socket, _) = upgrade(Some(&mia), Some(own)).unwrap_or_else(|error| panic!("{error}"));
    let event = r#"[{"event_start":"2100-01-01T00:00:00Z","event_value":46.5}]"#;
    let recorded = deployed.get(&["-H", &mia, "--json", event], RECORD);
    assert_eq!(recorded.status, 201, "{recorded:?}");
    loop {
        match socket.read().unwrap() {
            Message::Text(text) if text.contains("46.5") => break,
            Message::Text(_) | Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
