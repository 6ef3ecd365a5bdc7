//! Stores the denials of users, in the log of the user who tried and of the user's account, so that the account's admins
//! see them.
//!
//! It stores denials of known users, and failures to decide about them. It does not store allowed requests: the
//! transaction of a change writes its own entry, and reads are so many that they would hide all other entries. A denial
//! of an unknown caller belongs to no account; `tracing` has it, as it has everything.
//!
//! An entry does not name the roles that a guard requires: the user may read it, and learns no more from it than from the
//! answer.
//!
//! No request waits for an entry, and no user is in the way of another: there is no queue that could be full. The
//! observer counts a denial where the [bounds](super::bounds) have a place for its user and kind. After each
//! [interval](AuditConfig::interval), the thread of [`Batched`] takes all gathered denials, makes entries of them, and
//! stores these in one transaction. If that fails, they wait for the next interval, while denials are gathered in the same
//! bounds.

use std::{
    collections::BTreeMap,
    io,
    time::{self, Duration},
};

use auth_core::{
    Decision, DenyReason, Event,
    event::{Batched, HandOver},
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use super::bounds::{Budgets, Denied, Entry, Gathered, Kind};
use crate::{
    database::{Connection, Database, Instant},
    error::ServiceError,
    schema::{audit_log, users},
};

/// How denials are stored. A kind is the attempt and the reason of its denial, without the id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditConfig {
    /// For how long denials are gathered before they are stored; at least 10 ms.
    pub interval: Duration,
    /// The most entries of one user and kind in an interval, beside one with the number of the rest. As many, the first in
    /// a period, need no [budget](Self::entries_per_user).
    pub entries_per_kind: usize,
    /// For how long a budget lasts, from a user's first denial on. Denials beyond it are counted, and their numbers
    /// stored when the period ends, in one entry of each kind.
    pub period: Duration,
    /// The budget: the most entries of one user in a period, beside those that need none.
    pub entries_per_user: usize,
}

impl Default for AuditConfig {
    /// A minute, 3 entries of a kind; a day, 100 entries of a user.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            entries_per_kind: 3,
            period: Duration::from_secs(24 * 60 * 60),
            entries_per_user: 100,
        }
    }
}

/// Starts the observer that stores denials.
pub(crate) fn store_denials(database: Database, config: AuditConfig) -> io::Result<Batched> {
    let entries_per_kind = config.entries_per_kind;
    let start = Batched::builder().interval(config.interval);
    let mut writer = Writer { database, config, budgets: Budgets::default(), entries: Vec::new() };
    start.start_gathering(
        move |gathered: &mut Gathered, event| {
            if let Some(denied) = Denied::of(event) {
                gathered.add(denied, entries_per_kind);
            }
        },
        move |gathered| writer.store(&gathered),
    )
}

impl Denied {
    /// The denial to store for this decision, if there is one.
    fn of(event: &Event<'_>) -> Option<Self> {
        let Decision::Deny(reason) = event.decision else { return None };
        let user = event.subject?.to_string().parse().ok()?;
        // The texts of a client in it are quoted.
        let id = shortened(event.context_id.unwrap_or_default());
        Some(Self { user, kind: Kind::of(event, reason), id, at: Instant::now() })
    }
}

/// The beginning of an id that is too long. A quotation still ends.
fn shortened(id: &str) -> String {
    if id.chars().count() <= MAX_ID {
        return id.to_owned();
    }
    let end = if id.ends_with('"') { "…\"" } else { "…" };
    id.chars().take(MAX_ID - 2).chain(end.chars()).collect()
}

/// The most characters of an id in an entry.
const MAX_ID: usize = 64;

impl Kind {
    fn of(event: &Event<'_>, reason: DenyReason) -> Self {
        let failed = matches!(reason, DenyReason::Unavailable | DenyReason::Misconfigured);
        // About a hidden context, the log says no more than the answer.
        let reason = if event.hidden { DenyReason::NotFound } else { reason };
        let what = match (event.permission, event.context) {
            (Some(permission), Some(context)) => {
                let verb = if failed { "got no answer about" } else { "was denied" };
                let context = context.rsplit("::").next().unwrap_or(context);
                format!("{verb} {permission} on {context}")
            }
            _ => format!("{} {}", if failed { "got no answer from" } else { "was denied by" }, event.guard),
        };
        let (reason, route) = (Decision::Deny(reason).reason(), event.route.unwrap_or_default());
        Self { what, why: format!("({reason}): {} {route}", event.method) }
    }
}

/// Makes entries of denials, and stores them.
struct Writer {
    database: Database,
    config: AuditConfig,
    budgets: Budgets,
    /// The entries that are not stored yet.
    entries: Vec<Entry>,
}

impl Writer {
    /// Stores the gathered entries; all of them, or without those that wait for the end of a period. If that fails, they
    /// stay.
    fn store(&mut self, gathered: &HandOver<'_, Gathered>) -> Result<(), ServiceError> {
        // Entries that failed the last time go first. Until they are stored, the others are gathered, in their bounds.
        self.insert()?;
        let (now, all) = (time::Instant::now(), gathered.is_all());
        self.entries = self.budgets.entries(gathered.take(), now, all, &self.config);
        self.insert()
    }

    fn insert(&mut self) -> Result<(), ServiceError> {
        if !self.entries.is_empty() {
            // Not of the pool: requests do not wait for this work, nor this work for them.
            let mut connection = self.database.connect()?;
            connection.immediate_transaction(|connection| insert(&self.entries, connection))?;
            self.entries.clear();
        }
        Ok(())
    }
}

/// Writes the entries of those users who still exist.
fn insert(entries: &[Entry], connection: &mut Connection) -> Result<(), ServiceError> {
    let mut found: BTreeMap<i32, Option<(i32, String)>> = BTreeMap::new();
    for Entry { user, event, at } in entries {
        if !found.contains_key(user) {
            let row = users::table.find(user).select((users::account_id, users::username));
            found.insert(*user, row.first(connection).optional()?);
        }
        let Some(Some((account, name))) = found.get(user) else { continue };
        diesel::insert_into(audit_log::table)
            .values((
                audit_log::event_datetime.eq(at),
                audit_log::event.eq(event),
                audit_log::active_user_id.eq(user),
                audit_log::active_user_name.eq(name),
                audit_log::affected_user_id.eq(user),
                audit_log::affected_account_id.eq(account),
            ))
            .execute(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use actix_web::{
        App, HttpRequest, HttpResponse, get,
        test::{TestRequest, call_service, init_service},
    };
    use auth_core::{
        Auth, Observer, User,
        mechanism::{Authenticated, Mechanism, Rejection},
        permission_required_for_context,
    };

    use super::*;
    use crate::models::Platform;

    struct AsUserSeven;

    impl Mechanism for AsUserSeven {
        fn name(&self) -> &'static str {
            "test"
        }

        async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
            Ok(Some(User::new(7).into()))
        }
    }

    #[derive(Default)]
    struct Sentences(Mutex<Vec<String>>);

    impl Observer for Sentences {
        fn decided(&self, event: &Event<'_>) {
            self.0.lock().unwrap().extend(Denied::of(event).map(|denied| denied.kind.to_string()));
        }
    }

    #[permission_required_for_context("update", ctx = Platform, id = ())]
    #[get("/platform")]
    async fn change() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[actix_web::test]
    async fn of_what_is_hidden_the_log_says_no_more_than_the_answer() {
        for (hides, status, reason) in [(false, 403, "no-match"), (true, 404, "not-found")] {
            let sentences = Arc::new(Sentences::default());
            let auth = Auth::builder().mechanism(AsUserSeven).observer(Arc::clone(&sentences));
            let auth = if hides { auth.hide_unreadable() } else { auth };
            let app = init_service(App::new().app_data(auth.build().unwrap()).service(change)).await;
            let response = call_service(&app, TestRequest::get().uri("/platform").to_request()).await;
            assert_eq!(response.status(), status);
            let expected = format!("was denied update on Platform ({reason}): GET /platform");
            assert_eq!(*sentences.0.lock().unwrap(), [expected]);
        }
    }
}
