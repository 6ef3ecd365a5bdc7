//! The command line of the service.

use std::{
    io::{self, IsTerminal},
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, value_parser};
use energy_service::{
    Config, Service, StartError,
    database::Location,
    demo,
    error::{ServiceError, chain},
};
use tracing_subscriber::EnvFilter;

/// Serves accounts, users, assets, sensors and measurements over HTTP.
///
/// What is logged is set by the environment variable `RUST_LOG`, for example `RUST_LOG=info,auth=debug`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    bind: SocketAddr,
    /// The file of the database, made when missing; `:memory:` for one that ends with the service
    #[arg(long, value_name = "FILE", env = "DATABASE_URL", default_value = ":memory:")]
    database: Location,
    /// The number of connections to the database
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = value_parser!(u32).range(1..=1000))]
    pool_size: u32,
    /// How long a request waits for a free connection, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000, value_parser = value_parser!(u64).range(1..=600_000))]
    pool_wait: u64,
    /// Fill an empty database with accounts, users, assets and a week of measurements to try
    #[arg(long)]
    demo: bool,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("energy-service: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), CommandError> {
    let Arguments { bind, database, pool_size, pool_wait, demo } = arguments;
    // First, so that a second service on the same port does not touch the database.
    let listener = TcpListener::bind(bind).map_err(|source| CommandError::Listen { bind, source })?;
    let address = listener.local_addr().map_err(|source| CommandError::Listen { bind, source })?;
    if database == Location::Memory {
        tracing::info!("the database is in memory and ends with the service; --database FILE keeps it");
    }
    let config = Config {
        database,
        pool_size,
        pool_wait: Duration::from_millis(pool_wait),
        demo,
        ..Config::default()
    };
    let service = Service::open(&config)?;
    let server = service.start(listener).map_err(CommandError::Serve)?;
    tracing::info!("listening on http://{address}");
    if demo {
        if !address.ip().is_loopback() {
            tracing::warn!("everyone knows the passwords of the demo, and {address} may be open to everyone");
        }
        println!("{}", demo::instructions(&service, address).map_err(CommandError::Instructions)?);
    }
    server.await.map_err(CommandError::Serve)
}

/// Why the service ended.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("cannot listen on {bind} (choose another address with --bind)")]
    Listen { bind: SocketAddr, source: io::Error },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot read the demo world")]
    Instructions(#[source] ServiceError),
    #[error("the server failed")]
    Serve(#[source] io::Error),
}
