//! The pages of assets: the list, one of them, and the forms that change them.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{
    Accessible, Authorized, CurrentUser, Permission, ProtectedConfig, Scoped, auth_required, check_access,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery, Told,
    chart::number,
    form::{self, Field, Kind, Problem, again, optional_number, whole_number},
    layout::{Page, Section, ok, see_other},
    lists::Wanted,
    may::May,
};
use crate::{
    auth::{LoggedIn, refuse},
    database::{Connection, Database},
    error::ServiceError,
    models::{Account, Asset, PublicAssets, Sensor},
    routes::{
        assets::{self as endpoints, AssetChanges, Column, NewAsset, NewSensor},
        input::Validate,
    },
    schema::{accounts, assets, sensors},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    // `new` first: the pattern of `view` fits it, too.
    config
        .service(list)
        .service(new)
        .service(create)
        .service(view)
        .service(edit)
        .service(change)
        .service(confirm_removal)
        .service(remove)
        .service(new_sensor)
        .service(create_sensor);
}

/// The most accounts among which somebody chooses.
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

pub(super) fn unit_field(unit: &str) -> Field<'_> {
    Field {
        is_required: false,
        hint: Some("Such as kW. May be left empty."),
        ..Field::new("unit", "Unit", unit)
    }
}

/// The assets that the caller may read, by name.
#[auth_required]
#[get("/assets")]
async fn list(
    readable: Accessible<Asset, Read>,
    PageQuery(wanted): PageQuery<Wanted>,
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
            a href={ (here) "/decisions" } { "Who may do what, and why" }
        }
    })))
}

/// Whose the asset is.
fn owner(asset: &Asset, account: Option<&Named>) -> Markup {
    html! {
        @match (asset.account_id, account) {
            (None, _) => "Public",
            (Some(_), Some((id, name))) => a href={ "/accounts/" (id) } { (name) },
            (Some(_), None) => "One that you may not see",
        }
    }
}

/// What the page of an asset shows beside the asset.
struct Surroundings {
    account: Option<Named>,
    whole: Option<Asset>,
    parts: Vec<Asset>,
    sensors: Vec<Sensor>,
    may: May,
}

impl Surroundings {
    /// What somebody may read of it. An asset and what it is a part of may belong to two accounts.
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

/// Where somebody may create assets.
struct Places {
    accounts: Vec<Named>,
    public: bool,
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

    /// What the form offers, or a denial.
    async fn offered(user: &CurrentUser<LoggedIn>, database: &Database) -> Result<Self, PageError> {
        let caller = user.clone();
        let places =
            database.run(move |connection| Ok(Self::of(&caller, MOST_ACCOUNTS, connection)?)).await?;
        if places.is_empty() {
            return Err(refuse("a place for a new asset", user, &"any account").into());
        }
        Ok(places)
    }

    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.public
    }
}

/// What is entered about an asset.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssetForm {
    /// Of a new asset alone. Empty: none, it is public.
    account_id: Option<String>,
    name: String,
    latitude: String,
    longitude: String,
}

impl AssetForm {
    fn of(asset: &Asset) -> Self {
        let text = |degrees: Option<f64>| degrees.map(|degrees| degrees.to_string()).unwrap_or_default();
        Self {
            account_id: None,
            name: asset.name.clone(),
            latitude: text(asset.latitude),
            longitude: text(asset.longitude),
        }
    }

    fn read_new(&self) -> Result<NewAsset, ServiceError> {
        let account_id = match self.account_id.as_deref() {
            Some("") => None,
            Some(id) => Some(whole_number("account_id", id)?),
            None => return Err(ServiceError::invalid_field("account_id", "is missing")),
        };
        let asset = NewAsset {
            name: self.name.clone(),
            account_id,
            latitude: optional_number("latitude", &self.latitude)?,
            longitude: optional_number("longitude", &self.longitude)?,
            parent_asset_id: None,
        };
        asset.validate()?;
        Ok(asset)
    }

    /// What is not as it was.
    fn read_changes(&self, asset: &Asset) -> Result<AssetChanges, ServiceError> {
        if self.account_id.is_some() {
            return Err(ServiceError::invalid("an asset stays in its account"));
        }
        let latitude = optional_number("latitude", &self.latitude)?;
        let longitude = optional_number("longitude", &self.longitude)?;
        let changes = AssetChanges {
            name: (self.name != asset.name).then(|| self.name.clone()),
            latitude: (latitude != asset.latitude).then_some(latitude),
            longitude: (longitude != asset.longitude).then_some(longitude),
        };
        changes.validate()?;
        Ok(changes)
    }

    fn fields(&self) -> Vec<Field<'_>> {
        let degrees = |name, label, value, hint| Field {
            kind: Kind::Number,
            is_required: false,
            hint: Some(hint),
            ..Field::new(name, label, value)
        };
        vec![
            Field::new("name", "Name", &self.name),
            degrees(
                "latitude",
                "Latitude",
                &self.latitude,
                "In degrees, north is positive. May be left empty.",
            ),
            degrees(
                "longitude",
                "Longitude",
                &self.longitude,
                "In degrees, east is positive. May be left empty.",
            ),
        ]
    }
}

/// The form for a new asset, for those who may create one somewhere.
#[auth_required]
#[get("/assets/new")]
async fn new(
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let places = Places::offered(&current_user, &database).await?;
    Ok(ok(&new_page(&current_user, &places, &AssetForm::default(), None)))
}

/// Whether the caller may is asked of the account that the form names, as of one that a program sends.
#[auth_required]
#[post("/assets/new")]
async fn create(
    Form(form): Form<AssetForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let created = match form.read_new() {
        Ok(asset) => endpoints::insert(asset, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(asset) => Ok(see_other(&format!("{}?done=created", path(asset.id)))),
        Err(error) => {
            let places = Places::offered(&current_user, &database).await?;
            again(error, |problem| new_page(&current_user, &places, &form, Some(problem)))
        }
    }
}

fn new_page(user: &LoggedIn, places: &Places, form: &AssetForm, problem: Option<&Problem>) -> Markup {
    let mut choices: Vec<_> =
        places.accounts.iter().map(|(id, name)| (id.to_string(), name.as_str())).collect();
    if places.public {
        choices.push((String::new(), "None: everybody may see it"));
    }
    let chosen =
        form.account_id.as_deref().or(choices.first().map(|(id, _)| id.as_str())).unwrap_or_default();
    let account = Field { kind: Kind::Choice(&choices), ..Field::new("account_id", "Account", chosen) };
    let fields: Vec<_> = form.fields().into_iter().chain([account]).collect();
    let page = Page::new(user, Section::Assets, "New asset").below("/assets", "Assets");
    page.with(&form::form("/assets/new", &fields, "Create", "/assets", problem))
}

#[permission_required_for_context("update", ctx_arg = "asset")]
#[get("/assets/{asset_id}/edit")]
async fn edit(asset: Asset, current_user: CurrentUser<LoggedIn>) -> HttpResponse {
    ok(&edit_page(&current_user, &asset, &AssetForm::of(&asset), None))
}

#[permission_required_for_context("update", ctx_arg = "asset")]
#[post("/assets/{asset_id}/edit")]
async fn change(
    asset: Asset,
    Form(form): Form<AssetForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let changed = match form.read_changes(&asset) {
        Ok(changes) => endpoints::update(asset.id, changes, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(asset) => Ok(see_other(&format!("{}?done=saved", path(asset.id)))),
        Err(error) => again(error, |problem| edit_page(&current_user, &asset, &form, Some(problem))),
    }
}

fn edit_page(user: &LoggedIn, asset: &Asset, form: &AssetForm, problem: Option<&Problem>) -> Markup {
    let here = path(asset.id);
    let form = form::form(&format!("{here}/edit"), &form.fields(), "Save", &here, problem);
    below(user, asset, format!("Edit {}", asset.name)).with(&form)
}

/// Nothing is deleted by a link: this page asks first.
#[permission_required_for_context("delete", ctx_arg = "asset")]
#[get("/assets/{asset_id}/delete")]
async fn confirm_removal(
    asset: Authorized<Asset, Delete>,
    current_user: CurrentUser<LoggedIn>,
) -> HttpResponse {
    let here = path(asset.id);
    let warning = "This deletes the asset with its sensors and all of their measurements. Nothing brings them back. \
                   Assets that are parts of it stay.";
    let question = form::question(warning, &format!("{here}/delete"), "Delete it", &here);
    ok(&below(&current_user, &asset, format!("Delete {}?", asset.name)).with(&question))
}

#[permission_required_for_context("delete", ctx_arg = "asset")]
#[post("/assets/{asset_id}/delete")]
async fn remove(
    asset: Authorized<Asset, Delete>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    endpoints::delete(asset, current_user, &database).await?;
    Ok(see_other("/assets?done=deleted"))
}

/// What is entered about a new sensor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SensorForm {
    name: String,
    unit: String,
    event_resolution_minutes: String,
}

impl SensorForm {
    fn read(&self) -> Result<NewSensor, ServiceError> {
        let sensor = NewSensor {
            name: self.name.clone(),
            unit: self.unit.clone(),
            event_resolution_minutes: whole_number(
                "event_resolution_minutes",
                &self.event_resolution_minutes,
            )?,
        };
        sensor.validate()?;
        Ok(sensor)
    }
}

#[permission_required_for_context("create-children", ctx_arg = "asset")]
#[get("/assets/{asset_id}/sensors/new")]
async fn new_sensor(asset: Asset, current_user: CurrentUser<LoggedIn>) -> HttpResponse {
    let form =
        SensorForm { name: String::new(), unit: String::new(), event_resolution_minutes: "15".to_owned() };
    ok(&new_sensor_page(&current_user, &asset, &form, None))
}

#[permission_required_for_context("create-children", ctx_arg = "asset")]
#[post("/assets/{asset_id}/sensors/new")]
async fn create_sensor(
    asset: Asset,
    Form(form): Form<SensorForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let created = match form.read() {
        Ok(sensor) => endpoints::insert_sensor(asset.id, sensor, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(sensor) => Ok(see_other(&format!("/sensors/{}?done=created", sensor.id))),
        Err(error) => again(error, |problem| new_sensor_page(&current_user, &asset, &form, Some(problem))),
    }
}

fn new_sensor_page(user: &LoggedIn, asset: &Asset, form: &SensorForm, problem: Option<&Problem>) -> Markup {
    let here = path(asset.id);
    let fields = [
        Field::new("name", "What it measures", &form.name),
        unit_field(&form.unit),
        Field {
            kind: Kind::WholeNumber,
            hint: Some("For how long each of its measurements stands."),
            ..Field::new("event_resolution_minutes", "Resolution in minutes", &form.event_resolution_minutes)
        },
    ];
    let form = form::form(&format!("{here}/sensors/new"), &fields, "Add", &here, problem);
    below(user, asset, format!("Add a sensor to {}", asset.name)).with(&form)
}
