//! A client that sends bytes, so that no work of a client library is measured, and a server to send them to.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt::System, web::ServiceConfig};

use crate::Error;

/// A server with one worker; it ends with this value.
pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let bound = HttpServer::new(move || App::new().configure(configure.clone()))
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0));
            let server = match bound {
                Ok(server) => server,
                Err(error) => return sender.send(Err(error)).unwrap_or_default(),
            };
            let address = server.addrs().into_iter().next();
            System::new().block_on(async move {
                let server = server.run();
                if sender.send(Ok((address, server.handle()))).is_ok() {
                    // The result of the server does not matter any more.
                    drop(server.await);
                }
            });
        });
        let (address, handle) = receiver.recv()??;
        Ok(Self { address: address.ok_or("no address")?, handle })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The head of a request.
#[must_use]
pub fn head(method: &str, path: &str, token: Option<&str>, body: usize) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}content-length: {body}\r\n\r\n")
        .into_bytes()
}

/// Sends a request without a body over a connection that stays, and gives the status of its answer.
///
/// # Errors
///
/// If no whole answer comes.
pub fn ask(stream: &mut TcpStream, request: &[u8]) -> Result<u16, Error> {
    stream.write_all(request)?;
    let mut answer = Answer::default();
    while !answer.is_whole() {
        answer.read(stream)?;
    }
    answer.status()
}

/// Sends a request with a body over a connection of its own, as a client does that does not wait: until all is sent, or
/// the server answers.
///
/// # Errors
///
/// If no whole answer comes.
pub fn send(address: SocketAddr, head: &[u8], body: &[u8]) -> Result<u16, Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(head)?;
    stream.set_nonblocking(true)?;
    let mut answer = Answer::default();
    let mut rest = body;
    while !answer.is_whole() {
        let mut idle = true;
        if !rest.is_empty() {
            match stream.write(rest) {
                Ok(sent) => {
                    rest = rest.get(sent..).unwrap_or_default();
                    idle = false;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // It has closed its side: its answer is there.
                Err(_) => rest = &[],
            }
        }
        match answer.read(&mut stream) {
            Ok(()) => idle = false,
            Err(error) if is_would_block(&*error) => {}
            Err(error) => return Err(error),
        }
        if idle {
            thread::sleep(Duration::from_micros(50));
        }
    }
    answer.status()
}

fn is_would_block(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[derive(Default)]
struct Answer(Vec<u8>);

impl Answer {
    fn read(&mut self, stream: &mut TcpStream) -> Result<(), Error> {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer)? {
            0 => Err("the server closed the connection without a whole answer".into()),
            read => {
                self.0.extend(buffer.iter().take(read));
                Ok(())
            }
        }
    }

    /// Whether its head is there, and as much of a body as that says.
    fn is_whole(&self) -> bool {
        let Some(end) = self.0.windows(4).position(|window| window == b"\r\n\r\n") else {
            return false;
        };
        let head = String::from_utf8_lossy(self.0.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        self.0.len() >= end + 4 + length.unwrap_or(0)
    }

    fn status(&self) -> Result<u16, Error> {
        let line = self.0.get(9..12).ok_or("no status line")?;
        Ok(std::str::from_utf8(line)?.parse()?)
    }
}
