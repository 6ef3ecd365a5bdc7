//! The mechanism Basic: callers who get in by a password, and too many attempts.

mod log_in;

use std::{thread, time::Duration};

use actix_web::{Responder, get};
use auth_core::{
    Auth, CurrentUser, LoadError, Subject, auth_required, http_auth_required,
    mechanism::{
        AttemptLimits, Attempts, BasicAuth, BearerToken, FindByUsername, ForwardedHeader, PasswordHash,
        Passwords, TrustedProxies,
    },
};
use diesel::{connection::SimpleConnection, prelude::*};

use crate::{
    client::{Response, Service},
    fixture::{Member, World, members},
};

diesel::table! {
    passwords (member_id) {
        member_id -> Integer,
        username -> Text,
        hash -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(members, passwords);

impl FindByUsername for Member {
    type Connection = SqliteConnection;

    fn find_by_username(
        username: &str,
        connection: &mut SqliteConnection,
    ) -> Result<(Self, PasswordHash), LoadError> {
        let (member, hash): (Self, String) = members::table
            .inner_join(passwords::table.on(passwords::member_id.eq(members::id)))
            .filter(passwords::username.eq(username))
            .select((Self::as_select(), passwords::hash))
            .first(connection)?;
        Ok((member, hash.into()))
    }
}

#[http_auth_required(realm = "Metrics")]
#[get("/metrics")]
async fn metrics(user: CurrentUser<Member>) -> impl Responder {
    user.id().to_string()
}

#[http_auth_required]
#[get("/plain")]
async fn plain() -> impl Responder {
    "ok"
}

#[auth_required]
#[get("/default")]
async fn by_default() -> impl Responder {
    "ok"
}

#[auth_required("token", "basic")]
#[get("/both")]
async fn both(user: CurrentUser<Member>) -> impl Responder {
    user.id().to_string()
}

#[auth_required("basic", within = "1 s")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "ok"
}

/// `member` with the password `sesame` and `chef` with `a:b £`.
struct Plant {
    world: World,
    http: Service,
}

impl Plant {
    fn new(limits: AttemptLimits) -> Self {
        Self::of(Attempts::new(limits), |basic| basic)
    }

    fn of(attempts: Attempts, configure: impl Fn(BasicAuth<Member>) -> BasicAuth<Member>) -> Self {
        let (world, cheap) = Self::world();
        let basic = BasicAuth::new(world.pool.clone()).passwords(cheap).attempts(attempts);
        let auth = Auth::builder()
            .mechanism(BearerToken::<Member>::new(world.pool.clone()))
            .mechanism(configure(basic.realm("Plant").unwrap()))
            .build()
            .unwrap();
        let http = Service::start(move |app| {
            app.app_data(auth.clone()).service((metrics, plain, by_default, both, fresh));
        });
        Self { world, http }
    }

    /// The world of the users, and the cost of their passwords.
    fn world() -> (World, Passwords) {
        let world = World::new();
        let cheap = Passwords::with_cost(64, 1, 1).unwrap();
        let connection = &mut world.pool.get().unwrap();
        let table = "CREATE TABLE passwords (member_id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, hash TEXT NOT NULL)";
        connection.batch_execute(table).unwrap();
        for (id, username, password) in [(1, "member", "sesame"), (2, "chef", "a:b £")] {
            diesel::insert_into(passwords::table)
                .values((
                    passwords::member_id.eq(id),
                    passwords::username.eq(username),
                    passwords::hash.eq(cheap.hash(password).unwrap().as_str()),
                ))
                .execute(connection)
                .unwrap();
        }
        world.statements();
        (world, cheap)
    }

    fn get(&self, path: &str, username: &str, password: &str) -> Response {
        self.http.send_with(path, &[("authorization", &basic(username, password))])
    }

    fn statuses(&self, attempts: &[(&str, &str)]) -> Vec<u16> {
        attempts.iter().map(|(name, password)| self.get("/plain", name, password).status.as_u16()).collect()
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{username}:{password}").as_bytes()))
}

/// By hand, so that the test shares no code with the library.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let digit = |index: usize| char::from(DIGITS[(bits >> (18 - 6 * index)) as usize % 64]);
        (0..4).map(|index| if index <= group.len() { digit(index) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn unlimited() -> AttemptLimits {
    AttemptLimits::default()
        .per_account(10_000, Duration::from_secs(60))
        .per_address(10_000, Duration::from_secs(60))
}

fn assert_challenge(response: &Response, challenge: &str) {
    assert_eq!(response.status, 401, "{response:?}");
    let challenges: Vec<_> = response.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, [challenge]);
    assert_eq!(response.header("retry-after"), None);
}

const METRICS: &str = r#"Basic realm="Metrics", charset="UTF-8""#;
const PLANT: &str = r#"Basic realm="Plant", charset="UTF-8""#;

#[test]
fn a_password_is_not_taken_for_a_token_without_a_scheme() {
    let (world, cheap) = Plant::world();
    let auth = Auth::builder()
        .mechanism(BearerToken::<Member>::new(world.pool.clone()).or_bare())
        .mechanism(BasicAuth::<Member>::new(world.pool.clone()).passwords(cheap))
        .build()
        .unwrap();
    let http = Service::start(move |app| {
        app.app_data(auth.clone()).service(both);
    });
    for (credentials, id) in [(basic("chef", "a:b £"), "2"), ("chef".to_owned(), "2")] {
        let response = http.send_with("/both", &[("authorization", &credentials)]);
        assert_eq!((response.status.as_u16(), response.body.as_str()), (200, id), "{credentials}");
    }
}

#[test]
fn the_right_password_lets_in() {
    let plant = Plant::new(unlimited());
    assert_eq!(plant.get("/metrics", "member", "sesame").body, "1");
    assert_eq!(plant.get("/metrics", "chef", "a:b £").body, "2");
    assert_eq!(plant.get("/fresh", "member", "sesame").status, 200, "always fresh");
}

#[test]
fn everybody_else_gets_the_challenge() {
    let plant = Plant::new(unlimited());
    assert_challenge(&plant.http.get("/metrics", None), METRICS);
    assert_challenge(&plant.http.get("/plain", None), PLANT);
    let wrong = plant.get("/metrics", "member", "Sesame");
    assert_challenge(&wrong, METRICS);
    for (username, password) in
        [("nobody", "sesame"), ("nobody", "nobody's password"), ("member", ""), ("", "")]
    {
        let response = plant.get("/metrics", username, password);
        assert_challenge(&response, METRICS);
        assert_eq!(response.body, wrong.body, "the answer does not say what was wrong");
    }
}

#[test]
fn malformed_credentials_are_refused_without_a_look_up() {
    let plant = Plant::new(unlimited());
    let no_colon = format!("Basic {}", base64(b"member"));
    let no_text = format!("Basic {}", base64(b"member:\xff"));
    let line_break = basic("member", "sesame\n");
    let nul = basic("member\0", "sesame");
    let long = format!("Basic {}", "A".repeat(20_001));
    for header in [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic bWVtYmVyOnNlc2FtZQ",
        &no_colon,
        &no_text,
        &line_break,
        &nul,
        &long,
    ] {
        assert_challenge(&plant.http.send_with("/metrics", &[("authorization", header)]), METRICS);
    }
    let right = basic("member", "sesame");
    for other in ["Bearer member", "Basic !", &right, "Digest x"] {
        for headers in [
            [("authorization", other), ("authorization", &right)],
            [("authorization", &right), ("authorization", other)],
        ] {
            assert_challenge(&plant.http.send_with("/metrics", &headers), METRICS);
        }
    }
    assert_eq!(plant.world.statements(), [""; 0]);
}

#[test]
fn each_guard_takes_the_mechanisms_that_it_names() {
    let plant = Plant::new(unlimited());
    assert_challenge(&plant.http.get("/metrics", Some("member")), METRICS);
    assert_challenge(&plant.get("/default", "member", "sesame"), "Bearer");
    assert_eq!(plant.http.get("/default", Some("member")).status, 200);
    assert_eq!(plant.get("/both", "member", "sesame").body, "1");
    assert_eq!(plant.http.get("/both", Some("chef")).body, "2");
    let neither = plant.http.get("/both", None);
    let challenges: Vec<_> = neither.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer", PLANT]);
    let two = [("authorization", "Bearer chef"), ("authorization", &*basic("member", "sesame"))];
    assert_eq!(plant.http.send_with("/both", &two).status, 401);
}

/// The second statement comes after the comparison, which takes a while.
#[test]
fn one_statement_finds_the_user_and_another_one_finds_that_nothing_has_changed() {
    let plant = Plant::new(unlimited());
    for (username, password, status, statements) in
        [("member", "sesame", 200, 2), ("member", "wrong", 401, 1), ("nobody", "sesame", 401, 1)]
    {
        assert_eq!(plant.get("/metrics", username, password).status, status);
        assert_eq!(plant.world.statements().len(), statements, "{username}");
    }
}

#[test]
fn an_account_has_a_limit_that_the_right_password_does_not_lift() {
    let plant = Plant::new(unlimited().per_account(3, Duration::from_secs(3600)));
    let (right, wrong) = (("member", "sesame"), ("member", "wrong"));
    assert_eq!(
        plant.statuses(&[right, wrong, right, right, wrong, right, wrong]),
        [200, 401, 200, 200, 401, 200, 401]
    );
    plant.world.statements();
    assert_eq!(plant.statuses(&[right, wrong, ("Member ", "sesame")]), [429, 429, 429]);
    assert_eq!(plant.world.statements(), [""; 0], "nobody is looked up");
    // Others are not concerned, and names without a user are limited as well.
    let unknown = ("nobody", "sesame");
    assert_eq!(
        plant.statuses(&[("chef", "a:b £"), unknown, unknown, unknown, unknown]),
        [200, 401, 401, 401, 429]
    );

    let refused = plant.get("/metrics", "member", "sesame");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3590..=3600).contains(&seconds), "{seconds}");
    assert_eq!(refused.header("www-authenticate"), None);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(
        refused.body,
        r#"{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"there were too many attempts to log in; try again later"}"#
    );
    assert_eq!(plant.http.get("/both", Some("member")).status, 200, "a token is not an attempt");
}

/// The answer to a wrong password of this name, from the address in these headers.
fn wrong_from(plant: &Plant, name: &str, headers: &[(&str, &str)]) -> u16 {
    let authorization = basic(name, "wrong");
    let headers = [&[("authorization", authorization.as_str())], headers].concat();
    plant.http.send_with("/plain", &headers).status.as_u16()
}

#[test]
fn an_address_has_a_limit_and_no_header_moves_it() {
    let plant = Plant::new(unlimited().per_address(3, Duration::from_secs(3600)));
    assert_eq!(plant.statuses(&[("a", ""), ("b", ""), ("member", "wrong")]), [401; 3]);
    assert_eq!(plant.statuses(&[("member", "sesame"), ("a", "")]), [429; 2]);
    for (name, value) in
        [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")]
    {
        assert_eq!(wrong_from(&plant, "member", &[(name, value)]), 429, "{name}");
    }
}

#[test]
fn behind_a_proxy_each_caller_has_a_limit_of_its_own() {
    for (header, [one, spoofed, other, same_network]) in [
        (
            ForwardedHeader::XForwardedFor,
            ["2001:db8::1", "198.51.100.9, 2001:db8::1", "192.0.2.1:4711", "2001:db8::f:2"],
        ),
        (
            ForwardedHeader::Forwarded,
            [
                r#"for="[2001:db8::1]""#,
                r#"for=198.51.100.9, for="[2001:db8::1]""#,
                "for=192.0.2.1",
                r#"For="[2001:db8::f:2]:80";proto=https"#,
            ],
        ),
        (ForwardedHeader::XRealIp, ["2001:db8::1", "2001:db8::2", "192.0.2.1", "2001:db8::f:2"]),
    ] {
        let limits = unlimited().per_address(1, Duration::from_secs(3600));
        let proxies = TrustedProxies::new(header, ["127.0.0.1"]).unwrap();
        let plant = Plant::of(Attempts::new(limits).behind(proxies), |basic| basic);
        let wrong = |value: &str| wrong_from(&plant, "member", &[(header.name(), value)]);
        assert_eq!([wrong(one), wrong(one), wrong(spoofed), wrong(same_network)], [401, 429, 429, 429]);
        assert_eq!([wrong(other), wrong(other)], [401, 429]);
        // Attempts whose address the proxy does not send, or not in a readable form, count for the proxy.
        assert_eq!(
            [wrong("garbage"), wrong("also garbage"), wrong_from(&plant, "member", &[])],
            [401, 429, 429]
        );
    }
}

#[test]
fn an_application_may_find_the_address_in_a_way_of_its_own() {
    let limits = unlimited().per_address(1, Duration::from_secs(3600));
    let plant = Plant::of(Attempts::new(limits), |basic| {
        basic.address(|request| request.headers().get("x-place")?.to_str().ok()?.parse().ok())
    });
    let wrong = |headers: &[(&str, &str)]| wrong_from(&plant, "member", headers);
    let (one, other) = (("x-place", "192.0.2.1"), ("x-place", "192.0.2.2"));
    assert_eq!([wrong(&[one]), wrong(&[one]), wrong(&[other])], [401, 429, 401]);
    // Otherwise it is the other end of the connection.
    assert_eq!([wrong(&[]), wrong(&[])], [401, 429]);
}

#[test]
fn attempts_at_the_same_time_do_not_pass_the_limit() {
    let plant = Plant::new(unlimited().per_account(5, Duration::from_secs(3600)));
    let statuses = at_once(&plant, 20, ("member", "wrong"));
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15, "{statuses:?}");
}

/// The statuses of this attempt, made so many times at once.
fn at_once(plant: &Plant, number: usize, (username, password): (&str, &str)) -> Vec<u16> {
    thread::scope(|scope| {
        let attempt = || plant.get("/plain", username, password).status.as_u16();
        let attempts: Vec<_> = (0..number).map(|_| scope.spawn(attempt)).collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    })
}

#[test]
fn right_passwords_at_the_same_time_wait_in_turn() {
    let plant = Plant::new(unlimited().per_account(3, Duration::from_secs(3600)));
    let (right, wrong) = (("member", "sesame"), ("member", "wrong"));
    assert_eq!(at_once(&plant, 20, right), [200; 20]);
    // Failures leave fewer turns at once, and none once they use the limit up.
    assert_eq!(plant.statuses(&[wrong, wrong]), [401; 2]);
    assert_eq!(at_once(&plant, 20, right), [200; 20]);
    assert_eq!(plant.statuses(&[wrong]), [401]);
    assert_eq!(at_once(&plant, 20, right), [429; 20]);
}

#[test]
fn a_flood_of_failures_leaves_accounts_without_failures_their_log_in() {
    let plant = Plant::new(
        unlimited().per_account(3, Duration::from_secs(3600)).per_address(2, Duration::from_secs(3600)),
    );
    // Of one name, and of names that are made up: all from this address.
    for name in 0..50 {
        plant.get("/plain", "chef", "wrong");
        plant.get("/plain", &format!("nobody-{name}"), "wrong");
    }
    let (right, wrong) = (("member", "sesame"), ("member", "wrong"));
    assert_eq!(plant.statuses(&[right, right]), [200; 2]);
    assert_eq!(at_once(&plant, 20, right), [200; 20]);
    // The reserve is for accounts without failures.
    assert_eq!(plant.statuses(&[("nobody-7", "wrong"), ("chef", "a:b £")]), [429; 2]);
    assert_eq!(plant.statuses(&[wrong, wrong, right]), [401, 429, 429]);
}

#[test]
fn a_store_that_fails_is_an_outage_and_counts_for_nobody() {
    let plant = Plant::new(unlimited().per_account(1, Duration::from_secs(3600)));
    let rename = |statement: &str| plant.world.pool.get().unwrap().batch_execute(statement).unwrap();
    rename("ALTER TABLE passwords RENAME TO gone");
    let right = ("member", "sesame");
    assert_eq!(plant.statuses(&[right, right, ("nobody", "sesame"), ("nobody", "sesame")]), [503; 4]);
    rename("ALTER TABLE gone RENAME TO passwords");
    assert_eq!(plant.statuses(&[right]), [200]);
    // No caller gets in by a stored text that is no hash. The answer does not show that there is such a user.
    rename("UPDATE passwords SET hash = 'sesame'");
    assert_eq!(plant.statuses(&[right, right]), [401, 429]);
}

#[test]
fn without_the_mechanism_nobody_gets_in() {
    let auth = World::new().auth();
    let http = Service::start(move |app| _ = app.app_data(auth.clone()).service(metrics));
    assert_eq!(http.send_with("/metrics", &[("authorization", &basic("member", "sesame"))]).status, 500);
    assert_eq!(http.get("/metrics", Some("member")).status, 500);
}
