//! The logs of accounts and users, as sentences.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{CurrentUser, LoadContext, ProtectedConfig, permission_required_for_context};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery,
    accounts::path,
    layout::{Page, Section, ok, scrolling, sentence},
    scale::instant,
};
use crate::{
    auth::LoggedIn,
    database::{Database, Instant},
    models::{Account, AccountAuditLog, AuditLog, User, UserAuditLog},
    routes::audit_log::{self as logs, Page as Part},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(log_of_account).service(log_of_user);
}

/// The entries of one page of a log.
const ENTRIES: i64 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Older {
    /// Only entries that are older than the one of this id.
    before: Option<i32>,
}

impl Older {
    /// One entry more than a page has, to know whether there is another page.
    fn part(&self) -> Part {
        Part { before: self.before, limit: Some(ENTRIES + 1) }
    }
}

/// The events of an account and of its users.
#[permission_required_for_context("read", ctx_arg = "log", id = "account_id")]
#[get("/accounts/{account_id}/audit-log")]
async fn log_of_account(
    log: AccountAuditLog,
    PageQuery(older): PageQuery<Older>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let entries = logs::latest_of_account(log, &older.part(), &database).await?;
    // Its policy is narrower than that of the account.
    let id = log.account_id;
    let account = database.run(move |connection| Ok(Account::load(id, connection)?)).await?;
    let title = format!("Log of {}", account.name);
    Ok(ok(&log_page(&current_user, &account, title, &format!("{}/audit-log", path(id)), &entries)))
}

/// The events of a user.
#[permission_required_for_context("read", ctx_arg = "log", id = "user_id")]
#[get("/users/{user_id}/audit-log")]
async fn log_of_user(
    log: UserAuditLog,
    PageQuery(older): PageQuery<Older>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let entries = logs::latest_of_user(log, &older.part(), &database).await?;
    // Its policy is narrower than that of the user, which in turn is not wider than that of the account.
    let id = log.user_id;
    let (user, account) = database
        .run(move |connection| {
            let user = User::load(id, connection)?;
            let account = Account::load(user.account_id, connection)?;
            Ok((user, account))
        })
        .await?;
    let title = format!("Log of {}", user.username);
    Ok(ok(&log_page(&current_user, &account, title, &format!("/users/{id}/audit-log"), &entries)))
}

fn log_page(user: &LoggedIn, account: &Account, title: String, here: &str, entries: &[AuditLog]) -> Markup {
    let (shown, more) = match usize::try_from(ENTRIES).ok().and_then(|most| entries.split_at_checked(most)) {
        Some((shown, rest)) => (shown, !rest.is_empty()),
        None => (entries, false),
    };
    let page = Page::new(user, Section::Accounts, title)
        .below("/accounts", "Accounts")
        .below(path(account.id), &*account.name);
    page.with(&html! {
        @if shown.is_empty() {
            p { "Nothing has happened yet." }
        } @else {
            (scrolling("entries", &html! {
                table {
                    caption.unseen id="entries" { "The latest first" }
                    thead {
                        tr {
                            th scope="col" { "Time (UTC)" }
                            th scope="col" { "What happened" }
                        }
                    }
                    tbody {
                        @for entry in shown {
                            @let Instant(at) = entry.event_datetime;
                            tr {
                                th scope="row" { (instant(at)) }
                                (in_sentence(&entry.event, entry.active_user_name.as_deref()))
                            }
                        }
                    }
                }
            }))
        }
        @if let Some(last) = shown.last().filter(|_| more) {
            nav.pager aria-label="Pages" {
                a rel="next" href={ (here) "?before=" (last.id) } { "Older" }
            }
        }
    })
}

/// A cell with the event, which begins with a verb whose subject is the user, unless it has one of its own.
fn in_sentence(event: &str, user: Option<&str>) -> Markup {
    let denial = denial(event);
    let class = denial.is_some().then_some("denied");
    let words = denial.as_deref().unwrap_or(event);
    html! {
        td class=[class] {
            @match user {
                Some(user) if words.starts_with("the ") => { (sentence(words)) " By " strong { (user) } "." },
                Some(user) => { strong { (user) } " " (words) "." },
                None => (sentence(words)),
            }
        }
    }
}

/// An event of a denial in words for people; `None` for another event.
fn denial(event: &str) -> Option<String> {
    // The reason is the last one in brackets: before it there may be a text that a client chose.
    let (start, request) = event.rsplit_once("): ")?;
    let (what, reason) = start.rsplit_once(" (")?;
    let reason = match reason {
        "no-match" => "no rule allows it",
        "not-found" => "there is none",
        "stale" => "the log-in was too old",
        "cross-site" => "another site sent the request",
        "logged-in" => "it is for those who are not logged in",
        "unavailable" => "the service was out of reach",
        other => other,
    };
    let words = if let Some(guard) = what.strip_prefix("was denied by ") {
        format!("was not let in by {guard}")
    } else if let Some(guard) = what.strip_prefix("got no answer from ") {
        format!("got no answer from {guard}")
    } else if let Some(what) = what.strip_prefix("was denied ") {
        format!("was not allowed to {}", action(what)?)
    } else {
        format!("got no answer to the wish to {}", action(what.strip_prefix("got no answer about ")?)?)
    };
    Some(format!("{words} ({reason}): {request}"))
}

/// `update on Asset 4`, for people.
fn action(what: &str) -> Option<String> {
    let (permission, context) = what.split_once(" on ")?;
    let verb = match permission {
        "read" => "see",
        "update" => "change",
        "create-children" => "add to",
        other => other,
    };
    let (name, id) = context.split_once(' ').unwrap_or((context, ""));
    // `UserAuditLog`: user audit log.
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    let article = if words.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    Some(if id.is_empty() { format!("{verb} {article} {words}") } else { format!("{verb} the {words} {id}") })
}

#[cfg(test)]
mod tests {
    use super::{denial, in_sentence};

    #[test]
    fn a_denial_is_told_in_words() {
        for (event, words) in [
            (
                "was denied update on Asset 4 (no-match): PATCH /api/v3_0/assets/{asset_id}",
                "was not allowed to change the asset 4 (no rule allows it): PATCH /api/v3_0/assets/{asset_id}",
            ),
            (
                "was denied by roles_accepted (no-match): GET /api/v3_0/roles, 57 times",
                "was not let in by roles_accepted (no rule allows it): GET /api/v3_0/roles, 57 times",
            ),
            (
                "got no answer about read on Sensor 1 (unavailable): GET /sensors/{sensor_id}",
                "got no answer to the wish to see the sensor 1 (the service was out of reach): GET /sensors/{sensor_id}",
            ),
            (
                "was denied read on UserAuditLog (not-found): GET /users/{user_id}/audit-log, 197 times more",
                "was not allowed to see a user audit log (there is none): GET /users/{user_id}/audit-log, 197 times more",
            ),
            (
                r#"was denied read on Asset no id "3 (no-match): DELETE by Adam" (not-found): GET /assets/{asset_id}"#,
                r#"was not allowed to see the asset no id "3 (no-match): DELETE by Adam" (there is none): GET /assets/{asset_id}"#,
            ),
        ] {
            assert_eq!(denial(event).as_deref(), Some(words));
        }
        for event in ["changed the user 1: username", "created the asset 7, \"a (b): c\"", ""] {
            assert_eq!(denial(event), None, "{event}");
        }
    }

    #[test]
    fn an_event_is_a_sentence_about_its_user() {
        for (event, user, sentence) in [
            (
                "changed the user 1: username",
                Some("Ada"),
                "<td><strong>Ada</strong> changed the user 1: username.</td>",
            ),
            (
                "the account 3 is looked after by all",
                Some("Ada"),
                "<td>The account 3 is looked after by all. By <strong>Ada</strong>.</td>",
            ),
            ("deleted the asset 4, \"<b>\"", None, "<td>Deleted the asset 4, &quot;&lt;b&gt;&quot;.</td>"),
        ] {
            assert_eq!(in_sentence(event, user).0, sentence);
        }
    }
}
