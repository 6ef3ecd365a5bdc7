//! Opaque tokens in a table: until when they are good.

use std::time::{Duration, SystemTime};

use actix_web::{Responder, get};
use auth_core::{
    AdminRoles, Auth, CurrentUser, IdRef, LoadError, Subject, auth_token_required,
    mechanism::{BearerToken, FindByToken, Token, TokenHash},
};
use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};

use crate::{
    client::{Response, Service},
    fixture::World,
};

diesel::table! {
    tokens (hash) {
        hash -> Binary,
        member_id -> Integer,
        issued_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
    }
}

/// A member by one of its tokens. The times are seconds since 1970.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens, check_for_backend(Sqlite))]
struct Holder {
    member_id: i32,
    issued_at: Option<i64>,
    expires_at: Option<i64>,
}

impl Subject for Holder {
    fn id(&self) -> IdRef<'_> {
        self.member_id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        None
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

impl FindByToken for Holder {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let token = tokens::table.find(token.as_bytes().as_slice());
        Ok(token.select(Self::as_select()).first(connection)?)
    }

    fn token_issued_at(&self) -> Option<SystemTime> {
        self.issued_at.map(time)
    }

    fn token_expires_at(&self) -> Option<SystemTime> {
        self.expires_at.map(time)
    }
}

fn time(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap())
}

fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

#[auth_token_required]
#[get("/mine")]
async fn mine(holder: CurrentUser<Holder>) -> impl Responder {
    holder.id().to_string()
}

struct Plant {
    world: World,
    http: Service,
}

impl Plant {
    fn new(limit: impl FnOnce(BearerToken<Holder>) -> BearerToken<Holder>) -> Self {
        let world = World::new();
        let mut connection = world.pool.get().unwrap();
        connection
            .batch_execute(
                "CREATE TABLE tokens (hash BLOB PRIMARY KEY, member_id INTEGER NOT NULL REFERENCES members,
                                      issued_at BIGINT, expires_at BIGINT)",
            )
            .unwrap();
        let auth = Auth::builder().mechanism(limit(BearerToken::new(world.pool.clone()))).build().unwrap();
        let http = Service::start(move |app| {
            app.app_data(auth.clone()).service(mine);
        });
        Self { world, http }
    }

    /// A new token of member 1.
    fn issue(&self, issued_at: Option<i64>, expires_at: Option<i64>) -> String {
        let token = Token::generate().unwrap();
        diesel::insert_into(tokens::table)
            .values((
                tokens::hash.eq(token.hash().as_bytes().as_slice()),
                tokens::member_id.eq(1),
                tokens::issued_at.eq(issued_at),
                tokens::expires_at.eq(expires_at),
            ))
            .execute(&mut self.world.pool.get().unwrap())
            .unwrap();
        token.as_str().to_owned()
    }

    fn get(&self, token: &str) -> Response {
        self.http.get("/mine", Some(token))
    }
}

/// Every refused caller gets one answer, so that none learns which tokens there were.
fn assert_refused(response: &Response) {
    assert_eq!(response.status, 401, "{response:?}");
    assert_eq!(response.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    assert_eq!(
        response.body,
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"you must log in to do this"}"#
    );
}

#[test]
fn a_token_is_good_until_it_expires() {
    let plant = Plant::new(|tokens| tokens);
    for (issued_at, expires_at) in [
        (None, None),
        (None, Some(now() + 600)),
        (Some(now() - 600), Some(now() + 600)),
        // Without a maximum age the time of issue is not read.
        (Some(now() + 600), None),
    ] {
        let response = plant.get(&plant.issue(issued_at, expires_at));
        assert_eq!((response.status.as_u16(), response.body.as_str()), (200, "1"));
    }
    for expires_at in [now(), now() - 600, 0] {
        assert_refused(&plant.get(&plant.issue(Some(now()), Some(expires_at))));
    }
}

#[test]
fn an_application_may_limit_the_age_of_all_tokens() {
    let plant = Plant::new(|tokens| tokens.max_age(Duration::from_secs(3600)));
    for (issued_at, expires_at) in [(now(), None), (now() - 3000, None), (now() - 3000, Some(now() + 600))] {
        assert_eq!(plant.get(&plant.issue(Some(issued_at), expires_at)).status, 200);
    }
    for (issued_at, expires_at) in [
        (Some(now() - 3600), None),
        (Some(now() - 3600), Some(now() + 600)),
        (Some(now() - 60), Some(now() - 30)),
        (Some(now() + 600), None),
        (None, None),
        (None, Some(now() + 600)),
    ] {
        assert_refused(&plant.get(&plant.issue(issued_at, expires_at)));
    }
}

#[test]
fn a_token_without_a_scheme_counts_where_the_application_says_so() {
    let plain = Plant::new(|tokens| tokens);
    let plant = Plant::new(BearerToken::or_bare);
    let (token, other) = (plant.issue(None, None), plant.issue(None, Some(now() - 600)));
    let send = |plant: &Plant, headers: &[&str]| {
        let headers: Vec<_> = headers.iter().map(|value| ("authorization", *value)).collect();
        plant.http.send_with("/mine", &headers)
    };
    let response = send(&plant, &[&token]);
    assert_eq!((response.status.as_u16(), response.body.as_str()), (200, "1"));
    assert_eq!(plant.get(&token).status, 200, "and with its scheme as before");
    assert_refused(&send(&plant, &[&other]));
    assert_refused(&send(&plant, &["unknown"]));

    // None of these is a token, and of two headers a proxy may have looked at the other one.
    for header in [&format!("Basic {token}"), &format!("Digest {token}"), &format!("{token} {token}"), ""] {
        let response = send(&plant, &[header, "Basic YTpi"]);
        let challenge = response.header("www-authenticate");
        assert_eq!((response.status.as_u16(), challenge), (401, Some("Bearer")), "{header:?}");
    }
    assert_refused(&send(&plant, &[&token, "Basic YTpi"]));
    assert_refused(&send(&plant, &["Basic YTpi", &token]));

    let token = plain.issue(None, None);
    let response = send(&plain, &[&token]);
    assert_eq!((response.status.as_u16(), response.header("www-authenticate")), (401, Some("Bearer")));
}

#[test]
fn a_revoked_token_is_refused_at_the_next_request() {
    let plant = Plant::new(|tokens| tokens);
    let (revoked, other) = (plant.issue(None, None), plant.issue(None, None));
    assert_eq!(plant.get(&revoked).status, 200);
    diesel::delete(tokens::table.find(TokenHash::of(&revoked).as_bytes().as_slice()))
        .execute(&mut plant.world.pool.get().unwrap())
        .unwrap();
    assert_refused(&plant.get(&revoked));
    assert_eq!(plant.get(&other).status, 200, "the user's other tokens stay good");
}
