//! The chapter about callers: its examples, word for word, and log-ins by each of them.

use std::error::Error;

use actix_web::{
    HttpRequest, HttpResponse, post,
    web::{Data, Form},
};
use auth_core::{
    AdminRoles, Auth, AuthConfigError, AuthError, IdRef, LoadError, Subject, User, auth_required,
    mechanism::{
        Authenticated, BasicAuth, BearerToken, FindByClaims, FindBySession, FindByToken, FindByUsername, Jwt,
        Mechanism, PasswordHash, PasswordLogIn, Rejection, SessionCookie, Token, TokenHash,
        jwt::{Algorithm, Key},
        session,
    },
    public,
};
use diesel::{
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sqlite::Sqlite,
};
use serde::Deserialize;

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        log_ins_ended -> Integer,
        is_active -> Bool,
    }
}

diesel::table! {
    tokens (hash) {
        hash -> Binary,
        user_id -> Integer,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tokens, users);

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
struct Member {
    id: i32,
    account_id: Option<i32>,
    role: String,
    log_ins_ended: i32,
}

impl Subject for Member {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        self.account_id.map(Into::into)
    }

    fn has_role(&self, role: &str) -> bool {
        self.role == role
    }

    fn account_has_role(&self, _role: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none().admin("operations")
    }
}

fn auth(pool: &Pool<ConnectionManager<SqliteConnection>>) -> Result<Auth, AuthConfigError> {
    Auth::builder()
        .mechanism(BearerToken::<Member>::new(pool.clone()))
        .mechanism(SessionCookie::<Member>::new(pool.clone()))
        .mechanism(BasicAuth::<Member>::new(pool.clone()))
        .connections(pool.clone())
        .build()
}

impl FindByToken for Member {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let of_token = tokens::table.filter(tokens::hash.eq(token.as_bytes().as_slice()));
        let user = users::table.filter(users::id.eq_any(of_token.select(tokens::user_id)));
        Ok(user.filter(users::is_active).select(Self::as_select()).get_result(connection)?)
    }
}

fn new_token(user: &Member, connection: &mut SqliteConnection) -> Result<Token, Box<dyn Error>> {
    let token = Token::generate()?;
    diesel::insert_into(tokens::table)
        .values((tokens::user_id.eq(user.id), tokens::hash.eq(token.hash().as_bytes().as_slice())))
        .execute(connection)?;
    Ok(token)
}

impl FindBySession for Member {
    type Id = String;
    type Connection = SqliteConnection;

    fn find_by_id(key: String, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let (id, ended) = key.split_once('/').ok_or(LoadError::NotFound)?;
        let id: i32 = id.parse().map_err(|_| LoadError::NotFound)?;
        let user = users::table.find(id).filter(users::is_active).select(Self::as_select());
        let user: Self = user.get_result(connection)?;
        if user.log_ins_ended.to_string() == ended { Ok(user) } else { Err(LoadError::NotFound) }
    }
}

impl FindByUsername for Member {
    type Connection = SqliteConnection;

    fn find_by_username(
        name: &str,
        connection: &mut SqliteConnection,
    ) -> Result<(Self, PasswordHash), LoadError> {
        let user = users::table.filter(users::name.eq(name.to_lowercase())).filter(users::is_active);
        let (user, hash): (Self, String) =
            user.select((Self::as_select(), users::password_hash)).get_result(connection)?;
        Ok((user, hash.into()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

#[public(reason = "who logs in is not logged in yet")]
#[post("/log-in")]
async fn log_in(
    request: HttpRequest,
    Form(Credentials { name, password }): Form<Credentials>,
    passwords: Data<PasswordLogIn<Member>>,
) -> Result<HttpResponse, AuthError> {
    session::refuse_cross_site(&request)?;
    let user = passwords.log_in(&request, &name, password).await?;
    session::log_in(&request, format!("{}/{}", user.id, user.log_ins_ended))?;
    Ok(HttpResponse::NoContent().finish())
}

#[auth_required("session")]
#[post("/log-out")]
async fn log_out(request: HttpRequest) -> Result<HttpResponse, AuthError> {
    session::log_out(&request)?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl FindByClaims for Member {
    type Claims = Claims;
    type Connection = SqliteConnection;

    fn find_by_claims(claims: Claims, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let user = users::table.filter(users::name.eq(claims.sub)).filter(users::is_active);
        Ok(user.select(Self::as_select()).get_result(connection)?)
    }
}

fn tokens_of_others(
    pool: Pool<ConnectionManager<SqliteConnection>>,
    public_key: &str,
) -> Result<Jwt<Member>, Box<dyn Error>> {
    Ok(Jwt::builder(pool.clone(), Key::public(Algorithm::EdDSA, public_key)?)
        .issuer("https://login.example.org")
        .audience("https://plant.example.org")
        .or_opaque(BearerToken::<Member>::new(pool))
        .build()?)
}

struct ClientCertificate;

impl Mechanism for ClientCertificate {
    fn name(&self) -> &'static str {
        "certificate"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let Some(name) = request.headers().get("x-client-name") else {
            return Ok(None);
        };
        match name.to_str() {
            Ok(name) if !name.is_empty() => Ok(Some(User::new(name).into())),
            _ => Err(Rejection::BadCredentials),
        }
    }
}

mod tests {
    use actix_session::{SessionMiddleware, storage::CookieSessionStore};
    use actix_web::{
        App, Responder,
        cookie::Key as CookieKey,
        get,
        http::header::{AUTHORIZATION, SET_COOKIE},
        test::{TestRequest, call_and_read_body, call_service, init_service},
    };
    use auth_core::{CurrentUser, mechanism::Passwords};
    use base64ct::{Base64, Encoding as _};
    use diesel::connection::SimpleConnection as _;

    use super::*;

    const WORLD: &str = "
        CREATE TABLE users (id INTEGER PRIMARY KEY, account_id INTEGER, name TEXT NOT NULL, role TEXT NOT NULL,
            password_hash TEXT NOT NULL, log_ins_ended INTEGER NOT NULL, is_active BOOLEAN NOT NULL);
        CREATE TABLE tokens (hash BLOB PRIMARY KEY, user_id INTEGER NOT NULL);
        INSERT INTO users VALUES (2, 3, 'mia', 'operator', '', 0, TRUE), (4, 3, 'bob', '', '', 0, FALSE);";

    const PASSWORD: &str = "rye and wheat";

    #[auth_required("token", "session", "basic")]
    #[get("/whoami")]
    async fn whoami(user: CurrentUser<Member>) -> impl Responder {
        user.id().to_string()
    }

    fn world() -> Pool<ConnectionManager<SqliteConnection>> {
        let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
        let pool = Pool::builder().max_size(1).build(manager).unwrap();
        let connection = &mut *pool.get().unwrap();
        connection.batch_execute(WORLD).unwrap();
        let hash = Passwords::new().hash(PASSWORD).unwrap();
        diesel::update(users::table).set(users::password_hash.eq(hash.as_str())).execute(connection).unwrap();
        pool.clone()
    }

    #[actix_web::test]
    async fn a_user_is_found_by_each_mechanism() {
        let pool = world();
        let service = App::new()
            .wrap(SessionMiddleware::new(CookieSessionStore::default(), CookieKey::generate()))
            .app_data(auth(&pool).unwrap())
            .app_data(Data::new(PasswordLogIn::<Member>::new(pool.clone())))
            .service((whoami, log_in, log_out));
        let app = init_service(service).await;
        let get_whoami = || TestRequest::get().uri("/whoami");

        let mia = Member { id: 2, account_id: Some(3), role: "operator".to_owned(), log_ins_ended: 0 };
        let token = new_token(&mia, &mut pool.get().unwrap()).unwrap();
        let by_token = get_whoami().insert_header((AUTHORIZATION, format!("Bearer {}", token.as_str())));
        assert_eq!(call_and_read_body(&app, by_token.to_request()).await, "2");

        let basic = |name: &str| {
            let encoded = Base64::encode_string(format!("{name}:{PASSWORD}").as_bytes());
            get_whoami().insert_header((AUTHORIZATION, format!("Basic {encoded}")))
        };
        assert_eq!(call_and_read_body(&app, basic("Mia").to_request()).await, "2");
        assert_eq!(call_service(&app, basic("bob").to_request()).await.status(), 401);

        let log_in_as =
            |name| TestRequest::post().uri("/log-in").set_form([("name", name), ("password", PASSWORD)]);
        assert_eq!(call_service(&app, log_in_as("bob").to_request()).await.status(), 401);
        let logged_in = call_service(&app, log_in_as("mia").to_request()).await;
        assert_eq!(logged_in.status(), 204);
        let cookie =
            logged_in.headers().get(SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap();
        let by_session = || get_whoami().insert_header(("cookie", cookie)).to_request();
        assert_eq!(call_and_read_body(&app, by_session()).await, "2");
        let logging_out = TestRequest::post().uri("/log-out").insert_header(("cookie", cookie)).to_request();
        assert_eq!(call_service(&app, logging_out).await.status(), 204);

        // A copy of the cookie still counts, until the user logs out everywhere.
        assert_eq!(call_service(&app, by_session()).await.status(), 200);
        diesel::update(users::table)
            .set(users::log_ins_ended.eq(1))
            .execute(&mut pool.get().unwrap())
            .unwrap();
        assert_eq!(call_service(&app, by_session()).await.status(), 401);
    }

    #[test]
    fn keys_and_proxies_make_mechanisms() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA2X5CmgF/klcGRwKrtWIuIsO1Qu+Pazk+OGxLsW4dTRc=\n-----END PUBLIC KEY-----";
        assert!(tokens_of_others(world(), pem).is_ok());
        assert!(Auth::builder().mechanism(ClientCertificate).build().is_ok());
    }
}
