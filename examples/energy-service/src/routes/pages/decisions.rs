//! Why a user may do something with an asset or a sensor, or may not: each decision with the rules of the policy, in
//! words.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{
    AllowReason, Alternative, CurrentUser, Decision, Explanation, LoadContext, LoadError, Permission,
    ProtectedConfig, Scoped, Stored, Term, permission_required_for_context,
};
use diesel::{QueryDsl, RunQueryDsl};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery, assets,
    layout::{Page, ok},
    sensors,
};
use crate::{
    auth::LoggedIn,
    database::{Connection, Database},
    error::ServiceError,
    models::{Asset, Sensor, User},
    schema::users,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(of_asset).service(of_sensor);
}

/// The most users in a choice.
const MOST_USERS: i64 = 500;

/// The user whose permissions are shown: the caller, if none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    user: Option<i32>,
}

/// The named user, or none.
fn named(about: &About, connection: &mut Connection) -> Result<Vec<User>, LoadError> {
    about.user.map(|id| User::load(id, connection)).into_iter().collect()
}

/// About the caller, or about a user that the caller may read.
#[permission_required_for_context("read", ctx_arg = "asset")]
#[permission_required_for_context("read", ctx_arg = "named", ctx_loader = named(_about, connection), allow_empty = true)]
#[get("/assets/{asset_id}/decisions")]
async fn of_asset(
    asset: Asset,
    PageQuery(_about): PageQuery<About>,
    named: Vec<User>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let actions = [
        (Permission::READ, "See the asset"),
        (Permission::UPDATE, "Change the asset"),
        (Permission::DELETE, "Delete the asset"),
        (Permission::CREATE_CHILDREN, "Add sensors and parts"),
    ];
    let answers = Answers::of::<Asset>(asset.id, actions, named, &current_user, &database).await?;
    let page = assets::below(&current_user, &asset, TITLE);
    Ok(ok(&answers.show(&page, &assets::path(asset.id))))
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[permission_required_for_context("read", ctx_arg = "named", ctx_loader = named(_about, connection), allow_empty = true)]
#[get("/sensors/{sensor_id}/decisions")]
async fn of_sensor(
    sensor: Sensor,
    PageQuery(_about): PageQuery<About>,
    named: Vec<User>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let actions = [
        (Permission::READ, "See the sensor and its measurements"),
        (Permission::UPDATE, "Change the sensor"),
        (Permission::DELETE, "Delete the sensor"),
        (Permission::CREATE_CHILDREN, "Record measurements"),
    ];
    let answers = Answers::of::<Sensor>(sensor.id, actions, named, &current_user, &database).await?;
    let asset = sensors::asset_of(&sensor, &database).await?;
    let page = sensors::below(&current_user, &asset, &sensor, TITLE);
    Ok(ok(&answers.show(&page, &sensors::path(sensor.id))))
}

const TITLE: &str = "Who may do what, and why";

/// The content of the page.
struct Answers {
    /// The user whose permissions are shown; none is the caller.
    about: Option<User>,
    /// The permissions, with the reasons. `None`: the user is not active, and may do nothing.
    explained: Option<Vec<(&'static str, Explanation)>>,
    caller: i32,
    /// The users among whom the caller may choose, by id and name.
    users: Vec<(i32, String)>,
}

impl Answers {
    async fn of<M>(
        id: i32,
        actions: [(Permission, &'static str); 4],
        named: Vec<User>,
        current_user: &CurrentUser<LoggedIn>,
        database: &Database,
    ) -> Result<Self, ServiceError>
    where
        M: Stored<Id = i32, Connection = Connection>,
    {
        let caller = current_user.clone();
        let about = named.into_iter().next();
        let work = move |connection: &mut Connection| {
            let users = User::accessible_by(&*caller, Permission::READ)
                .order((users::username, users::id))
                .limit(MOST_USERS)
                .select((users::id, users::username))
                .load(connection)?;
            let subject = match &about {
                None => Some(LoggedIn::clone(&caller)),
                Some(user) => match LoggedIn::find(user.id, connection) {
                    Ok(subject) => Some(subject),
                    Err(LoadError::NotFound) => None,
                    Err(error) => return Err(error.into()),
                },
            };
            let explain = |subject: LoggedIn, connection: &mut Connection| -> Result<Vec<_>, ServiceError> {
                let explain =
                    |(permission, action)| Ok((action, M::explain(connection, &subject, id, permission)?));
                actions.into_iter().map(explain).collect()
            };
            let explained = subject.map(|subject| explain(subject, connection)).transpose()?;
            Ok(Self { about, explained, caller: caller.id, users })
        };
        database.run(move |connection| connection.read_transaction(work)).await
    }

    fn show(&self, page: &Page<'_>, path: &str) -> Markup {
        let chosen = self.about.as_ref().map_or(self.caller, |user| user.id);
        page.with(&html! {
            form.range method="get" action={ (path) "/decisions" } {
                div.field {
                    label for="user" { "Who" }
                    select id="user" name="user" {
                        @for (id, username) in &self.users {
                            option value=(id) selected[*id == chosen] {
                                (username) @if *id == self.caller { " (you)" }
                            }
                        }
                    }
                }
                button.quiet type="submit" { "Explain" }
            }
            @match &self.explained {
                Some(explained) => {
                    (summary(explained))
                    @for (action, explanation) in explained {
                        (decision(action, explanation))
                    }
                },
                None => p { (self.about.as_ref().map_or("You", |user| &user.username)) " may do nothing, as a user who is not active." },
            }
        })
    }
}

fn summary(explained: &[(&str, Explanation)]) -> Markup {
    let allowed = explained.iter().filter(|(_, explanation)| explanation.decision().is_allowed()).count();
    html! {
        p.summary {
            "Of " (explained.len()) " actions, "
            strong { (allowed) " allowed" } " and " strong { (explained.len() - allowed) " denied" } "."
        }
    }
}

fn decision(action: &str, explanation: &Explanation) -> Markup {
    let decision = explanation.decision();
    html! {
        section.decision.denied[!decision.is_allowed()] {
            h2 { (action) ": " (if decision.is_allowed() { "yes" } else { "no" }) }
            p {
                @match decision {
                    Decision::Allow(AllowReason::Admin) => "Admins may do everything, whatever the rules say.",
                    Decision::Allow(AllowReason::AdminReader) => "Admin-readers may see everything, whatever the rules say.",
                    Decision::Allow(_) => "One of the rules is met.",
                    Decision::Deny(_) if explanation.alternatives().is_empty() => "No rule grants it: it is for admins alone.",
                    Decision::Deny(_) => "None of the rules is met.",
                }
            }
            @if !explanation.alternatives().is_empty() {
                ul.rules {
                    @for alternative in explanation.alternatives() {
                        li { (rule(alternative)) }
                    }
                }
            }
        }
    }
}

/// A rule, term by term. As it is declared, too, for readers who know the policy.
fn rule(alternative: &Alternative) -> Markup {
    html! {
        @if alternative.matched() { strong.met { "Met" } } @else { strong.failed { "Not met" } }
        ul.terms {
            @for term in alternative.terms() {
                li { (mark(term.matched())) " " (term_in_words(term)) }
            }
        }
        code { (alternative.rule()) }
    }
}

fn mark(matched: bool) -> Markup {
    let (sign, word) = if matched { ("✓", "Yes: ") } else { ("✗", "No: ") };
    html! {
        span aria-hidden="true" { (sign) }
        span.unseen { (word) }
    }
}

fn term_in_words(term: &Term) -> Markup {
    html! {
        @match in_words(term.text()) {
            Some(words) => (words),
            None => code { (term.text()) },
        }
    }
}

/// The terms of the policies of assets and sensors; both refer to the asset's account.
fn in_words(term: &str) -> Option<String> {
    // A term about the user alone counts where the object of its alternative is there.
    let term = term.split_once(" through ").map_or(term, |(term, _)| term);
    if let Some(role) = term.strip_prefix("role(\"").and_then(|rest| rest.strip_suffix("\")")) {
        return Some(format!("has the role {role}"));
    }
    // A sensor's rules are those of its asset.
    let term = term.replace("asset.", "");
    let words = match term.strip_suffix(" of asset").unwrap_or(&term) {
        "account(account_id)" => "belongs to the asset's account",
        "account(account.consultancy_account_id)" => "belongs to the consultancy of the asset's account",
        "is(account.assigned_consultants_only, false)" => "all of its consultants look after the account",
        "any(consultants: user(user_id)) of account" => "is assigned to the account as a consultant",
        "is_null(account_id)" => "the asset is public",
        "any(shares: (user(user_id) | account(account_id)) & until(expires_at))" => {
            "the asset is shared with the user or the user's account"
        }
        "any(shares: (user(user_id) | account(account_id)) & is(can_update, true) & until(expires_at))" => {
            "the asset is shared with the user or the user's account, to change it"
        }
        "whole.read" => "may see the asset of which it is a part",
        "inherits_access" => "the asset is for those who may see the asset of which it is a part",
        _ => return None,
    };
    Some(words.to_owned())
}
