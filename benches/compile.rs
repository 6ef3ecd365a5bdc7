//! What a guard costs the compiler: `cargo check` of a crate with 0, 100 and 200 handlers, each without a guard, with
//! one that asks for nothing but a caller, and with one that loads a context; and a clean build of `auth-macros`.
//!
//! ```sh
//! cargo bench -p auth-benches --bench compile
//! ```
//!
//! Counts the instructions of rustc for that crate alone under Valgrind, which repeat; its dependencies are checked
//! before. Beside them stands the CPU time of `cargo check`, in milliseconds.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How each handler of a crate is written.
#[derive(Clone, Copy)]
enum Kind {
    Unguarded,
    Authenticated,
    Context,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Unguarded, Self::Authenticated, Self::Context];

    fn name(self) -> &'static str {
        match self {
            Self::Unguarded => "#[get]",
            Self::Authenticated => "#[auth_required] #[get]",
            Self::Context => "#[permission_required_for_context(…)] #[get]",
        }
    }

    fn handler(self, number: usize) -> String {
        match self {
            Self::Unguarded => format!(
                r#"
#[get("/{number}/notes/{{note_id}}")]
async fn view_{number}(note_id: web::Path<i32>) -> impl Responder {{ note_id.to_string() }}
"#
            ),
            Self::Authenticated => format!(
                r#"
#[auth_required]
#[get("/{number}/notes/{{note_id}}")]
async fn view_{number}(note_id: web::Path<i32>) -> impl Responder {{ note_id.to_string() }}
"#
            ),
            Self::Context => format!(
                r#"
#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/{number}/notes/{{note_id}}")]
async fn view_{number}(note: Note) -> impl Responder {{ note.0.to_string() }}
"#
            ),
        }
    }
}

const MANIFEST: &str = r#"[package]
name = "handlers"
edition = "2024"

[dependencies]
actix-web = { version = "4", default-features = false, features = ["macros"] }
auth-core = { path = "AUTH_CORE", default-features = false }

[workspace]
"#;

const HEAD: &str = r"#![allow(unused)]
use actix_web::{Responder, get, web};
use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, allow, auth_required,
    every_logged_in_user, permission_required_for_context,
};

pub struct Note(i32);

impl LoadContext for Note {
    type Id = i32;
    type Connection = NoConnection;

    fn load(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> { Ok(Self(id)) }
}

impl AuthModel for Note {
    fn acl(&self) -> impl Acl { allow(Permission::READ, every_logged_in_user()) }
}
";

/// Says to the process that Cargo starts instead of rustc where Valgrind writes its count.
const LOG: &str = "AUTH_BENCHES_VALGRIND_LOG";

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(log) = env::var(LOG) {
        return instead_of_rustc(&log);
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let seconds = macros(workspace)? / 1e3;
    println!("a clean build of `auth-macros`: {seconds:.1} s of CPU (budget: 6)\n");
    let krate = Crate::new(workspace)?;
    krate.write(Kind::Unguarded, 0)?;
    krate.check()?;
    let mut get = None;
    for kind in Kind::ALL {
        println!("{}", kind.name());
        let mut counts: Vec<Count> = Vec::new();
        for handlers in [0, 100, 200] {
            krate.write(kind, handlers)?;
            let count = krate.count()?;
            println!(
                "{handlers:6}: {:7.1} million instructions, {:5.0} ms of CPU",
                count.instructions, count.milliseconds
            );
            counts.push(count);
        }
        let [none, _, all] = counts[..] else { return Err("three counts".into()) };
        let each = (all.instructions - none.instructions) / 200.0;
        let milliseconds = (all.milliseconds - none.milliseconds) / 200.0;
        println!("  each: {each:7.2} million instructions, {milliseconds:5.2} ms of CPU");
        match get {
            None => get = Some(each),
            Some(get) => {
                println!("  the guard adds {:.2} × what `#[get]` costs (budget: 1)", (each - get) / get);
            }
        }
    }
    Ok(())
}

/// What the compiler needs: instructions in millions, and CPU time.
#[derive(Clone, Copy)]
struct Count {
    instructions: f64,
    milliseconds: f64,
}

/// Starts rustc, whose path is the first argument, for Cargo: under Valgrind where it compiles the crate.
fn instead_of_rustc(log: &str) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let compiles = arguments.windows(2).any(|two| two == ["--crate-name", "handlers"]);
    let mut command = if compiles {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(format!("--log-file={log}"));
        valgrind.args(&arguments);
        valgrind
    } else {
        let (rustc, arguments) = arguments.split_first().ok_or("no rustc")?;
        let mut command = Command::new(rustc);
        command.args(arguments);
        command
    };
    let status = command.status()?;
    status.success().then_some(()).ok_or_else(|| "rustc failed".into())
}

/// The CPU time of a build of `auth-macros` and all that it needs, in milliseconds.
fn macros(workspace: &Path) -> Result<f64, Box<dyn Error>> {
    let target = workspace.join("target/macros");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let before = children()?;
    let status = Command::new(cargo())
        .current_dir(workspace)
        .env_remove("RUSTFLAGS")
        .args(["build", "--quiet", "--package", "auth-macros", "--target-dir"])
        .arg(target)
        .status()?;
    if !status.success() {
        return Err("auth-macros does not build".into());
    }
    Ok((children()? - before) * 10.0)
}

/// A crate of its own, below the target folder of the workspace.
struct Crate {
    folder: PathBuf,
}

impl Crate {
    fn new(workspace: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = workspace.join("target/handlers");
        fs::create_dir_all(folder.join("src"))?;
        let core = workspace.join("auth-core");
        fs::write(
            folder.join("Cargo.toml"),
            MANIFEST.replace("AUTH_CORE", core.to_str().ok_or("no UTF-8")?),
        )?;
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(Self { folder })
    }

    fn write(&self, kind: Kind, handlers: usize) -> Result<(), Box<dyn Error>> {
        let mut source = HEAD.to_owned();
        for number in 0..handlers {
            source.push_str(&kind.handler(number));
        }
        writeln!(source, "pub fn configure(config: &mut web::ServiceConfig) {{")?;
        for number in 0..handlers {
            writeln!(source, "    config.service(view_{number});")?;
        }
        source.push_str("}\n");
        Ok(fs::write(self.folder.join("src/lib.rs"), source)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.folder).env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
        command
    }

    fn check(&self) -> Result<(), Box<dyn Error>> {
        check(&mut self.command())
    }

    /// Checks the crate twice: for the time, and under Valgrind.
    fn count(&self) -> Result<Count, Box<dyn Error>> {
        let before = children()?;
        self.check()?;
        let milliseconds = (children()? - before) * 10.0;
        let log = self.folder.join("valgrind.log");
        check(self.command().env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?).env(LOG, &log))?;
        let log = fs::read_to_string(log)?;
        let line =
            log.lines().find_map(|line| line.split_once("Collected : ")).ok_or("Valgrind did not count")?;
        let instructions: f64 = line.1.trim().parse()?;
        Ok(Count { instructions: instructions / 1e6, milliseconds })
    }
}

fn check(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.args(["check", "--quiet"]).status()?;
    status.success().then_some(()).ok_or_else(|| "the crate does not compile, or there is no Valgrind".into())
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The CPU time of this process's children, user and system, in ticks of 10 ms.
fn children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let [user, system] =
        [13, 14].map(|field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()));
    Ok(user.ok_or("no user time")? + system.ok_or("no system time")?)
}
