//! The reference and the proving ground: accounts, users, assets, sensors and measurements of energy, over HTTP, with diesel
//! on `SQLite`, `PostgreSQL` or `MariaDB`, and with an authorization that stands above each handler in one line.
//!
//! A library, so that tests can start the real service:
//!
//! ```
//! use std::net::TcpListener;
//!
//! use energy_service::{Config, Service};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::open(&Config { demo: true, ..Config::default() })?;
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! actix_web::rt::System::new().block_on(async {
//!     let server = actix_web::rt::spawn(service.start(listener)?);
//!     // … requests to `address` …
//! #   let _ = address;
//!     service.stop();
//!     server.await??;
//!     Ok(())
//! })
//! # }
//! ```

use std::{
    future, io,
    net::TcpListener,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServiceRequest},
    middleware::{Next, from_fn},
    rt::signal,
    web::{self, Bytes, Data, ServiceConfig},
};
use auth_core::{
    Auth, AuthConfigError, ProtectedConfig, Registered,
    event::Batched,
    mechanism::{Attempts, PasswordLogIn, Passwords, TrustedProxies, session::PublicOrigin},
    openapi::{DocumentError, GuardedApi},
    report,
};

pub mod audit;
pub mod auth;
pub mod clients;
pub mod database;
pub mod demo;
pub mod error;
pub mod import;
pub mod live;
pub mod models;
pub mod passwords;
pub mod routes;
pub mod schema;
pub mod sessions;
#[cfg(feature = "test")]
pub mod test;

use self::{
    audit::{AuditConfig, store_denials},
    auth::LoggedIn,
    clients::{ClientLimits, LINGER, limit_body},
    database::{Database, DatabaseError, Limits, Location},
    demo::DemoError,
    error::ServiceError,
    live::{Live, LiveConfig},
    sessions::{SessionConfig, SessionError, Sessions},
};

/// The configuration of the service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// Where the database is.
    pub database: Location,
    /// The number of connections to the database, at least one.
    pub pool_size: u32,
    /// How long a request waits for a free connection before the answer is 503.
    pub pool_wait: Duration,
    /// How long the database may take.
    pub limits: Limits,
    /// How long clients may take, and how many there may be.
    pub clients: ClientLimits,
    /// The proxies whose headers have the addresses of clients: attempts to log in are limited for each address.
    pub proxies: TrustedProxies,
    /// The number of threads with an event loop, at least one. Without it there is one for each processor.
    pub workers: Option<usize>,
    /// Whether an empty database is filled with the [demo world](demo).
    pub demo: bool,
    /// Where browsers find the service, if not where it listens: behind a proxy that ends TLS.
    pub public_url: Option<PublicOrigin>,
    /// How sessions of browsers are kept.
    pub sessions: SessionConfig,
    /// How denials get into the audit log.
    pub audit: AuditConfig,
    /// How sockets with live measurements are watched.
    pub live: LiveConfig,
}

impl Default for Config {
    /// An empty database in memory, 8 connections, 2 seconds; no proxies; sessions that end with the service; all else as
    /// by default in [`Limits`], [`ClientLimits`], [`AuditConfig`] and [`LiveConfig`].
    fn default() -> Self {
        Self {
            database: Location::Memory,
            pool_size: 8,
            pool_wait: Duration::from_secs(2),
            limits: Limits::default(),
            clients: ClientLimits::default(),
            proxies: TrustedProxies::default(),
            workers: None,
            demo: false,
            public_url: None,
            sessions: SessionConfig::default(),
            audit: AuditConfig::default(),
            live: LiveConfig::default(),
        }
    }
}

/// The service: the data that all its handlers share. Clones share it, too.
#[derive(Clone)]
pub struct Service {
    auth: Auth,
    denials: Batched,
    database: Database,
    passwords: Passwords,
    log_in: PasswordLogIn<LoggedIn>,
    is_demo: bool,
    public_url: Option<PublicOrigin>,
    sessions: Sessions,
    live: Live,
    guards: Arc<OnceLock<Registered>>,
    openapi: Arc<OnceLock<Bytes>>,
    clients: ClientLimits,
    workers: Option<usize>,
}

impl Service {
    /// Opens the database, brings its tables up to date and, if configured, fills it with the demo world.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, or is not for the demo, or when there can be no sessions as configured.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let sessions = Sessions::open(&config.sessions, config.public_url.as_ref())?;
        let database =
            Database::open_within(config.limits, &config.database, config.pool_size, config.pool_wait)?;
        if config.demo {
            demo::fill(&database)?;
        }
        let denials = store_denials(database.clone(), config.audit.clone()).map_err(StartError::Audit)?;
        let (passwords, attempts) = (Passwords::new(), Attempts::default().behind(config.proxies.clone()));
        let log_in = PasswordLogIn::new(database.pool().clone()).time_limit(config.limits.answer);
        Ok(Self {
            auth: auth::auth(database.pool(), sessions.cookie_name(), denials.clone(), config.limits.answer)?,
            denials,
            database,
            log_in: log_in.passwords(passwords.clone()).attempts(attempts),
            passwords,
            is_demo: config.demo,
            public_url: config.public_url.clone(),
            sessions,
            live: Live::new(config.live),
            guards: Arc::default(),
            openapi: Arc::default(),
            clients: config.clients,
            workers: config.workers,
        })
    }

    /// The database, with its [pool](Database::pool).
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Whether this is the demo, whose users everybody may log in as.
    pub(crate) fn is_demo(&self) -> bool {
        self.is_demo
    }

    /// Waits until all denials so far are in the audit log. They get there by themselves after an
    /// [interval](AuditConfig::interval), or a [period](AuditConfig::period) where a user exceeds the budget, and when
    /// the last clone of the service is dropped. Blocks, for a bounded time.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Unavailable`] when it cannot be stored. It will be tried again.
    pub fn flush(&self) -> Result<(), ServiceError> {
        self.denials.flush(FLUSH).map_err(ServiceError::unavailable)
    }

    /// Registers the endpoints and their data, for `App::configure`:
    ///
    /// ```
    /// # use energy_service::{Config, Service};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = Service::open(&Config::default())?;
    /// let app = actix_web::App::new().configure(|config| service.configure(config));
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(&self, config: &mut ServiceConfig) {
        if let Some(origin) = &self.public_url {
            config.app_data(origin.clone());
        }
        config
            .app_data(self.auth.clone())
            .app_data(Data::new(self.clone()))
            .app_data(Data::new(self.database.clone()))
            .app_data(Data::new(self.passwords.clone()))
            .app_data(Data::new(self.log_in.clone()))
            .app_data(Data::new(self.live.clone()))
            .configure(|config| self.sessions.configure(&mut ProtectedConfig::new(config), routes::configure))
            .default_service(web::to(routes::nothing_here));
    }

    /// The guard report: every route with its guards, and missing registrations. It is made once, so that no request
    /// waits for a second registration of all routes.
    pub async fn guards(&self) -> &Registered {
        if let Some(registered) = self.guards.get() {
            return registered;
        }
        let report = report().of_crate("energy_service");
        let registered = report.registered_by(|config| self.configure(config)).await;
        self.guards.get_or_init(|| registered)
    }

    /// The `OpenAPI` document of all routes, as JSON: the descriptions of the handlers, and the requirements of their
    /// guards. It is made once.
    ///
    /// # Errors
    ///
    /// When a handler's description names a route that does not exist.
    pub async fn openapi(&self) -> Result<Bytes, DocumentError> {
        if let Some(document) = self.openapi.get() {
            return Ok(document.clone());
        }
        let registered = self.guards().await;
        let document = GuardedApi::new(registered, &self.auth)
            .complete(routes::openapi::document(self.public_url.as_ref()))?;
        // All of it can be written as JSON.
        let document = document.to_json().unwrap_or_default();
        Ok(self.openapi.get_or_init(|| document.into()).clone())
    }

    /// Finds out whether the store of the sessions answers, so that a wrong address is known from the start. The
    /// service connects when it has to, and again after an outage.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn reach_sessions(&self) -> Result<(), StartError> {
        Ok(self.sessions.reach().await?)
    }

    /// Refuses a database that the [demo] has filled, as long as its public password is valid there. For a service that
    /// is no demo.
    ///
    /// # Errors
    ///
    /// [`DemoError::PublicPasswords`] if so.
    pub async fn refuse_public_passwords(&self) -> Result<(), StartError> {
        let emails = passwords::public(&self.passwords, &self.database).await.map_err(DemoError::from)?;
        if emails.is_empty() { Ok(()) } else { Err(DemoError::PublicPasswords { emails }.into()) }
    }

    /// Serves requests from this listener, for as long as the server is awaited: until [`stop`](Self::stop), `SIGTERM` or
    /// Ctrl-C, and then until the open requests are answered, at most for half a minute.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub fn start(&self, listener: TcpListener) -> io::Result<Server> {
        let service = self.clone();
        let live = self.live.clone();
        let ClientLimits { head, body, connections } = self.clients;
        let app = move || {
            let limited = move |request: ServiceRequest, next: Next<_>| next.call(limit_body(request, body));
            App::new().wrap(from_fn(limited)).configure(|config| service.configure(config))
        };
        let workers =
            self.workers.or_else(|| thread::available_parallelism().map(Into::into).ok()).unwrap_or(1);
        let server = HttpServer::new(app)
            .workers(workers)
            .client_request_timeout(head)
            .client_disconnect_timeout(LINGER)
            .max_connections(connections.div_ceil(workers))
            // A signal has to reach the sockets as well, which would go on otherwise.
            .shutdown_signal(async move {
                tokio::select! {
                    () = live.stopped() => {}
                    () = asked_to_stop() => live.stop(),
                }
            });
        Ok(server.listen(listener)?.run())
    }

    /// Closes the sockets with live measurements and stops the server of [`start`](Self::start). A `ServerHandle` alone
    /// does not close the sockets, and waits for them.
    pub fn stop(&self) {
        self.live.stop();
    }
}

/// The longest wait for denials to be stored: the database may hang.
const FLUSH: Duration = Duration::from_secs(10);

/// Waits for the signal by which the operator ends the service.
async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = future::pending::<Option<()>>();
    tokio::select! {
        _ = terminated => {}
        Ok(()) = signal::ctrl_c() => {}
    }
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The database is not for the demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// There can be no sessions.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// There is no thread that writes the audit log.
    #[error("cannot start to write the audit log")]
    Audit(#[source] io::Error),
    /// The authorization is not complete.
    #[error("cannot set up the authorization")]
    Auth(#[from] AuthConfigError),
    /// The routes are not as they are documented.
    #[error("cannot document the routes")]
    Document(#[from] DocumentError),
}
