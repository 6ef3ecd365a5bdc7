//! The page of a sensor, with a chart of its measurements, and the forms that change it.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{
    Authorized, CurrentUser, LoadContext, ProtectedConfig, permission::Delete,
    permission_required_for_context,
};
use chrono::TimeDelta;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageError, PageQuery,
    asset_forms::unit_field,
    assets,
    chart::Series,
    days::{LATEST, Range, last_day},
    form::{self, Field, Kind, Problem, again, still_of, version_field},
    layout::{Done, Page, ok, ok_live, see_other},
    may::May,
    scale::instant,
};
use crate::{
    auth::LoggedIn,
    database::{Connection, Database, Instant},
    error::ServiceError,
    live::Live,
    models::{Asset, Sensor},
    routes::{
        BASE,
        input::{NoParameters, Validate},
        measurements::{self as records, NewEvent, NewEvents},
        sensors::{self as endpoints, SensorChanges},
    },
    schema::{measurements, sensors},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .service(view)
        .service(edit)
        .service(change)
        .service(confirm_removal)
        .service(remove)
        .service(new_measurement)
        .service(record);
}

pub(super) fn path(id: i32) -> String {
    format!("/sensors/{id}")
}

/// The asset that the sensor is at. By the policy of sensors, a reader of a sensor may read its asset.
pub(super) async fn asset_of(sensor: &Sensor, database: &Database) -> Result<Asset, ServiceError> {
    let id = sensor.asset_id;
    database.run(move |connection| Ok(Asset::load(id, connection)?)).await
}

/// A page below that of a sensor.
pub(super) fn below<'a>(
    user: &'a LoggedIn,
    asset: &Asset,
    sensor: &Sensor,
    title: impl Into<String>,
) -> Page<'a> {
    assets::below(user, asset, title).below(path(sensor.id), &*sensor.name)
}

/// The most measurements that one page looks at.
const MOST_MEASUREMENTS: usize = 50_000;
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Dates in UTC, both included.
    from: Option<String>,
    until: Option<String>,
    done: Option<Done>,
}

/// The content of the page of a sensor beside the sensor.
struct Surroundings {
    asset: Asset,
    may: May,
    /// The beginning of the last measurement of all.
    last: Option<Instant>,
    measured: Result<Measured, ServiceError>,
}

struct Measured {
    range: Range,
    /// By time.
    points: Vec<(Instant, f64)>,
    /// Whether there are more.
    more: bool,
}

impl Surroundings {
    fn of(
        sensor: &Sensor,
        parameters: &Parameters,
        user: &LoggedIn,
        connection: &mut Connection,
    ) -> Result<Self, ServiceError> {
        let of_sensor = measurements::table.filter(measurements::sensor_id.eq(sensor.id));
        let latest: Vec<Instant> = of_sensor
            .order(measurements::event_start.desc())
            .select(measurements::event_start)
            .limit(LATEST)
            .load(connection)?;
        let may = sensors::table.find(sensor.id).select(May::asked::<Sensor>(user)).first(connection)?;
        let last = latest.first().copied();
        let measured =
            match Range::of(parameters.from.as_deref(), parameters.until.as_deref(), last_day(&latest)) {
                Ok(range) => Ok(Measured::within(range, sensor.id, connection)?),
                Err(error) => Err(error),
            };
        Ok(Self { asset: Asset::load(sensor.asset_id, connection)?, may: May::of(may), last, measured })
    }
}

impl Measured {
    fn within(range: Range, sensor_id: i32, connection: &mut Connection) -> QueryResult<Self> {
        let one_too_many = MOST_MEASUREMENTS + 1;
        let mut points = records::between(sensor_id, range.begin, range.end, one_too_many, connection)?;
        let more = points.len() == one_too_many;
        points.truncate(MOST_MEASUREMENTS);
        Ok(Self { range, points, more })
    }
}

/// The sensor with its measurements, and a button for each thing that the caller may do.
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(
    sensor: Sensor,
    PageQuery(parameters): PageQuery<Parameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let (user, done) = (current_user.clone(), parameters.done);
    let (sensor, parameters, around) = database
        .run(move |connection| {
            connection.read_transaction(|connection| {
                let around = Surroundings::of(&sensor, &parameters, &user, connection)?;
                Ok((sensor, parameters, around))
            })
        })
        .await?;
    let Surroundings { asset, may, last, measured } = around;
    let here = path(sensor.id);
    let page = assets::below(&current_user, &asset, &*sensor.name).after(done);
    let content = |measured: &Markup| {
        page.with(&html! {
            dl {
                dt { "Unit" }
                dd { @if sensor.unit.is_empty() { "None" } @else { (sensor.unit) } }
                dt { "Resolution" }
                dd { (sensor.event_resolution_minutes) " min" }
                dt { "Last measurement" }
                dd id="last" { @match last { Some(Instant(last)) => { (instant(last)) " UTC" }, None => "None" } }
            }
            h2 id="measurements" { "Measurements" }
            (measured)
            @if may.create_children {
                p.buttons { a.button href={ (here) "/measurements/new" } { "Record a measurement" } }
            }
            h2 { "What you may do" }
            div.buttons {
                @if may.update { a.button.quiet href={ (here) "/edit" } { "Edit" } }
                @if may.delete { a.button.quiet href={ (here) "/delete" } { "Delete" } }
                a href={ (here) "/decisions" } { "Who may do what, and why" }
            }
        })
    };
    match measured {
        Ok(measured) => {
            let last_day = measured.range.end.0.date().pred_opt().unwrap_or_default();
            let from = measured.range.begin.0.date().to_string();
            let form = range_form(&here, &from, &last_day.to_string(), None);
            let later = last.filter(|last| *last >= measured.range.end);
            Ok(ok_live(&content(&html! {
                (form)
                div id="measured" {
                    @if let Some(Instant(later)) = later {
                        p id="later" {
                            "There are measurements after these days, "
                            a href={ (here) "?until=" (later.date()) } { "the last one at " (instant(later)) " UTC" } "."
                        }
                    }
                    (measured.show(&asset, &sensor))
                }
                p.count id="live-status" role="status" data-live={ (BASE) (here) "/measurements/live" } {}
                script src="/live.js" defer {}
            })))
        }
        Err(error) => {
            let Parameters { from, until, .. } = parameters;
            again(error, |problem| {
                let (from, until) = (from.unwrap_or_default(), until.unwrap_or_default());
                content(&range_form(&here, &from, &until, Some(problem)))
            })
        }
    }
}

fn range_form(here: &str, from: &str, until: &str, problem: Option<&Problem>) -> Markup {
    let day =
        |name, label, value| Field { kind: Kind::Date, is_required: false, ..Field::new(name, label, value) };
    html! {
        (form::alert(problem))
        form.range method="get" action=(here) aria-labelledby="measurements" {
            (day("from", "First day", from).with(problem))
            (day("until", "Last day", until).with(problem))
            button.quiet type="submit" { "Show" }
        }
    }
}

impl Measured {
    fn show(&self, asset: &Asset, sensor: &Sensor) -> Markup {
        if self.points.is_empty() {
            return html! { p { "There are no measurements of these days." } };
        }
        let series = Series {
            title: &format!("{} of {}", sensor.name, asset.name),
            unit: &sensor.unit,
            resolution: TimeDelta::minutes(sensor.event_resolution_minutes.into()),
            begin: self.range.begin.0,
            end: self.range.end.0,
            points: &self.points,
        };
        html! {
            @if self.more {
                p { "There are more measurements than one page shows. These are the first of them: choose fewer days." }
            }
            (series.figure())
        }
    }
}

/// The input about a sensor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SensorForm {
    name: String,
    unit: String,
    version: Option<String>,
}

impl SensorForm {
    /// The changed fields.
    fn read(&self, sensor: &Sensor) -> Result<SensorChanges, ServiceError> {
        still_of(sensor, self.version.as_deref())?;
        let changes = SensorChanges {
            name: (self.name != sensor.name).then(|| self.name.clone()),
            unit: (self.unit != sensor.unit).then(|| self.unit.clone()),
        };
        changes.validate()?;
        Ok(changes)
    }
}

#[permission_required_for_context("update", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/edit")]
async fn edit(
    sensor: Sensor,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let asset = asset_of(&sensor, &database).await?;
    let version = Some(form::version(&sensor)?);
    let form = SensorForm { name: sensor.name.clone(), unit: sensor.unit.clone(), version };
    Ok(ok(&edit_page(&current_user, &asset, &sensor, &form, None)))
}

#[permission_required_for_context("update", ctx_arg = "sensor")]
#[post("/sensors/{sensor_id}/edit")]
async fn change(
    sensor: Sensor,
    Form(form): Form<SensorForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let changed = match form.read(&sensor) {
        Ok(changes) => endpoints::update(sensor.clone(), changes, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(sensor) => Ok(see_other(&format!("{}?done=saved", path(sensor.id)))),
        Err(error) => {
            let asset = asset_of(&sensor, &database).await?;
            again(error, |problem| edit_page(&current_user, &asset, &sensor, &form, Some(problem)))
        }
    }
}

fn edit_page(
    user: &LoggedIn,
    asset: &Asset,
    sensor: &Sensor,
    form: &SensorForm,
    problem: Option<&Problem>,
) -> Markup {
    let here = path(sensor.id);
    let mut fields = vec![Field::new("name", "What it measures", &form.name), unit_field(&form.unit)];
    fields.extend(form.version.as_deref().map(version_field));
    let form = form::form(&format!("{here}/edit"), &fields, "Save", &here, problem);
    below(user, asset, sensor, format!("Edit {}", sensor.name)).with(&form)
}

/// No link deletes an object: this page asks first.
#[permission_required_for_context("delete", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/delete")]
async fn confirm_removal(
    sensor: Authorized<Sensor, Delete>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let asset = asset_of(&sensor, &database).await?;
    let here = path(sensor.id);
    let warning = "This deletes the sensor with all of its measurements. Nothing brings them back.";
    let question = form::question(warning, &format!("{here}/delete"), "Delete it", &here);
    let title = format!("Delete {}?", sensor.name);
    Ok(ok(&below(&current_user, &asset, &sensor, title).with(&question)))
}

#[permission_required_for_context("delete", ctx_arg = "sensor")]
#[post("/sensors/{sensor_id}/delete")]
async fn remove(
    sensor: Authorized<Sensor, Delete>,
    _: PageQuery<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let asset = assets::path(sensor.asset_id);
    endpoints::delete(sensor, current_user, &database).await?;
    Ok(see_other(&format!("{asset}?done=deleted")))
}

/// The input about a measurement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasurementForm {
    event_start: String,
    event_value: String,
}

impl MeasurementForm {
    fn read(&self) -> Result<NewEvent, ServiceError> {
        Ok(NewEvent {
            event_start: form::instant("event_start", &self.event_start)?,
            event_value: form::number("event_value", &self.event_value)?,
        })
    }
}

#[permission_required_for_context("create-children", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/measurements/new")]
async fn new_measurement(
    sensor: Sensor,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let asset = asset_of(&sensor, &database).await?;
    let Instant(now) = Instant::now();
    let form =
        MeasurementForm { event_start: now.format("%Y-%m-%dT%H:%M").to_string(), event_value: String::new() };
    Ok(ok(&measurement_page(&current_user, &asset, &sensor, &form, None)))
}

#[permission_required_for_context("create-children", ctx_arg = "sensor")]
#[post("/sensors/{sensor_id}/measurements/new")]
async fn record(
    sensor: Sensor,
    Form(form): Form<MeasurementForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
    live: Data<Live>,
) -> Result<HttpResponse, PageError> {
    let recorded = match form.read() {
        Ok(event) => {
            let day = event.event_start.0.date();
            let events = NewEvents(vec![event]);
            let recorded = records::store(
                sensor.id,
                move |_| Ok(events.clone()),
                current_user.clone(),
                &database,
                &live,
            )
            .await;
            recorded.map(|_| day)
        }
        Err(error) => Err(error),
    };
    match recorded {
        // Where it is visible: at the end of a few days.
        Ok(day) => Ok(see_other(&format!("{}?until={day}&done=recorded", path(sensor.id)))),
        Err(error) => {
            let asset = asset_of(&sensor, &database).await?;
            again(error, |problem| measurement_page(&current_user, &asset, &sensor, &form, Some(problem)))
        }
    }
}

fn measurement_page(
    user: &LoggedIn,
    asset: &Asset,
    sensor: &Sensor,
    form: &MeasurementForm,
    problem: Option<&Problem>,
) -> Markup {
    let here = path(sensor.id);
    let label = if sensor.unit.is_empty() { "Value".to_owned() } else { format!("Value in {}", sensor.unit) };
    let fields = [
        Field {
            kind: Kind::Instant,
            hint: Some("When what was measured began, in UTC."),
            ..Field::new("event_start", "Time", &form.event_start)
        },
        Field { kind: Kind::Number, ..Field::new("event_value", &label, &form.event_value) },
    ];
    let form = form::form(&format!("{here}/measurements/new"), &fields, "Record", &here, problem);
    below(user, asset, sensor, format!("Record {}", sensor.name)).with(&form)
}
