//! Checks that all ways to write the rule decide alike, and that all handlers answer alike: a way that is cheaper and
//! wrong is not cheaper.

use actix_web::{
    App,
    http::header,
    rt::System,
    test::{TestRequest, init_service},
};
use auth_benches::{
    bodies,
    client::{Server, head, send},
    database, decision,
    requests::{self, Way, call, request},
    rule::{Case, Expressed, inputs, may_read, may_update},
};
use auth_core::{Permission, check_access};

const PERMISSIONS: [Permission; 2] = [Permission::READ, Permission::UPDATE];

#[test]
fn ours_decides_as_an_if_does() {
    let inputs = inputs();
    assert_eq!(inputs.len(), 32 * 3 * 4 * 4);
    let mut allowed = [0, 0];
    for (caller, asset) in &inputs {
        let by_hand = [may_read(caller, asset), may_update(caller, asset)];
        let declared = PERMISSIONS.map(|permission| check_access(caller, asset, permission).is_allowed());
        assert_eq!(declared, by_hand, "{caller:?} {asset:?}");
        let expressed =
            PERMISSIONS.map(|permission| check_access(caller, &Expressed(asset), permission).is_allowed());
        assert_eq!(expressed, by_hand, "{caller:?} {asset:?}");
        assert_eq!(decision::guard(caller, asset), by_hand[0], "{caller:?} {asset:?}");
        assert_eq!(decision::unknown_by_hand(caller, asset), by_hand[0], "{caller:?} {asset:?}");
        for (count, yes) in allowed.iter_mut().zip(by_hand) {
            *count += usize::from(yes);
        }
    }
    assert!(allowed.iter().all(|count| (1..inputs.len()).contains(count)), "some of each: {allowed:?}");
}

#[test]
fn each_case_is_decided_by_what_it_is_called_after() {
    for case in Case::ALL {
        let (caller, asset) = (case.caller(), case.asset());
        assert_eq!(may_read(&caller, &asset), case != Case::Stranger, "{case:?}");
        assert_eq!(caller.roles.len(), 2, "{case:?}: each is asked about as many roles");
    }
}

/// Every handler answers each case, and callers without a token, with a wrong one, or with an id that does not exist.
#[test]
fn all_handlers_answer_alike() {
    System::new().block_on(async {
        for way in Way::ALL {
            let configure = way.configure(database::filled().unwrap()).unwrap();
            let app = init_service(App::new().configure(|config| configure(config))).await;
            let mut answers = Vec::new();
            for case in Case::ALL {
                let (status, body) = call(&app, request(case)).await.unwrap();
                assert!(status != 200 || body.starts_with(br#"{"id":"#), "{way:?} {case:?}: {body:?}");
                answers.push(status);
            }
            for (token, path) in [
                (None, "/assets/1"),
                (None, "/assets/9"),
                (None, "/assets/x"),
                (Some("nobody"), "/assets/1"),
                (Some(&*database::token(Case::Member)), "/assets/9"),
                (Some(&*database::token(Case::Member)), "/assets/x"),
            ] {
                let mut request = TestRequest::get().uri(path);
                if let Some(token) = token {
                    request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
                }
                answers.push(call(&app, request).await.unwrap().0);
            }
            let expected = match way {
                Way::Open => [200, 200, 200, 200, 200, 200, 404, 404, 200, 404, 404],
                _ => [200, 200, 200, 200, 403, 401, 401, 401, 401, 404, 404],
            };
            assert_eq!(answers, expected, "{way:?}");
        }
    });
}

#[test]
fn a_guard_executes_the_statements_that_one_writes_by_hand() {
    for case in Case::ALL {
        let by_hand = requests::statements(Way::ByHand, case).unwrap();
        assert_eq!(by_hand.len(), 2, "who asks, and the row: {by_hand:?}");
        let guarded = requests::statements(Way::Guarded, case).unwrap();
        assert_eq!(guarded.iter().map(|statement| without_number(statement)).collect::<Vec<_>>(), by_hand);
    }
}

/// A statement of ours without the column that compares the row with the stored values.
fn without_number(statement: &str) -> String {
    let number = statement.split_once(", CASE WHEN ").and_then(|(before, rest)| {
        let (_, after) = rest.split_once(" ELSE 0 END")?;
        Some(format!("{before}{after}"))
    });
    number.unwrap_or_else(|| statement.to_owned())
}

#[test]
fn a_denied_body_is_denied_over_a_socket() {
    for way in bodies::Way::ALL {
        let configure = way.configure(database::filled().unwrap()).unwrap();
        let server = Server::start(move |config| configure(config)).unwrap();
        for size in bodies::SIZES {
            let body = vec![b'x'; size];
            assert_eq!(
                send(server.address, &bodies::denied_head(size), &body).unwrap(),
                403,
                "{way:?} {size}"
            );
            let allowed = head("POST", "/assets/1", Some(&database::token(Case::Admin)), size);
            assert_eq!(send(server.address, &allowed, &body).unwrap(), 200, "{way:?} {size}");
        }
    }
}

#[cfg(feature = "peers")]
mod peers {
    use super::*;
    use auth_benches::peers::{casbin::Casbin, cedar::Cedar, grants};

    #[test]
    fn casbin_decides_as_an_if_does() {
        let casbin = Casbin::new().unwrap();
        for (caller, asset) in inputs() {
            let decided = PERMISSIONS.map(|permission| casbin.may(&caller, &asset, permission).unwrap());
            assert_eq!(
                decided,
                [may_read(&caller, &asset), may_update(&caller, &asset)],
                "{caller:?} {asset:?}"
            );
        }
    }

    #[test]
    fn cedar_decides_as_an_if_does() {
        let cedar = Cedar::new().unwrap();
        for (caller, asset) in inputs() {
            let decided = PERMISSIONS.map(|permission| cedar.may(&caller, &asset, permission).unwrap());
            assert_eq!(
                decided,
                [may_read(&caller, &asset), may_update(&caller, &asset)],
                "{caller:?} {asset:?}"
            );
        }
    }

    /// The part that it can express: the subjects above all objects. It grants nothing that the rule does not, and where
    /// no object is the caller's, it is the whole rule.
    #[test]
    fn grants_decides_the_part_of_the_rule_that_asks_no_object() {
        for (caller, asset) in inputs() {
            let granted = grants::granted(&caller);
            let by_hand = may_read(&caller, &asset);
            assert!(by_hand || !grants::is_above(&granted), "{caller:?} {asset:?}");
            if caller.account_id.is_none() && asset.account_id.is_some() {
                assert_eq!(grants::is_above(&granted), by_hand, "{caller:?} {asset:?}");
            }
            assert_eq!(grants::may_read(&granted, &caller, &asset), by_hand, "{caller:?} {asset:?}");
        }
    }
}
