//! Stores what users were denied, in the log of the user who tried and of the user's account, so that those who run the
//! account see it.
//!
//! Stored are denials of known users, and failures to decide about them. What was allowed is not: of a change, the log
//! tells in the transaction of the change; and of reads there are so many that nobody would find anything else. What
//! nobody did who is known belongs to no account; `tracing` has it, as it has everything.
//!
//! An entry does not name the roles that a guard asks for: the user may read it, and is told no more than by the answer.
//!
//! Nothing waits for an entry. Denials go into a queue of bounded length, from which one thread takes them. For an
//! [interval](AuditConfig::interval) it gathers them, those that are equal as one entry, and no more for each user than
//! [`entries_per_user`](AuditConfig::entries_per_user): of the rest, one entry has the number. Then it stores them in one
//! transaction. If that fails, they wait for the next interval. So a user who tries everything makes a bounded number of
//! entries, and what the queue has no room for is dropped and counted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
    time::{self, Duration},
};

use auth_core::{Decision, DenyReason, Event, Observer};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use crate::{
    database::{Connection, Database, Instant},
    error::{ServiceError, chain},
    schema::{audit_log, users},
};

/// How denials are stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditConfig {
    /// For how long denials are gathered before they are stored.
    pub interval: Duration,
    /// The most entries of one user in an interval, beside one that counts the rest.
    pub entries_per_user: usize,
    /// How many denials may wait for the thread that stores them.
    pub queue: usize,
}

impl Default for AuditConfig {
    /// A minute, 10 entries, 1024 denials.
    fn default() -> Self {
        Self { interval: Duration::from_secs(60), entries_per_user: 10, queue: 1024 }
    }
}

/// The observer that stores denials. Clones share the thread that does so, which ends with the last of them, when it has
/// stored what is left.
#[derive(Clone)]
pub(crate) struct Denials {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Denied(Denied),
    /// Store what there is, and say whether that is done.
    Flush(Sender<bool>),
}

struct Denied {
    user: i32,
    event: String,
    at: Instant,
}

impl Denials {
    pub(crate) fn start(database: Database, config: AuditConfig) -> std::io::Result<Self> {
        let (queue, messages) = sync_channel(config.queue);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer { database, config, dropped: Arc::clone(&dropped), pending: Pending::default() };
        thread::Builder::new().name("audit-log".to_owned()).spawn(move || writer.run(&messages))?;
        Ok(Self { queue, dropped })
    }

    /// Waits until what was denied so far is stored, but not for ever: the database may hang.
    pub(crate) fn flush(&self) -> Result<(), ServiceError> {
        let (done, stored) = channel();
        let mut message = Message::Flush(done);
        let begun = time::Instant::now();
        // It goes behind all that is in the queue, once there is room.
        while let Err(TrySendError::Full(refused)) = self.queue.try_send(message) {
            if begun.elapsed() > PATIENCE {
                return Err(not_stored());
            }
            message = refused;
            thread::sleep(PAUSE);
        }
        if stored.recv_timeout(PATIENCE).unwrap_or(false) { Ok(()) } else { Err(not_stored()) }
    }
}

/// How long somebody waits for a place in the queue, and then for the entries to be stored.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

fn not_stored() -> ServiceError {
    ServiceError::unavailable("denials are not in the audit log yet")
}

impl Observer for Denials {
    fn decided(&self, event: &Event<'_>) {
        if let Some(denied) = Denied::of(event) {
            self.put(denied);
        }
    }
}

impl Denials {
    /// Never waits.
    fn put(&self, denied: Denied) {
        if self.queue.try_send(Message::Denied(denied)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Denied {
    /// What is stored of this decision, if anything is.
    fn of(event: &Event<'_>) -> Option<Self> {
        let Decision::Deny(reason) = event.decision else { return None };
        let user = event.subject?.to_string().parse().ok()?;
        Some(Self { user, event: sentence(event, reason), at: Instant::now() })
    }
}

/// What was tried, and why not.
fn sentence(event: &Event<'_>, reason: DenyReason) -> String {
    let failed = matches!(reason, DenyReason::Unavailable | DenyReason::Misconfigured);
    // Of what is hidden, the log says no more than the answer.
    let reason = if event.hidden { DenyReason::NotFound } else { reason };
    let mut sentence = match (event.permission, event.context) {
        (Some(permission), Some(context)) => {
            let verb = if failed { "got no answer about" } else { "was denied" };
            let kind = context.rsplit("::").next().unwrap_or(context);
            format!("{verb} {permission} on {kind}")
        }
        _ => format!("{} {}", if failed { "got no answer from" } else { "was denied by" }, event.guard),
    };
    if let Some(id) = event.context_id.filter(|id| !id.is_empty()) {
        // It is what a client sent.
        sentence.push(' ');
        sentence.extend(id.chars().take(MAX_ID).flat_map(char::escape_debug));
    }
    let (reason, route) = (Decision::Deny(reason).reason(), event.route.unwrap_or_default());
    format!("{sentence} ({reason}): {} {route}", event.method)
}

/// The most characters of an id in an entry.
const MAX_ID: usize = 64;

/// The thread that stores denials.
struct Writer {
    database: Database,
    config: AuditConfig,
    dropped: Arc<AtomicU64>,
    pending: Pending,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut due = None;
        loop {
            let left = due.map(|due: time::Instant| due.saturating_duration_since(time::Instant::now()));
            let received = match left {
                // Whatever is still in the queue: there may always be something.
                Some(Duration::ZERO) => Err(RecvTimeoutError::Timeout),
                Some(left) => messages.recv_timeout(left),
                None => messages.recv().map_err(RecvTimeoutError::from),
            };
            match received {
                Ok(Message::Denied(denied)) => {
                    if self.pending.is_empty() {
                        due = self.next();
                    }
                    self.pending.add(denied, self.config.entries_per_user);
                }
                Ok(Message::Flush(done)) => {
                    // Whoever asked may have gone.
                    let _ = done.send(self.store());
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = if self.store() { None } else { self.next() };
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.store();
                    return;
                }
            }
        }
    }

    /// When the interval ends that begins now; never, if it is longer than the clock goes.
    fn next(&self) -> Option<time::Instant> {
        time::Instant::now().checked_add(self.config.interval)
    }

    /// Stores what is pending; whether that worked. If not, it stays.
    fn store(&mut self) -> bool {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "there were more denials than the audit log could take");
        }
        if self.pending.is_empty() {
            return true;
        }
        let entries = self.pending.entries();
        // Not of the pool: requests do not wait for this, nor this for them.
        let stored = self.database.connect().and_then(|mut connection| {
            connection.immediate_transaction(|connection| insert(&entries, connection))
        });
        match stored {
            Ok(()) => {
                self.pending = Pending::default();
                true
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "denials are not in the audit log yet");
                false
            }
        }
    }
}

/// Denials that are not stored yet, by user.
#[derive(Default)]
struct Pending(BTreeMap<i32, OfUser>);

#[derive(Default)]
struct OfUser {
    told: Vec<Told>,
    /// How many more there are, and when the last of them was.
    more: Option<(u64, Instant)>,
}

struct Told {
    event: String,
    times: u64,
    last: Instant,
}

/// An entry of the log.
struct Entry {
    user: i32,
    event: String,
    at: Instant,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, Denied { user, event, at }: Denied, entries_per_user: usize) {
        let OfUser { told, more } = self.0.entry(user).or_default();
        if let Some(same) = told.iter_mut().find(|told| told.event == event) {
            same.times = same.times.saturating_add(1);
            same.last = at;
        } else if told.len() < entries_per_user {
            told.push(Told { event, times: 1, last: at });
        } else {
            let times = more.map_or(0, |(times, _)| times);
            *more = Some((times.saturating_add(1), at));
        }
    }

    /// As they are stored, in the order of time.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (&user, OfUser { told, more }) in &self.0 {
            entries.extend(told.iter().map(|Told { event, times, last }| {
                let event = match times {
                    1 => event.clone(),
                    times => format!("{event}, {times} times"),
                };
                Entry { user, event, at: *last }
            }));
            entries.extend(more.map(|(times, at)| {
                let event = match times {
                    1 => "was denied or not answered once more".to_owned(),
                    times => format!("was denied or not answered {times} times more"),
                };
                Entry { user, event, at }
            }));
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

/// Writes the entries of those users who still are.
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
    use std::sync::Mutex;

    use actix_web::{
        App, HttpRequest, HttpResponse, get,
        test::{TestRequest, call_service, init_service},
    };
    use auth_core::{
        Auth, User,
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
            self.0.lock().unwrap().extend(Denied::of(event).map(|denied| denied.event));
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

    fn denied(user: i32, event: &str) -> Denied {
        Denied { user, event: event.to_owned(), at: Instant::now() }
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_never_waits() {
        let (queue, messages) = sync_channel(2);
        let denials = Denials { queue, dropped: Arc::default() };
        for number in 0..5 {
            denials.put(denied(1, &number.to_string()));
        }
        assert_eq!(denials.dropped.load(Ordering::Relaxed), 3);
        let queued: Vec<_> = messages.try_iter().collect();
        assert_eq!(queued.len(), 2);
        denials.put(denied(1, "there is room again"));
        assert_eq!(denials.dropped.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn equal_denials_are_one_entry_and_each_user_has_few() {
        let mut pending = Pending::default();
        let mut entries_of_two = vec!["a, 3 times", "b"];
        for event in ["a", "b", "a", "c", "a", "d", "c"] {
            pending.add(denied(2, event), 2);
        }
        pending.add(denied(1, "c"), 2);
        let entries = pending.entries();
        assert!(entries.is_sorted_by_key(|entry| entry.at));
        let of = |user| {
            let mut events: Vec<_> =
                entries.iter().filter(|entry| entry.user == user).map(|entry| entry.event.as_str()).collect();
            events.sort_unstable();
            events
        };
        entries_of_two.push("was denied or not answered 3 times more");
        assert_eq!(of(2), entries_of_two);
        assert_eq!(of(1), ["c"]);
    }
}
