//! Clients that are slow, that go, and that are too many.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection as _;
use energy_service::database::Database;

use crate::{
    faults::load::{Client, Outcomes, REQUESTS},
    process::{Folder, PATIENCE, Process},
};

/// The status of the answer; none if the connection ends without one.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut start = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut start).ok()?;
    str::from_utf8(&start).unwrap().strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// Sends this byte by byte until there is an answer, or the connection ends. The status of the answer, and after which time.
fn trickle(service: &Process, head: &str, rest: &str) -> (Option<u16>, Duration) {
    let mut stream = service.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let begun = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    for byte in rest.bytes() {
        if stream.write_all(&[byte]).is_err() {
            break;
        }
        match stream.peek(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // It has answered, or closed the connection.
            Ok(_) | Err(_) => break,
        }
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    (status(&mut stream), begun.elapsed())
}

fn head(client: &Client, caller: &str, method: &str, path: &str, length: usize) -> String {
    let authorization = match caller {
        "nobody" => String::new(),
        caller => format!("authorization: Bearer {}\r\n", client.token(caller)),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\n{authorization}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}

const RECORD: &str = "/api/v3_0/sensors/1/measurements";
const LOG_IN: &str = "/api/requestAuthToken";

/// A body of this is never there within [`PATIENCE`], a byte each 100 ms.
const ENDLESS: usize = 1000;

#[test]
fn slow_clients_are_not_waited_for_and_nobody_waits_for_them() {
    let service = Process::demo(&["--head-wait", "1000", "--body-wait", "1500"]);
    let client = Client::new(service.address);
    let ((outcomes, seen), traces) = service.leaves_nothing_behind(1, || {
        let (seen, outcomes) = client.load(2, &REQUESTS, || {
            let body = " ".repeat(ENDLESS);
            let of_body = |caller, path| {
                let (client, service, body) = (&client, &service, &body);
                move || trickle(service, &head(client, caller, "POST", path, ENDLESS), body)
            };
            let slow_head = || trickle(&service, "GET /", &format!(" HTTP/1.1\r\nx-slow: {body}"));
            thread::scope(|scope| {
                [
                    ("head", 408, scope.spawn(slow_head)),
                    ("body, open to all", 408, scope.spawn(of_body("nobody", LOG_IN))),
                    ("body, allowed", 408, scope.spawn(of_body("mia", RECORD))),
                    ("body, denied", 403, scope.spawn(of_body("sven", RECORD))),
                    ("body, anonymous", 401, scope.spawn(of_body("nobody", RECORD))),
                    ("body, wrong token", 401, scope.spawn(of_body("wrong", RECORD))),
                ]
                .map(|(what, right, slow)| (what, right, slow.join().unwrap()))
            })
        });
        (outcomes, seen)
    });
    for (what, right, (status, after)) in &outcomes {
        println!("slow {what}: {status:?} after {after:.1?}");
        assert_eq!(*status, Some(*right), "{what}");
    }
    assert!(seen.all_right(), "{seen}");
    client.assert_stored(&seen);
    println!("slow clients, meanwhile: {seen}; {traces}");
}

#[test]
fn clients_that_go_leave_nothing_behind() {
    let folder = Folder::new();
    let file = folder.file("energy.sqlite");
    let service = Process::demo(&["--database", &file, "--pool-wait", "1000", "--statement-wait", "1000"]);
    let client = Client::new(service.address);
    let other = Database::open(&file.parse().unwrap(), 1, PATIENCE).unwrap();
    let event =
        |second: usize| format!(r#"[{{"event_start":"2200-01-01T00:00:{second:02}Z","event_value":1}}]"#);
    let mut gone = 0;
    let ((seen, recovered), traces) = service.leaves_nothing_behind(1, || {
        let (seen, ()) = client.load(4, &REQUESTS, || {
            for round in 0..20 {
                // So that queries are under way.
                let mut writer = other.connection().unwrap();
                writer.batch_execute("BEGIN IMMEDIATE").unwrap();
                let body = event(round);
                let whole = |caller, path| head(&client, caller, "POST", path, body.len()) + &body;
                let sent = [
                    "GET /api/v3_0/ass".to_owned(),
                    head(&client, "mia", "POST", RECORD, ENDLESS),
                    head(&client, "sven", "POST", RECORD, ENDLESS) + "[",
                    head(&client, "nobody", "POST", LOG_IN, ENDLESS) + "{",
                    whole("mia", RECORD),
                    whole("sven", RECORD),
                    head(&client, "rita", "GET", "/api/v3_0/assets/1", 0),
                ];
                let streams = sent.map(|bytes| {
                    let mut stream = service.connect();
                    stream.write_all(bytes.as_bytes()).unwrap();
                    stream
                });
                thread::sleep(Duration::from_millis(20));
                for stream in streams {
                    gone += 1;
                    if round % 2 == 0 {
                        // Shuts the connection down, and does not read any more; else it just goes.
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                }
                writer.batch_execute("ROLLBACK").unwrap();
            }
        });
        (seen, client.recovers())
    });
    seen.assert_none_wrong();
    client.assert_stored(&seen);
    println!(
        "{gone} clients that went; meanwhile, others: {seen}; recovered after {recovered:.1?}; {traces}"
    );
}

#[test]
fn denied_bodies_that_never_end_keep_nobody_out() {
    let service = Process::demo(&["--connections", "40"]);
    let endless = [
        ("POST", RECORD, 401),
        ("POST", "/api/nothing", 404),
        ("PUT", LOG_IN, 405),
        ("GET", "/style.css", 200),
    ];
    // Twice as many as the service talks to at once.
    let streams: Vec<_> = endless
        .iter()
        .cycle()
        .take(80)
        .map(|(method, path, right)| {
            let mut stream = service.connect();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            (stream, method, path, right)
        })
        .collect();
    let mut other = service.connect();
    other.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(status(&mut other), Some(200));
    for (mut stream, method, path, right) in streams {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let start = format!("HTTP/1.1 {right} ");
        assert!(answer.starts_with(start.as_bytes()), "{method} {path}: {}", answer.escape_ascii());
    }
}

const CROWD: usize = 1000;

#[test]
fn a_thousand_connections_keep_nobody_out() {
    // Fewer files than connections, which the service may raise as far as the second limit.
    let service = Process::demo_with_files("512:4096", &["--head-wait", "2000"]);
    allow_many_files();
    let client = Client::new(service.address);
    let reads: Vec<_> = REQUESTS.iter().filter(|asked| asked.is_read()).collect();
    // Several times: only then does the allocator have all that it keeps of so many.
    let ((idle, ended, asking, meanwhile), traces) = service.leaves_nothing_behind(4, || {
        let mut streams: Vec<_> = (0..CROWD).map(|_| service.connect()).collect();
        let idle = client.ask_each(&REQUESTS);
        // Each gets an answer that it is too late.
        let ended = streams.iter_mut().filter_map(status).filter(|status| *status == 408).count();
        drop(streams);

        let (asking, meanwhile) = thread::scope(|scope| {
            let meanwhile = scope.spawn(|| client.ask_each(&REQUESTS));
            let ask = |asked| {
                let mut stream = service.connect();
                stream.write_all(client.head_of(asked).as_bytes()).unwrap();
                (asked, stream)
            };
            let waiting: Vec<_> = reads.iter().copied().cycle().take(CROWD).map(ask).collect();
            let mut seen = Outcomes::default();
            let begun = Instant::now();
            for (asked, mut stream) in waiting {
                match status(&mut stream) {
                    Some(status) => seen.answered(asked, 0, status, "not read"),
                    None => seen.not_answered(asked, "the connection ended"),
                }
            }
            seen.took(begun.elapsed());
            (seen, meanwhile.join().unwrap())
        });
        (idle, ended, asking, meanwhile)
    });
    assert!(idle.all_right(), "{idle}");
    assert_eq!(ended, CROWD);
    asking.assert_none_wrong();
    meanwhile.assert_none_wrong();
    println!("a thousand connections that say nothing: {{408: {ended}}}; meanwhile, others: {idle}");
    println!("a thousand that ask at once: {asking}; meanwhile, others: {meanwhile}; {traces}");
}

/// The files of this process.
fn allow_many_files() {
    let this = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &this, "--nofile=4096:"]).status().unwrap();
    assert!(raised.success());
}
