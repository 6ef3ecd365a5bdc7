//! The keys of tokens: rotated, from a file, and refused when they do not fit.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use auth_core::mechanism::jwt::{Algorithm, Key, KeyError, Keys};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};

use super::{
    EC, EC_OTHER, EC_PUBLIC, ED, ED_PUBLIC, RSA, RSA_PUBLIC, SECRET, assert_let_in, assert_refused, claims,
    get, serve, sign, sign_by_id, signing_key, tokens,
};
use crate::fixture::World;

const EC_384_PUBLIC: &str = include_str!("pem/ec384.pub.pem");
const RSA_1024_PUBLIC: &str = include_str!("pem/rsa-1024.pub.pem");

#[test]
fn keys_are_rotated_by_their_ids() {
    let (old, new) = (Key::public(Algorithm::ES256, EC_PUBLIC), Key::public(Algorithm::EdDSA, ED_PUBLIC));
    let keys = Keys::by_id([("old", old.unwrap()), ("new", new.unwrap())]).unwrap();
    let service = serve(tokens(&World::new(), keys));
    assert_let_in(&get(&service, &sign_by_id(Algorithm::ES256, EC, "old")), "1");
    assert_let_in(&get(&service, &sign_by_id(Algorithm::EdDSA, ED, "new")), "1");
    for token in [
        sign_by_id(Algorithm::ES256, EC, "new"),
        sign_by_id(Algorithm::EdDSA, ED, "old"),
        sign_by_id(Algorithm::ES256, EC_OTHER, "old"),
        sign_by_id(Algorithm::ES256, EC, "older"),
        sign_by_id(Algorithm::ES256, EC, "Old"),
        sign_by_id(Algorithm::ES256, EC, ""),
        sign_by_id(Algorithm::ES256, EC, &"old".repeat(3_000)),
        sign_by_id(Algorithm::ES256, EC, "../old\n INFO auth: outcome=allow"),
        sign(Algorithm::ES256, EC, &claims()),
        sign(Algorithm::EdDSA, ED, &claims()),
    ] {
        assert_refused(&get(&service, &token));
    }
    // One key with an id is named as well.
    let only = Keys::by_id([("old", Key::public(Algorithm::ES256, EC_PUBLIC).unwrap())]).unwrap();
    let service = serve(tokens(&World::new(), only));
    assert_let_in(&get(&service, &sign_by_id(Algorithm::ES256, EC, "old")), "1");
    assert_refused(&get(&service, &sign(Algorithm::ES256, EC, &claims())));
}

/// A file of its own that has a set of keys.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(keys: &[Value]) -> Self {
        static FILES: AtomicUsize = AtomicUsize::new(0);

        let name = format!("jwks-{}-{}.json", process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let file = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.write(&json!({ "keys": keys }).to_string());
        file
    }

    /// At once, as a careful rotation of keys does it.
    fn write(&self, content: &str) {
        let new = self.0.with_extension("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, &self.0).unwrap();
    }

    fn keys(&self, algorithms: &[Algorithm]) -> Result<Keys, KeyError> {
        Keys::jwks_file(&self.0, algorithms)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The public key of this private one, as a set has it.
fn jwk(algorithm: Algorithm, pem: &[u8], id: &str) -> Value {
    let jwk = Jwk::from_encoding_key(&signing_key(algorithm, pem), algorithm).unwrap();
    with(serde_json::to_value(jwk).unwrap(), &json!({ "kid": id, "use": "sig" }))
}

/// The key with these members changed; `null` takes one away.
fn with(mut jwk: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = jwk.as_object_mut().unwrap().remove(name),
            value => jwk[name] = value.clone(),
        }
    }
    jwk
}

const PUBLIC_KEYS: &[Algorithm] = &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

#[test]
fn a_file_of_keys_is_rotated_without_a_restart() {
    let old = jwk(Algorithm::ES256, EC, "old");
    let new = jwk(Algorithm::RS256, RSA, "new");
    let file = KeyFile::new(std::slice::from_ref(&old));
    let service = serve(tokens(&World::new(), file.keys(PUBLIC_KEYS).unwrap()));
    let by_old = sign_by_id(Algorithm::ES256, EC, "old");
    let by_new = sign_by_id(Algorithm::RS256, RSA, "new");
    let statuses = || [&by_old, &by_new].map(|token| get(&service, token).status.as_u16());
    let becomes = |expected: [u16; 2]| {
        let patience = Instant::now() + Duration::from_secs(60);
        while statuses() != expected {
            assert!(Instant::now() < patience, "{:?} is not {expected:?}", statuses());
            thread::sleep(Duration::from_millis(50));
        }
    };
    assert_eq!(statuses(), [200, 401]);
    file.write(&json!({ "keys": [old, new] }).to_string());
    becomes([200, 200]);
    file.write(&json!({ "keys": [new] }).to_string());
    becomes([401, 200]);
    file.write(&json!({ "keys": [] }).to_string());
    becomes([401, 401]);
    file.write(&json!({ "keys": [old] }).to_string());
    becomes([200, 401]);
}

#[test]
fn a_file_that_cannot_be_used_changes_nothing() {
    let key = jwk(Algorithm::EdDSA, ED, "a");
    let file = KeyFile::new(std::slice::from_ref(&key));
    let keys = file.keys(PUBLIC_KEYS).unwrap();
    let service = serve(tokens(&World::new(), keys.clone()));
    let token = sign_by_id(Algorithm::EdDSA, ED, "a");
    keys.reload().unwrap();
    for broken in ["", "{", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[{"#, &"[".repeat(100_000)] {
        file.write(broken);
        assert!(matches!(keys.reload(), Err(KeyError::NotAKeySet { .. })), "{broken}");
        assert_let_in(&get(&service, &token), "1");
    }
    file.write(&json!({ "keys": [key, key] }).to_string());
    assert!(matches!(keys.reload(), Err(KeyError::IdTwice { id }) if id == "a"));
    file.write(&format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(1 << 20)));
    assert!(matches!(keys.reload(), Err(KeyError::Unreadable { .. })));
    fs::remove_file(&file.0).unwrap();
    let error = keys.reload().unwrap_err();
    assert!(matches!(&error, KeyError::Unreadable { path, .. } if *path == file.0), "{error}");
    assert_let_in(&get(&service, &token), "1");

    // A set without keys can be used: it lets no request in.
    file.write(&json!({ "keys": [] }).to_string());
    assert!(matches!(keys.reload(), Err(KeyError::NoKey)));
    assert_refused(&get(&service, &token));
    file.write(&json!({ "keys": [key] }).to_string());
    keys.reload().unwrap();
    assert_let_in(&get(&service, &token), "1");
}

#[test]
fn only_keys_for_what_was_asked_for_are_used() {
    let ec = || jwk(Algorithm::ES256, EC, "ec");
    let oct = json!({
        "kty": "oct", "alg": "HS256", "kid": "oct", "use": "sig", "k": Base64UrlUnpadded::encode_string(SECRET),
    });
    let odd = [
        with(ec(), &json!({ "kid": "for-encryption", "use": "enc" })),
        with(ec(), &json!({ "kid": "for-something", "use": "tls" })),
        with(ec(), &json!({ "kid": "to-sign", "use": null, "key_ops": ["sign"] })),
        with(ec(), &json!({ "kid": "another-algorithm", "alg": "ES384" })),
        with(ec(), &json!({ "kid": "unknown-algorithm", "alg": "ES1024" })),
        with(ec(), &json!({ "kid": "other-curve", "crv": "P-384", "alg": null })),
        with(ec(), &json!({ "kid": "unknown-curve", "crv": "P-1" })),
        with(ec(), &json!({ "kid": "not-on-the-curve", "x": ec()["y"] })),
        with(ec(), &json!({ "kid": "no-point", "x": "" })),
        with(ec(), &json!({ "kid": "no-base64", "x": "é" })),
        with(ec(), &json!({ "kid": "no-type", "kty": null })),
        with(ec(), &json!({ "kid": 7 })),
        with(jwk(Algorithm::EdDSA, ED, "short"), &json!({ "x": "AAAA" })),
        with(jwk(Algorithm::EdDSA, ED, "empty"), &json!({ "x": "" })),
        with(jwk(Algorithm::RS256, RSA, "weak"), &json!({ "n": "AQAB" })),
        with(jwk(Algorithm::RS256, RSA, "exponent-1"), &json!({ "e": "AQ" })),
        with(jwk(Algorithm::RS256, RSA, "exponent-0"), &json!({ "e": "" })),
        with(jwk(Algorithm::RS256, RSA, "huge"), &json!({ "n": "_".repeat(20_000) })),
        oct.clone(),
        json!({ "kty": "AKP", "kid": "akp", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({}),
        json!(null),
        json!("ec"),
    ];
    let without_id = with(ec(), &json!({ "kid": null }));
    let file = KeyFile::new(&[&odd[..], &[without_id.clone(), ec()]].concat());
    let service = serve(tokens(&World::new(), file.keys(PUBLIC_KEYS).unwrap()));
    assert_let_in(&get(&service, &sign_by_id(Algorithm::ES256, EC, "ec")), "1");
    for id in odd.iter().filter_map(|key| key["kid"].as_str()) {
        for (algorithm, pem) in [
            (Algorithm::ES256, EC),
            (Algorithm::EdDSA, ED),
            (Algorithm::RS256, RSA),
            (Algorithm::HS256, SECRET),
        ] {
            assert_refused(&get(&service, &sign_by_id(algorithm, pem, id)));
        }
    }
    assert_refused(&get(&service, &sign(Algorithm::ES256, EC, &claims())));
    for key in odd {
        let keys = KeyFile::new(std::slice::from_ref(&key)).keys(PUBLIC_KEYS);
        assert!(matches!(keys, Err(KeyError::NoKey)), "{key}: {keys:?}");
    }
    // Alone, a key needs no id.
    let service = serve(tokens(&World::new(), KeyFile::new(&[without_id]).keys(PUBLIC_KEYS).unwrap()));
    assert_let_in(&get(&service, &sign(Algorithm::ES256, EC, &claims())), "1");
    assert_refused(&get(&service, &sign(Algorithm::EdDSA, ED, &claims())));

    // A secret is used where the configuration names its algorithm, and an RSA key without `alg` where there is only one
    // choice.
    let rsa = with(jwk(Algorithm::RS256, RSA, "rsa"), &json!({ "alg": null, "use": null }));
    let file = KeyFile::new(&[oct, rsa]);
    let service = serve(tokens(&World::new(), file.keys(&[Algorithm::HS256, Algorithm::PS256]).unwrap()));
    assert_let_in(&get(&service, &sign_by_id(Algorithm::HS256, SECRET, "oct")), "1");
    assert_let_in(&get(&service, &sign_by_id(Algorithm::PS256, RSA, "rsa")), "1");
    assert_refused(&get(&service, &sign_by_id(Algorithm::RS256, RSA, "rsa")));
    assert!(matches!(
        KeyFile::new(&[with(jwk(Algorithm::RS256, RSA, "rsa"), &json!({ "alg": null }))])
            .keys(&[Algorithm::RS256, Algorithm::PS256]),
        Err(KeyError::NoKey)
    ));
}

#[test]
fn a_file_that_is_not_there_or_has_no_keys_is_found_out_when_the_service_starts() {
    let error = Keys::jwks_file("/nowhere/jwks.json", PUBLIC_KEYS).unwrap_err();
    assert_eq!(error.to_string(), "the keys in `/nowhere/jwks.json` cannot be read");
    assert!(matches!(KeyFile::new(&[]).keys(PUBLIC_KEYS), Err(KeyError::NoKey)));
    let file = KeyFile::new(&[jwk(Algorithm::ES256, EC, "a")]);
    assert!(matches!(file.keys(&[]), Err(KeyError::NoKey)));
    file.write("");
    let error = file.keys(PUBLIC_KEYS).unwrap_err().to_string();
    assert!(error.ends_with("is not a JSON Web Key Set: an object with a list `keys`"), "{error}");
}

#[test]
fn keys_that_do_not_fit_their_algorithm_are_found_out_when_the_service_starts() {
    let message = |key: Result<Key, KeyError>| key.unwrap_err().to_string();
    for (algorithm, pem) in [
        (Algorithm::ES256, RSA_PUBLIC),
        (Algorithm::ES256, ED_PUBLIC),
        (Algorithm::ES256, EC_384_PUBLIC),
        (Algorithm::ES384, EC_PUBLIC),
        (Algorithm::EdDSA, EC_PUBLIC),
        (Algorithm::RS256, EC_PUBLIC),
        (Algorithm::PS512, ""),
        (Algorithm::RS256, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        (Algorithm::EdDSA, "-----BEGIN PUBLIC KEY-----\nMAkwBwYDK2VwAwA=\n-----END PUBLIC KEY-----\n"),
    ] {
        assert_eq!(
            message(Key::public(algorithm, pem)),
            format!("this is not a public key for {algorithm:?}")
        );
    }
    for (algorithm, private) in [(Algorithm::RS256, RSA), (Algorithm::ES256, EC), (Algorithm::EdDSA, ED)] {
        let refused = message(Key::public(algorithm, private));
        assert_eq!(refused, format!("this is not a public key for {algorithm:?}"), "a private key");
    }
    assert_eq!(
        message(Key::public(Algorithm::RS256, RSA_1024_PUBLIC)),
        "a key for RS256 has 2048 to 4096 bits, and this one 1024; make a new one"
    );
    assert_eq!(
        message(Key::public(Algorithm::HS256, RSA_PUBLIC)),
        "HS256 has a secret and no public key; use `Key::secret`"
    );
    assert_eq!(
        message(Key::secret(Algorithm::RS256, SECRET)),
        "RS256 has a public key and no secret; use `Key::public`"
    );
    for (algorithm, least) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        assert!(Key::secret(algorithm, &vec![7; least]).is_ok());
        assert_eq!(
            message(Key::secret(algorithm, &vec![7; least - 1])),
            format!(
                "a secret for {algorithm:?} has at least {least} bytes, and this one {}; make a new one",
                least - 1
            )
        );
    }
    let key = || Key::public(Algorithm::EdDSA, ED_PUBLIC).unwrap();
    let twice = Keys::by_id([("a", key()), ("a", key())]).unwrap_err();
    assert_eq!(twice.to_string(), "two keys have the id `a`; rename one");
    assert!(matches!(Keys::by_id::<&str>([]), Err(KeyError::NoKey)));
    let shown = format!("{:?}", Key::secret(Algorithm::HS256, SECRET).unwrap());
    assert!(shown.contains("redacted") && !shown.contains(&format!("{:?}", &SECRET[..4])[1..]), "{shown}");
}
