//! A whole policy as a table: the permissions of each subject on each object.

use std::{fmt, path::Path};

use super::reviewed::{ReviewError, Reviewed, is_updated, rows_that_differ};
use crate::{
    acl::{AuthModel, check_access},
    report::table::{escape, markdown},
    vocabulary::{AllowReason, Decision, Permission, Subject},
};
#[cfg(feature = "diesel")]
use crate::{context::LoadError, policy::sql::Stored};

/// The permissions of each subject on each object, for comparison with a reviewed table.
///
/// A cell says `yes` or `no`; where the subject stands above all lists, the reason: `admin` or `admin-reader`.
///
/// ```
/// use auth_core::{
///     Acl, AdminRoles, AuthModel, Permission, User, account, allow, every_logged_in_user, role, test::PolicyTable,
/// };
///
/// struct Sensor {
///     account_id: i32,
///     is_public: bool,
/// }
///
/// impl AuthModel for Sensor {
///     fn acl(&self) -> impl Acl {
///         let members = account(self.account_id);
///         allow(Permission::READ, members)
///             .allow(Permission::READ, self.is_public.then(every_logged_in_user))
///             .allow(Permission::UPDATE, members & role("account-admin"))
///     }
/// }
///
/// let member = User::new(2).with_account(3);
/// let subjects = [
///     ("member", member.clone()),
///     ("account-admin", member.with_roles(["account-admin"])),
///     ("stranger", User::new(5).with_account(4)),
///     ("admin-reader", User::new(1).with_roles(["admin-reader"]).with_admin_roles(AdminRoles::flexmeasures())),
/// ];
/// PolicyTable::new(subjects, [Permission::READ, Permission::UPDATE])
///     .context("sensor", &Sensor { account_id: 3, is_public: false })
///     .context("public sensor", &Sensor { account_id: 3, is_public: true })
///     .assert_is(
///         "
///         | object        | permission | member | account-admin | stranger | admin-reader |
///         | ------------- | ---------- | ------ | ------------- | -------- | ------------ |
///         | sensor        | read       | yes    | yes           | no       | admin-reader |
///         | sensor        | update     | no     | yes           | no       | no           |
///         | public sensor | read       | yes    | yes           | yes      | admin-reader |
///         | public sensor | update     | no     | yes           | no       | no           |
///         ",
///     );
/// ```
///
/// [`Display`](fmt::Display) shows it in Markdown.
#[derive(Debug, Clone)]
#[must_use = "compare it with what was reviewed"]
pub struct PolicyTable<S> {
    subjects: Vec<(String, S)>,
    permissions: Vec<Permission>,
    /// The object, the permission, and the decisions.
    rows: Vec<Vec<String>>,
}

impl<S: Subject> PolicyTable<S> {
    /// A table without objects, for these subjects and permissions.
    pub fn new<N: Into<String>>(
        subjects: impl IntoIterator<Item = (N, S)>,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Self {
        let subjects = subjects.into_iter().map(|(name, subject)| (name.into(), subject));
        Self {
            subjects: subjects.collect(),
            permissions: permissions.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds an object whose access-control list is code, or whose policy needs nothing but its row.
    pub fn context<C: AuthModel + ?Sized>(mut self, name: &str, context: &C) -> Self {
        for permission in self.permissions.clone() {
            let decisions =
                self.subjects.iter().map(|(_, subject)| check_access(subject, context, permission));
            let row = row(name, permission, decisions);
            self.rows.push(row);
        }
        self
    }

    /// Adds a row of the database, about which its declared policy decides.
    ///
    /// # Errors
    ///
    /// As those of [`Stored::check_access`].
    #[cfg(feature = "diesel")]
    #[expect(clippy::needless_pass_by_value, reason = "as the methods of `Stored` take it")]
    pub fn row<M: Stored>(
        mut self,
        name: &str,
        id: M::Id,
        connection: &mut M::Connection,
    ) -> Result<Self, LoadError> {
        for permission in self.permissions.clone() {
            let decisions = self
                .subjects
                .iter()
                .map(|(_, subject)| M::check_access(connection, subject, id.clone(), permission))
                .collect::<Result<Vec<_>, _>>()?;
            let row = row(name, permission, decisions);
            self.rows.push(row);
        }
        Ok(self)
    }

    /// Asserts that the table is this one, however its columns are aligned.
    ///
    /// # Panics
    ///
    /// If it is another one, with the rows that differ and the table as it is.
    #[track_caller]
    pub fn assert_is(&self, expected: &str) {
        let differences = rows_that_differ(expected, &self.to_string());
        assert!(differences.is_empty(), "this is not the expected table:\n{differences}\nIt is:\n{self}");
    }

    /// Compares the table with one in a reviewed file, however its columns are aligned. As with
    /// [`AccessMatrix::compare_with`](super::AccessMatrix::compare_with), the path is relative to the folder of the
    /// package, and the table in the file is rewritten where `UPDATE_REVIEWED` is set.
    ///
    /// # Errors
    ///
    /// The differences, or the reason why the two cannot be compared.
    pub fn compare_with(&self, path: impl AsRef<Path>) -> Result<(), ReviewError> {
        let file = Reviewed::at(path.as_ref());
        if is_updated() {
            let old = file.read().unwrap_or_default();
            let notes = old.find("\n|").and_then(|end| old.get(..=end)).unwrap_or_default();
            return file.write(&format!("{notes}{self}"));
        }
        let differences = rows_that_differ(&file.read()?, &self.to_string());
        if differences.is_empty() { Ok(()) } else { Err(file.differs(&differences)) }
    }

    /// Compares the table with a reviewed file in a test: [`compare_with`](Self::compare_with) that panics.
    ///
    /// # Panics
    ///
    /// With the error of [`compare_with`](Self::compare_with), if there is one.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test fails by a panic")]
    pub fn assert_matches(&self, path: impl AsRef<Path>) {
        if let Err(error) = self.compare_with(path) {
            panic!("{error}");
        }
    }
}

fn row(name: &str, permission: Permission, decisions: impl IntoIterator<Item = Decision>) -> Vec<String> {
    let cells = decisions.into_iter().map(|decision| match decision {
        Decision::Allow(AllowReason::Match) => "yes",
        Decision::Allow(_) => decision.reason(),
        Decision::Deny(_) => "no",
    });
    [name, permission.as_str()].into_iter().chain(cells).map(escape).collect()
}

impl<S> fmt::Display for PolicyTable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.subjects.iter().map(|(name, _)| name.as_str());
        let header = ["object", "permission"].into_iter().chain(names).map(escape).collect();
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(self.rows.iter().cloned()).collect();
        f.write_str(&markdown(&rows))
    }
}
