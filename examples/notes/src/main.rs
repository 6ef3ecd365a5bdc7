//! The service to copy: notes of accounts, with log-ins, and shares that end.
//!
//! `cargo run -p notes` starts it on a database in memory, and `cargo run -p notes -- notes.sqlite` on a file. Read on in
//! this order: `auth`, who the caller is; `notes`, the policies and their routes; `database` and `error`.

mod auth;
mod database;
mod error;
mod notes;
#[cfg(test)]
mod tests;

use std::{env, error::Error};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::web::{Data, JsonConfig, PathConfig, QueryConfig};
use actix_web::{HttpServer, cookie::Key};
use auth_core::mechanism::{BearerToken, PasswordLogIn, SessionCookie};
use auth_core::{Auth, AuthError, ProtectedApp, ProtectedConfig, ProtectedScope};

use crate::{auth::LoggedIn, database::Database};

const ADDRESS: &str = "127.0.0.1:5002";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let service = Service::open(env::args().nth(1).as_deref().unwrap_or(":memory:"))?;
    let server = HttpServer::new(move || ProtectedApp::new().configure(|config| service.configure(config)));
    let log_in = format!(r#"{{"email": "mia@mill.example", "password": "{}"}}"#, database::SEED_PASSWORD);
    println!("curl -H 'Content-Type: application/json' -d '{log_in}' http://{ADDRESS}/log-in");
    Ok(server.bind(ADDRESS)?.run().await?)
}

#[derive(Clone)]
struct Service {
    database: Database,
    auth: Auth,
    log_in: PasswordLogIn<LoggedIn>,
    session_key: Key,
}

impl Service {
    fn open(file: &str) -> Result<Self, Box<dyn Error>> {
        let database = Database::open(file)?;
        let pool = || database.pool.clone();
        Ok(Self {
            auth: Auth::builder()
                .mechanism(BearerToken::<LoggedIn>::new(pool()))
                .mechanism(SessionCookie::<LoggedIn>::new(pool()))
                .connections(pool())
                .build()?,
            log_in: PasswordLogIn::new(pool()),
            // A new key ends all sessions: read it from a configuration, if they are to survive a restart.
            session_key: Key::generate(),
            database,
        })
    }

    /// Registers all routes. A handler without a guard would not compile here.
    fn configure(&self, config: &mut ProtectedConfig<'_>) {
        let routes = ProtectedScope::new("")
            .wrap(SessionMiddleware::new(CookieSessionStore::default(), self.session_key.clone()))
            .service(auth::log_in)
            .service(auth::log_out)
            .service(notes::list)
            .service(notes::create)
            .service(notes::view)
            .service(notes::change)
            .service(notes::delete)
            .service(notes::share)
            .service(notes::revoke);
        config
            .app_data(self.auth.clone())
            .app_data(Data::new(self.database.clone()))
            .app_data(Data::new(self.log_in.clone()))
            .app_data(JsonConfig::default().error_handler(|error, _| error::invalid(&error)))
            .app_data(QueryConfig::default().error_handler(|error, _| error::invalid(&error)))
            .app_data(PathConfig::default().error_handler(|_, _| AuthError::NotFound.into()))
            .service(routes);
    }
}
