//! The pages of assets: the list, and one of them.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{
    Accessible, CurrentUser, Permission, ProtectedConfig, Scoped, auth_required, check_access,
    permission::Read, permission_required_for_context,
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use maud::{Markup, html};

use super::{
    PageError, PageQuery, Told,
    layout::{Page, Section, ok},
    lists::Wanted,
    may::May,
    scale::number,
};
use crate::{
    auth::LoggedIn,
    database::{Connection, Database},
    models::{Account, Asset, PublicAssets, Sensor},
    routes::assets::{self as endpoints, Column},
    schema::{accounts, assets, sensors},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(view);
}

/// The most accounts in a choice.
const MOST_ACCOUNTS: i64 = 500;

/// An account by its id and name.
type Named = (i32, String);

pub(super) fn path(id: i32) -> String {
    format!("/assets/{id}")
}

/// A page below that of an asset.
pub(super) fn below<'a>(user: &'a LoggedIn, asset: &Asset, title: impl Into<String>) -> Page<'a> {
    Page::new(user, Section::Assets, title).below("/assets", "Assets").below(path(asset.id), &*asset.name)
}

/// The assets that the caller may read, by name.
#[auth_required]
#[get("/assets")]
async fn list(
    PageQuery(wanted): PageQuery<Wanted>,
    readable: Accessible<Asset, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let listed = endpoints::read_page(readable, wanted.query(Column::Name), &database).await?;
    let user = current_user.clone();
    let ids: Vec<i32> = listed.data.iter().filter_map(|asset| asset.account_id).collect();
    let (accounts, places) = database
        .run(move |connection| {
            let accounts = Account::accessible_by(&*user, Permission::READ).filter(accounts::id.eq_any(ids));
            let accounts: Vec<Named> = accounts.select((accounts::id, accounts::name)).load(connection)?;
            Ok((accounts, Places::of(&user, 1, connection)?))
        })
        .await?;
    let account = |asset: &Asset| accounts.iter().find(|(id, _)| Some(*id) == asset.account_id);
    let page = Page::new(&current_user, Section::Assets, "Assets").after(wanted.done);
    let table = html! {
        table {
            caption.unseen { "Assets" }
            thead {
                tr { th scope="col" { "Name" } th scope="col" { "Account" } }
            }
            tbody {
                @for asset in &listed.data {
                    tr {
                        th scope="row" { a href=(path(asset.id)) { (asset.name) } }
                        td { (owner(asset, account(asset))) }
                    }
                }
            }
        }
    };
    Ok(ok(&page.with(&html! {
        (wanted.show("/assets", &listed, &table))
        @if !places.is_empty() {
            p.buttons { a.button href="/assets/new" { "New asset" } }
        }
    })))
}

/// The asset, its parts and its sensors, and a button for each thing that the caller may do.
#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}")]
async fn view(
    asset: Asset,
    PageQuery(Told { done }): PageQuery<Told>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let Surroundings { account, whole, parts, sensors, may } = {
        let (asset, user) = (asset.clone(), current_user.clone());
        database
            .run(move |connection| {
                connection.read_transaction(|connection| Ok(Surroundings::of(&asset, &user, connection)?))
            })
            .await?
    };
    let here = path(asset.id);
    let page = Page::new(&current_user, Section::Assets, &*asset.name).below("/assets", "Assets").after(done);
    Ok(ok(&page.with(&html! {
        dl {
            dt { "Account" }
            dd { (owner(&asset, account.as_ref())) }
            @if let Some(whole) = &whole {
                dt { "Part of" }
                dd { a href=(path(whole.id)) { (whole.name) } }
            }
            @for (name, degrees) in [("Latitude", asset.latitude), ("Longitude", asset.longitude)] {
                @if let Some(degrees) = degrees {
                    dt { (name) }
                    dd { (number(degrees)) "°" }
                }
            }
        }
        h2 { "Sensors" }
        @if sensors.is_empty() {
            p { "It has no sensors yet." }
        } @else {
            ul.links {
                @for sensor in &sensors {
                    li {
                        a href={ "/sensors/" (sensor.id) } { (sensor.name) }
                        @if !sensor.unit.is_empty() { " (" (sensor.unit) ")" }
                    }
                }
            }
        }
        @if may.create_children {
            p.buttons { a.button href={ (here) "/sensors/new" } { "Add a sensor" } }
        }
        @if !parts.is_empty() {
            h2 { "Parts" }
            ul.links {
                @for part in &parts {
                    li { a href=(path(part.id)) { (part.name) } }
                }
            }
        }
        h2 { "What you may do" }
        div.buttons {
            @if may.update { a.button.quiet href={ (here) "/edit" } { "Edit" } }
            @if may.delete { a.button.quiet href={ (here) "/delete" } { "Delete" } }
            a href={ (here) "/shares" } { "Shares" }
            a href={ (here) "/decisions" } { "Who may do what, and why" }
        }
    })))
}

/// The account of the asset.
fn owner(asset: &Asset, account: Option<&Named>) -> Markup {
    html! {
        @match (asset.account_id, account) {
            (None, _) => "Public",
            (Some(_), Some((id, name))) => a href={ "/accounts/" (id) } { (name) },
            (Some(_), None) => "One that you may not see",
        }
    }
}

/// The content of the page of an asset beside the asset.
struct Surroundings {
    account: Option<Named>,
    whole: Option<Asset>,
    parts: Vec<Asset>,
    sensors: Vec<Sensor>,
    may: May,
}

impl Surroundings {
    /// Loads the part of it that the user may read. An asset and the whole of which it is a part may belong to two
    /// accounts.
    fn of(asset: &Asset, user: &LoggedIn, connection: &mut Connection) -> QueryResult<Self> {
        let read = Permission::READ;
        let may = assets::table.find(asset.id).select(May::asked::<Asset>(user)).first(connection)?;
        let account = match asset.account_id {
            Some(id) => Account::accessible_by(user, read)
                .filter(accounts::id.eq(id))
                .select((accounts::id, accounts::name))
                .first(connection)
                .optional()?,
            None => None,
        };
        let whole = match asset.parent_asset_id {
            Some(id) => {
                Asset::accessible_by(user, read).filter(assets::id.eq(id)).first(connection).optional()?
            }
            None => None,
        };
        let parts = Asset::accessible_by(user, read).filter(assets::parent_asset_id.eq(asset.id));
        let sensors = Sensor::accessible_by(user, read).filter(sensors::asset_id.eq(asset.id));
        Ok(Self {
            account,
            whole,
            parts: parts.order((assets::name, assets::id)).load(connection)?,
            sensors: sensors.order((sensors::name, sensors::id)).load(connection)?,
            may: May::of(may),
        })
    }
}

/// The accounts in which the user may create assets.
pub(super) struct Places {
    pub(super) accounts: Vec<Named>,
    pub(super) public: bool,
}

impl Places {
    fn of(user: &LoggedIn, most: i64, connection: &mut Connection) -> QueryResult<Self> {
        let permission = Permission::CREATE_CHILDREN;
        let accounts =
            Account::accessible_by(user, permission).order((accounts::name, accounts::id)).limit(most);
        Ok(Self {
            accounts: accounts.select((accounts::id, accounts::name)).load(connection)?,
            public: check_access(user, &PublicAssets, permission).is_allowed(),
        })
    }

    /// The choices of the form, or a denial.
    pub(super) async fn offered(
        user: &CurrentUser<LoggedIn>,
        database: &Database,
    ) -> Result<Self, PageError> {
        let caller = user.clone();
        let places =
            database.run(move |connection| Ok(Self::of(&caller, MOST_ACCOUNTS, connection)?)).await?;
        if places.is_empty() {
            return Err(user.deny("a place for a new asset").into());
        }
        Ok(places)
    }

    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.public
    }
}
