//! The command line of the service.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use auth_core::mechanism::{
    ForwardedHeader, InvalidProxy, TrustedProxies,
    session::{InvalidOrigin, PublicOrigin},
};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use energy_service::{
    Config, Service, StartError,
    clients::ClientLimits,
    database::{Database, DatabaseError, Limits, Location, LocationError},
    demo,
    error::{ServiceError, chain},
    import::{ImportError, World, import, import_with_tokens},
    passwords::{self, SetPasswordError},
    sessions::{SessionConfig, SessionError},
};
use tracing_subscriber::EnvFilter;

/// Serves accounts, users, assets, sensors and measurements over HTTP.
///
/// The environment variable `RUST_LOG` sets the filter of the log, for example `RUST_LOG=info,auth=debug`.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests; this is the default
    Serve(ServeArguments),
    /// Store a world of a file in an empty database, with the ids that the file gives
    Import(ImportArguments),
    /// Give a user another password, which is read from the standard input, and end all log-ins of the user
    SetPassword(SetPasswordArguments),
    /// Print every route with its guards and policies; fails where a guarded handler is registered nowhere
    Guards(GuardsArguments),
}

#[derive(Args)]
struct ServeArguments {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    bind: SocketAddr,
    /// The database: a file, made when missing; `:memory:`, which ends with the service; or, if the service is
    /// built with that feature, the URL of a database in `PostgreSQL` (`postgres://…`) or `MariaDB` (`mysql://…`)
    // A URL may have a password in it, which `--help` must not show. Nor may clap's message about a value that it cannot
    // parse, so that is done later.
    #[arg(
        long,
        value_name = "FILE or URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = ":memory:"
    )]
    database: String,
    /// The number of connections to the database
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = value_parser!(u32).range(1..=1000))]
    pool_size: u32,
    /// How long a request waits for a free connection, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000, value_parser = value_parser!(u64).range(1..=600_000))]
    pool_wait: u64,
    /// How long a `PostgreSQL` may take to let a connection in, in milliseconds; as whole seconds, at least 2
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000, value_parser = value_parser!(u64).range(1..=600_000))]
    connect_wait: u64,
    /// How long a statement may take, or wait for locks, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000, value_parser = value_parser!(u64).range(1..=600_000))]
    statement_wait: u64,
    /// How long a guard waits for mechanisms and loads, and a handler for its work with the database, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 15_000, value_parser = value_parser!(u64).range(1..=600_000))]
    answer_wait: u64,
    /// How long the head of a request may take, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000, value_parser = value_parser!(u64).range(1..=600_000))]
    head_wait: u64,
    /// How long a body may take, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 30_000, value_parser = value_parser!(u64).range(1..=600_000))]
    body_wait: u64,
    /// The most connections of clients at once
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// A proxy in front of the service, or a network of them, as in `127.0.0.1` or `10.0.0.0/8`; may be given several times.
    /// Its header has the address of a client, for which attempts to log in are limited; without them it is the other end
    /// of the connection
    #[arg(long, value_name = "ADDRESS|NETWORK", value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    /// The header in which these proxies say it: `x-forwarded-for`, `x-real-ip` or `forwarded`
    #[arg(long, value_name = "HEADER", default_value = ForwardedHeader::default().name(), requires = "trusted_proxy")]
    proxy_header: ForwardedHeader,
    /// Fill an empty database with accounts, users, assets and a week of measurements to try
    #[arg(long)]
    demo: bool,
    /// The key with which cookies of sessions are encrypted: at least 64 bytes as hexadecimal digits or Base64, as
    /// `openssl rand -hex 64` makes them; left out, sessions end with the service
    #[arg(long, value_name = "KEY", env = "SESSION_KEY", hide_env_values = true)]
    session_key: Option<String>,
    /// A Redis for sessions, which several instances share, as in `redis://127.0.0.1:6379`
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
    /// Where people find the service with their browsers, as in `https://energy.example.com`: behind a proxy that ends TLS
    #[arg(long, value_name = "URL", env = "PUBLIC_URL", value_parser = public_url)]
    public_url: Option<PublicOrigin>,
    /// Let browsers send the cookie of the session without TLS; they may to the demo, if its public URL has none
    #[arg(long)]
    insecure_cookies: bool,
}

#[derive(Args)]
struct SetPasswordArguments {
    /// The email address with which the user logs in
    email: String,
    /// The database: a file, or the URL of a server
    #[arg(long, value_name = "FILE|URL", env = "DATABASE_URL", hide_env_values = true)]
    database: String,
}

#[derive(Args)]
struct GuardsArguments {
    /// As a table for a terminal, as one in Markdown, or as JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

#[derive(Args)]
struct ImportArguments {
    /// A file of worlds: `{"worlds": [{"name": …, "accounts": […], …}]}`
    file: PathBuf,
    /// The name of the world in the file
    #[arg(long, value_name = "NAME")]
    world: String,
    /// The empty database: a file, made when missing, or the URL of a server
    #[arg(long, value_name = "FILE|URL", env = "DATABASE_URL", hide_env_values = true)]
    database: String,
    /// Log each user in, and print the tokens as JSON: `{"<id of the user>": "<token>", …}`
    #[arg(long)]
    print_tokens: bool,
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
    let done = match arguments.command {
        None => serve(arguments.serve).await,
        Some(Command::Serve(arguments)) => serve(arguments).await,
        Some(Command::Import(arguments)) => import_world(&arguments),
        Some(Command::SetPassword(arguments)) => set_password(&arguments),
        Some(Command::Guards(arguments)) => print_guards(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("energy-service: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: ServeArguments) -> Result<(), CommandError> {
    let ServeArguments {
        bind,
        database,
        pool_size,
        pool_wait,
        connect_wait,
        statement_wait,
        answer_wait,
        head_wait,
        body_wait,
        connections,
        trusted_proxy,
        proxy_header,
        demo,
        session_key,
        redis,
        public_url,
        insecure_cookies,
    } = arguments;
    let database: Location = database.parse()?;
    // Not parsed by clap, whose messages would show them: these are secret.
    let (key, redis) = (session_key.as_deref().map(str::parse), redis.as_deref().map(str::parse));
    let (key, redis) = (key.transpose()?, redis.transpose()?);
    allow_files();
    // Early, so that a second service on the same port does not touch the database.
    let listener = TcpListener::bind(bind).map_err(|source| CommandError::Listen { bind, source })?;
    let address = listener.local_addr().map_err(|source| CommandError::Listen { bind, source })?;
    if database == Location::Memory {
        tracing::info!("the database is in memory and ends with the service; --database FILE keeps it");
    }
    let config = Config {
        database,
        pool_size,
        pool_wait: Duration::from_millis(pool_wait),
        limits: Limits {
            connect: Duration::from_millis(connect_wait),
            statement: Duration::from_millis(statement_wait),
            answer: Duration::from_millis(answer_wait),
        },
        clients: ClientLimits {
            head: Duration::from_millis(head_wait),
            body: Duration::from_millis(body_wait),
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
        },
        proxies: TrustedProxies::new(proxy_header, &trusted_proxy)?,
        demo,
        sessions: SessionConfig {
            key,
            redis,
            insecure_cookies: insecure_cookies
                || demo && !public_url.as_ref().is_some_and(PublicOrigin::is_https),
        },
        public_url,
        ..Config::default()
    };
    let service = Service::open(&config)?;
    if !demo {
        service.refuse_public_passwords().await?;
    }
    let registered = service.guards().await;
    if !registered.is_complete() {
        return Err(CommandError::Guards(registered.to_string()));
    }
    service.reach_sessions().await?;
    // Made before the first request needs it.
    service.openapi().await.map_err(StartError::from)?;
    let server = service.start(listener).map_err(CommandError::Serve)?;
    tracing::info!("listening on http://{address}");
    say_how_browsers_log_in(&config, address);
    if config.public_url.is_some() && address.ip().is_loopback() && config.proxies.is_empty() {
        tracing::warn!(
            "the proxy that makes {address} public is not trusted: all clients share the limit of log-ins of its address; \
             name it by --trusted-proxy ADDRESS"
        );
    }
    if demo {
        if is_open_to_others(&config, address) {
            tracing::warn!("everyone knows the passwords of the demo, and {address} may be open to everyone");
        }
        println!("{}", demo::instructions(&service, address).map_err(CommandError::Instructions)?);
    }
    let ended = server.await.map_err(CommandError::Serve);
    if let Err(error) = service.flush() {
        tracing::error!(error = %chain(&error), "the last denials are not in the audit log");
    }
    ended
}

/// A path would be lost: the service answers every path of its host.
fn public_url(text: &str) -> Result<PublicOrigin, InvalidOrigin> {
    text.strip_suffix('/').unwrap_or(text).parse()
}

/// Whether other machines reach the service.
fn is_open_to_others(config: &Config, address: SocketAddr) -> bool {
    config.public_url.is_some() || !address.ip().is_loopback()
}

/// A browser that does not send the cookie of a log-in back would fail to log in, without any message.
fn say_how_browsers_log_in(config: &Config, address: SocketAddr) {
    let insecure = config.sessions.insecure_cookies;
    match &config.public_url {
        Some(url) => tracing::info!("browsers log in at {url}"),
        None if insecure => {}
        None => tracing::info!(
            "browsers log in by TLS, or on this machine: name what a proxy makes of this service by --public-url URL, or let the \
             cookie of the session go without TLS by --insecure-cookies"
        ),
    }
    if insecure && is_open_to_others(config, address) {
        tracing::warn!("the cookies of sessions go without TLS: anybody on their way can take a log-in over");
    }
}

/// Each connection is a file. Many systems allow a process few of them, for old programs that cannot use more, and more
/// if it raises its limit.
fn allow_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::warn!(%error, "the service may open no more files than before");
        }
    }
}

/// Prints only the tokens, so that a program can read them.
fn import_world(arguments: &ImportArguments) -> Result<(), CommandError> {
    let ImportArguments { file, world, database, print_tokens } = arguments;
    let database: Location = database.parse()?;
    if database == Location::Memory {
        return Err(CommandError::DatabaseInMemory);
    }
    let world = World::read(file, world)?;
    let database = Database::open(&database, 1, Duration::from_secs(2))?;
    if *print_tokens {
        let tokens = import_with_tokens(&world, &database)?;
        let texts: BTreeMap<_, _> = tokens.iter().map(|(id, token)| (id, token.as_str())).collect();
        let json = serde_json::to_string(&texts).map_err(io::Error::from);
        json.and_then(|json| writeln!(io::stdout(), "{json}")).map_err(CommandError::Tokens)?;
    } else {
        import(&world, &database)?;
    }
    tracing::info!(world = world.name, "imported");
    Ok(())
}

/// The password is no argument: other users of a machine see the arguments of a process, and a shell keeps them.
fn set_password(arguments: &SetPasswordArguments) -> Result<(), CommandError> {
    let SetPasswordArguments { email, database } = arguments;
    let database: Location = database.parse()?;
    if database == Location::Memory {
        return Err(CommandError::DatabaseInMemory);
    }
    if io::stdin().is_terminal() {
        eprintln!("The new password, which is shown as it is typed:");
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(CommandError::ReadPassword)?;
    let password = line.trim_end_matches(['\r', '\n']);
    let database = Database::open(&database, 1, Duration::from_secs(2))?;
    passwords::set(email, password, &database)?;
    tracing::info!("the password is set, and all log-ins of the user have ended");
    Ok(())
}

/// Needs no database: the routes are the same with each.
async fn print_guards(GuardsArguments { format }: GuardsArguments) -> Result<(), CommandError> {
    let service = Service::open(&Config::default())?;
    let registered = service.guards().await;
    let report = registered.report();
    let text = match format {
        Format::Text => report.to_string(),
        Format::Markdown => report.to_markdown(),
        Format::Json => report.to_json() + "\n",
    };
    write!(io::stdout(), "{text}").map_err(CommandError::Print)?;
    if registered.is_complete() { Ok(()) } else { Err(CommandError::Guards(registered.to_string())) }
}

/// Why the service ended.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("cannot listen on {bind} (choose another address with --bind)")]
    Listen { bind: SocketAddr, source: io::Error },
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Sessions(#[from] SessionError),
    #[error("cannot read the demo world")]
    Instructions(#[source] ServiceError),
    #[error("the server failed")]
    Serve(#[source] io::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("a database in memory ends with this command: name another with --database")]
    DatabaseInMemory,
    #[error("cannot read the password")]
    ReadPassword(#[source] io::Error),
    #[error(transparent)]
    SetPassword(#[from] SetPasswordError),
    #[error("cannot print the tokens")]
    Tokens(#[source] io::Error),
    #[error("cannot print the report")]
    Print(#[source] io::Error),
    #[error("the guards are not complete:\n{0}")]
    Guards(String),
}
