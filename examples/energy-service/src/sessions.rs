//! Sessions: where they are stored, and the cookie that names them. The user of a session is found in
//! [`auth`](crate::auth).

use std::{fmt, str::FromStr, time::Duration};

use actix_session::{
    SessionMiddleware,
    config::BrowserSession,
    storage::{CookieSessionStore, SessionStore},
};
use actix_web::cookie::{Key, SameSite, time};
#[cfg(feature = "redis")]
use actix_web::middleware::from_fn;
use auth_core::{ProtectedConfig, ProtectedScope, mechanism::session::PublicOrigin};
use base64ct::{Base64, Encoding};

/// For how long a log-in of a browser counts, also if the browser and the store keep it longer.
pub const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a request waits for Redis: for a connection, and for an answer.
#[cfg(feature = "redis")]
const REDIS_WAIT: Duration = Duration::from_secs(2);

/// How sessions are kept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionConfig {
    /// The key with which cookies are encrypted. Without it there is a new one at each start, so sessions end with the
    /// service.
    pub key: Option<SessionKey>,
    /// A Redis for the sessions, which several instances share. Without it a session is in its cookie.
    pub redis: Option<RedisUrl>,
    /// Whether browsers send the cookie without TLS, too, as they have to where the service is found at an `http://…` that
    /// is not this machine.
    pub insecure_cookies: bool,
}

/// The key with which the cookies of sessions are encrypted: at least 64 random bytes, as hexadecimal digits or as
/// Base64.
///
/// ```
/// use energy_service::sessions::SessionKey;
///
/// let key: SessionKey = "5a".repeat(64).parse()?;
/// assert_eq!(format!("{key:?}"), "SessionKey(…)");
/// # Ok::<(), energy_service::sessions::SessionError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct SessionKey(Key);

impl Eq for SessionKey {}

impl SessionKey {
    const BYTES: usize = 64;
}

impl FromStr for SessionKey {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        // `openssl rand -base64 64` writes two lines.
        let text: String = text.split_ascii_whitespace().collect();
        // Every hexadecimal key would be valid Base64, too, and a weaker key.
        let bytes = match base16ct::mixed::decode_vec(&text) {
            Ok(bytes) => bytes,
            Err(_) => Base64::decode_vec(&text).map_err(|_| SessionError::Key)?,
        };
        if bytes.len() < Self::BYTES {
            return Err(SessionError::Key);
        }
        Ok(Self(Key::from(&bytes)))
    }
}

/// Shows nothing of the key, which must not get into a log.
impl fmt::Debug for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionKey(…)")
    }
}

/// Where a Redis is: `redis://host:6379`, or `unix:///path`.
#[derive(Clone, Eq, PartialEq)]
pub struct RedisUrl(String);

impl FromStr for RedisUrl {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        match text.split_once("://") {
            Some(("redis" | "unix", rest)) if !rest.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(SessionError::RedisUrl),
        }
    }
}

/// Shows only that it is one: there may be a password in it.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedisUrl(…)")
    }
}

/// The sessions of a service, as it was configured. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Sessions {
    key: Key,
    insecure_cookies: bool,
    store: Store,
}

#[derive(Clone)]
enum Store {
    Cookie,
    #[cfg(feature = "redis")]
    Redis(redis::Connections),
}

impl Sessions {
    pub(crate) fn open(
        config: &SessionConfig,
        public_url: Option<&PublicOrigin>,
    ) -> Result<Self, SessionError> {
        if !config.insecure_cookies && public_url.is_some_and(|url| !url.is_https()) {
            return Err(SessionError::NoTls);
        }
        let store = match &config.redis {
            None => Store::Cookie,
            // The others could not read the cookies.
            Some(_) if config.key.is_none() => return Err(SessionError::NoKey),
            #[cfg(feature = "redis")]
            Some(url) => Store::Redis(redis::Connections::new(url)?),
            #[cfg(not(feature = "redis"))]
            Some(_) => return Err(SessionError::NotBuilt),
        };
        let key = if let Some(SessionKey(key)) = &config.key {
            key.clone()
        } else {
            tracing::info!(
                "sessions end with the service and are not shared with other instances; --session-key KEY keeps them"
            );
            Key::try_generate().ok_or(SessionError::NoRandomNumbers)?
        };
        Ok(Self { key, insecure_cookies: config.insecure_cookies, store })
    }

    /// Registers these routes, with sessions.
    pub(crate) fn configure(&self, config: &mut ProtectedConfig<'_>, routes: fn(&mut ProtectedConfig<'_>)) {
        match &self.store {
            Store::Cookie => {
                let scope = ProtectedScope::new("").configure(routes);
                config.service(scope.wrap(self.middleware(CookieSessionStore::default())));
            }
            #[cfg(feature = "redis")]
            Store::Redis(connections) => {
                let scope = ProtectedScope::new("").configure(routes);
                let sessions = self.middleware(connections.store());
                config.service(scope.wrap(sessions).wrap(from_fn(outage::or_unavailable)));
            }
        }
    }

    /// Browsers take a cookie of the longer name from the host itself alone, and from no neighbour of its domain.
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.insecure_cookies { "energy-session" } else { "__Host-energy-session" }
    }

    fn middleware<S: SessionStore>(&self, store: S) -> SessionMiddleware<S> {
        let age = time::Duration::try_from(MAX_AGE).unwrap_or(time::Duration::ZERO);
        SessionMiddleware::builder(store, self.key.clone())
            .cookie_name(self.cookie_name().to_owned())
            .cookie_secure(!self.insecure_cookies)
            .cookie_http_only(true)
            // Links from elsewhere lead a logged-in user to pages with the session; forms elsewhere do not.
            .cookie_same_site(SameSite::Lax)
            .session_lifecycle(BrowserSession::default().state_ttl(age))
            .build()
    }

    /// Checks that the store answers.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "only Redis has to be waited for")
    )]
    pub(crate) async fn reach(&self) -> Result<(), SessionError> {
        match &self.store {
            Store::Cookie => Ok(()),
            #[cfg(feature = "redis")]
            Store::Redis(connections) => connections.reach().await,
        }
    }
}

#[cfg(feature = "redis")]
mod outage;

#[cfg(feature = "redis")]
mod redis {
    use actix_session::storage::RedisSessionStore;
    use deadpool_redis::{Config, Pool, PoolConfig, Runtime, Timeouts};
    use futures_util::FutureExt;

    use super::{REDIS_WAIT, RedisUrl, SessionError, outage::InTime};

    /// Connections to Redis, made when they are needed, so that the service lives through an outage of Redis. Each
    /// is tried with a command when it is taken.
    #[derive(Clone)]
    pub(super) struct Connections {
        pool: Pool,
        store: RedisSessionStore,
    }

    impl Connections {
        pub(super) fn new(RedisUrl(url): &RedisUrl) -> Result<Self, SessionError> {
            let wait = Some(REDIS_WAIT);
            let config = Config {
                pool: Some(PoolConfig {
                    timeouts: Timeouts { wait, create: wait, recycle: wait },
                    ..PoolConfig::default()
                }),
                ..Config::from_url(url)
            };
            let pool = config
                .create_pool(Some(Runtime::Tokio1))
                .map_err(|error| SessionError::Redis(error.into()))?;
            // This waits for no connection, for a pool does not connect before it has to.
            let store = RedisSessionStore::builder_pooled(pool.clone())
                .cache_keygen(|key| format!("energy-session:{key}"))
                .build()
                .now_or_never()
                .ok_or(SessionError::Redis("the pool is not ready".into()))?
                .map_err(|error| SessionError::Redis(error.into()))?;
            Ok(Self { pool, store })
        }

        pub(super) fn store(&self) -> InTime<RedisSessionStore> {
            InTime(self.store.clone())
        }

        pub(super) async fn reach(&self) -> Result<(), SessionError> {
            self.pool.get().await.map(drop).map_err(|error| SessionError::Redis(error.into()))
        }
    }
}

/// Why there can be no sessions. Says nothing of the values, which are secret.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// This is no key.
    #[error(
        "the session key is not at least 64 bytes as hexadecimal digits or Base64; `openssl rand -hex 64` makes one"
    )]
    Key,
    /// This is not where a Redis is.
    #[error("the address of Redis does not have the form `redis://host:6379` or `unix:///path`")]
    RedisUrl,
    /// Sessions are shared, and the key of their cookies is not.
    #[error(
        "sessions in Redis need a session key, the same for all instances (--session-key or SESSION_KEY)"
    )]
    NoKey,
    /// Browsers would keep the cookie to themselves.
    #[error(
        "browsers send the cookie of a session by TLS alone, and the public URL has none: \
         name one with `https://`, or let the cookie go without TLS (--insecure-cookies)"
    )]
    NoTls,
    /// There is a Redis, but the service is built without the feature to reach it.
    #[error("this service is built without Redis; build it with `--features redis`")]
    NotBuilt,
    /// The operating system gave none.
    #[error("no random numbers for a session key")]
    NoRandomNumbers,
    /// Redis does not answer.
    #[error("cannot reach the Redis of the sessions")]
    Redis(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::{RedisUrl, SessionConfig, SessionError, SessionKey, Sessions};

    #[test]
    fn a_key_is_64_bytes_of_hexadecimal_digits_or_base64() {
        let of_base64 = |text: &str| text.parse::<SessionKey>();
        let zeros = of_base64(&"00".repeat(64)).unwrap();
        assert_eq!(of_base64(&("A".repeat(86) + "==")).unwrap(), zeros);
        assert_eq!(of_base64(&format!("{}\n{}==\n", "A".repeat(64), "A".repeat(22))).unwrap(), zeros);
        assert_eq!(of_base64(&"5a".repeat(64)).unwrap(), of_base64(&"5A".repeat(64)).unwrap());
        assert_ne!(of_base64(&"5a".repeat(64)).unwrap(), zeros);
        for text in ["", "secret", &"5a".repeat(63), &("A".repeat(84)), &"?".repeat(128)] {
            assert!(matches!(text.parse::<SessionKey>(), Err(SessionError::Key)), "{text}");
        }
    }

    #[test]
    fn what_is_not_the_address_of_a_redis_is_refused() {
        for text in ["", "127.0.0.1:6379", "redis://", "rediss://host", "http://host"] {
            assert!(matches!(text.parse::<RedisUrl>(), Err(SessionError::RedisUrl)), "{text}");
        }
        let url: RedisUrl = "redis://:secret@host:6379".parse().unwrap();
        assert_eq!(format!("{url:?}"), "RedisUrl(…)");
    }

    #[test]
    fn shared_sessions_need_a_shared_key() {
        let redis = Some("redis://127.0.0.1:6379".parse().unwrap());
        let refused = Sessions::open(&SessionConfig { redis, ..SessionConfig::default() }, None);
        assert!(matches!(refused, Err(SessionError::NoKey)));
    }

    #[test]
    fn a_public_url_without_tls_needs_cookies_without_tls() {
        let opened = |url: &str, insecure_cookies| {
            let config = SessionConfig { insecure_cookies, ..SessionConfig::default() };
            Sessions::open(&config, Some(&url.parse().unwrap()))
        };
        assert!(matches!(opened("http://energy.example.com", false), Err(SessionError::NoTls)));
        assert!(opened("http://energy.example.com", true).is_ok());
        assert!(opened("https://energy.example.com", false).is_ok());
    }
}
