use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::vocabulary::{Principal, User};

const ROLES: [&str; 3] = ["", "chef", "account-admin"];

fn principals() -> impl Strategy<Value = Principal> {
    prop_oneof![
        (0..3_i32).prop_map(|id| Principal::User(id.into())),
        (0..3_i32).prop_map(|id| Principal::Account(id.into())),
        select(&ROLES).prop_map(|name| Principal::Role(name.into())),
        select(&ROLES).prop_map(|name| Principal::AccountRole(name.into())),
        Just(Principal::EveryLoggedInUser),
    ]
}

prop_compose! {
    fn users()(
        id in 0..3,
        account in option::of(0..3),
        roles in vec(select(&ROLES), 0..3),
        account_roles in vec(select(&ROLES), 0..3),
    ) -> User {
        let user = User::new(id).with_roles(roles).with_account_roles(account_roles);
        match account {
            Some(account) => user.with_account(account),
            None => user,
        }
    }
}

/// A macro, for each kind of principal is a rule of another type: all of them have one type as optional
/// alternatives.
macro_rules! rule {
    ($principal:expr) => {{
        let principal = &$principal;
        nobody()
            | if let Principal::User(id) = principal { Some(user(id)) } else { None }
            | if let Principal::Account(id) = principal { Some(account(id)) } else { None }
            | if let Principal::Role(name) = principal { Some(role(name)) } else { None }
            | if let Principal::AccountRole(name) = principal { Some(account_role(name)) } else { None }
            | (*principal == Principal::EveryLoggedInUser).then(every_logged_in_user)
    }};
}

proptest! {
    #[test]
    fn a_rule_and_a_principal_match_the_same_subjects(principal in principals(), user in users()) {
        prop_assert_eq!(rule!(principal).matches(&user), principal.matches(&user));
    }

    /// Rust's operators over truth values are the reference.
    #[test]
    fn every_nesting_means_what_it_means_in_rust(
        (a, b, c, d) in (principals(), principals(), principals(), principals()), user in users(),
    ) {
        macro_rules! agree {
            ($($rule:expr),* ; |$a:ident, $b:ident, $c:ident, $d:ident| $($truth:expr),*) => {{
                let ($a, $b, $c, $d) = (a.matches(&user), b.matches(&user), c.matches(&user), d.matches(&user));
                let truths = [$($truth),*];
                let ($a, $b, $c, $d) = (rule!(a), rule!(b), rule!(c), rule!(d));
                prop_assert_eq!([$($rule.matches(&user)),*], truths);
            }};
        }
        agree!(
            (a | b & c), ((a | b) & c), (a & b | c), (a & (b | c)), (a & b | c & d), (a & (b | c) & d),
            ((a | b) & (c | d)), (a | b & c | d), (a & b & c & d), (a | b | c | d);
            |a, b, c, d|
            (a || b && c), ((a || b) && c), (a && b || c), (a && (b || c)), (a && b || c && d),
            (a && (b || c) && d), ((a || b) && (c || d)), (a || b && c || d), (a && b && c && d), (a || b || c || d)
        );
    }

    #[test]
    fn data_and_expression_decide_alike(
        (a, b, c) in (principals(), principals(), principals()), user in users(),
    ) {
        let expression = allow(Permission::READ, rule!(a) | rule!(b) & rule!(c)).allow(Permission::UPDATE, rule!(a));
        let table = AclTable::new()
            .allow(Permission::READ, Principals::new().or(a.clone()).or_all([b.clone(), c.clone()]))
            .allow(Permission::UPDATE, Principals::new().or(a.clone()));
        for permission in Permission::BUILT_IN {
            prop_assert_eq!(table.grants(&user, permission), expression.grants(&user, permission));
        }
    }

    #[test]
    fn a_table_is_the_same_after_a_round_trip(alternatives in vec(vec(principals(), 1..3), 0..3), user in users()) {
        let named = |principal: &Principal| !matches!(principal, Principal::Role(r) | Principal::AccountRole(r) if r.is_empty());
        let principals = alternatives.into_iter().map(|all| all.into_iter().filter(named).collect::<Vec<_>>())
            .fold(Principals::new(), Principals::or_all);
        let table = AclTable::new().allow(Permission::READ, principals.clone()).allow(Permission::READ, principals);
        let read: AclTable = serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
        prop_assert_eq!(read.grants(&user, Permission::READ), table.grants(&user, Permission::READ));
    }
}

#[test]
fn what_is_absent_matches_nobody() {
    let user = User::new(1).with_account(1);
    let absent = None::<i32>.map(account);
    assert!(!absent.matches(&user));
    assert!(!(every_logged_in_user() & absent).matches(&user));
    assert!(!(absent & every_logged_in_user()).matches(&user));
    assert!((absent | every_logged_in_user()).matches(&user));
    assert!((every_logged_in_user() | absent).matches(&user));
    assert!(!Principals::new().matches(&user));
    assert!(!Principals::new().or_all([]).matches(&user));
    assert!(!().grants(&user, Permission::READ));
}

#[test]
fn several_rules_for_one_permission_are_alternatives() {
    let acl = allow(Permission::READ, user(1)).allow(Permission::READ, user(2));
    assert!(acl.grants(&User::new(1), Permission::READ));
    assert!(acl.grants(&User::new(2), Permission::READ));
    assert!(!acl.grants(&User::new(3), Permission::READ));
}

#[test]
fn a_malformed_table_is_refused() {
    for (json, error) in [
        (r#"{"raed": "user:1"}"#, "unknown permission `raed`"),
        (r#"{"read": "usr:1"}"#, "`usr:1` is not a principal"),
        (r#"{"read": ["user:1", ["role:"]]}"#, "`role:` is not a principal"),
        (r#"{"read": [[]]}"#, "an empty conjunction"),
        (r#"{"read": [[["user:1"]]]}"#, "invalid type: sequence"),
        (r#"{"read": null}"#, "a principal, or a list"),
        (r#"{"read": "user:1", "read": "user:2"}"#, "`read` is given twice"),
        (r#"["read"]"#, "an object from permission to principals"),
    ] {
        let message = serde_json::from_str::<AclTable>(json).unwrap_err().to_string();
        assert!(message.contains(error), "{json}: {message}");
    }
    let nobody: AclTable = serde_json::from_str(r#"{"read": []}"#).unwrap();
    assert!(!nobody.grants(&User::new(1), Permission::READ));
}

#[test]
fn rows_may_name_the_applications_own_permissions() {
    const PUBLISH: Permission = Permission::new("publish");
    let editors = || Principals::any(["role:editor"]).unwrap();

    let table = AclTable::from_rows([("publish", editors()), ("read", editors())], &[PUBLISH]).unwrap();
    let editor = User::new(1).with_roles(["editor"]);
    assert!(table.grants(&editor, PUBLISH) && table.grants(&editor, Permission::READ));
    assert!(!table.grants(&editor, Permission::UPDATE));
    assert!(AclTable::from_rows([("publsh", editors())], &[PUBLISH]).is_err());
}

#[test]
fn a_conjunction_with_nobody_is_explained() {
    let acl = allow(Permission::READ, role("chef") & nobody() | nobody());
    let condition = acl.condition(&User::new(1).with_roles(["chef"]), Permission::READ);
    let explanation = Explanation::new(&User::new(1), Permission::READ, &condition);
    assert_eq!(
        explanation.to_string(),
        "deny (no-match): read\n- role:chef & nobody: no, for nobody fails\n"
    );
    let terms: Vec<_> = explanation.alternatives()[0].terms().iter().map(Term::text).collect();
    assert_eq!(terms, ["role:chef", "nobody"]);
}

#[test]
fn a_permission_that_roles_carry_has_a_name() {
    let user = User::new(1).with_permissions(["publish", ""]);
    assert!(permission("publish").matches(&user));
    assert!(!permission("delete").matches(&user));
    assert!(!permission("").matches(&user));
    assert!((everyone() & permission("publish")).matches(&user));
    assert!(!(everyone() & permission("delete")).matches(&user));
}
