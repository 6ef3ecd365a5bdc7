//! nginx with TLS and a cache in front of the service, as `docs/deploying.md` configures it.

use std::{
    fs,
    io::{self, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    faults::servers::{Server, free_port, left_out},
    process::{Folder, PATIENCE, Process},
};

const GUIDE: &str = include_str!("../../../../docs/deploying.md");
pub(crate) const HOST: &str = "energy.example.com";

/// A service with nginx in front of it, known outside by a URL with TLS.
pub(crate) struct Deployed {
    pub(crate) service: Process,
    pub(crate) port: u16,
    folder: Folder,
    _nginx: Server,
}

impl Deployed {
    /// None where nginx, or a client, is not installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        for (program, version) in [("nginx", "-v"), ("openssl", "version"), ("curl", "--version")] {
            let found =
                Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.is_err() {
                left_out("a test of nginx in front of the service", &format!("there is no {program}"));
                return None;
            }
        }
        let folder = Folder::new();
        make_certificate(&folder);
        let port = free_port();
        let service = Process::demo_at(&format!("https://{HOST}:{port}"), arguments);
        fs::write(folder.file("nginx.conf"), configuration(&folder, port, service.address)).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.args(["-e", &folder.file("error.log"), "-c", &folder.file("nginx.conf")]);
        let nginx = Server::of(nginx.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let deployed = Self { service, port, folder, _nginx: nginx };
        let deadline = Instant::now() + PATIENCE;
        while deployed.curl(&[], "/style.css").is_none_or(|answer| answer.status != 200) {
            let log = fs::read_to_string(deployed.folder.file("error.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "nginx does not start: {log}");
            thread::sleep(Duration::from_millis(50));
        }
        Some(deployed)
    }

    /// The answer of nginx to curl.
    pub(crate) fn get(&self, arguments: &[&str], path: &str) -> Answer {
        self.curl(arguments, path).unwrap()
    }

    fn curl(&self, arguments: &[&str], path: &str) -> Option<Answer> {
        let port = self.port;
        let resolve = format!("{HOST}:{port}:127.0.0.1");
        let certificate = self.folder.file("energy.pem");
        let tls = ["--resolve", &resolve, "--cacert", &certificate];
        curl(&[&tls, arguments].concat(), &format!("https://{HOST}:{port}{path}"))
    }

    /// The answer of the service itself to curl.
    pub(crate) fn get_directly(&self, arguments: &[&str], path: &str) -> Answer {
        curl(arguments, &format!("http://{}{path}", self.service.address)).unwrap()
    }

    /// Where curl keeps the cookies of one browser.
    pub(crate) fn jar(&self, name: &str) -> String {
        self.folder.file(name)
    }

    /// A connection with TLS.
    pub(crate) fn connect(&self) -> Tls {
        let (certificate, address) = (self.folder.file("energy.pem"), format!("127.0.0.1:{}", self.port));
        Tls::connect(&["-CAfile", &certificate, "-servername", HOST, "-connect", &address])
    }
}

fn curl(arguments: &[&str], url: &str) -> Option<Answer> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--http1.1", "--include", "--max-time", "60"]).args(arguments).arg(url);
    let output = curl.stderr(Stdio::null()).output().unwrap();
    Answer::read(&String::from_utf8(output.stdout).unwrap())
}

/// The response that curl received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        Some(Self { status, headers: lines.map(header).collect(), body: body.to_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

fn make_certificate(folder: &Folder) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")])
        .args(["-keyout", &folder.file("energy.key"), "-out", &folder.file("energy.pem")])
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

/// The configuration of the guide, with the ports and files of this test.
fn configuration(folder: &Folder, port: u16, service: SocketAddr) -> String {
    let (_, of_guide) = GUIDE.split_once("```nginx\n").unwrap();
    let (of_guide, _) = of_guide.split_once("```").unwrap();
    let mut servers = of_guide.to_owned();
    for (theirs, ours) in [
        ("listen 80;", format!("listen 127.0.0.1:{};", free_port())),
        ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
        ("127.0.0.1:5000", service.to_string()),
        ("/etc/ssl/energy", folder.file("energy")),
        ("/var/cache/nginx/energy", folder.file("cache")),
    ] {
        assert!(servers.contains(theirs), "the guide has no `{theirs}`");
        servers = servers.replace(theirs, &ours);
    }
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", folder.file(name)))
        .concat();
    format!(
        "user root;\ndaemon off;\nworker_processes 1;\npid {};\nevents {{ worker_connections 2048; }}\n\
         http {{\naccess_log off;\n{temporary}{servers}}}\n",
        folder.file("nginx.pid")
    )
}

/// A client that sends and receives bytes over TLS as it likes: a process of openssl. It is ended when this is dropped.
pub(crate) struct Tls {
    openssl: Child,
    sending: ChildStdin,
    received: Receiver<Vec<u8>>,
    unread: Vec<u8>,
}

impl Tls {
    fn connect(arguments: &[&str]) -> Self {
        let mut openssl = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sending = openssl.stdin.take().unwrap();
        let mut receiving = openssl.stdout.take().unwrap();
        let (sender, received) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = receiving.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { openssl, sending, received, unread: Vec::new() }
    }

    /// Whether something is there to be read within this time, or the connection has ended.
    pub(crate) fn is_answered_within(&mut self, time: Duration) -> bool {
        if self.unread.is_empty() {
            match self.received.recv_timeout(time) {
                Ok(bytes) => self.unread = bytes,
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
        true
    }

    /// All that is received until the connection ends, which it has to.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        self.read_to_string(&mut text).unwrap();
        text
    }
}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_answered_within(PATIENCE) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = self.unread.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.unread[..length]);
        self.unread.drain(..length);
        Ok(length)
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sending.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sending.flush()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}
