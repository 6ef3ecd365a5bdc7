//! What a guard costs the compiler: `cargo check` of a crate with 0, 100 and 200 handlers, each without a guard, with
//! one that asks for nothing but a caller, and with one that loads a context.
//!
//! ```sh
//! cargo bench -p auth-benches --bench compile
//! ```
//!
//! Counts what the compiler needs for that crate alone; its dependencies are checked before. The count is of
//! instructions, where `perf` can count them: they repeat. Else it is of CPU time, in milliseconds.
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

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let krate = Crate::new(workspace)?;
    krate.write(Kind::Unguarded, 0)?;
    krate.check()?;
    let (count, unit) = if counts_instructions() {
        (Crate::instructions as fn(&Crate) -> Result<f64, Box<dyn Error>>, "million instructions")
    } else {
        (Crate::milliseconds as fn(&Crate) -> Result<f64, Box<dyn Error>>, "ms of CPU")
    };
    println!("`cargo check`, {unit}");
    for kind in Kind::ALL {
        let mut counts: Vec<f64> = Vec::new();
        for handlers in [0, 100, 200] {
            krate.write(kind, handlers)?;
            counts.push(count(&krate)?);
        }
        let [none, hundred, all] = counts[..] else { return Err("three counts".into()) };
        let each = (all - none) / 200.0;
        println!("{:46} 0: {none:7.0}  100: {hundred:7.0}  200: {all:7.0}  each: {each:6.2}", kind.name());
    }
    Ok(())
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

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
        command
    }

    fn check(&self) -> Result<(), Box<dyn Error>> {
        let status = self.command(&cargo()).args(["check", "--quiet"]).status()?;
        status.success().then_some(()).ok_or_else(|| "the crate does not compile".into())
    }

    fn instructions(&self) -> Result<f64, Box<dyn Error>> {
        let output = self
            .command("perf")
            .args([
                "stat",
                "--field-separator",
                ",",
                "--event",
                "instructions:u",
                &cargo(),
                "check",
                "--quiet",
            ])
            .output()?;
        let text = String::from_utf8(output.stderr)?;
        let line = text.lines().find(|line| line.contains("instructions:u")).ok_or_else(|| text.clone())?;
        let count: f64 = line.split(',').next().unwrap_or_default().parse()?;
        Ok(count / 1e6)
    }

    fn milliseconds(&self) -> Result<f64, Box<dyn Error>> {
        let before = children()?;
        self.check()?;
        Ok((children()? - before) * 10.0)
    }
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn counts_instructions() -> bool {
    let output = Command::new("perf").args(["stat", "--event", "instructions:u", "true"]).output();
    output.is_ok_and(|output| {
        output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("not supported")
    })
}

/// The CPU time of this process's children, user and system, in ticks of 10 ms.
fn children() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let [user, system] =
        [13, 14].map(|field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()));
    Ok(user.ok_or("no user time")? + system.ok_or("no system time")?)
}
