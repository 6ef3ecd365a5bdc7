//! The program as a person starts it: the configurations that it refuses, its output, and the cookies that it sets.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

mod program;

use energy_service::demo::PASSWORD;

use self::program::{DatabaseFile, Served, refused, run};

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
    let file = DatabaseFile::new();
    let database = file.path();
    let database = ["--database", database.as_str()];
    let served = Served::start(&[&["--demo"], &database[..]].concat());
    let (status, _) = served.log_in(MEMBER, PASSWORD);
    assert_eq!(status, 303);
    let token = served.token(MEMBER, PASSWORD);
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

    let served = Served::start(&database);
    assert_eq!(served.log_in(MEMBER, PASSWORD).0, 401);
    assert_eq!(served.log_in(MEMBER, OTHER).0, 303);
    assert_eq!(served.status_with_token(&token), 401, "what was logged in with the public password");
    assert!(!served.said().contains("demo"), "{}", served.said());
}

/// A service behind a proxy listens on this machine alone, too.
#[test]
fn only_the_demo_and_who_says_so_let_cookies_go_without_tls() {
    let file = DatabaseFile::new();
    let database = file.path();
    let database = ["--database", database.as_str()];
    drop(Served::start(&[&["--demo"], &database[..]].concat()));
    for email in USERS {
        assert!(run(&[&["set-password", email], &database[..]].concat(), OTHER).0);
    }
    let url = "https://energy.example.com";
    let cookie = |arguments: &[&str], password| {
        let served = Served::start(arguments);
        let (status, cookie) = served.log_in(MEMBER, password);
        assert_eq!(status, 303, "{arguments:?}");
        (cookie.unwrap(), served.said())
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
