//! The program in a process of its own, and a folder for its files.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

mod folder;
mod footprint;

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

pub(crate) use self::folder::Folder;

/// The longest wait for an event that has to take place.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_energy-service");

/// The program with these arguments, which writes its log to standard error. What configures it in the environment of
/// the tests does not reach it.
pub(crate) fn program(arguments: &[&str]) -> Command {
    configured(Command::new(PROGRAM), arguments)
}

fn configured(mut command: Command, arguments: &[&str]) -> Command {
    for variable in ["DATABASE_URL", "PUBLIC_URL", "REDIS_URL", "SESSION_KEY"] {
        command.env_remove(variable);
    }
    command.args(arguments).env("RUST_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The program as it serves, on a port of its own. It is ended when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::listen(program(arguments))
    }

    /// With the demo world.
    pub(crate) fn demo(arguments: &[&str]) -> Self {
        Self::start(&[&["--demo"], arguments].concat())
    }

    /// With the demo world, known outside by this URL.
    pub(crate) fn demo_at(public_url: &str, arguments: &[&str]) -> Self {
        let mut command = program(&[&["--demo"], arguments].concat());
        command.env("PUBLIC_URL", public_url);
        Self::listen(command)
    }

    /// With the demo world, and with these limits of open files: one that holds, and one up to which the program may raise
    /// it.
    pub(crate) fn demo_with_files(limits: &str, arguments: &[&str]) -> Self {
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={limits}")).arg(PROGRAM);
        Self::listen(configured(limited, &[&["--demo"], arguments].concat()))
    }

    fn listen(mut command: Command) -> Self {
        let mut child = command.args(["--bind", "127.0.0.1:0"]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (sender, listening) = mpsc::channel();
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on http://") {
                    let _ = sender.send(address.parse().unwrap());
                }
                written.lock().unwrap().push(line);
            }
        });
        match listening.recv_timeout(PATIENCE) {
            Ok(address) => Self { child, address, log },
            Err(error) => {
                let _ = child.kill();
                panic!("{command:?} does not listen ({error}): {:#?}", log.lock().unwrap());
            }
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Its log until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// The lines of the log that have this in them.
    pub(crate) fn logged(&self, text: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    /// That so many lines of the log have this in them. An answer may be here before its line is.
    pub(crate) fn assert_logged(&self, text: &str, times: usize) {
        let begun = Instant::now();
        while self.logged(text) < times && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.logged(text), times, "{text}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log.lock().unwrap();
            for line in log.iter().skip(log.len().saturating_sub(30)) {
                eprintln!("{line}");
            }
        }
    }
}
