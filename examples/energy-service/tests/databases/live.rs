//! Sockets with live measurements, in the demo world: the real service on a port, and a real client.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

mod server;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Config,
    auth::TOKEN_MAX_AGE,
    database::{Connection, Instant as Stored},
    live::{LiveConfig, MAX_SOCKETS},
    schema::{assets, auth_tokens, users, users_roles},
};
use serde_json::json;
use tungstenite::{
    Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

use self::server::{NEVER, OTHER_SENSOR, PATIENCE, SENSOR, SLOW, Server, Socket, bearer, event, record};
use super::requests::{ACCOUNT_ADMIN, ADMIN, MEMBER, STRANGER};
use crate::browser::Browser;

const ADMIN_READER: &str = "rita@platform.example";

#[actix_web::test]
async fn the_guard_holds_for_the_upgrade() {
    let server = Server::start();
    let [member, stranger] = [server.client.log_in(MEMBER).await, server.client.log_in(STRANGER).await];
    let status = |path: &str, headers: &[(&str, &str)]| {
        server.try_follow(path, headers).map_or_else(|(status, _)| status, |_| 101)
    };
    assert_eq!(status(SENSOR, &[]), 401);
    assert_eq!(status(SENSOR, &[("authorization", "Bearer wrong")]), 401);
    assert_eq!(status(SENSOR, &[("authorization", &bearer(&stranger))]), 403);
    assert_eq!(status("/sensors/99/measurements", &[("authorization", &bearer(&member))]), 404);
    assert_eq!(status(SENSOR, &[("authorization", &bearer(&member))]), 101);
    // Without an upgrade there is nothing to have.
    let answer = member.get(&format!("{SENSOR}/live")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(stranger.get(&format!("{SENSOR}/live")).await.status, 403);
}

#[actix_web::test]
async fn what_is_recorded_comes_to_who_follows_the_sensor() {
    let server = Server::start();
    let [member, stranger] = [server.client.log_in(MEMBER).await, server.client.log_in(STRANGER).await];
    record(&member, SENSOR, json!([event(0)])).await;
    let (mut one, mut other) = (server.follow(&member), server.follow(&member));
    // Of another sensor, and a refused one.
    record(&stranger, OTHER_SENSOR, json!([event(1)])).await;
    assert_eq!(stranger.post(SENSOR, json!([event(1)])).await.status, 403);
    assert_eq!(member.post(SENSOR, json!([event(1), event(0)])).await.status, 409);

    record(&member, SENSOR, json!([event(3), event(2)])).await;
    one.send(event(4).to_string());
    other.send(json!([event(5)]).to_string());
    let mut observed = Vec::new();
    for socket in [&mut one, &mut other] {
        assert_eq!(socket.next(), json!([event(2), event(3)]));
        // Their order is not defined.
        let mut both = [socket.next(), socket.next()];
        both.sort_by_key(ToString::to_string);
        assert_eq!(both, [json!([event(4)]), json!([event(5)])]);
        observed.push(both);
    }
    let range = "?start=2030-01-01T00:02:00Z&end=2030-01-02T00:00:00Z";
    let stored = member.get(&format!("{SENSOR}{range}")).await.body;
    assert_eq!(stored, json!([event(2), event(3), event(4), event(5)]));
}

/// A session of a browser, too; and each loss by itself.
#[actix_web::test]
async fn who_may_no_longer_read_gets_no_further_message() {
    type Loses = fn(&mut Connection);
    let changes: [(&str, Loses); 5] = [
        (MEMBER, |connection| {
            diesel::update(users::table.find(1)).set(users::active.eq(false)).execute(connection).unwrap();
        }),
        (MEMBER, |connection| {
            diesel::update(users::table.find(1)).set(users::account_id.eq(4)).execute(connection).unwrap();
        }),
        (MEMBER, |connection| {
            diesel::update(assets::table.find(1)).set(assets::account_id.eq(4)).execute(connection).unwrap();
        }),
        (MEMBER, |connection| {
            let old = Stored::now().before(TOKEN_MAX_AGE + Duration::from_secs(1));
            let of_member = auth_tokens::table.filter(auth_tokens::user_id.eq(1));
            diesel::update(of_member).set(auth_tokens::created_at.eq(old)).execute(connection).unwrap();
        }),
        (ADMIN_READER, |connection| {
            let of_reader = users_roles::table.filter(users_roles::user_id.eq(6));
            assert_eq!(diesel::delete(of_reader).execute(connection), Ok(1));
        }),
    ];
    for (index, (who, lose)) in changes.into_iter().enumerate() {
        let server = Server::start();
        let [who, admin] = [server.client.log_in(who).await, server.client.log_in(ADMIN).await];
        let mut socket = server.follow(&who);
        record(&admin, SENSOR, json!([event(0)])).await;
        assert_eq!(socket.next(), json!([event(0)]), "{index}");
        server.connection(lose);
        record(&admin, SENSOR, json!([event(1)])).await;
        socket.assert_closed(CloseCode::Policy);
    }

    let server = Server::start();
    let admin = server.client.log_in(ADMIN).await;
    let mut browser = Browser::logged_in(&server.client.service, MEMBER).await;
    let cookie = browser.cookie.clone().unwrap();
    let member = server.client.log_in(MEMBER).await;
    let mut sockets =
        [server.try_follow(SENSOR, &[("cookie", &cookie)]).map_err(drop).unwrap(), server.follow(&member)];
    browser.post(&server.client.service, "/log-out", "").await;
    assert_eq!(member.delete("/auth-tokens/current").await.status, 204);
    record(&admin, SENSOR, json!([event(0)])).await;
    for socket in &mut sockets {
        socket.assert_closed(CloseCode::Policy);
    }
}

#[actix_web::test]
async fn who_may_no_longer_read_is_closed_without_a_message_too() {
    let server = Server::beating(SLOW);
    let [member, account_admin] =
        [server.client.log_in(MEMBER).await, server.client.log_in(ACCOUNT_ADMIN).await];
    let [member, account_admin_too] = [server.follow(&member), server.follow(&account_admin)];
    let read = |mut socket: Socket| thread::spawn(move || socket.assert_closed(CloseCode::Policy));
    let ends = [read(member), read(account_admin_too)];
    assert_eq!(account_admin.patch("/users/1", json!({ "active": false })).await.status, 200);
    assert_eq!(account_admin.delete("/sensors/1").await.status, 204);
    for end in ends {
        end.join().unwrap();
    }
}

#[actix_web::test]
async fn each_message_is_recorded_by_the_rule_of_a_request() {
    let server = Server::start();
    let [reader, member] = [server.client.log_in(ADMIN_READER).await, server.client.log_in(MEMBER).await];
    let mut socket = server.follow(&reader);
    socket.send(event(0).to_string());
    let refused = socket.next();
    assert_eq!((&refused["status"], &refused["detail"]), (&json!(403), &json!("you may not do this")));
    // A user who may not record still reads.
    record(&member, SENSOR, json!([event(0)])).await;
    assert_eq!(socket.next(), json!([event(0)]));

    // A user who may not read any more gets no message, not even about a wrong one.
    let mut socket = server.follow(&member);
    server.connection(|connection| {
        diesel::update(assets::table.find(1)).set(assets::account_id.eq(4)).execute(connection).unwrap();
    });
    socket.send("{");
    socket.assert_closed(CloseCode::Policy);
}

#[actix_web::test]
async fn what_cannot_be_meant_is_said_and_harms_nothing() {
    let server = Server::start();
    let member = server.client.log_in(MEMBER).await;
    let mut socket = server.follow(&member);
    for wrong in [
        "",
        "{",
        "null",
        "{}",
        "[]",
        "[1]",
        r#"{"event_start": "2030-01-01", "event_value": 1}"#,
        r#"{"event_start": "2030-01-01T00:00:00Z", "event_value": "1"}"#,
        r#"{"event_start": "2030-01-01T00:00:00Z", "event_value": 1e999}"#,
        r#"{"event_start": "2030-01-01T00:00:00Z", "event_value": 1, "sensor_id": 4}"#,
    ] {
        socket.send(wrong);
        assert_eq!(socket.next()["status"], 400, "{wrong}");
    }
    socket.send(event(0).to_string());
    assert_eq!(socket.next(), json!([event(0)]));
    socket.send(event(0).to_string());
    assert_eq!(socket.next()["status"], 409);

    let part = |data, last| Message::Frame(Frame::message(vec![b' '; 40 * 1024], OpCode::Data(data), last));
    for (messages, code) in [
        (vec![" ".repeat(64 * 1024 + 1).into()], CloseCode::Size),
        (vec![part(Data::Text, false), part(Data::Continue, true)], CloseCode::Size),
        (vec![Message::Binary("[]".into())], CloseCode::Unsupported),
        (vec![part(Data::Continue, true)], CloseCode::Protocol),
        (
            vec![Message::Frame(Frame::message(vec![0xFF], OpCode::Data(Data::Text), true))],
            CloseCode::Invalid,
        ),
    ] {
        let mut socket = server.follow(&member);
        for message in messages {
            socket.send(message);
        }
        socket.assert_closed(code);
    }
    let mut socket = server.follow(&member);
    socket.send(" ".repeat(64 * 1024 - 100) + &event(1).to_string());
    assert_eq!(socket.next(), json!([event(1)]));
    socket.0.close(None).unwrap();
    socket.assert_closed(CloseCode::Normal);
}

/// A browser sends the cookie from any page that opens the socket.
#[actix_web::test]
async fn a_page_of_another_site_opens_no_socket_by_the_session() {
    let server = Server::start();
    let member = bearer(&server.client.log_in(MEMBER).await);
    let cookie = Browser::logged_in(&server.client.service, MEMBER).await.cookie.unwrap();
    let own = format!("http://{}", server.address);
    let status =
        |headers: &[_]| server.try_follow(SENSOR, headers).map_or_else(|(status, _)| status, |_| 101);
    for (origin, expected) in
        [(own.as_str(), 101), ("https://evil.example", 403), ("http://127.0.0.1:1", 403), ("null", 403)]
    {
        assert_eq!(status(&[("cookie", &cookie), ("origin", origin)]), expected, "{origin}");
        // Only the program that has a token sends it.
        assert_eq!(status(&[("authorization", &member), ("origin", origin)]), 101, "{origin}");
    }
    assert_eq!(status(&[("cookie", &cookie), ("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(status(&[("cookie", &cookie), ("sec-fetch-site", "same-origin")]), 101);
}

#[actix_web::test]
async fn without_a_decision_nothing_is_sent() {
    for by_message in [true, false] {
        let server = Server::of(|config| Config {
            pool_size: 1,
            pool_wait: Duration::from_millis(20),
            live: LiveConfig { heart_beat: if by_message { NEVER } else { SLOW }, ..config.live },
            ..config
        });
        let member = server.client.log_in(MEMBER).await;
        let mut socket = server.follow(&member);
        let connection = server.client.service.database().connection().unwrap();
        if by_message {
            socket.send(event(0).to_string());
        }
        socket.assert_closed(CloseCode::Error);
        drop(connection);
        drop(server.follow(&member));
    }
}

#[actix_web::test]
async fn a_user_has_so_many_sockets_and_gets_back_what_is_closed() {
    let server = Server::start();
    let [member, admin] = [server.client.log_in(MEMBER).await, server.client.log_in(ADMIN).await];
    let mut sockets: Vec<_> = (0..MAX_SOCKETS).map(|_| server.follow(&member)).collect();
    let authorization = bearer(&member);
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(server.try_follow(SENSOR, &headers).map_or_else(|(status, _)| status, |_| 101), 429);
    server.follow(&admin);
    // A connection that ends without a word counts as well, as soon as the service sees it.
    drop(sockets.pop());
    let begin = Instant::now();
    while server.try_follow(SENSOR, &headers).is_err() {
        assert!(begin.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(10));
    }
}

#[actix_web::test]
async fn who_does_not_answer_is_dropped() {
    let server = Server::beating(Duration::from_millis(50));
    let member = server.client.log_in(MEMBER).await;
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /api/v3_0{SENSOR}/live HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
        server.address,
        bearer(&member)
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    // A heart beat, and no more.
    assert_eq!(answer[head + 4..], [0x89, 0]);
}

/// The request holds the only connection while it publishes, so the socket cannot decide about a message before all forty
/// are there.
#[actix_web::test]
async fn what_is_too_much_for_a_socket_ends_it() {
    let server = Server::of(|config| Config {
        pool_size: 1,
        live: LiveConfig { backlog: 8, ..config.live },
        ..config
    });
    let member = server.client.log_in(MEMBER).await;
    let mut socket = server.follow(&member);
    let events = (0..10_000).map(|index| {
        let (hour, minute, second) = (index / 3600, index / 60 % 60, index % 60);
        json!({ "event_start": format!("2030-01-01T{hour:02}:{minute:02}:{second:02}Z"), "event_value": 0 })
    });
    record(&member, SENSOR, events.collect()).await;
    let mut messages = 0;
    let code = loop {
        match socket.0.read().unwrap() {
            Message::Text(_) => messages += 1,
            Message::Close(Some(CloseFrame { code, .. })) => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, CloseCode::Again);
    assert!(messages <= 1, "{messages}");
}

#[actix_web::test]
async fn a_socket_does_not_last_for_ever() {
    let server = Server::of(|config| Config {
        live: LiveConfig { max_age: Duration::from_millis(50), ..config.live },
        ..config
    });
    let member = server.client.log_in(MEMBER).await;
    server.follow(&member).assert_closed(CloseCode::Away);
}

#[actix_web::test]
async fn a_service_that_stops_closes_its_sockets_and_does_not_wait_for_them() {
    let mut server = Server::start();
    let member = server.client.log_in(MEMBER).await;
    let mut sockets = [(); 3].map(|()| server.follow(&member));
    server.client.service.stop();
    for socket in &mut sockets {
        socket.assert_closed(CloseCode::Away);
    }
    server.serving.take().unwrap().join().unwrap().unwrap();
}
