//! The program as a person starts it: the configurations that it refuses, its output, and the cookies that it sets.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

mod client;

use std::{io::Write as _, process::Stdio};

use energy_service::demo::PASSWORD;

use self::client::{log_in, status_with_token, token};
use crate::process::{Folder, Process, program};

const MEMBER: &str = "mia@sunnyside.example";
const USERS: [&str; 6] = [
    MEMBER,
    "adam@sunnyside.example",
    "cora@bright.example",
    "sven@bakery.example",
    "ada@platform.example",
    "rita@platform.example",
];
const OTHER: &str = "another password";

#[test]
fn a_database_of_the_demo_is_served_as_one_until_its_passwords_are_changed() {
    let folder = Folder::new();
    let database = folder.file("energy.sqlite");
    let database = ["--database", database.as_str()];
    let served = Process::demo(&database);
    let (status, _) = log_in(&served, MEMBER, PASSWORD);
    assert_eq!(status, 303);
    let token = token(&served, MEMBER, PASSWORD);
    drop(served);

    let said = refused(&database);
    for email in USERS {
        assert!(said.contains(email), "{said}");
    }
    assert!(said.contains("`set-password EMAIL`") && said.contains("`--demo`"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");

    let set = |email, password| run(&[&["set-password", email], &database[..]].concat(), password);
    let (status, said) = set(MEMBER, "short\n");
    assert!(!status && said.contains("`password` does not have between 8 and 128 characters"), "{said}");
    let (status, said) = set("nobody@sunnyside.example", OTHER);
    assert!(!status && said.contains("there is no such user"), "{said}");
    let (status, said) = set(MEMBER, PASSWORD);
    assert!(!status && said.contains("public"), "{said}");
    for email in USERS.into_iter().skip(1) {
        let (status, said) = set(email, OTHER);
        assert!(status, "{said}");
    }
    // One is enough.
    let said = refused(&database);
    assert!(said.contains(MEMBER) && !said.contains("adam"), "{said}");
    let (status, said) = set("Mia@sunnyside.example", "another password\r\n");
    assert!(status, "{said}");

    let served = Process::start(&database);
    assert_eq!(log_in(&served, MEMBER, PASSWORD).0, 401);
    assert_eq!(log_in(&served, MEMBER, OTHER).0, 303);
    assert_eq!(status_with_token(&served, &token), 401, "what was logged in with the public password");
    assert!(!served.log().contains("demo"), "{}", served.log());
}

/// A service behind a proxy listens on this machine alone, too.
#[test]
fn only_the_demo_and_who_says_so_let_cookies_go_without_tls() {
    let folder = Folder::new();
    let database = folder.file("energy.sqlite");
    let database = ["--database", database.as_str()];
    drop(Process::demo(&database));
    for email in USERS {
        assert!(run(&[&["set-password", email], &database[..]].concat(), OTHER).0);
    }
    let url = "https://energy.example.com";
    let cookie = |arguments: &[&str], password| {
        let served = Process::start(arguments);
        let (status, cookie) = log_in(&served, MEMBER, password);
        assert_eq!(status, 303, "{arguments:?}");
        (cookie.unwrap(), served.log())
    };
    for (arguments, is_secure, says) in [
        (&[][..], true, "--public-url"),
        (&["--public-url", "https://energy.example.com/"], true, url),
        (&["--insecure-cookies"], false, ""),
        (&["--insecure-cookies", "--public-url", "http://energy.example.com"], false, "go without TLS"),
    ] {
        let (cookie, said) = cookie(&[arguments, &database[..]].concat(), OTHER);
        assert_eq!(cookie.starts_with("__Host-energy-session="), is_secure, "{arguments:?}: {cookie}");
        assert_eq!(cookie.contains("; Secure"), is_secure, "{arguments:?}: {cookie}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    for (arguments, is_secure) in [(&["--demo"][..], false), (&["--demo", "--public-url", url], true)] {
        let (cookie, said) = cookie(arguments, PASSWORD);
        assert_eq!(cookie.contains("; Secure"), is_secure, "{arguments:?}: {cookie}");
        assert_eq!(said.contains("everyone knows the passwords"), is_secure, "{arguments:?}: {said}");
    }
    let said = refused(&[&["--public-url", "http://energy.example.com"], &database[..]].concat());
    assert!(said.contains("--insecure-cookies"), "{said}");
    for wrong in ["energy.example.com", "https://energy.example.com/below", "ftp://energy.example.com"] {
        let said = refused(&["--public-url", wrong]);
        assert!(said.contains("is not an origin"), "{said}");
    }
}

/// Whether the program ended as it should, and its output.
fn run(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = program(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // If the program ends before it reads, its status reports that.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// The reason that the program gives for not serving.
fn refused(arguments: &[&str]) -> String {
    let (served, said) = run(&[&["--bind", "127.0.0.1:0"], arguments].concat(), "");
    assert!(!served && !said.contains("listening on"), "{arguments:?}: {said}");
    said
}
