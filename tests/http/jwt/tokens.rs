//! Which tokens are good.

use std::time::Duration;

use actix_web::test::TestRequest;
use auth_core::{
    Auth, NoConnection,
    mechanism::{
        Jwt,
        jwt::{Algorithm, JwtBuilder, JwtConfigError, Key, Keys},
    },
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};

use super::{
    AUDIENCE, Claimed, EC, EC_OTHER, EC_PUBLIC, ED, ED_PUBLIC, ISSUER, RSA, RSA_PUBLIC, SECRET,
    assert_let_in, assert_refused, claims, claims_with, get, mine, now, serve, sign, sign_by_id, sign_raw,
    sign_with, signing_key, tokens, with_key,
};
use crate::{client::bearer, fixture::World, log::events_of};

#[test]
fn a_good_token_lets_its_subject_in() {
    for (algorithm, public, private) in [
        (Algorithm::ES256, EC_PUBLIC, EC),
        (Algorithm::EdDSA, ED_PUBLIC, ED),
        (Algorithm::RS256, RSA_PUBLIC, RSA),
        (Algorithm::PS384, RSA_PUBLIC, RSA),
    ] {
        let service = with_key(Key::public(algorithm, public));
        assert_let_in(&get(&service, &sign(algorithm, private, &claims())), "1");
        assert_eq!(service.get("/mine", None).header("www-authenticate"), Some("Bearer"));
        assert_eq!(service.get("/open", None).body, "nobody");
    }
    let service = with_key(Key::secret(Algorithm::HS256, SECRET));
    assert_let_in(&get(&service, &sign(Algorithm::HS256, SECRET, &claims())), "1");
}

#[test]
fn what_a_token_claims_has_to_be_right_and_complete() {
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let response = |changes: Value| get(&service, &sign(Algorithm::EdDSA, ED, &claims_with(&changes)));
    for changes in [
        // A clock may be off by a minute.
        json!({ "exp": now() - 1 }),
        json!({ "nbf": now() + 30 }),
        json!({ "nbf": now() - 600 }),
        json!({ "exp": 4e9 }),
        json!({ "aud": ["https://other.example.org", AUDIENCE] }),
        json!({ "iat": null, "jti": "7", "scope": "openid" }),
    ] {
        let response = response(changes);
        assert_let_in(&response, "1");
    }
    for changes in [
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() - 3600 }),
        json!({ "exp": 0 }),
        json!({ "exp": -1 }),
        json!({ "exp": null }),
        json!({ "exp": (now() + 600).to_string() }),
        json!({ "exp": 1e300 }),
        json!({ "exp": [now() + 600] }),
        json!({ "nbf": now() + 600 }),
        json!({ "nbf": "tomorrow" }),
        json!({ "nbf": u64::MAX }),
        json!({ "iss": null }),
        json!({ "iss": "" }),
        json!({ "iss": "https://login.example.com" }),
        json!({ "iss": "https://login.example.org/" }),
        json!({ "iss": [ISSUER] }),
        json!({ "iss": 1 }),
        json!({ "aud": null }),
        json!({ "aud": "" }),
        json!({ "aud": [] }),
        json!({ "aud": "https://other.example.org" }),
        json!({ "aud": { "0": AUDIENCE } }),
        json!({ "iat": "today" }),
        json!({ "iat": -1 }),
        json!({ "iat": 1e300 }),
        json!({ "auth_time": true }),
        json!({ "sub": null }),
        json!({ "sub": 1 }),
        json!({ "sub": "" }),
        json!({ "sub": "x" }),
        json!({ "sub": "1 OR 1=1" }),
        json!({ "sub": "99" }),
        json!({ "sub": "1".repeat(10_000) }),
    ] {
        assert_refused(&response(changes));
    }
}

#[test]
fn an_issuer_and_an_audience_are_named_and_clocks_are_not_off_by_much() {
    let jwt = || Jwt::<Claimed>::builder(NoConnection, Key::secret(Algorithm::HS256, SECRET).unwrap());
    let error = |jwt: JwtBuilder<Claimed>| jwt.build().err();
    assert_eq!(error(jwt().audience(AUDIENCE)), Some(JwtConfigError::NoIssuer));
    assert_eq!(error(jwt().issuer("").audience(AUDIENCE)), Some(JwtConfigError::NoIssuer));
    assert_eq!(error(jwt().issuer(ISSUER)), Some(JwtConfigError::NoAudience));
    assert_eq!(error(jwt().issuer(ISSUER).audience(AUDIENCE).audience("")), Some(JwtConfigError::NoAudience));
    let five_minutes = Duration::from_secs(300);
    let leeway = |leeway| error(jwt().issuer(ISSUER).audience(AUDIENCE).leeway(leeway));
    assert_eq!(leeway(five_minutes), None);
    assert_eq!(leeway(five_minutes + Duration::from_nanos(1)), Some(JwtConfigError::Leeway));

    let world = World::new();
    let key = || Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap();
    let service = serve(tokens(&world, key()).audience("plant").leeway(Duration::ZERO));
    let response = |changes| get(&service, &sign(Algorithm::EdDSA, ED, &claims_with(&changes)));
    assert_let_in(&response(json!({ "aud": "plant" })), "1");
    assert_let_in(&response(json!({ "aud": ["plant", AUDIENCE] })), "1");
    assert_let_in(&response(json!({})), "1");
    // It ends at the very second at which it expires.
    assert_refused(&response(json!({ "exp": now() })));
    assert_refused(&response(json!({ "nbf": now() + 600 })));
}

#[test]
fn claims_that_cannot_be_understood_are_refused() {
    let service = serve(
        Jwt::<Claimed>::builder(NoConnection, Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap())
            .issuer(ISSUER)
            .audience(AUDIENCE),
    );
    let response = |payload: &[u8]| {
        service.get("/claimed", Some(&sign_raw(Algorithm::EdDSA, ED, br#"{"alg":"EdDSA"}"#, payload)))
    };
    let payload = |sub: &str, roles: &str, rest: &str| {
        let exp = now() + 600;
        format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{exp},"sub":{sub},"roles":{roles}{rest}}}"#)
    };
    assert_let_in(&response(payload("7", r#"["chef"]"#, "").as_bytes()), "7");
    assert_let_in(&response(payload(r#""mia""#, "[]", r#","x":{"y":[null]}"#).as_bytes()), "mia");

    let digits = "9".repeat(10_000);
    // Unused members are skipped, however deep they are.
    let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_let_in(&response(payload("7", "[]", &format!(r#","x":{nested}"#)).as_bytes()), "7");
    for payload in [
        payload(&digits, "[]", ""),
        payload("7", &nested, ""),
        payload("7", "[]", &format!(r#","x":{}"#, "[".repeat(10_000))),
        payload("7", "[]", r#","exp":99999999999"#),
        payload("7", "[]", r#","sub":8"#),
        payload("7", "[]", ","),
        payload("7", "null", ""),
        payload("null", "[]", ""),
        payload("7.5", "[]", ""),
        json!([now() + 600, 0, "7", ISSUER, AUDIENCE]).to_string(),
        "[".repeat(10_000),
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        "\"\"".to_owned(),
        "\u{feff}{}".to_owned(),
    ] {
        assert_refused(&response(payload.as_bytes()));
    }
    let mut not_utf_8 = payload(r#""mia""#, "[]", "").into_bytes();
    let letter = not_utf_8.windows(3).position(|three| three == b"mia").unwrap();
    not_utf_8[letter] = 0xff;
    assert_refused(&response(&not_utf_8));
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    let unsigned = |algorithm: &str| {
        let encode = Base64UrlUnpadded::encode_string;
        let header = json!({ "typ": "JWT", "alg": algorithm }).to_string();
        format!("{}.{}.", encode(header.as_bytes()), encode(claims().to_string().as_bytes()))
    };
    for (algorithm, public, private) in [
        (Algorithm::RS256, RSA_PUBLIC, RSA),
        (Algorithm::ES256, EC_PUBLIC, EC),
        (Algorithm::EdDSA, ED_PUBLIC, ED),
    ] {
        let service = with_key(Key::public(algorithm, public));
        for none in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA", "x\nINFO"] {
            assert_refused(&get(&service, &unsigned(none)));
        }
        let signature = sign(algorithm, private, &claims()).rsplit('.').next().unwrap().to_owned();
        assert_refused(&get(&service, &format!("{}{signature}", unsigned("none"))));

        // The public key as the secret, in all the forms in which a verifier might have taken it for one.
        let body = public.lines().filter(|line| !line.starts_with("--")).collect::<String>();
        let der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
        for secret in [public.as_bytes(), public.trim_end().as_bytes(), body.as_bytes(), &der, b""] {
            for hmac in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                assert_refused(&get(&service, &sign(hmac, secret, &claims())));
                // Signed with the one, and named the other.
                let header = json!({ "alg": algorithm });
                assert_refused(&get(&service, &sign_with(hmac, secret, &header, &claims())));
            }
        }
    }
    // The right key, and another algorithm with which it could be used.
    let service = with_key(Key::public(Algorithm::RS256, RSA_PUBLIC));
    for other in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        assert_refused(&get(&service, &sign(other, RSA, &claims())));
    }
}

#[test]
fn the_header_brings_no_key_and_asks_for_nothing() {
    let service = with_key(Key::public(Algorithm::ES256, EC_PUBLIC));
    let response =
        |pem: &[u8], header: &Value| get(&service, &sign_with(Algorithm::ES256, pem, header, &claims()));
    assert_refused(&response(EC_OTHER, &json!({ "alg": "ES256" })));
    let jwk = Jwk::from_encoding_key(&signing_key(Algorithm::ES256, EC_OTHER), Algorithm::ES256).unwrap();
    assert_refused(&response(EC_OTHER, &json!({ "alg": "ES256", "jwk": jwk })));
    assert_refused(&response(EC_OTHER, &json!({ "alg": "ES256", "jku": "http://127.0.0.1/jwks.json" })));
    assert_let_in(&response(EC, &json!({ "alg": "ES256", "kid": "any", "x": [1] })), "1");
    assert_refused(&response(EC, &json!({ "alg": "ES256", "crit": ["exp"], "exp": 1 })));
    assert_refused(&response(EC, &json!({ "alg": "ES256", "crit": [] })));
    assert_refused(&response(EC, &json!({ "alg": "ES256", "b64": false, "crit": ["b64"] })));
    assert_refused(&response(EC, &json!({ "alg": ["ES256"] })));
    assert_refused(&response(EC, &json!({})));
    for header in [r#"{"alg":"none","alg":"ES256"}"#, r#"{"alg":"ES256","alg":"none"}"#, "null", "", "[[[["] {
        let token = sign_raw(Algorithm::ES256, EC, header.as_bytes(), claims().to_string().as_bytes());
        assert_refused(&get(&service, &token));
    }
    let nested = format!(r#"{{"alg":"ES256","x":{}}}"#, "[".repeat(10_000));
    let token = sign_raw(Algorithm::ES256, EC, nested.as_bytes(), claims().to_string().as_bytes());
    assert_refused(&get(&service, &token));
}

#[test]
fn a_token_is_whole_and_unchanged() {
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let token = sign(Algorithm::EdDSA, ED, &claims());
    assert_let_in(&get(&service, &token), "1");
    for end in 1..token.len() {
        assert_refused(&get(&service, &token[..end]));
    }
    for start in (1..token.len()).step_by(5) {
        assert_refused(&get(&service, &token[start..]));
    }
    for (at, letter) in token.char_indices().step_by(3) {
        let other = if letter == 'A' { "B" } else { "A" };
        assert_refused(&get(&service, &format!("{}{other}{}", &token[..at], &token[at + 1..])));
    }
    for changed in [
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        format!("{token} {token}"),
        format!("{token},{token}"),
        token.replace('.', ".."),
        token.replacen('.', ".=", 1),
        "..".to_owned(),
        ".".repeat(5_000),
    ] {
        assert_refused(&get(&service, &changed));
    }
    // A caller with wrong credentials is not an anonymous one.
    assert_refused(&service.get("/open", Some("opaque")));
    assert_refused(&service.get("/open", Some(&token[1..])));
}

#[test]
fn a_long_token_is_refused_before_it_is_decoded() {
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let padded = |length: usize| {
        let claims = claims_with(&json!({ "padding": "x".repeat(length) }));
        sign(Algorithm::EdDSA, ED, &claims)
    };
    let (short, long) = (padded(11_000), padded(12_200));
    assert!(short.len() < 16 * 1024 && 16 * 1024 < long.len());
    assert_let_in(&get(&service, &short), "1");
    assert_refused(&get(&service, &long));
}

#[test]
fn what_is_no_header_is_answered_and_harms_nobody() {
    let service = with_key(Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let ask = |token: &[u8]| {
        let start = b"GET /mine HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer ";
        service.raw(&[start, token, b"\r\n\r\n"].concat())
    };
    let nested = Base64UrlUnpadded::encode_string("[".repeat(100_000).as_bytes());
    for token in [
        vec![b'a'; 1 << 20],
        format!("eyJhbGciOiJFZERTQSJ9.{}.AA", "a".repeat(1 << 20)).into_bytes(),
        format!("eyJhbGciOiJFZERTQSJ9.{nested}.AA").into_bytes(),
        b"\xff\xfe.\xc3\x28.\xed\xa0\x80".to_vec(),
        b"eyJhbGciOiJFZERTQSJ9.\xff.AA".to_vec(),
        b"\0".to_vec(),
        b"a\0b.c.d".to_vec(),
        b"a\rb".to_vec(),
        b"a\nb".to_vec(),
        b"\x7f\x1b[2J".to_vec(),
    ] {
        // A connection that is closed while the client still sends has no answer that the client sees.
        if let Some(status) = ask(&token) {
            assert!(
                (400..500).contains(&status),
                "{status}: {}",
                token[..20.min(token.len())].escape_ascii()
            );
        }
        assert_let_in(&get(&service, &sign(Algorithm::EdDSA, ED, &claims())), "1");
    }
}

#[actix_web::test]
async fn the_log_has_the_reason_of_a_refusal() {
    let world = World::new();
    let key = Key::public(Algorithm::ES256, EC_PUBLIC).unwrap();
    let jwt = tokens(&world, Keys::by_id([("a", key)]).unwrap()).build().unwrap();
    let auth = Auth::builder().mechanism(jwt).build().unwrap();
    let es256 = |changes| {
        let header = json!({ "alg": "ES256", "kid": "a" });
        sign_with(Algorithm::ES256, EC, &header, &claims_with(&changes))
    };
    for (token, reason) in [
        (es256(json!({ "exp": 1 })), "it has expired"),
        (es256(json!({ "nbf": now() + 600 })), "it is not good yet"),
        (es256(json!({ "iss": "x" })), "it is from another issuer"),
        (es256(json!({ "aud": "x" })), "it is for another audience"),
        (es256(json!({ "exp": null })), "missing field `exp`"),
        (es256(json!({ "sub": "99" })), "its claims name nobody who may get in"),
        (es256(json!({ "sub": 1 })), "its claims are not those that the application reads"),
        (sign_by_id(Algorithm::ES256, EC_OTHER, "a"), "its signature is not by its key"),
        (sign_by_id(Algorithm::EdDSA, ED, "a"), "its algorithm is not that of its key"),
        (sign_by_id(Algorithm::ES256, EC, "b\nINFO"), r#"there is no key with the id "b\nINFO""#),
        (sign(Algorithm::ES256, EC, &claims()), "it does not say by which key it is signed"),
        (sign_with(Algorithm::ES256, EC, &json!({ "alg": "ES256", "crit": [] }), &claims()), "`crit`"),
        ("a.b.c".to_owned(), "it is not three parts"),
        ("a".repeat(20_000), "it is longer than 16384 bytes"),
    ] {
        let request = TestRequest::get().uri("/mine").insert_header(("authorization", bearer(&token)));
        let (status, events) = events_of(|app| _ = app.app_data(auth.clone()).service(mine), request).await;
        assert_eq!(status, 401);
        let [refusal, decision] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(refusal["target"], "auth");
        let logged = refusal["fields"]["reason"].as_str().unwrap();
        assert!(logged.contains(reason) && !logged.contains('\n'), "{logged:?} has {reason:?}");
        assert_eq!(decision["fields"]["reason"], "bad-credentials");
        assert!(!format!("{events:?}").contains(&token[..token.len() - 1]), "a token is not for the log");
    }
}
