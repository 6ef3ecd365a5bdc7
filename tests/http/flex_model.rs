//! References to sensors inside a document: each is guarded like an id in the URL.

use serde_json::{Value, json};

use super::demo::Energy;

const FLEX_MODEL: &str = "/assets/{asset Battery}/flex-model";

fn put(energy: &Energy, caller: &str, document: &Value) -> (u16, String) {
    let response = energy.send(caller, "PUT", FLEX_MODEL, Some(document));
    (response.status.as_u16(), response.body)
}

#[test]
fn whoever_may_change_the_asset_stores_its_flex_model() {
    let energy = Energy::start();
    energy.assert_statuses("GET", FLEX_MODEL, None, [401, 404, 404, 404, 403, 404, 404]);
    let document =
        json!({"soc-max": {"sensor": energy.id_of("sensors-of Battery")}, "power-capacity": "20 kW"});
    energy.assert_statuses("PUT", FLEX_MODEL, Some(&document), [401, 200, 200, 200, 403, 200, 403]);
    energy.assert_statuses("GET", FLEX_MODEL, None, [401, 200, 200, 200, 403, 200, 200]);
    assert_eq!(energy.send("rita", "GET", FLEX_MODEL, None).json(), document);
    // One without a reference is a document, too, and replaces the other.
    assert_eq!(put(&energy, "mia", &json!({})).0, 200);
    assert_eq!(energy.send("mia", "GET", FLEX_MODEL, None).json(), json!({}));
}

#[test]
fn every_sensor_in_it_has_to_be_readable_wherever_it_stands() {
    let energy = Energy::start();
    let own = energy.id_of("sensors-of Battery");
    let other = energy.id_of("sensors-of Oven");
    for (document, place) in [
        (json!({"sensor": other}), "/sensor"),
        (json!({"consumption-price-sensor": other}), "/consumption-price-sensor"),
        (json!({"sensors": [own, other]}), "/sensors"),
        (json!({"inflexible-device-sensors": [own, other]}), "/inflexible-device-sensors"),
        (json!({"soc-max": {"sensor": other}, "soc-min": {"sensor": own}}), "/soc-max/sensor"),
        (json!({"soc-minima": [{"value": [[{"sensor": other}]]}]}), "/soc-minima/0/value/0/0/sensor"),
    ] {
        for caller in ["mia", "adam", "cora"] {
            let (status, body) = put(&energy, caller, &document);
            assert_eq!(status, 403, "{caller} {document}");
            assert!(body.contains(place), "{body}");
            assert!(!body.contains("account") && !body.contains("Oven"), "{body}");
        }
        assert_eq!(put(&energy, "ada", &document).0, 200, "{document}");
    }
    // Everybody may read a public sensor.
    assert_eq!(put(&energy, "mia", &json!({"sensor": energy.id_of("sensors-of Weather station")})).0, 200);
    assert_eq!(put(&energy, "mia", &json!({"sensors": [own, 999_999]})).0, 404);
}

#[test]
fn a_document_that_could_be_read_in_two_ways_is_refused() {
    let energy = Energy::start();
    let other = energy.id_of("sensors-of Oven");
    for document in
        [json!({"sensor": other.to_string()}), json!({"sensor": f64::from(other)}), json!([]), json!(1)]
    {
        assert_eq!(put(&energy, "mia", &document).0, 400, "{document}");
    }
    // The last of two members of one name is the one that is checked and the one that is stored.
    let own = energy.id_of("sensors-of Battery");
    for (first, last, status) in [(own, other, 403), (other, own, 200)] {
        let body = format!(r#"{{"sensor": {first}, "sensor": {last}}}"#);
        let response = energy.http.send("PUT", &energy.path(FLEX_MODEL), Some("Bearer mia"), Some(&body));
        assert_eq!(response.status, status, "{body}");
    }
    assert_eq!(energy.send("mia", "GET", FLEX_MODEL, None).json(), json!({"sensor": own}));
    let deep = format!(r#"{{"a": {}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let response = energy.http.send("PUT", &energy.path(FLEX_MODEL), Some("Bearer mia"), Some(&deep));
    assert_eq!(response.status, 400);
    // A document that is too long is not searched, and long ways to references are not written down.
    let (status, body) = put(&energy, "mia", &json!({"a": "x".repeat(60_000), "sensor": "wrong"}));
    assert_eq!((status, body.contains("longer than 60000 bytes")), (400, true), "{body}");
    let far = json!({"k".repeat(30_000): vec![json!({"sensor": own}); 900]});
    assert_eq!(put(&energy, "mia", &far).0, 400);
}

#[test]
fn a_key_that_resembles_a_reference_is_refused() {
    let energy = Energy::start();
    let other = energy.id_of("sensors-of Oven");
    for key in ["Sensor", "price_sensor", "priceSensor", " sensor", "sensor-id", "\u{455}ensor"] {
        for document in [json!({key: other}), json!({"soc-minima": [{key: [other]}]})] {
            assert_eq!(put(&energy, "mia", &document).0, 400, "{document}");
            assert_eq!(put(&energy, "sven", &document).0, 403, "{document}");
        }
    }
}

#[test]
fn an_asset_is_not_shown_below_another_account() {
    let energy = Energy::start();
    let account = |name: &str| energy.id_of(&format!("account {name}"));
    let below = |account: i32| format!("/accounts/{account}/assets/{{asset Battery}}");
    energy.assert_statuses(
        "GET",
        &below(account("Sunnyside Farm")),
        None,
        [401, 200, 200, 200, 403, 200, 200],
    );
    energy.assert_statuses(
        "GET",
        &below(account("Harbour Bakery")),
        None,
        [401, 404, 404, 404, 404, 404, 404],
    );
}
