//! Assertions and tables that fail: they show the decision and its reason.

use std::fs;

use auth_core::{
    AdminRoles, AllowReason, DenyReason, Permission, User, explain,
    test::{PolicyTable, ReviewError, assert_allowed, assert_denied},
};

use super::{Note, file};

/// The message of a panic.
fn said(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(work).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn an_assertion_that_fails_explains_why() {
    let explanation = || explain(&User::new(2).with_account(3), &Note, Permission::UPDATE);
    assert_denied(&explanation(), DenyReason::NoMatch);
    assert_eq!(
        said(move || assert_allowed(&explanation(), AllowReason::Match)),
        "expected allow (match), but it is decided:\n\
         deny (no-match): update\n\
         - account:3 & role:editor: no, for role:editor fails\n"
    );
    let another =
        said(|| assert_denied(&explain(&User::new(2), &Note, Permission::READ), DenyReason::Anonymous));
    assert!(another.starts_with("expected deny (anonymous)"), "{another}");
}

#[test]
fn a_table_that_differs_shows_the_rows() {
    let subjects = [
        ("editor", User::new(2).with_account(3).with_roles(["editor"])),
        ("admin", User::new(1).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures())),
    ];
    let table = PolicyTable::new(subjects, [Permission::READ, Permission::UPDATE]).context("note", &Note);
    let text = "| object | permission | editor | admin |\n|--|--|--|--|\n| note | read | no | admin |\n| note | update | yes | admin |\n";
    table.assert_is(text);
    let wrong = text.replace("| no |", "| yes |");
    let difference = "- note | read | yes | admin\n+ note | read | no | admin\n";
    let panic = said(|| table.assert_is(&wrong));
    assert!(panic.contains(difference), "{panic}");

    let file = file("policy.md");
    assert!(matches!(table.compare_with(&file).unwrap_err(), ReviewError::Missing { .. }));
    fs::write(&file, text).unwrap();
    table.assert_matches(&file);
    fs::write(&file, wrong).unwrap();
    let error = table.compare_with(&file).unwrap_err().to_string();
    assert!(error.contains(difference) && error.contains("UPDATE_REVIEWED=1"), "{error}");
    fs::remove_file(&file).unwrap();
}
