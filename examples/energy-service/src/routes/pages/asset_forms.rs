//! The forms that create, change and delete assets, and add sensors to them.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{
    Authorized, CurrentUser, ProtectedConfig, auth_required, permission::Delete,
    permission_required_for_context,
};
use maud::Markup;
use serde::Deserialize;

use super::{
    PageError, PageQuery,
    assets::{Places, below, path},
    form::{self, Field, Kind, Problem, again, optional_number, still_of, version_field, whole_number},
    layout::{Page, Section, ok, see_other},
};
use crate::{
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::Asset,
    routes::{
        assets::{self as endpoints, AssetChanges, NewAsset, NewSensor},
        input::{NoParameters, Validate},
    },
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .service(new)
        .service(create)
        .service(edit)
        .service(change)
        .service(confirm_removal)
        .service(remove)
        .service(new_sensor)
        .service(create_sensor);
}

/// The input about an asset.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssetForm {
    /// Of a new asset alone. Empty: none, it is public.
    account_id: Option<String>,
    name: String,
    latitude: String,
    longitude: String,
    /// Of an asset that is there alone.
    version: Option<String>,
}

impl AssetForm {
    fn of(asset: &Asset) -> Result<Self, ServiceError> {
        let text = |degrees: Option<f64>| degrees.map(|degrees| degrees.to_string()).unwrap_or_default();
        Ok(Self {
            account_id: None,
            name: asset.name.clone(),
            latitude: text(asset.latitude),
            longitude: text(asset.longitude),
            version: Some(form::version(asset)?),
        })
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
            inherits_access: false,
        };
        asset.validate()?;
        Ok(asset)
    }

    /// The changed fields.
    fn read_changes(&self, asset: &Asset) -> Result<AssetChanges, ServiceError> {
        if self.account_id.is_some() {
            return Err(ServiceError::invalid("an asset stays in its account"));
        }
        still_of(asset, self.version.as_deref())?;
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
        let mut fields = vec![
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
        ];
        fields.extend(self.version.as_deref().map(version_field));
        fields
    }
}

/// The form for a new asset, for those who may create one somewhere.
#[auth_required]
#[get("/assets/new")]
async fn new(
    _: PageQuery<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let places = Places::offered(&current_user, &database).await?;
    Ok(ok(&new_page(&current_user, &places, &AssetForm::default(), None)))
}

/// The policy of the account in the form decides whether the caller may, as for a request of a program.
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
async fn edit(asset: Asset, current_user: CurrentUser<LoggedIn>) -> Result<HttpResponse, PageError> {
    Ok(ok(&edit_page(&current_user, &asset, &AssetForm::of(&asset)?, None)))
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

/// No link deletes an object: this page asks first.
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
    _: PageQuery<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    endpoints::delete(asset, current_user, &database).await?;
    Ok(see_other("/assets?done=deleted"))
}

/// The input about a new sensor.
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

pub(super) fn unit_field(unit: &str) -> Field<'_> {
    Field {
        is_required: false,
        hint: Some("Such as kW. May be left empty."),
        ..Field::new("unit", "Unit", unit)
    }
}
