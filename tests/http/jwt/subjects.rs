//! The subjects of good tokens, and the time for which their log-ins are recent.

use auth_core::{
    Auth, NoConnection,
    mechanism::{
        BearerToken, Jwt, TokenHash,
        jwt::{Algorithm, Key},
    },
};
use diesel::prelude::*;
use serde_json::json;

use super::{
    AUDIENCE, Claimed, ED, ED_PUBLIC, ISSUER, assert_let_in, assert_refused, claims, claims_with, get, now,
    seconds_ago, serve, sign, tokens, with_key,
};
use crate::{
    client::Service,
    fixture::{Member, World, members},
};

#[test]
fn a_change_of_the_subject_is_seen_at_once() {
    let world = World::new();
    let service = serve(tokens(&world, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap()));
    let token = sign(Algorithm::EdDSA, ED, &claims_with(&json!({ "sub": "2" })));
    let status = |path| service.get(path, Some(&token)).status.as_u16();
    assert_eq!(status("/kitchen"), 200);
    world.execute("UPDATE members SET roles = '' WHERE id = 2");
    assert_eq!((status("/kitchen"), status("/mine")), (403, 200));
    world.execute("DELETE FROM members WHERE id = 2");
    assert_refused(&get(&service, &token));
    world.execute("ALTER TABLE members RENAME TO gone");
    assert_eq!(status("/mine"), 503);
    assert_eq!(service.get("/mine", Some(&token[1..])).status, 401, "no store is asked about a wrong token");
}

#[test]
fn a_wrong_token_costs_no_statement() {
    let world = World::new();
    let service = serve(tokens(&world, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap()));
    for token in [sign(Algorithm::EdDSA, ED, &claims_with(&json!({ "exp": 1 }))), "x".to_owned()] {
        assert_refused(&get(&service, &token));
    }
    assert_eq!(world.statements(), Vec::<String>::new());
    assert_let_in(&get(&service, &sign(Algorithm::EdDSA, ED, &claims())), "1");
    assert_eq!(world.statements().len(), 1);
}

#[test]
fn a_token_alone_may_be_believed() {
    let key = Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap();
    let service = serve(Jwt::<Claimed>::builder(NoConnection, key).issuer(ISSUER).audience(AUDIENCE));
    let status = |roles: &[&str]| {
        let claims = claims_with(&json!({ "sub": "mia", "roles": roles }));
        service.get("/kitchen", Some(&sign(Algorithm::EdDSA, ED, &claims))).status.as_u16()
    };
    assert_eq!((status(&["chef"]), status(&["waiter"]), status(&[])), (200, 403, 403));
}

#[test]
fn a_guard_may_ask_for_a_recent_log_in() {
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let response = |changes| service.get("/fresh", Some(&sign(Algorithm::EdDSA, ED, &claims_with(&changes))));
    for changes in [
        json!({}),
        json!({ "iat": now() - 600 }),
        json!({ "iat": seconds_ago(600.25) }),
        json!({ "auth_time": now() - 600 }),
        json!({ "iat": null, "auth_time": now() }),
    ] {
        assert_eq!(response(changes).status, 200);
    }
    for changes in [
        json!({ "iat": now() - 3600 }),
        json!({ "iat": null }),
        json!({ "iat": now() + 600 }),
        json!({ "iat": 0 }),
        // A new token for an old log-in is no new log-in.
        json!({ "auth_time": now() - 3600 }),
        json!({ "iat": now() - 3600, "auth_time": now() }),
    ] {
        let response = response(changes.clone());
        assert_eq!(response.status, 401, "{changes}");
        assert_eq!(
            response.header("www-authenticate"),
            Some(r#"Bearer error="insufficient_user_authentication", max_age=900"#)
        );
        // Elsewhere it is good.
        assert_let_in(&get(&service, &sign(Algorithm::EdDSA, ED, &claims_with(&changes))), "1");
    }
}

#[test]
fn opaque_tokens_may_come_next_to_it() {
    let world = World::new();
    let odd_tokens = ["v1.abc.def", "a.b", "eyJ", "ey.a", "EYJ.a.b", "e.y.J", "..", "ez.a.b"];
    for (index, token) in odd_tokens.iter().enumerate() {
        let hash = TokenHash::of(token);
        diesel::insert_into(members::table)
            .values((
                members::id.eq(100 + i32::try_from(index).unwrap()),
                members::account_id.eq(1),
                members::roles.eq(""),
                members::account_roles.eq(""),
                members::token_hash.eq(hash.as_bytes().as_slice()),
            ))
            .execute(&mut world.pool.get().unwrap())
            .unwrap();
    }
    // This one is stored as an opaque token, and is none.
    let expired = sign(Algorithm::EdDSA, ED, &claims_with(&json!({ "exp": 1 })));
    let hash = TokenHash::of(&expired);
    diesel::update(members::table.find(5))
        .set(members::token_hash.eq(hash.as_bytes().as_slice()))
        .execute(&mut world.pool.get().unwrap())
        .unwrap();

    let opaque = BearerToken::<Member>::new(world.pool.clone());
    let service = serve(tokens(&world, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap()).or_opaque(opaque));
    assert_let_in(&get(&service, &sign(Algorithm::EdDSA, ED, &claims_with(&json!({ "sub": "3" })))), "3");
    assert_let_in(&get(&service, "chef"), "2");
    for (index, token) in odd_tokens.iter().enumerate() {
        assert_let_in(&get(&service, token), &(100 + index).to_string());
    }
    for token in
        ["unknown", "a.b.c", "eyJ.a.b", "ewo.a.b", "a b", "=", &expired, &expired[..expired.len() - 1]]
    {
        assert_refused(&get(&service, token));
        assert_refused(&service.get("/open", Some(token)));
    }
    let missing = service.get("/mine", None);
    let challenges: Vec<_> = missing.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer"]);
    // Each is as fresh as its claim.
    assert_eq!(service.get("/fresh", Some("chef")).status, 401);
    assert_eq!(service.get("/fresh", Some("crew")).status, 200);
    assert_eq!(service.get("/fresh", Some(&sign(Algorithm::EdDSA, ED, &claims()))).status, 200);

    // A token without a scheme is an opaque one, and only where these may be without.
    let bare = |service: &Service, token: &str| service.send_with("/mine", &[("authorization", token)]);
    assert_eq!(bare(&service, "chef").status, 401);
    let opaque = BearerToken::<Member>::new(world.pool.clone()).or_bare();
    let with_bare = tokens(&world, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap()).or_opaque(opaque);
    let service = serve(with_bare);
    assert_let_in(&bare(&service, "chef"), "2");
    assert_refused(&bare(&service, &sign(Algorithm::EdDSA, ED, &claims())));

    // Alone it takes them all, and so does the mechanism for opaque ones.
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    assert_refused(&get(&service, "chef"));
    let jwt = tokens(&world, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap()).build().unwrap();
    let opaque = BearerToken::<Member>::new(world.pool.clone());
    let twice = Auth::builder().mechanism(jwt).mechanism(opaque).build().unwrap_err();
    assert!(twice.to_string().contains("two mechanisms are named `token`"), "{twice}");
}
