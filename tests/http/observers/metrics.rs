//! The observer that counts decisions and measures loads.

use actix_web::{
    App,
    dev::Service as _,
    test::{TestRequest, init_service},
};
use auth_core::{Auth, event::Metrics};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::service::{Scripted, configure};
use crate::fixture::World;

/// In this thread, for which a recorder of its own is installed.
#[actix_web::test]
async fn metrics_count_decisions_and_measure_loads() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let _installed = metrics::set_default_local_recorder(&recorder);

    let world = World::new();
    let auth = Auth::builder().mechanism(Scripted).connections(world.pool.clone());
    let auth = auth.observer(Metrics::new()).build().unwrap();
    let app = init_service(App::new().configure(|app| configure(app, &auth))).await;
    for (who, path) in [
        ("chef", "/resources/1"),
        ("chef", "/resources/2"),
        ("chef", "/resources/2?again"),
        ("waiter", "/kitchen"),
        ("", "/kitchen"),
        ("chef", "/resources?id=1&id=2"),
    ] {
        let mut request = TestRequest::get().uri(&format!("/api{path}"));
        if !who.is_empty() {
            request = request.insert_header(("x-as", who));
        }
        app.call(request.to_request()).await.unwrap();
    }

    let mut counted = Vec::new();
    for (key, unit, description, value) in snapshots.snapshot().into_vec() {
        assert!(unit.is_some() && description.is_some(), "{key:?}");
        let (_, key) = key.into_parts();
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        counted.push(match value {
            DebugValue::Counter(count) => format!("{} {} {count}", key.name(), labels.join(" ")),
            DebugValue::Histogram(loads) => {
                assert!(loads.iter().all(|seconds| (0.0..60.0).contains(&seconds.into_inner())), "{loads:?}");
                format!("{} {} {}", key.name(), labels.join(" "), loads.len())
            }
            DebugValue::Gauge(_) => panic!("{key:?}"),
        });
    }
    counted.sort();
    let decided = |route: &str, guard: &str, decision: &str, count: u32| {
        format!("auth_decisions_total route=/api{route} method=GET guard={guard} {decision} {count}")
    };
    let (one, many) = ("/resources/{resource_id}", "/resources");
    let guard = "permission_required_for_context";
    let (allowed, denied) = ("outcome=allow reason=match", "outcome=deny reason=no-match");
    let mut expected = [
        decided(one, "authenticate", allowed, 3),
        decided(one, "roles_accepted", allowed, 3),
        decided(one, guard, allowed, 1),
        decided(one, guard, denied, 2),
        decided("/kitchen", "authenticate", allowed, 1),
        decided("/kitchen", "authenticate", "outcome=deny reason=anonymous", 1),
        decided("/kitchen", "roles_required", denied, 1),
        decided(many, "authenticate", allowed, 1),
        decided(many, guard, allowed, 1),
        decided(many, guard, denied, 1),
        "auth_load_duration_seconds context=http::fixture::Resource 4".to_owned(),
    ];
    expected.sort();
    assert_eq!(counted, expected);
}
