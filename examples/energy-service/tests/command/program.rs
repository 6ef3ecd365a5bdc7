//! The program in a process of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// The longest wait for an event that has to take place.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_energy-service"));
    for variable in ["DATABASE_URL", "PUBLIC_URL", "REDIS_URL", "SESSION_KEY"] {
        command.env_remove(variable);
    }
    command.args(arguments).env("RUST_LOG", "info").stderr(Stdio::piped());
    command
}

/// Whether the program ended as it should, and its output.
pub(crate) fn run(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = program(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // If the program ends before it reads, its status reports that.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// The reason that the program gives for not serving.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let (served, said) = run(&[&["--bind", "127.0.0.1:0"], arguments].concat(), "");
    assert!(!served && !said.contains("listening on"), "{arguments:?}: {said}");
    said
}

/// The program as it serves on an address of this machine, until this is dropped.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = program(&[&["--bind", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (sender, listening) = mpsc::channel();
        let written = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on http://") {
                    let _ = sender.send(address.parse().unwrap());
                }
                written.lock().unwrap().push(line);
            }
        });
        match listening.recv_timeout(PATIENCE) {
            Ok(address) => Self { child, address, said },
            Err(error) => {
                let _ = child.kill();
                panic!("{arguments:?}: {error}: {:#?}", said.lock().unwrap());
            }
        }
    }

    /// Its log until now.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// The status of a log-in by the form, and the cookie that it sets.
    pub(crate) fn log_in(&self, email: &str, password: &str) -> (u16, Option<String>) {
        let form = format!("email={email}&password={}", password.replace(' ', "+"));
        let answer = self.ask("POST /log-in", "Content-Type: application/x-www-form-urlencoded", &form);
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        (status(&answer), cookie.map(str::to_owned))
    }

    pub(crate) fn token(&self, email: &str, password: &str) -> String {
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        let answer = self.ask("POST /api/requestAuthToken", "Content-Type: application/json", &body);
        let (_, rest) = answer.split_once(r#""auth_token":""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn status_with_token(&self, token: &str) -> u16 {
        status(&self.ask("GET /api/v3_0/users/me", &format!("Authorization: Bearer {token}"), ""))
    }

    fn ask(&self, line: &str, header: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        write!(stream, "{head}Content-Length: {length}\r\n{header}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file for the database of one test, in a folder that is removed when this is dropped.
pub(crate) struct DatabaseFile(PathBuf);

impl DatabaseFile {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("energy-command-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> String {
        self.0.join("energy.sqlite").to_str().unwrap().to_owned()
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
