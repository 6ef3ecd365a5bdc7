//! The report beside the routes that actix-web itself knows.

use actix_web::{http::Method, web};
use auth_core::{ProtectedConfig, ProtectedScope};

use super::{all, all_of_them, by_loader, health, join, lines, notes, plain, registered, several, wrapped};

#[actix_web::test]
async fn a_route_without_a_guard_is_unknown() {
    let found = registered(|config| {
        let unguarded = || async { "open" };
        all(&mut ProtectedConfig::new(config));
        config
            .route("/open", web::get().to(unguarded))
            .route("/health", web::post().to(unguarded))
            .service(web::scope("/files").route("/x", web::delete().to(unguarded)))
            .route("/plain-and-wrapped/secret", web::get().to(unguarded))
            .service(web::scope("/deep/{x}").service(web::resource("/any").to(unguarded)));
    })
    .await;
    let unknown: Vec<String> = found.unknown().iter().map(ToString::to_string).collect();
    assert_eq!(
        unknown,
        [
            "any /deep/{x}/any has no guard",
            "POST /health has no guard",
            "GET /open has no guard",
            "GET /plain-and-wrapped/secret has no guard",
        ]
    );
    assert!(!found.is_complete() && found.to_string().contains("GET /open has no guard\n"));
}

#[actix_web::test]
async fn a_handler_on_a_plain_scope_is_presumed_and_not_known() {
    let found = registered(|config| {
        all(&mut ProtectedConfig::new(config));
        config
            .service(web::scope("/v1").configure(|config| _ = ProtectedConfig::new(config).service(health)));
    })
    .await;
    assert!(!found.is_complete());
    assert_eq!(lines(found.presumed()), ["GET /v1/health: public"]);
    assert!(
        found
            .to_string()
            .contains("GET /v1/health is presumably http::report::health; register it on a protected scope")
    );

    let found = registered(|config| {
        config.service(web::scope("/v1").service((all_of_them, notes, by_loader, join, several, wrapped)));
    })
    .await;
    assert!(!found.is_complete());
    let presumed = lines(found.presumed());
    assert!(presumed.contains(&"GET, POST /v1/join: anonymous_user_required".to_owned()), "{presumed:#?}");
    assert_eq!(presumed.len(), 7);
    assert_eq!(found.unknown().len(), 8);
}

#[actix_web::test]
async fn an_open_route_does_not_pass_for_a_forgotten_handler() {
    let unguarded = || async { "open" };
    for path in ["/health", "/admin/health"] {
        let found = registered(|config| {
            config.route(path, web::get().to(unguarded));
        })
        .await;
        assert!(!found.is_complete(), "{path}");
        assert_eq!(found.unknown().len(), 1);
        assert!(found.report().entries().is_empty());
    }
}

#[actix_web::test]
async fn a_route_that_takes_the_place_of_a_handler_is_no_handler() {
    let unguarded = || async { "open" };
    let found = registered(|config| {
        config.route("/health", web::get().to(unguarded));
        all(&mut ProtectedConfig::new(config));
    })
    .await;
    assert!(!found.is_complete());
    assert_eq!(found.to_string(), "GET /health is registered twice\n");
}

#[actix_web::test]
async fn paths_are_those_that_actix_web_serves() {
    let scope = |path: &str| {
        ProtectedScope::new(path).route("health", Method::GET, plain).route("", Method::GET, plain)
    };
    let found = registered(|config| {
        ProtectedConfig::new(config)
            .service(scope("api"))
            .service(scope("/v2/{x}"))
            .service(ProtectedScope::new("").service(scope("/v3")))
            .route("", Method::GET, plain);
    })
    .await;
    assert!(found.unknown().is_empty(), "{found}");
    let paths: Vec<&str> = found.report().entries().iter().map(auth_core::ReportEntry::path).collect();
    assert_eq!(paths, ["/", "/api", "/api/health", "/v2/{x}", "/v2/{x}/health", "/v3", "/v3/health"]);
}

#[actix_web::test]
async fn the_energy_service_has_no_route_without_a_guard() {
    let service = energy_service::Service::open(&energy_service::Config::default()).unwrap();
    let found = service.guards().await;
    assert!(found.is_complete(), "{found}");
}
