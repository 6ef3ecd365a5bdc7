//! The energy service on a port of its own, and a Chromium that looks at it through its `chromedriver`.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    mem::ManuallyDrop,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use actix_web::{
    dev::ServerHandle,
    rt::{System, time::sleep},
};
use base64ct::{Base64, Encoding as _};
use energy_service::{Config, Service, sessions::SessionConfig};
use serde_json::{Value, json};
use thirtyfour::{Key, TypingData, WebDriver, common::capabilities::desiredcapabilities::Capabilities};
use tokio::sync::{Mutex, MutexGuard};

/// A window with nothing in it yet, and the service.
pub(crate) struct Window {
    // The session ends with its Chromium. Dropped after a failure, it would wait for minutes.
    pub(crate) driver: ManuallyDrop<WebDriver>,
    pub(crate) base: String,
    /// The processes that end with the test, passed or failed.
    _chromium: Chromium,
    _server: Server,
    _turn: MutexGuard<'static, ()>,
}

impl Window {
    /// `None` where there is no Chromium, which is an error in CI.
    pub(crate) async fn open() -> Option<Self> {
        let turn = TURN.lock().await;
        let chromium = Chromium::start()?;
        let server = Server::start();
        let driver = WebDriver::new(chromium.url.as_str(), chromium.capabilities()).await.unwrap();
        Some(Self {
            driver: ManuallyDrop::new(driver),
            base: server.base.clone(),
            _chromium: chromium,
            _server: server,
            _turn: turn,
        })
    }

    pub(crate) async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// The path that the window shows, with its query.
    pub(crate) async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap().to_string();
        url.strip_prefix(&self.base).unwrap_or(&url).to_owned()
    }

    /// The value that a script returns. The page's policy is about the page's own scripts.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        let at_once = Some(Duration::ZERO);
        self.driver.action_chain_with_delay(at_once, at_once).send_keys(keys).perform().await.unwrap();
    }

    /// Presses Enter, which leads to another page, and waits until it is there.
    pub(crate) async fn enter(&self) {
        self.ask("window.isBefore = true").await;
        // Every command fails while another page comes.
        let _ = self.driver.action_chain().send_keys(Key::Enter).perform().await;
        let arrived = "return !window.isBefore && document.readyState === 'complete'";
        for _ in 0..600 {
            if self.driver.execute(arrived, Vec::new()).await.is_ok_and(|answer| *answer.json() == true) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("no other page came within half a minute");
    }

    /// Presses the tabulator until the element of this name has the focus. Each element on the way has to show that it
    /// has it.
    pub(crate) async fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..60 {
            self.press(Key::Tab).await;
            let focused = self.ask(FOCUSED).await;
            assert_eq!(focused["seen"], true, "the focus on {focused} is not seen");
            if focused["name"] == name {
                return;
            }
            passed.push(focused["name"].to_string());
        }
        panic!("{name:?} is not reached by the keyboard, but {passed:?}");
    }

    /// Shows the pages as a screen of this width does, also below the width of the smallest window.
    pub(crate) async fn look(&self, width: u32, scheme: &str) {
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        // They take no room on screens as narrow as these.
        let scrollbars = json!({ "hidden": true });
        for (command, parameters) in [
            ("Emulation.setDeviceMetricsOverride", screen),
            ("Emulation.setEmulatedMedia", features),
            ("Emulation.setScrollbarsHidden", scrollbars),
        ] {
            self.driver.cdp().send_raw(command, parameters).await.unwrap();
        }
    }

    /// A picture of the whole page, in `target/screenshots`.
    pub(crate) async fn take_picture(&self, name: &str) {
        let parameters = json!({ "captureBeyondViewport": true });
        let taken = self.driver.cdp().send_raw("Page.captureScreenshot", parameters).await.unwrap();
        let png = Base64::decode_vec(taken["data"].as_str().unwrap()).unwrap();
        let folder = target().join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }
}

/// One browser after the other: they are slow enough by themselves.
static TURN: Mutex<()> = Mutex::const_new(());

/// The element that has the focus: its name, and whether it shows that.
const FOCUSED: &str = r"
    const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
    return {
        name: (element.labels?.[0] ?? element).textContent.trim(),
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
            && box.width > 0 && box.height > 0 && box.top < innerHeight && box.bottom > 0
            && style.clipPath === 'none',
    };
";

/// The folder in which Cargo puts its output.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// The service with its demo, until this is dropped.
struct Server {
    base: String,
    handle: ServerHandle,
}

impl Server {
    fn start() -> Self {
        // No TLS on a loopback.
        let sessions = SessionConfig { insecure_cookies: true, ..SessionConfig::default() };
        let config = Config { demo: true, sessions, workers: Some(1), ..Config::default() };
        let service = Service::open(&config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = service.start(listener).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { base, handle: receiver.recv().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; the test does not wait for the end.
        drop(self.handle.stop(false));
    }
}

/// A `chromedriver`, and a folder for its browser. Both are gone when this is dropped.
struct Chromium {
    url: String,
    process: Child,
    profile: PathBuf,
}

impl Chromium {
    fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        // A free port, which it names.
        let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                assert!(env::var_os("CI").is_none(), "there is no chromedriver, and CI is set: {error}");
                let line = "tests of pages in Chromium are left out: there is no chromedriver";
                let _ = writeln!(std::io::stderr(), "{line} ({error})");
                return None;
            }
        };
        let said = BufReader::new(process.stdout.take().unwrap());
        let port = said.lines().find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chromium-{}-{count}", process.id()));
        fs::create_dir_all(&profile).unwrap();
        let port = port.expect("chromedriver says where it listens");
        Some(Self { url: format!("http://127.0.0.1:{port}"), process, profile })
    }

    fn capabilities(&self) -> Capabilities {
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", self.profile.display()),
        ];
        let Value::Object(capabilities) = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("this is an object")
        };
        capabilities.into()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // A killed driver would leave its browser behind; this ends both.
        let address = self.url.trim_start_matches("http://");
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
