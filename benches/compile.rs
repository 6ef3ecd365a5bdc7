//! What guards and derives cost the compiler: `cargo check` of a crate with 0, 100 and 200 handlers, each without a guard,
//! with one that needs nothing but a caller, and with one that loads a context; of a crate with 0 and 100 models, each with
//! one derive more; of a crate with 50 policies, for each kind of term; and a clean build of `auth-macros`. Fails where the
//! derives of a model or a term exceed their budget.
//!
//! ```sh
//! cargo bench -p auth-benches --bench compile
//! cargo bench -p auth-benches --bench compile -- models
//! cargo bench -p auth-benches --bench compile -- terms
//! ```
//!
//! Counts the instructions of rustc for that crate alone under Valgrind, which repeat; its dependencies are checked
//! before. Beside them stands the CPU time of `cargo check`, in milliseconds.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

#[path = "compile/terms.rs"]
mod terms;

use std::{
    env,
    error::Error,
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

/// What is written for each model.
#[derive(Clone, Copy)]
enum Model {
    Table,
    Row,
    Loaded,
    Decided,
}

impl Model {
    const ALL: [Self; 4] = [Self::Table, Self::Row, Self::Loaded, Self::Decided];

    fn name(self) -> &'static str {
        match self {
            Self::Table => "table!",
            Self::Row => "+ Queryable, Selectable",
            Self::Loaded => "+ LoadContext",
            Self::Decided => "+ AuthModel",
        }
    }

    fn source(self, number: usize) -> String {
        let table = format!(
            "
diesel::table! {{
    notes_{number} (id) {{
        id -> Integer,
        account_id -> Integer,
        owner_id -> Nullable<Integer>,
        text -> Text,
    }}
}}
"
        );
        let (derives, policy) = match self {
            Self::Table => return table,
            Self::Row => ("", ""),
            Self::Loaded => (", LoadContext", ""),
            Self::Decided => (
                ", LoadContext, AuthModel",
                "#[acl(read = account(account_id), update = user(owner_id) | account(account_id) & role(\"editor\"))]\n",
            ),
        };
        format!(
            "{table}
#[derive(Queryable, Selectable{derives})]
#[diesel(table_name = notes_{number}, check_for_backend(Sqlite))]
{policy}pub struct Note{number} {{
    id: i32,
    account_id: i32,
    owner_id: Option<i32>,
    text: String,
}}
"
        )
    }
}

/// What `LoadContext` and `AuthModel` of a model may cost together, as a part of what its `table!` costs.
const DERIVES: f64 = 0.4;

const HANDLERS: &str = r#"
actix-web = { version = "4", default-features = false, features = ["macros"] }
auth-core = { path = "AUTH_CORE", default-features = false }
"#;

const MODELS: &str = r#"
auth-core = { path = "AUTH_CORE", default-features = false, features = ["diesel"] }
diesel = { version = "2", default-features = false, features = ["sqlite"] }
"#;

const MODELS_HEAD: &str = "#![allow(unused)]
use auth_core::{AuthModel, LoadContext};
use diesel::{prelude::*, sqlite::Sqlite};
";

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
    if env::args().any(|argument| argument == "handlers") {
        return handlers(workspace);
    }
    if env::args().any(|argument| argument == "models") {
        return models(workspace);
    }
    if env::args().any(|argument| argument == "terms") {
        return terms::measure(workspace);
    }
    let seconds = macros(workspace)? / 1e3;
    println!("a clean build of `auth-macros`: {seconds:.1} s of CPU (budget: 6)\n");
    handlers(workspace)?;
    println!();
    models(workspace)?;
    println!();
    terms::measure(workspace)
}

/// What a guard costs.
fn handlers(workspace: &Path) -> Result<(), Box<dyn Error>> {
    let krate = Crate::new(workspace, "handlers", HANDLERS)?;
    krate.check("")?;
    let mut get = None;
    for kind in Kind::ALL {
        let each = krate.each(kind.name(), [0, 100, 200], |handlers| {
            let mut source = HEAD.to_owned();
            source.extend((0..handlers).map(|number| kind.handler(number)));
            source.push_str("pub fn configure(config: &mut web::ServiceConfig) {\n");
            source.extend((0..handlers).map(|number| format!("    config.service(view_{number});\n")));
            source.push_str("}\n");
            source
        })?;
        match get {
            None => get = Some(each),
            Some(get) => {
                println!("  the guard adds {:.2} × what `#[get]` costs (budget: 1)", (each - get) / get);
            }
        }
    }
    Ok(())
}

/// What the derives of a model cost.
fn models(workspace: &Path) -> Result<(), Box<dyn Error>> {
    let krate = Crate::new(workspace, "models", MODELS)?;
    krate.check("")?;
    let mut each = Vec::new();
    for model in Model::ALL {
        each.push(krate.each(model.name(), [0, 100], |models| {
            let mut source = MODELS_HEAD.to_owned();
            source.extend((0..models).map(|number| model.source(number)));
            source
        })?);
    }
    let [table, row, _, decided] = each[..] else { return Err("four counts".into()) };
    let times = (decided - row) / table;
    println!("  `LoadContext` and `AuthModel` add {times:.2} × what `table!` costs (budget: {DERIVES})");
    if times > DERIVES {
        return Err("the derives of a model cost the compiler too much".into());
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
    let compiles = arguments.windows(2).any(|two| two == ["--crate-name", "measured"]);
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
    fn new(workspace: &Path, name: &str, dependencies: &str) -> Result<Self, Box<dyn Error>> {
        let folder = workspace.join("target").join(name);
        fs::create_dir_all(folder.join("src"))?;
        let core = workspace.join("auth-core");
        let dependencies = dependencies.replace("AUTH_CORE", core.to_str().ok_or("no UTF-8")?);
        fs::write(
            folder.join("Cargo.toml"),
            format!(
                "[package]\nname = \"measured\"\nedition = \"2024\"\n\n[dependencies]{dependencies}\n[workspace]\n"
            ),
        )?;
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(Self { folder })
    }

    /// What each of the items of `source` costs, in millions of instructions.
    fn each<const COUNTS: usize>(
        &self,
        name: &str,
        numbers: [u16; COUNTS],
        source: impl Fn(usize) -> String,
    ) -> Result<f64, Box<dyn Error>> {
        println!("{name}");
        let mut counts = Vec::new();
        for number in numbers {
            let count = self.count(&source(number.into()))?;
            println!(
                "{number:6}: {:7.1} million instructions, {:5.0} ms of CPU",
                count.instructions, count.milliseconds
            );
            counts.push((f64::from(number), count));
        }
        let (Some((_, none)), Some((number, all))) = (counts.first(), counts.last()) else {
            return Err("no counts".into());
        };
        let each = (all.instructions - none.instructions) / number;
        let milliseconds = (all.milliseconds - none.milliseconds) / number;
        println!("  each: {each:7.2} million instructions, {milliseconds:5.2} ms of CPU");
        Ok(each)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.folder).env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
        command
    }

    fn check(&self, source: &str) -> Result<(), Box<dyn Error>> {
        fs::write(self.folder.join("src/lib.rs"), source)?;
        check(&mut self.command())
    }

    /// Checks the crate twice: for the time, and under Valgrind.
    fn count(&self, source: &str) -> Result<Count, Box<dyn Error>> {
        let before = children()?;
        self.check(source)?;
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
