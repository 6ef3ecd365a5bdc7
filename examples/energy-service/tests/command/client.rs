//! The requests of a person who logs in.

use std::io::{Read as _, Write as _};

use crate::process::Process;

/// The status of a log-in by the form, and the cookie that it sets.
pub(crate) fn log_in(service: &Process, email: &str, password: &str) -> (u16, Option<String>) {
    let form = format!("email={email}&password={}", password.replace(' ', "+"));
    let answer = send(service, "POST /log-in", "Content-Type: application/x-www-form-urlencoded", &form);
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    (status(&answer), cookie.map(str::to_owned))
}

pub(crate) fn token(service: &Process, email: &str, password: &str) -> String {
    let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
    let answer = send(service, "POST /api/requestAuthToken", "Content-Type: application/json", &body);
    let (_, rest) = answer.split_once(r#""auth_token":""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn status_with_token(service: &Process, token: &str) -> u16 {
    status(&send(service, "GET /api/v3_0/users/me", &format!("Authorization: Bearer {token}"), ""))
}

fn send(service: &Process, line: &str, header: &str, body: &str) -> String {
    let mut stream = service.connect();
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", service.address);
    write!(stream, "{head}Content-Length: {length}\r\n{header}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
