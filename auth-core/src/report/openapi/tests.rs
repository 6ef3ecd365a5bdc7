use std::cell::Cell;

use actix_web::HttpRequest;
use serde_json::{Value, json};

use super::{all_requirements::AllRequirements, template};
use crate::{
    guard::{CallerRequirement, ContextRequirement, GuardedHandler, Requirements, ScopeGuard, SubjectCheck},
    http::auth::{Auth, AuthBuilder, LogInRequirement},
    mechanism::{Authenticated, Mechanism, Rejection, Scheme},
    report::ReportEntry,
    vocabulary::Permission,
};

struct NamedMechanism(&'static str);

impl Mechanism for NamedMechanism {
    fn name(&self) -> &'static str {
        self.0
    }

    fn is_default(&self) -> bool {
        self.0 != "basic"
    }

    fn scheme(&self) -> Option<Scheme> {
        match self.0 {
            "basic" => Some(Scheme::Basic),
            "session" => Some(Scheme::Cookie { name: "id".to_owned() }),
            _ => None,
        }
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(None)
    }
}

fn builder() -> AuthBuilder {
    Auth::builder()
        .mechanism(NamedMechanism("token"))
        .mechanism(NamedMechanism("session"))
        .mechanism(NamedMechanism("basic"))
}

thread_local! {
    /// The guard inside the last entry, which has two guards.
    static INNER: Cell<Option<&'static GuardedHandler>> = const { Cell::new(None) };
}

fn entry(
    scopes: Vec<ScopeGuard>,
    outer: Option<Requirements<'static>>,
    requirements: Requirements<'static>,
) -> ReportEntry {
    let handler = |module, inner, requirements| GuardedHandler {
        name: "view",
        module,
        file: "lib.rs",
        line: 1,
        routes: &[],
        inner,
        requirements,
    };
    let inner = handler("service::sensors", None, requirements);
    // A guard around it, where an attribute under another name makes one.
    let handler = match outer {
        Some(requirements) => {
            INNER.set(Some(Box::leak(Box::new(inner))));
            handler("service", Some(|| INNER.get().unwrap()), requirements)
        }
        None => inner,
    };
    let methods = vec!["GET".into()];
    ReportEntry { handler, methods, path: "/".to_owned(), is_service: false, scopes, answers_head: false }
}

fn of_handler(requirements: Requirements<'static>) -> ReportEntry {
    entry(Vec::new(), None, requirements)
}

fn security(entry: &ReportEntry) -> Option<Value> {
    let security = AllRequirements::of(entry).security(&builder().build().unwrap())?;
    Some(serde_json::to_value(security).unwrap())
}

fn denials(auth: AuthBuilder, method: &str, entry: &ReportEntry) -> Vec<u16> {
    let denials = AllRequirements::of(entry).denials(&auth.build().unwrap(), method);
    denials.into_iter().map(|status| status.as_u16()).collect()
}

const ANONYMOUS: Requirements<'static> =
    Requirements { caller: CallerRequirement::Anonymous, checks: &[], contexts: &[] };
const ANY: Requirements<'static> =
    Requirements { caller: CallerRequirement::BY_DEFAULT, checks: &[], contexts: &[] };
const TOKEN: Requirements<'static> = by(&LogInRequirement::mechanisms(&["token"]));
const BASIC: Requirements<'static> = by(&LogInRequirement::mechanisms(&["basic"]));
const BASIC_OR_SESSION: Requirements<'static> = by(&LogInRequirement::mechanisms(&["basic", "session"]));
const PUBLIC: Requirements<'static> = Requirements::nothing(None);

const fn by(accepted: &'static LogInRequirement) -> Requirements<'static> {
    Requirements { caller: CallerRequirement::Authenticated(accepted), ..ANY }
}

const fn token(contexts: &'static [ContextRequirement]) -> Requirements<'static> {
    Requirements { contexts, ..TOKEN }
}

const fn requirement(
    context: &'static str,
    id: Option<&'static str>,
    permissions: &'static [Permission],
) -> ContextRequirement {
    ContextRequirement { context, id, places: &[], permissions, allows_empty: false, policy: &[] }
}

const READ: &[ContextRequirement] = &[requirement("Sensor", Some("\"sensor_id\""), &[Permission::READ])];
const UPDATE: &[ContextRequirement] = &[requirement("Sensor", Some("\"sensor_id\""), &[Permission::UPDATE])];
const LOADED: &[ContextRequirement] = &[requirement("of_body(body)", None, &[Permission::READ])];
const SINGLE: &[ContextRequirement] = &[requirement("Platform", Some("()"), &[Permission::UPDATE])];

#[test]
fn a_handler_names_its_mechanisms() {
    for (requirements, expected) in [
        // In the order in which mechanisms are tried; without basic, which a guard has to name.
        (ANY, json!([{ "token": [] }, { "session": [] }])),
        (BASIC_OR_SESSION, json!([{ "session": [] }, { "basic": [] }])),
        (PUBLIC, json!([])),
        (ANONYMOUS, json!([])),
    ] {
        assert_eq!(security(&of_handler(requirements)), Some(expected), "{requirements:?}");
    }
}

#[test]
fn what_scopes_and_handlers_accept_alike_is_enough() {
    let by_token = || ScopeGuard::auth_required_by(&["token"]);
    let by_session_or_basic = || ScopeGuard::auth_required_by(&["session", "basic"]);
    for (scopes, outer, requirements, expected) in [
        (vec![ScopeGuard::auth_required()], None, TOKEN, json!([{ "token": [] }])),
        (vec![by_token()], None, ANY, json!([{ "token": [] }])),
        (vec![ScopeGuard::auth_required(), by_session_or_basic()], None, ANY, json!([{ "session": [] }])),
        // An attribute under another name is around the handler's own.
        (vec![], Some(TOKEN), ANY, json!([{ "token": [] }])),
        (vec![], Some(BASIC_OR_SESSION), ANY, json!([{ "session": [] }])),
        // A public handler is open to all callers that pass the scope.
        (vec![by_token()], None, PUBLIC, json!([{ "token": [] }])),
        (vec![ScopeGuard::auth_required()], None, ANONYMOUS, json!([{ "token": [] }, { "session": [] }])),
    ] {
        let of_scopes = entry(scopes, outer, requirements);
        assert_eq!(security(&of_scopes), Some(expected), "{of_scopes:?}");
    }
}

#[test]
fn what_no_two_guards_accept_alike_is_asked_together() {
    let by_token = ScopeGuard::auth_required_by(&["token"]);
    let of_scopes = entry(vec![by_token.clone()], None, BASIC_OR_SESSION);
    let both = json!([{ "basic": [], "token": [] }, { "session": [], "token": [] }]);
    assert_eq!(security(&of_scopes), Some(both));
    // With the third guard, two are enough all the same.
    let of_scopes = entry(vec![by_token, ScopeGuard::auth_required()], Some(BASIC_OR_SESSION), BASIC);
    assert_eq!(security(&of_scopes), Some(json!([{ "basic": [], "token": [] }])));
}

#[test]
fn a_guard_that_accepts_nothing_is_never_open() {
    let requirements = by(const { &LogInRequirement::mechanisms(&["ticket"]) });
    assert_eq!(security(&of_handler(requirements)), None);
    let of_scopes = entry(vec![ScopeGuard::auth_required_by(&["ticket"])], None, PUBLIC);
    assert_eq!(security(&of_scopes), None);
}

#[test]
fn the_statuses_are_those_that_a_guard_can_answer() {
    let roles = Requirements { checks: const { &[SubjectCheck::roles_accepted(&["a"])] }, ..ANY };
    for (method, requirements, expected) in [
        ("GET", PUBLIC, vec![]),
        ("POST", PUBLIC, vec![]),
        ("GET", ANY, vec![401, 503]),
        // A session is no credential on a request that another site causes.
        ("POST", ANY, vec![401, 403, 503]),
        ("POST", TOKEN, vec![401, 503]),
        ("GET", BASIC, vec![401, 429, 503]),
        ("GET", ANONYMOUS, vec![401, 403, 503]),
        ("GET", roles, vec![401, 403, 503]),
        ("GET", token(READ), vec![401, 403, 404, 503]),
        ("GET", token(UPDATE), vec![401, 403, 404, 503]),
        ("GET", token(LOADED), vec![401, 403, 404, 503]),
        // The request does not name this context, so it is never missing.
        ("GET", token(SINGLE), vec![401, 403, 503]),
    ] {
        assert_eq!(
            denials(builder(), method, &of_handler(requirements)),
            expected,
            "{method} {requirements:?}"
        );
    }
}

#[test]
fn the_statuses_of_scopes_and_outer_guards_are_there_as_well() {
    let scope = ScopeGuard::auth_required_by(&["token"]).roles_required(&["a"]);
    assert_eq!(denials(builder(), "GET", &entry(vec![scope], None, PUBLIC)), [401, 403, 503]);
    let outer = token(READ);
    assert_eq!(denials(builder(), "GET", &entry(vec![], Some(outer), TOKEN)), [401, 403, 404, 503]);
}

#[test]
fn what_may_not_be_read_is_hidden() {
    let both =
        token(const { &[requirement("Sensor", Some("\"id\""), &[Permission::READ, Permission::DELETE])] });
    let roles = Requirements { checks: const { &[SubjectCheck::roles_required(&["a"])] }, ..token(READ) };
    for (requirements, expected) in [
        (token(READ), vec![401, 404, 503]),
        (token(LOADED), vec![401, 404, 503]),
        // Callers who may read it get a 403 for the rest.
        (token(UPDATE), vec![401, 403, 404, 503]),
        (both, vec![401, 403, 404, 503]),
        (token(SINGLE), vec![401, 403, 404, 503]),
        (roles, vec![401, 403, 404, 503]),
    ] {
        assert_eq!(
            denials(builder().hide_unreadable(), "GET", &of_handler(requirements)),
            expected,
            "{requirements:?}"
        );
    }
}

#[test]
fn words_name_no_role() {
    let scope = ScopeGuard::auth_required().account_roles_accepted(&["Supplier"]);
    let checks =
        const { &[SubjectCheck::roles_accepted(&["chief"]), SubjectCheck::roles_required(&["other"])] };
    let requirements = Requirements {
        checks,
        contexts: UPDATE,
        ..by(const { &LogInRequirement::any_mechanism().within(900) })
    };
    let words = AllRequirements::of(&entry(vec![scope], None, requirements)).in_words();
    assert_eq!(
        words,
        "Requires a log-in, a role of the account, a recent log-in, a role, `update` on `Sensor`."
    );
    assert_eq!(AllRequirements::of(&of_handler(PUBLIC)).in_words(), "Open to everybody.");
    let words = AllRequirements::of(&of_handler(ANONYMOUS)).in_words();
    assert_eq!(words, "Requires a caller who is not logged in.");
}

#[test]
fn patterns_become_templates() {
    for (pattern, expected) in [
        ("", "/"),
        ("/sensors", "/sensors"),
        ("/sensors/{id}", "/sensors/{id}"),
        (r"/sensors/{id:\d{1,9}}/{name}", "/sensors/{id}/{name}"),
        ("/files/{tail:.*}", "/files/{tail}"),
        ("/files/{tail}*", "/files/{tail}"),
        ("/at/12:30", "/at/12:30"),
    ] {
        assert_eq!(template(pattern), expected);
    }
}
