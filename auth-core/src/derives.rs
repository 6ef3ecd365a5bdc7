//! The derives, with their documentation.

/// Implements `LoadContext` for a row of a diesel table, by its primary key; and `LoadContexts`: several rows in one
/// statement.
///
/// The derive reads diesel's attributes: `#[diesel(table_name = …)]` (default: the struct's name in snake case with an `s`),
/// `#[diesel(primary_key(…))]` (default: `id`; several columns make a tuple) and `#[diesel(column_name = …)]`; a field with
/// `#[diesel(embed)]` is no column. The type of the connection follows from `#[diesel(check_for_backend(…))]`; another one
/// has to be named: `#[auth(connection = diesel::PgConnection)]`. The struct derives `Selectable` and `Queryable` as well.
///
/// ```
/// use auth_core::LoadContext;
/// use diesel::prelude::*;
///
/// diesel::table! {
///     sensors (id) {
///         id -> Integer,
///         name -> Text,
///     }
/// }
///
/// #[derive(Queryable, Selectable, LoadContext)]
/// #[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
/// struct Sensor {
///     id: i32,
///     name: String,
/// }
/// ```
pub use auth_macros::LoadContext;

/// Declares the policy of a diesel row: one policy for single rows, for lists and for changes.
///
/// ```
/// use auth_core::{AuthModel, LoadContext, Permission};
/// use diesel::prelude::*;
///
/// const PUBLISH: Permission = Permission::new("publish");
///
/// diesel::table! {
///     accounts (id) {
///         id -> Integer,
///         consultancy_id -> Nullable<Integer>,
///     }
/// }
///
/// diesel::table! {
///     sensors (id) {
///         id -> Integer,
///         account_id -> Nullable<Integer>,
///         is_public -> Bool,
///     }
/// }
///
/// #[derive(Queryable, Selectable, LoadContext, AuthModel)]
/// #[diesel(table_name = accounts, check_for_backend(diesel::sqlite::Sqlite))]
/// #[acl(
///     read = account(id) | account(consultancy_id) & role("consultant"),
///     update = account(id) & role("account-admin"),
/// )]
/// struct Account {
///     id: i32,
///     consultancy_id: Option<i32>,
/// }
///
/// #[derive(Queryable, Selectable, LoadContext, AuthModel)]
/// #[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
/// #[auth(belongs_to(account: Account, account_id))]
/// #[acl(
///     read = account.read | is_public,
///     update = account.update | (role("operator") | account_role("Operator")) & is_null(account_id),
///     PUBLISH = account.update,
/// )]
/// struct Sensor {
///     id: i32,
///     account_id: Option<i32>,
///     is_public: bool,
/// }
/// ```
///
/// A permission is `create_children`, `read`, `update`, `delete`, or a constant of your own. Its rule joins these terms by
/// `&`, which binds more tightly, and `|`, with parentheses:
///
/// | term | matches |
/// |---|---|
/// | `every_logged_in_user` | every logged-in user |
/// | `user(owner_id)` | the user whose id is in this column |
/// | `account(account_id)` | every user of the account whose id is in this column |
/// | `role("name")`, `account_role("name")` | every user who has, or whose account has, this role: a literal, or a path to a constant |
/// | `permission("name")` | every user whose roles carry this permission |
/// | `is_null(account_id)` | every user, if the column is null |
/// | `is_public` | every user, if this boolean column is true |
/// | `is(state, "draft", REVIEW)` | every user, if the column has one of these values: booleans, integers, texts, or paths to constants of these |
/// | `until(ends_at)` | every user, if this time is null or to come |
/// | `since(begins_at)` | every user, if this time is not null, and now or past |
/// | `read`, `PUBLISH` | every user with this permission on the row, by another rule of the policy |
/// | `account.read` | every user with this permission on the parent, by the parent's own policy |
/// | `user(asset.owner_id)` | these terms for a column of the parent |
/// | `any(shares: user(user_id) & until(ends_at))` | every user for whom one row of the relation meets all of the rule, which is about that row: its columns, its relations, and the permissions of its own policy |
/// | `everyone` | every subject |
/// | `nobody` | no user; only the waiver for admins applies |
///
/// There is no negation: a policy only grants. A null column matches `is_null` and `until` alone. Times are compared with
/// [`Subject::now`](crate::Subject::now), which a decision reads once; a column without a time zone holds UTC. A time
/// is a `Timestamp`; with the features `postgres`, `mysql` and `sqlite` also a `Timestamptz`, a `Datetime` and a
/// `TimestamptzSqlite`.
///
/// Beside permissions, a policy declares rules for columns and for the row as it becomes:
///
/// * `update(column, …) = RULE`: a change that sets one of these columns needs this rule as well as `update`
///   ([`Stored::change`](crate::Stored::change));
/// * `read(column, …) = RULE`: a [`Visible`](crate::Visible) row shows these columns where `read` and this rule hold;
/// * `becomes = RULE`: a row as a change makes it, and each new one, meets this rule ([`Stored::create`](crate::Stored::create)).
///
/// `#[auth(…)]` declares relations, and which rows there are:
///
/// * `belongs_to(name: Context, foreign_key)`: a parent, whose policy may refer to its own parent: at any depth, as long as no
///   permission refers back to itself.
/// * `belongs_to(parent: Self, parent_id, recursive)`: a tree. The rule of a permission may name the same permission of the
///   parent, `read = user(owner_id) | parent.read`, and it goes down the tree; a circle of rows ends.
/// * `has_many(shares: Share, project_id)`: the rows of `Share` whose `project_id` is the key of this row. `Share` derives
///   `AuthModel` as well; a plain join table has an empty policy, `#[acl()]`.
/// * `rows = is_null(deleted_at)`: which rows are there, by `is_null`, `is`, `until`, `since` and boolean columns. All others are as
///   if they were not there, for admins, too: no guard finds them, no list has them, and no rule is met by them.
///
/// The compiler checks the columns, their types and the parents' permissions. The attributes for the table, the key and the
/// connection are those of [`derive(LoadContext)`](derive@crate::LoadContext). The derive knows how diesel's connections
/// lock rows, by their names; for another connection, or an alias, write `#[auth(row_lock = Postgres)]`, `Mysql` or
/// `Transaction`, or implement [`LockRows`](crate::LockRows).
///
/// The derive implements [`Scoped`](crate::Scoped), for lists and conditions of changes; [`Stored`](crate::Stored), for
/// decisions about a row in the database; and the trait [`AuthModel`](trait@crate::AuthModel), if the fields of the row are
/// all that the policy needs. Otherwise, for a guard, the database loads the row and decides about it in one statement.
pub use auth_macros::AuthModel;

/// Implements [`AuthChangeset`](trait@crate::AuthChangeset) for a struct of values for columns: those of a change, for
/// [`Stored::change`](crate::Stored::change), or of a new row, for [`Stored::create`](crate::Stored::create).
///
/// A field of the type `Option` sets its column where it is `Some`; of an `Option<Option<T>>`, `Some(None)` sets null. Any other
/// field always sets its column. The derive reads diesel's attributes as `AsChangeset` and `Insertable` do, which may
/// stand beside it: `table_name`, `column_name`, `treat_none_as_null`. A field with `embed` or `serialize_as` is refused:
/// its columns or its value would not be the ones that are checked.
///
/// ```
/// use auth_core::AuthChangeset;
/// use diesel::prelude::*;
///
/// diesel::table! { notes (id) { id -> Integer, text -> Text, folder_id -> Nullable<Integer> } }
///
/// #[derive(AsChangeset, AuthChangeset)]
/// #[diesel(table_name = notes)]
/// struct NoteChanges {
///     text: Option<String>,
///     // `Some(None)` takes the note out of its folder.
///     folder_id: Option<Option<i32>>,
/// }
/// ```
pub use auth_macros::AuthChangeset;
