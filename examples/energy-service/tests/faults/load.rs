//! Requests of users who may and of users who may not, each with the right answer.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use energy_service::demo::PASSWORD;
use serde_json::{Value, json};
use ureq::{
    Agent,
    http::{Request, Response},
};

use crate::process::PATIENCE;

/// A request, and the answer if nothing fails.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// A user of the demo by name; no user; or a caller whose token is wrong.
    caller: &'static str,
    method: &'static str,
    path: &'static str,
    body: Body,
    right: u16,
}

#[derive(Clone, Copy)]
enum Body {
    None,
    Text(&'static str),
    /// A measurement of its own instant.
    Measurement,
}

const fn get(caller: &'static str, path: &'static str, right: u16) -> Asked {
    Asked { caller, method: "GET", path, body: Body::None, right }
}

const fn record(caller: &'static str, path: &'static str, right: u16) -> Asked {
    Asked { caller, method: "POST", path, body: Body::Measurement, right }
}

const fn rename(caller: &'static str, path: &'static str, right: u16) -> Asked {
    Asked { caller, method: "PATCH", path, body: Body::Text(r#"{"name":"Taken over"}"#), right }
}

impl Asked {
    pub(crate) fn is_read(&self) -> bool {
        self.method == "GET"
    }
}

/// Reads and changes of each kind of caller. The solar roof is of Sunnyside Farm, where Mia and Adam are and after which
/// Cora looks; the oven is Sven's.
pub(crate) const REQUESTS: [Asked; 22] = [
    get("mia", "/api/v3_0/assets/1", 200),
    get("cora", "/api/v3_0/assets/1", 200),
    get("rita", "/api/v3_0/assets/1", 200),
    get("sven", "/api/v3_0/assets/1", 403),
    get("nobody", "/api/v3_0/assets/1", 401),
    get("wrong", "/api/v3_0/assets/1", 401),
    get("mia", "/api/v3_0/assets/3", 403),
    get("ada", "/api/v3_0/assets/999999", 404),
    get("mia", "/api/v3_0/assets", 200),
    get("sven", "/api/v3_0/users/me", 200),
    get("mia", "/api/v3_0/roles", 403),
    get("adam", "/api/v3_0/roles", 200),
    get("nobody", "/style.css", 200),
    record("mia", "/api/v3_0/sensors/1/measurements", 201),
    record("ada", "/api/v3_0/sensors/1/measurements", 201),
    record("sven", "/api/v3_0/sensors/1/measurements", 403),
    record("rita", "/api/v3_0/sensors/1/measurements", 403),
    record("nobody", "/api/v3_0/sensors/1/measurements", 401),
    record("wrong", "/api/v3_0/sensors/1/measurements", 401),
    rename("sven", "/api/v3_0/assets/1", 403),
    rename("sven", "/api/v3_0/accounts/3", 403),
    rename("nobody", "/api/v3_0/assets/1", 401),
];

/// Requests that need neither assets nor sensors.
#[cfg(feature = "postgres")]
pub(crate) const OF_USERS: [Asked; 5] = [
    get("sven", "/api/v3_0/users/me", 200),
    get("mia", "/api/v3_0/roles", 403),
    get("adam", "/api/v3_0/roles", 200),
    get("wrong", "/api/v3_0/users/me", 401),
    rename("sven", "/api/v3_0/accounts/3", 403),
];

const USERS: [(&str, &str); 6] = [
    ("mia", "mia@sunnyside.example"),
    ("adam", "adam@sunnyside.example"),
    ("cora", "cora@bright.example"),
    ("sven", "sven@bakery.example"),
    ("ada", "ada@platform.example"),
    ("rita", "rita@platform.example"),
];

/// A client of the service, for all callers. Clones share the tokens, and not the connections.
pub(crate) struct Client {
    address: SocketAddr,
    agent: Agent,
    tokens: BTreeMap<&'static str, String>,
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self { agent: agent(), tokens: self.tokens.clone(), ..*self }
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(PATIENCE)).build().into()
}

/// A measurement is of this many seconds after the end of the century.
static INSTANTS: AtomicUsize = AtomicUsize::new(0);

fn instant(number: usize) -> String {
    let (minutes, seconds) = (number / 60, number % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("2100-01-{:02}T{:02}:{minutes:02}:{seconds:02}Z", 1 + hours / 24, hours % 24)
}

impl Client {
    /// With a token of each user.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut client = Self { address, agent: agent(), tokens: BTreeMap::new() };
        for (name, email) in USERS {
            let body = json!({"email": email, "password": PASSWORD}).to_string();
            let (status, body) = client.send("POST", "/api/requestAuthToken", &[], &body).unwrap();
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            client.tokens.insert(name, body["auth_token"].as_str().unwrap().to_owned());
        }
        client.tokens.insert("wrong", "no-such-token".to_owned());
        client
    }

    pub(crate) fn token(&self, caller: &str) -> &str {
        &self.tokens[caller]
    }

    /// The status and the body of the answer; why there is none.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String), ureq::Error> {
        let mut response = self.respond(method, path, headers, body)?;
        let text = response.body_mut().read_to_string()?;
        Ok((response.status().as_u16(), text))
    }

    pub(crate) fn respond(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if !body.is_empty() && headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agent.run(request.body(body.to_owned()).unwrap())
    }

    /// The request of a separate client to read this.
    pub(crate) fn head_of(&self, Asked { caller, method, path, .. }: &Asked) -> String {
        let authorization = match self.tokens.get(caller) {
            Some(token) => format!("authorization: Bearer {token}\r\n"),
            None => String::new(),
        };
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{authorization}\r\n")
    }

    fn ask(&self, asked: &Asked, seen: &mut Outcomes) {
        let number = INSTANTS.fetch_add(1, Ordering::Relaxed);
        let body = match asked.body {
            Body::None => String::new(),
            Body::Text(text) => text.to_owned(),
            Body::Measurement => json!([{"event_start": instant(number), "event_value": 1}]).to_string(),
        };
        let token = self.tokens.get(asked.caller).map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        let begun = Instant::now();
        match self.send(asked.method, asked.path, &headers, &body) {
            Ok((status, body)) => seen.answered(asked, number, status, &body),
            Err(error) => seen.not_answered(asked, &error.to_string()),
        }
        seen.took(begun.elapsed());
    }

    /// Sends each of these once.
    pub(crate) fn ask_each(&self, requests: &[Asked]) -> Outcomes {
        let mut seen = Outcomes::default();
        for asked in requests {
            self.ask(asked, &mut seen);
        }
        seen
    }

    /// Sends each of these, all at the same time.
    #[cfg(feature = "postgres")]
    pub(crate) fn ask_at_once(&self, requests: &[Asked]) -> Outcomes {
        thread::scope(|scope| {
            let asking: Vec<_> = requests
                .iter()
                .map(|asked| {
                    let client = self.clone();
                    scope.spawn(move || client.ask_each(&[*asked]))
                })
                .collect();
            let seen = asking.into_iter().map(|asking| asking.join().unwrap());
            seen.fold(Outcomes::default(), Outcomes::and)
        })
    }

    /// Sends these from so many clients at once, again and again, while `fault` runs.
    pub(crate) fn load<R>(
        &self,
        clients: usize,
        requests: &[Asked],
        fault: impl FnOnce() -> R,
    ) -> (Outcomes, R) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let running: Vec<_> = (0..clients)
                .map(|first| {
                    let (client, over) = (self.clone(), &over);
                    scope.spawn(move || {
                        let mut seen = Outcomes::default();
                        for asked in requests.iter().cycle().skip(first * 5) {
                            if over.load(Ordering::Relaxed) {
                                break;
                            }
                            client.ask(asked, &mut seen);
                        }
                        seen
                    })
                })
                .collect();
            let result = {
                let _over = SetAtEnd(&over);
                fault()
            };
            let seen = running.into_iter().map(|client| client.join().unwrap());
            (seen.fold(Outcomes::default(), Outcomes::and), result)
        })
    }

    /// Waits until every answer is right again, and says how long that took.
    pub(crate) fn recovers(&self) -> Duration {
        let begun = Instant::now();
        loop {
            let seen = self.ask_each(&REQUESTS);
            seen.assert_none_wrong();
            if seen.all_right() {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not recover: {seen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Checks that answered changes took place, and that denied ones did not.
    pub(crate) fn assert_stored(&self, seen: &Outcomes) {
        let token = format!("Bearer {}", self.token("ada"));
        let headers = [("authorization", token.as_str())];
        let read = |path: &str| -> Value {
            let (status, body) = self.send("GET", path, &headers, "").unwrap();
            assert_eq!(status, 200, "{body}");
            serde_json::from_str(&body).unwrap()
        };
        let range = "/api/v3_0/sensors/1/measurements?start=2100-01-01T00:00:00Z&end=2100-12-31T00:00:00Z";
        let stored: Vec<_> = read(range)
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["event_start"].as_str().unwrap().to_owned())
            .collect();
        for number in &seen.recorded {
            assert!(stored.contains(&instant(*number)), "{number} was recorded, and is lost");
        }
        for number in &seen.refused {
            assert!(!stored.contains(&instant(*number)), "{number} was denied, and is recorded");
        }
        assert_eq!(read("/api/v3_0/assets/1")["name"], "Solar roof");
        assert_eq!(read("/api/v3_0/accounts/3")["name"], "Sunnyside Farm");
    }
}

/// Sets the flag when it is dropped, also by a panic.
pub(crate) struct SetAtEnd<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caller, method, path, right, .. } = self;
        write!(formatter, "{method} {path} by {caller} ({right} is right)")
    }
}

/// The answers.
#[derive(Default)]
pub(crate) struct Outcomes {
    counts: BTreeMap<u16, usize>,
    right: usize,
    unavailable: usize,
    wrong: Vec<String>,
    unanswered: Vec<String>,
    wrongly_allowed: usize,
    slowest: Duration,
    /// The measurements that the service has confirmed.
    recorded: Vec<usize>,
    /// Those that it must not have.
    refused: Vec<usize>,
}

impl Outcomes {
    pub(crate) fn not_answered(&mut self, asked: &Asked, why: &str) {
        self.unanswered.push(format!("{asked:?}: {why}"));
    }

    pub(crate) fn answered(&mut self, asked: &Asked, number: usize, status: u16, body: &str) {
        *self.counts.entry(status).or_default() += 1;
        if asked.right >= 400 && status < 400 {
            self.wrongly_allowed += 1;
        }
        if matches!(asked.body, Body::Measurement) {
            match asked.right {
                201 if status == 201 => self.recorded.push(number),
                201 => {}
                _ => self.refused.push(number),
            }
        }
        if status == asked.right {
            self.right += 1;
        } else if status == 503 && !body.is_empty() {
            self.unavailable += 1;
        } else {
            self.wrong.push(format!("{asked:?}: {status} {body}"));
        }
    }

    pub(crate) fn took(&mut self, time: Duration) {
        self.slowest = self.slowest.max(time);
    }

    pub(crate) fn and(mut self, mut other: Self) -> Self {
        for (status, count) in other.counts {
            *self.counts.entry(status).or_default() += count;
        }
        self.wrong.append(&mut other.wrong);
        self.unanswered.append(&mut other.unanswered);
        self.recorded.append(&mut other.recorded);
        self.refused.append(&mut other.refused);
        Self {
            right: self.right + other.right,
            unavailable: self.unavailable + other.unavailable,
            wrongly_allowed: self.wrongly_allowed + other.wrongly_allowed,
            slowest: self.slowest.max(other.slowest),
            ..self
        }
    }

    pub(crate) fn all_right(&self) -> bool {
        self.unavailable == 0 && self.unanswered.is_empty() && self.wrong.is_empty()
    }

    /// Each answer is right, or 503.
    pub(crate) fn assert_none_wrong(&self) {
        let some = |all: &[String]| all.iter().take(5).cloned().collect::<Vec<_>>();
        assert_eq!(self.wrongly_allowed, 0, "{:#?}", some(&self.wrong));
        assert!(self.wrong.is_empty(), "{self}: {:#?}", some(&self.wrong));
        assert!(self.unanswered.is_empty(), "{self}: {:#?}", some(&self.unanswered));
        assert!(self.right > 0, "{self}");
    }

    /// Each answer is right, or 503, and at least one is 503.
    pub(crate) fn assert_survived(&self) {
        self.assert_none_wrong();
        assert!(self.unavailable > 0, "nothing failed: {self}");
    }

    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn slowest(&self) -> Duration {
        self.slowest
    }
}

/// `1234 requests: {200: 1100, 503: 134}; wrongly allowed: 0; unanswered: 0; slowest: 2.1 s`
impl fmt::Display for Outcomes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.counts.values().sum::<usize>() + self.unanswered.len();
        write!(
            formatter,
            "{requests} requests: {:?}; wrong: {}; wrongly allowed: {}; unanswered: {}; slowest: {:.1?}",
            self.counts,
            self.wrong.len(),
            self.wrongly_allowed,
            self.unanswered.len(),
            self.slowest
        )
    }
}
