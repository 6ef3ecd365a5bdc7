//! Servers of the tests' own, which may be stopped.

use std::{
    env,
    io::{self, Write as _},
    net::TcpListener,
    process::Child,
};
#[cfg(any(feature = "postgres", feature = "redis"))]
use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[cfg(any(feature = "postgres", feature = "redis"))]
use crate::process::{Folder, PATIENCE};

/// Says that a test is left out, where a person sees it.
pub(crate) fn left_out(test: &str, why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}, and CI is set");
    // The harness captures `eprintln!`.
    let _ = writeln!(io::stderr(), "{why}: {test} is left out");
}

/// A port that is free at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[cfg(any(feature = "postgres", feature = "redis"))]
fn signal(name: &str, process: u32) {
    // One that has ended by itself is not there any more.
    let _ =
        Command::new("kill").args([format!("-{name}"), process.to_string()]).stderr(Stdio::null()).status();
}

/// A server process that is killed when this is dropped.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn of(process: Child) -> Self {
        Self(process)
    }

    #[cfg(any(feature = "postgres", feature = "redis"))]
    fn id(&self) -> u32 {
        self.0.id()
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(feature = "redis")]
pub(crate) use self::redis::Redis;

#[cfg(feature = "redis")]
mod redis {
    use std::net::TcpStream;

    use super::{
        Command, Duration, Folder, Instant, PATIENCE, Server, Stdio, free_port, left_out, signal, thread,
    };

    pub(crate) struct Redis {
        folder: Folder,
        port: u16,
        server: Option<Server>,
    }

    impl Redis {
        pub(crate) fn start() -> Option<Self> {
            let installed =
                Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
            if !installed {
                left_out("a test of sessions", "there is no redis-server");
                return None;
            }
            let mut redis = Self { folder: Folder::new(), port: free_port(), server: None };
            redis.start_again();
            Some(redis)
        }

        pub(crate) fn url(&self) -> String {
            format!("redis://127.0.0.1:{}", self.port)
        }

        /// With nothing in it.
        pub(crate) fn start_again(&mut self) {
            let mut command = Command::new("redis-server");
            command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
            command.arg(self.port.to_string()).arg("--dir").arg(self.folder.path());
            self.server = Some(Server(command.stdout(Stdio::null()).spawn().unwrap()));
            let deadline = Instant::now() + PATIENCE;
            while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                assert!(Instant::now() < deadline, "Redis does not start");
                thread::sleep(Duration::from_millis(20));
            }
        }

        pub(crate) fn kill(&mut self) {
            self.server = None;
        }

        pub(crate) fn freeze(&self) {
            signal("STOP", self.server.as_ref().unwrap().id());
        }

        pub(crate) fn thaw(&self) {
            signal("CONT", self.server.as_ref().unwrap().id());
        }
    }
}

#[cfg(feature = "postgres")]
pub(crate) use self::postgres::Postgres;

#[cfg(feature = "postgres")]
mod postgres {
    use std::{fs, path::PathBuf};

    use super::{
        Command, Duration, Folder, Instant, PATIENCE, Server, Stdio, free_port, left_out, signal, thread,
    };

    pub(crate) struct Postgres {
        folder: Folder,
        programs: PathBuf,
        port: u16,
        server: Option<Server>,
    }

    impl Postgres {
        pub(crate) fn start() -> Option<Self> {
            let Some(programs) = programs() else {
                left_out("a test of a database that fails", "there is no PostgreSQL to start");
                return None;
            };
            let folder = Folder::new();
            if is_root() {
                let owned = Command::new("chown").arg("postgres:").arg(folder.path()).status();
                assert!(owned.unwrap().success());
            }
            let mut postgres = Self { folder, programs, port: free_port(), server: None };
            let made = postgres
                .program("initdb")
                .args(["--auth", "trust", "--username", "energy", "--encoding", "UTF8", "--no-sync"])
                .stdout(Stdio::null())
                .status();
            assert!(made.unwrap().success());
            postgres.start_again();
            Some(postgres)
        }

        pub(crate) fn url(&self) -> String {
            format!("postgres://energy@127.0.0.1:{}/postgres", self.port)
        }

        /// A program of the server, as a user who may run it, for the folder of the data.
        fn program(&self, name: &str) -> Command {
            let program = self.programs.join(name);
            let mut command = if is_root() {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]).arg(program);
                command
            } else {
                Command::new(program)
            };
            command.arg("-D").arg(self.folder.path().join("data"));
            command
        }

        pub(crate) fn start_again(&mut self) {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let mut command = self.program("postgres");
                command.arg("-k").arg(self.folder.path()).args([
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &self.port.to_string(),
                    "-F",
                ]);
                let mut server = Server(command.stderr(Stdio::null()).spawn().unwrap());
                // It does not start while processes of the one before are still there.
                while server.0.try_wait().unwrap().is_none() {
                    let port = self.port.to_string();
                    let mut ready = Command::new(self.programs.join("pg_isready"));
                    if ready.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap().success() {
                        self.server = Some(server);
                        return;
                    }
                    thread::sleep(Duration::from_millis(50));
                }
                assert!(Instant::now() < deadline, "PostgreSQL does not start");
                thread::sleep(Duration::from_millis(100));
            }
        }

        /// As in an emergency: connections are cut, and nothing is tidied up.
        pub(crate) fn stop(&mut self) {
            let stopped =
                self.program("pg_ctl").args(["stop", "-m", "immediate"]).stdout(Stdio::null()).status();
            assert!(stopped.unwrap().success());
            self.server = None;
        }

        /// As if the machine took its memory. The processes of the connections end when they notice.
        pub(crate) fn kill(&mut self) {
            self.server = None;
        }

        /// Connections are still accepted, by the system, and nothing is answered.
        pub(crate) fn freeze(&self) {
            self.signal_all("STOP");
        }

        pub(crate) fn thaw(&self) {
            self.signal_all("CONT");
        }

        fn signal_all(&self, name: &str) {
            let server = self.server.as_ref().unwrap().id();
            // First, so that it makes no more of them.
            signal(name, server);
            for process in children(server) {
                signal(name, process);
            }
        }
    }

    impl Drop for Postgres {
        fn drop(&mut self) {
            if self.server.is_some() {
                self.thaw();
            }
        }
    }

    /// The folder of the newest version.
    fn programs() -> Option<PathBuf> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let found = versions.map_while(Result::ok).map(|version| version.path().join("bin"));
        found.filter(|folder| folder.join("initdb").exists()).max()
    }

    fn is_root() -> bool {
        fs::read_to_string("/proc/self/status").unwrap().lines().any(|line| line.starts_with("Uid:\t0\t"))
    }

    fn children(parent: u32) -> Vec<u32> {
        let is_child = |process: &u32| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            status.lines().any(|line| line == format!("PPid:\t{parent}"))
        };
        let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
        let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
        ids.filter(is_child).collect()
    }
}
