//! The page of an asset's shares: with whom it is shared, the form that shares it, and the buttons that end a share.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{
    Accessible, Authorized, CurrentUser, Permission, ProtectedConfig, Scoped, Stored,
    permission::{Delete, Read},
    permission_required_for_context,
};
use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery, Told,
    assets::{below, path},
    days::date,
    form::{self, Field, Kind, Problem, again, whole_number},
    layout::{Done, ok, see_other},
    scale::instant,
};
use crate::{
    auth::{LoggedIn, SHARE},
    database::{Connection, Database, Instant},
    error::ServiceError,
    models::{Account, Asset, AssetShare, User},
    routes::{
        input::{NoParameters, Validate, storable},
        shares::{self as endpoints, Receiver, Terms},
    },
    schema::{accounts, asset_shares, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(create).service(give_up);
}

/// The latest shares that the page shows.
const MOST_SHARES: i64 = 200;

/// The content of the page.
struct Shares {
    shares: Vec<Shown>,
    may_share: bool,
}

/// A share, as its reader sees it.
struct Shown {
    share: AssetShare,
    /// The receiver, by name where the reader may read that.
    with: String,
    has_ended: bool,
    may_end: bool,
}

impl Shares {
    fn of(
        asset_id: i32,
        readable: &Accessible<AssetShare, Read>,
        caller: &LoggedIn,
        connection: &mut Connection,
    ) -> Result<Self, ServiceError> {
        let shares: Vec<AssetShare> = readable
            .query()
            .filter(asset_shares::asset_id.eq(asset_id))
            .order(asset_shares::id.desc())
            .limit(MOST_SHARES)
            .load(connection)?;
        let ids: Vec<i32> = shares.iter().map(|share| share.id).collect();
        let ended_by_caller: Vec<i32> = AssetShare::accessible_by(caller, Permission::DELETE)
            .filter(asset_shares::id.eq_any(ids))
            .select(asset_shares::id)
            .load(connection)?;
        let users: Vec<i32> = shares.iter().filter_map(|share| share.user_id).collect();
        let users: Vec<(i32, String)> = User::accessible_by(caller, Permission::READ)
            .filter(users::id.eq_any(users))
            .select((users::id, users::username))
            .load(connection)?;
        let accounts: Vec<i32> = shares.iter().filter_map(|share| share.account_id).collect();
        let accounts: Vec<(i32, String)> = Account::accessible_by(caller, Permission::READ)
            .filter(accounts::id.eq_any(accounts))
            .select((accounts::id, accounts::name))
            .load(connection)?;
        let now = Instant::now();
        let name = |kind: &str, id: i32, names: &[(i32, String)], own: Option<&str>| {
            let name = names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.as_str());
            match (name, own) {
                (Some(name), Some(own)) => format!("{name} ({own})"),
                (Some(name), None) => name.to_owned(),
                (None, _) => format!("{kind} {id}"),
            }
        };
        let shown = |share: AssetShare| Shown {
            with: match (share.user_id, share.account_id) {
                (Some(id), _) => name("User", id, &users, (id == caller.id).then_some("you")),
                (None, Some(id)) => {
                    name("Account", id, &accounts, (id == caller.account_id).then_some("your account"))
                }
                (None, None) => String::new(),
            },
            has_ended: share.expires_at.is_some_and(|end| end <= now),
            may_end: ended_by_caller.contains(&share.id),
            share,
        };
        Ok(Self {
            shares: shares.into_iter().map(shown).collect(),
            may_share: Asset::check_access(connection, caller, asset_id, SHARE)?.is_allowed(),
        })
    }

    /// A list and no table: on a narrow screen, the buttons of a table would be out of sight.
    fn show(&self) -> Markup {
        html! {
            ul.people {
                @for Shown { share, with, has_ended, may_end } in &self.shares {
                    li {
                        strong { (with) }
                        span {
                            "may " (if share.can_update { "see and change it" } else { "see it" }) ", "
                            @match share.expires_at {
                                Some(Instant(end)) => { "until " (instant(end)) " UTC" @if *has_ended { " (has ended)" } },
                                None => "without an end",
                            }
                        }
                        @if *may_end {
                            form method="post" action={ "/asset-shares/" (share.id) "/delete" } {
                                button.quiet type="submit" { "End" span.unseen { " the share with " (with) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The input about a share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareForm {
    with: Kinds,
    number: String,
    can_update: bool,
    /// The last day. Empty: without an end.
    expires_at: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kinds {
    User,
    Account,
}

impl Kinds {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Account => "account",
        }
    }
}

impl ShareForm {
    fn new() -> Self {
        Self { with: Kinds::User, number: String::new(), can_update: false, expires_at: String::new() }
    }

    fn read(&self) -> Result<(Receiver, Terms), ServiceError> {
        let id = whole_number("number", &self.number)?;
        let receiver = match self.with {
            Kinds::User => Receiver::User(id),
            Kinds::Account => Receiver::Account(id),
        };
        // It ends with the day.
        let end = date("expires_at", Some(&self.expires_at))?
            .map(|day| day.succ_opt().map_or(NaiveDateTime::MAX, NaiveDateTime::from));
        let expires_at = end
            .map(storable)
            .transpose()
            .map_err(|problem| ServiceError::invalid_field("expires_at", problem))?;
        let terms = Terms { can_update: self.can_update, expires_at };
        terms.validate()?;
        Ok((receiver, terms))
    }

    fn show(&self, here: &str, back: &str, problem: Option<&Problem>) -> Markup {
        let kinds = [("user".to_owned(), "A user"), ("account".to_owned(), "All users of an account")];
        let levels = [("false".to_owned(), "See it"), ("true".to_owned(), "See and change it")];
        let level = if self.can_update { "true" } else { "false" };
        let fields = [
            Field { kind: Kind::Choice(&kinds), ..Field::new("with", "With", self.with.name()) },
            Field {
                kind: Kind::WholeNumber,
                hint: Some("Of the user or the account, as it stands on its page."),
                ..Field::new("number", "Number", &self.number)
            },
            Field { kind: Kind::Choice(&levels), ..Field::new("can_update", "May", level) },
            Field {
                kind: Kind::Date,
                is_required: false,
                hint: Some("In UTC. May be left empty: then the share has no end."),
                ..Field::new("expires_at", "Last day", &self.expires_at)
            },
        ];
        form::form(here, &fields, "Share", back, problem)
    }
}

/// The shares that the caller may see: all of them, if the caller may share the asset, and otherwise those with the caller.
#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}/shares")]
async fn list(
    asset: Asset,
    PageQuery(Told { done }): PageQuery<Told>,
    readable: Accessible<AssetShare, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let shares = load(asset.id, readable, &current_user, &database).await?;
    Ok(ok(&page(&current_user, &asset, &shares, done, &ShareForm::new(), None)))
}

async fn load(
    asset_id: i32,
    readable: Accessible<AssetShare, Read>,
    current_user: &CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Shares, ServiceError> {
    let caller = current_user.clone();
    let read = move |connection: &mut Connection| Shares::of(asset_id, &readable, &caller, connection);
    database.run(move |connection| connection.read_transaction(read)).await
}

/// Replaces a share with the same receiver.
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[post("/assets/{asset_id}/shares")]
async fn create(
    asset: Asset,
    Form(form): Form<ShareForm>,
    readable: Accessible<AssetShare, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let done = match form.read() {
        Ok((receiver, terms)) => {
            let done = endpoints::share(asset.id, receiver, terms, current_user.clone(), &database).await;
            // The asset was there a moment ago.
            done.map_err(|error| match error {
                ServiceError::NotFound => {
                    ServiceError::invalid_field("number", format!("is that of no {}", form.with.name()))
                }
                error => error,
            })
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(see_other(&format!("{}/shares?done=shared", path(asset.id)))),
        Err(error) => {
            let shares = load(asset.id, readable, &current_user, &database).await?;
            again(error, |problem| page(&current_user, &asset, &shares, None, &form, Some(problem)))
        }
    }
}

fn page(
    user: &LoggedIn,
    asset: &Asset,
    shares: &Shares,
    done: Option<Done>,
    form: &ShareForm,
    problem: Option<&Problem>,
) -> Markup {
    let here = path(asset.id);
    below(user, asset, format!("Shares of {}", asset.name)).after(done).with(&html! {
        @if shares.shares.is_empty() {
            p { "There are no shares that you may see." }
        } @else {
            (shares.show())
        }
        @if shares.may_share {
            h2 { "Share it" }
            (form.show(&format!("{here}/shares"), &here, problem))
        }
    })
}

/// By those who may share the asset, by the user of the share, or by an admin of its account.
#[permission_required_for_context("delete", ctx_arg = "share", id = "asset_share_id")]
#[post("/asset-shares/{asset_share_id}/delete")]
async fn give_up(
    share: Authorized<AssetShare, Delete>,
    _: PageQuery<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let asset_id = share.asset_id;
    endpoints::end(share, current_user.clone(), &database).await?;
    // The receiver may not see the asset any more.
    let sees_it = database
        .run(move |connection| {
            Ok(Asset::check_access(connection, &*current_user, asset_id, Permission::READ)?.is_allowed())
        })
        .await?;
    let next = if sees_it { format!("{}/shares", path(asset_id)) } else { "/assets".to_owned() };
    Ok(see_other(&format!("{next}?done=ended")))
}
