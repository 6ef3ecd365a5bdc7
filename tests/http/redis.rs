//! Sessions that two instances of a service share, in a Redis on `127.0.0.1:6379`.
//!
//! Without one this is left out, unless `CI` is set.

use std::{
    env,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    sync::LazyLock,
    time::Duration,
};

use actix_session::{SessionMiddleware, config::BrowserSession, storage::RedisSessionStore};
use actix_web::{
    cookie::{Key, time},
    web,
};
use tokio::runtime::Runtime;

use crate::{
    client::Service,
    fixture::World,
    session::{Browser, handlers},
};

const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6379);

/// Whether Redis answers. Says so if it does not, where a person sees it.
fn redis_answers() -> bool {
    let answers = ping().unwrap_or(false);
    if !answers {
        assert!(env::var_os("CI").is_none(), "no Redis answers on {ADDRESS}, and CI is set");
        // The harness captures `eprintln!`.
        let mut terminal = io::stderr();
        writeln!(terminal, "no Redis answers on {ADDRESS}: a test of shared sessions is left out").unwrap();
    }
    answers
}

fn ping() -> io::Result<bool> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&ADDRESS, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"+PONG")
}

/// Two instances over one database; none without a Redis.
fn instances() -> Option<[Service; 2]> {
    let (world, key) = (World::new(), Key::generate());
    redis_answers().then(|| [(); 2].map(|()| instance(&world, &key)))
}

/// An instance with connections of its own.
fn instance(world: &World, key: &Key) -> Service {
    // The connections are driven here, since the services come and go.
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

    let store = RUNTIME.block_on(RedisSessionStore::new(format!("redis://{ADDRESS}"))).unwrap();
    let auth = world.auth_with_sessions();
    let key = key.clone();
    Service::start(move |app| {
        let sessions = SessionMiddleware::builder(store.clone(), key.clone())
            .session_lifecycle(BrowserSession::default().state_ttl(time::Duration::minutes(5)))
            .build();
        app.app_data(auth.clone()).service(web::scope("").wrap(sessions).configure(handlers));
    })
}

#[test]
fn instances_share_log_ins_and_log_outs() {
    let Some([here, there]) = instances() else { return };
    let mut browser = Browser::new(&here);
    browser.post("/log-in/2");
    let cookie = browser.cookie.clone();
    let mut elsewhere = Browser { service: &there, cookie: cookie.clone() };
    assert_eq!(elsewhere.get("/whoami").body, "2");

    browser.post("/log-out");
    assert_eq!(browser.cookie, None);
    // A copy of the cookie is worthless, too.
    assert_eq!(elsewhere.status("/whoami"), 401);
    assert_eq!(Browser { service: &here, cookie }.status("/whoami"), 401);
}

#[test]
fn a_log_in_ends_the_session_before() {
    let Some([here, there]) = instances() else { return };
    let mut browser = Browser::new(&here);
    browser.post("/basket/salt");
    let before = browser.cookie.clone();
    browser.post("/log-in/2");
    assert_ne!(browser.cookie, before);
    assert_eq!(browser.get("/basket").body, "salt");
    let mut attacker = Browser { service: &there, cookie: before };
    assert_eq!(attacker.status("/whoami"), 401);
    assert_eq!(attacker.get("/basket").body, "");
}

#[test]
fn instances_share_the_grace_period() {
    let Some([here, there]) = instances() else { return };
    let mut browser = Browser::new(&here);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/graceful"), 200);
    browser.post("/age/30");
    browser.service = &there;
    assert_eq!(browser.status("/strict"), 401);
    assert_eq!(browser.status("/graceful"), 200);
}
