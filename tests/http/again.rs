//! The caller once more, at the time of a change.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpRequest, HttpResponse,
    cookie::Key,
    get, post,
    test::{TestRequest, call_service, init_service},
    web::{Data, block},
};
use auth_core::{
    AccessError, AdminRoles, Auth, AuthError, ConnectionSource, CurrentUser, Event, IdRef, LoadError,
    Observer, Subject, User, auth_required,
    mechanism::{
        Authenticated, BasicAuth, BearerToken, FindBySession, FindByToken, FindByUsername, Mechanism,
        PasswordHash, Passwords, Rejection, SessionCookie, TokenHash, session,
    },
    public,
    test::{authenticated_as, current_user},
};

/// A row of the store.
#[derive(Clone, PartialEq, Eq)]
struct Member {
    id: i32,
    roles: Vec<&'static str>,
    issued_at: SystemTime,
    logged_out_at: Option<SystemTime>,
    hash: String,
}

impl Subject for Member {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        None
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

/// The connection: what is found, if the store answers.
struct Store(Result<Option<Member>, ()>);

impl Store {
    fn find(&self) -> Result<Member, LoadError> {
        let found = self.0.clone().map_err(|()| LoadError::unavailable("the store is gone"))?;
        found.ok_or(LoadError::NotFound)
    }
}

#[derive(Clone)]
struct Pool(Arc<Mutex<Store>>);

impl ConnectionSource for Pool {
    type Connection = Store;

    fn lend(&self, work: &mut dyn FnMut(&mut Store)) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        work(&mut self.0.lock().unwrap());
        Ok(())
    }
}

impl FindByToken for Member {
    type Connection = Store;

    fn find_by_token(_: &TokenHash, store: &mut Store) -> Result<Self, LoadError> {
        store.find()
    }

    fn token_issued_at(&self) -> Option<SystemTime> {
        Some(self.issued_at)
    }
}

impl FindBySession for Member {
    type Id = i32;
    type Connection = Store;

    fn find_by_id(_: i32, store: &mut Store) -> Result<Self, LoadError> {
        store.find()
    }

    fn logged_out_at(&self) -> Option<SystemTime> {
        self.logged_out_at
    }
}

impl FindByUsername for Member {
    type Connection = Store;

    fn find_by_username(_: &str, store: &mut Store) -> Result<(Self, PasswordHash), LoadError> {
        let member = store.find()?;
        let hash = PasswordHash::from(member.hash.clone());
        Ok((member, hash))
    }

    fn is_still(&self, now: &Self) -> bool {
        self.logged_out_at == now.logged_out_at
    }
}

/// Becomes what the store has when the handler runs.
type Change = Arc<dyn Fn(&mut Store) + Send + Sync>;

/// Changes the store, and answers with the roles of the caller as it is then.
#[auth_required("token", "session", "basic")]
#[post("/change")]
async fn change(
    user: CurrentUser<Member>,
    pool: Data<Pool>,
    change: Data<Change>,
) -> Result<String, actix_web::Error> {
    let now = block(move || -> Result<CurrentUser<Member>, AccessError> {
        let store = &mut *pool.0.lock().unwrap();
        change(store);
        user.again(store)
    });
    Ok(now.await?.map_err(AuthError::from)?.roles.join(" "))
}

#[auth_required("token", "session", "basic")]
#[post("/wrong-connection")]
async fn wrong_connection(user: CurrentUser<Member>) -> Result<HttpResponse, AuthError> {
    user.again(&mut "no store")?;
    Ok(HttpResponse::Ok().finish())
}

#[public]
#[post("/log-in")]
async fn log_in(request: HttpRequest) -> Result<HttpResponse, AuthError> {
    session::log_in(&request, 1)?;
    Ok(HttpResponse::Ok().finish())
}

#[derive(Default)]
struct Denials(Mutex<Vec<String>>);

impl Observer for Denials {
    fn decided(&self, event: &Event<'_>) {
        if !event.decision.is_allowed() {
            let subject = event.subject.map(|id| id.to_string()).unwrap_or_default();
            let denial = [event.guard, event.mechanism.unwrap_or_default(), event.decision.reason()];
            self.0.lock().unwrap().push(format!("{} {subject} {}", denial.join(" "), event.method));
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Status and body of a request by this mechanism, during which the store changes, and the denials of it.
async fn send(
    by: &str,
    path: &str,
    changes: impl Fn(&mut Member) + Send + Sync + 'static,
) -> (u16, String, Vec<String>) {
    let meanwhile: Change = Arc::new(move |store: &mut Store| {
        if let Ok(Some(member)) = &mut store.0 {
            changes(member);
        }
    });
    send_with(by, path, meanwhile).await
}

async fn send_with(by: &str, path: &str, meanwhile: Change) -> (u16, String, Vec<String>) {
    let cheap = Passwords::with_cost(32, 1, 1).unwrap();
    let member = Member {
        id: 1,
        roles: vec!["chef"],
        issued_at: SystemTime::now(),
        logged_out_at: None,
        hash: cheap.hash("b").unwrap().as_str().to_owned(),
    };
    let pool = Pool(Arc::new(Mutex::new(Store(Ok(Some(member))))));
    let denials = Arc::new(Denials::default());
    let auth = Auth::builder()
        .mechanism(BearerToken::<Member>::new(pool.clone()).max_age(DAY))
        .mechanism(SessionCookie::<Member>::new(pool.clone()))
        .mechanism(BasicAuth::<Member>::new(pool.clone()).passwords(cheap))
        .observer(Arc::clone(&denials))
        .build()
        .unwrap();
    let app = App::new()
        .app_data(auth)
        .app_data(Data::new(pool))
        .app_data(Data::new(meanwhile))
        .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::from(&[7; 64])))
        .service((change, wrong_connection, log_in));
    let app = init_service(app).await;
    let request = TestRequest::post().uri(path);
    let request = match by {
        "token" => request.insert_header(("authorization", "Bearer sesame")),
        // `a:b`
        "basic" => request.insert_header(("authorization", "Basic YTpi")),
        _ => {
            let response = call_service(&app, TestRequest::post().uri("/log-in").to_request()).await;
            let cookie = response.response().cookies().next().unwrap().into_owned();
            request.cookie(cookie)
        }
    };
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let body = String::from_utf8(actix_web::test::read_body(response).await.to_vec()).unwrap();
    let denials = denials.0.lock().unwrap().clone();
    (status, body, denials)
}

const ALL: [&str; 3] = ["token", "session", "basic"];

#[actix_web::test]
async fn the_caller_is_as_it_is_by_then() {
    for by in ALL {
        let found = send(by, "/change", |member| member.roles = vec!["waiter", "night"]).await;
        assert_eq!(found, (200, "waiter night".to_owned(), vec![]), "{by}");
    }
}

async fn assert_refused(by: &str, meanwhile: Change, status: u16, reason: &str) {
    let (answer, body, denials) = send_with(by, "/change", meanwhile).await;
    assert_eq!(answer, status, "{by} {reason}: {body}");
    assert_eq!(denials, [format!("authenticate {by} {reason} 1 POST")], "{by}");
}

#[actix_web::test]
async fn a_caller_whose_credentials_do_not_count_any_more_is_refused() {
    type Changes = fn(&mut Member);
    let gone: Change = Arc::new(|store| store.0 = Ok(None));
    let failed: Change = Arc::new(|store| store.0 = Err(()));
    for by in ALL {
        assert_refused(by, Arc::clone(&gone), 401, "bad-credentials").await;
        assert_refused(by, Arc::clone(&failed), 503, "unavailable").await;
    }
    for (by, what, changes) in [
        ("token", "another user's", (|member| member.id = 2) as Changes),
        ("session", "another user's", |member| member.id = 2),
        ("basic", "another user's", |member| member.id = 2),
        ("token", "too old", |member| member.issued_at -= DAY),
        ("session", "logged out", |member| member.logged_out_at = Some(SystemTime::now() + DAY)),
        ("basic", "logged out", |member| member.logged_out_at = Some(SystemTime::now())),
        ("basic", "another password", |member| member.hash.push('x')),
    ] {
        let (status, body, denials) = send(by, "/change", changes).await;
        assert_eq!(status, 401, "{by} {what}: {body}");
        assert_eq!(denials, [format!("authenticate {by} bad-credentials 1 POST")], "{by} {what}");
    }
}

#[actix_web::test]
async fn another_connection_is_a_500_and_never_the_caller_of_before() {
    for by in ALL {
        let (status, _, denials) = send(by, "/wrong-connection", |_| {}).await;
        assert_eq!(status, 500, "{by}");
        assert_eq!(denials, [format!("authenticate {by} misconfigured 1 POST")]);
    }
}

/// Finds users, and finds again what it is told.
struct Custom<F>(F);

impl<F: Fn(Authenticated) -> Authenticated + Send + Sync + 'static> Mechanism for Custom<F> {
    fn name(&self) -> &'static str {
        "custom"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some((self.0)(User::new(1).into())))
    }
}

#[auth_required]
#[get("/roles")]
async fn has_role(user: CurrentUser) -> Result<String, AuthError> {
    Ok(user.again(&mut 7_u8)?.has_role("chef").to_string())
}

async fn by_custom(again: impl Fn(Authenticated) -> Authenticated + Send + Sync + 'static) -> (u16, String) {
    let auth = Auth::builder().mechanism(Custom(again)).build().unwrap();
    let app = init_service(App::new().app_data(auth).service(has_role)).await;
    let response = call_service(&app, TestRequest::get().uri("/roles").to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(actix_web::test::read_body(response).await.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_mechanism_without_a_store_says_so() {
    assert_eq!(by_custom(|authenticated| authenticated).await.0, 500);
    let other_type = |authenticated: Authenticated| {
        authenticated.found_again_by(|_: &mut u8| -> Result<Member, LoadError> {
            Store(Ok(Some(Member {
                id: 1,
                roles: vec![],
                issued_at: SystemTime::now(),
                logged_out_at: None,
                hash: String::new(),
            })))
            .find()
        })
    };
    assert_eq!(by_custom(other_type).await.0, 500);
    let chef = |authenticated: Authenticated| {
        authenticated.found_again_by(|_: &mut u8| Ok(User::new(1).with_roles(["chef"])))
    };
    assert_eq!(by_custom(chef).await, (200, "true".to_owned()));
}

#[actix_web::test]
async fn a_test_finds_its_caller_again() {
    let auth = authenticated_as(User::new(1).with_roles(["chef"])).build().unwrap();
    let app = |config: &mut actix_web::web::ServiceConfig| _ = config.service(has_role);
    let response = auth_core::test::call(auth, app, TestRequest::get().uri("/roles")).await;
    assert_eq!(response.status(), 200);
    let without_request = current_user(User::new(1)).again(&mut 7_u8);
    assert!(matches!(without_request, Err(AccessError::Denied(_))));
}
