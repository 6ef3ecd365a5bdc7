//! The demo world: a few named accounts, users and assets, and a week of measurements, to try the service
//! with. Its passwords are public, so it never goes into a database that holds anything else.

use std::{
    collections::BTreeSet,
    f64::consts::{PI, TAU},
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use auth_core::mechanism::{PasswordError, Passwords};
use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, dsl::exists};

use crate::{
    Service,
    auth::{ACCOUNT_ADMIN, ADMIN, ADMIN_READER, CONSULTANCY, CONSULTANT, PROSUMER, SUPPLIER},
    database::{Connection, Database, Instant},
    error::ServiceError,
    models::{
        Measurement,
        role::{add_account_roles, add_roles, give_account_role, give_role},
    },
    schema::{accounts, assets, measurements, sensors, users},
};

/// The password of every user of the demo.
pub const PASSWORD: &str = "energy-demo";

/// How long each measured event lasts, in minutes.
const RESOLUTION: i32 = 15;
/// How many days of measurements there are, up to the last midnight of UTC.
const DAYS: u64 = 7;

/// A user of the demo.
pub(crate) struct DemoUser {
    /// For the log-in.
    pub(crate) email: &'static str,
    pub(crate) username: &'static str,
    account: &'static str,
    role: Option<&'static str>,
    /// The name, for people.
    pub(crate) is: &'static str,
}

/// Name, account roles, and the name of the consultancy, which stands further up.
const ACCOUNTS: [(&str, &[&str], Option<&str>); 4] = [
    ("Platform", &[], None),
    ("Bright Consultancy", &[CONSULTANCY], None),
    ("Sunnyside Farm", &[PROSUMER], Some("Bright Consultancy")),
    ("Harbour Bakery", &[PROSUMER], None),
];

const USERS: [DemoUser; 6] = [
    DemoUser {
        email: "mia@sunnyside.example",
        username: "Mia Member",
        account: "Sunnyside Farm",
        role: None,
        is: "member of Sunnyside Farm",
    },
    DemoUser {
        email: "adam@sunnyside.example",
        username: "Adam Account-Admin",
        account: "Sunnyside Farm",
        role: Some(ACCOUNT_ADMIN),
        is: "runs the account of Sunnyside Farm",
    },
    DemoUser {
        email: "cora@bright.example",
        username: "Cora Consultant",
        account: "Bright Consultancy",
        role: Some(CONSULTANT),
        is: "consultant of Sunnyside Farm",
    },
    DemoUser {
        email: "sven@bakery.example",
        username: "Sven Stranger",
        account: "Harbour Bakery",
        role: None,
        is: "member of another account",
    },
    DemoUser {
        email: "ada@platform.example",
        username: "Ada Admin",
        account: "Platform",
        role: Some(ADMIN),
        is: "may do everything",
    },
    DemoUser {
        email: "rita@platform.example",
        username: "Rita Reader",
        account: "Platform",
        role: Some(ADMIN_READER),
        is: "may read everything",
    },
];

/// The value of a sensor, from the fraction of the day that has passed (0 to 1) and the number of the day.
type Curve = fn(f64, f64) -> f64;

/// Name, account (none: public), latitude and longitude in degrees, and sensors with unit and curve.
type DemoAsset =
    (&'static str, Option<&'static str>, (f64, f64), &'static [(&'static str, &'static str, Curve)]);

const ASSETS: [DemoAsset; 4] = [
    (SOLAR_ROOF, Some("Sunnyside Farm"), (52.37, 4.9), &[("power", "kW", |time, day| 48.0 * sun(time, day))]),
    (
        "Battery",
        Some("Sunnyside Farm"),
        (52.37, 4.9),
        &[
            ("power", "kW", |time, _| 20.0 * (TAU * (time - 0.3)).sin()),
            ("state of charge", "%", |time, _| 55.0 - 35.0 * (TAU * (time - 0.3)).cos()),
        ],
    ),
    (
        "Oven",
        Some("Harbour Bakery"),
        (51.92, 4.48),
        &[("power", "kW", |time, _| if (0.1..0.4).contains(&time) { 32.0 } else { 1.5 })],
    ),
    (
        "Weather station",
        None,
        (52.1, 5.18),
        &[
            ("irradiance", "W/m²", |time, day| 820.0 * sun(time, day)),
            ("temperature", "°C", |time, day| 9.0 + 5.0 * (TAU * (time - 0.4)).sin() + (day * 0.9).sin()),
        ],
    ),
];

const SOLAR_ROOF: &str = "Solar roof";

/// The email addresses of the users of the demo.
pub(crate) fn emails() -> [&'static str; USERS.len()] {
    USERS.map(|user| user.email)
}

/// The users of the demo.
pub(crate) fn people() -> impl Iterator<Item = DemoUser> {
    USERS.into_iter()
}

/// A shell command that finds the token in the answer to a log-in, with tools that every system has.
const FIND_TOKEN: &str = r#"sed -E 's/.*"auth_token":"([^"]*)".*/\1/'"#;

/// From 0 to 1: nothing at night, most at noon, less on cloudy days.
fn sun(time: f64, day: f64) -> f64 {
    let clear = (PI * (time - 0.25) / 0.5).sin().max(0.0);
    clear * (0.75 + 0.25 * (day * 2.1).sin())
}

/// Fills an empty database with the demo world; a database with the demo world stays as it is.
///
/// # Errors
///
/// [`DemoError::Occupied`] when the database holds anything else.
pub fn fill(database: &Database) -> Result<(), DemoError> {
    let mut connection = database.connection()?;
    connection.immediate_transaction(|connection| {
        let known: BTreeSet<String> =
            users::table.select(users::email).load(connection)?.into_iter().collect();
        if known.iter().map(String::as_str).eq(USERS.iter().map(|user| user.email).collect::<BTreeSet<_>>()) {
            return Ok(());
        }
        let occupied = diesel::select((
            exists(accounts::table.select(accounts::id)),
            exists(users::table.select(users::id)),
            exists(assets::table.select(assets::id)),
        ));
        if occupied.get_result::<(bool, bool, bool)>(connection)? != (false, false, false) {
            return Err(DemoError::Occupied);
        }
        insert_accounts(connection)?;
        insert_users(connection)?;
        insert_assets(connection)?;
        Ok(())
    })
}

fn insert_accounts(connection: &mut Connection) -> Result<(), DemoError> {
    add_account_roles(&[CONSULTANCY, PROSUMER, SUPPLIER], connection)?;
    for (name, held, consultancy) in ACCOUNTS {
        let consultancy = consultancy.map(|name| account_id(name, connection)).transpose()?;
        diesel::insert_into(accounts::table)
            .values((accounts::name.eq(name), accounts::consultancy_account_id.eq(consultancy)))
            .execute(connection)?;
        let id = connection.last_id()?;
        for role in held {
            give_account_role(id, role, connection)?;
        }
    }
    Ok(())
}

fn account_id(name: &str, connection: &mut Connection) -> Result<i32, diesel::result::Error> {
    accounts::table.filter(accounts::name.eq(name)).select(accounts::id).first(connection)
}

fn insert_users(connection: &mut Connection) -> Result<(), DemoError> {
    add_roles(&[ADMIN, ADMIN_READER, ACCOUNT_ADMIN, CONSULTANT], connection)?;
    // One for all: a salt each would protect nothing, where the password is in the source.
    let password_hash = Passwords::new().hash(PASSWORD)?;
    for user in USERS {
        diesel::insert_into(users::table)
            .values((
                users::account_id.eq(account_id(user.account, connection)?),
                users::email.eq(user.email),
                users::username.eq(user.username),
                users::password_hash.eq(password_hash.as_str()),
                users::active.eq(true),
            ))
            .execute(connection)?;
        let id = connection.last_id()?;
        if let Some(role) = user.role {
            give_role(id, role, connection)?;
        }
    }
    Ok(())
}

fn insert_assets(connection: &mut Connection) -> Result<(), DemoError> {
    let midnight = Utc::now().date_naive().and_time(NaiveTime::MIN);
    let first = midnight.checked_sub_days(Days::new(DAYS)).unwrap_or(midnight);
    for (name, account, (latitude, longitude), measured) in ASSETS {
        let account = account.map(|name| account_id(name, connection)).transpose()?;
        diesel::insert_into(assets::table)
            .values((
                assets::name.eq(name),
                assets::account_id.eq(account),
                assets::latitude.eq(latitude),
                assets::longitude.eq(longitude),
            ))
            .execute(connection)?;
        let asset = connection.last_id()?;
        for (name, unit, curve) in measured {
            diesel::insert_into(sensors::table)
                .values((
                    sensors::asset_id.eq(asset),
                    sensors::name.eq(name),
                    sensors::unit.eq(unit),
                    sensors::event_resolution_minutes.eq(RESOLUTION),
                ))
                .execute(connection)?;
            let sensor = connection.last_id()?;
            Measurement::insert(&week(sensor, first, midnight, *curve), connection)?;
        }
    }
    Ok(())
}

/// A sensor's measurements from `first` until before `end`.
fn week(sensor_id: i32, first: NaiveDateTime, end: NaiveDateTime, curve: Curve) -> Vec<Measurement> {
    let day_of = |instant: NaiveDateTime| u32::try_from((instant - first).num_days()).unwrap_or_default();
    std::iter::successors(Some(first), |instant| Some(*instant + TimeDelta::minutes(RESOLUTION.into())))
        .take_while(|instant| *instant < end)
        .map(|event_start| {
            let time = f64::from(event_start.num_seconds_from_midnight()) / 86_400.0;
            let value = curve(time, f64::from(day_of(event_start)));
            Measurement {
                sensor_id,
                event_start: Instant(event_start),
                event_value: (value * 1_000.0).round() / 1_000.0,
            }
        })
        .collect()
}

/// The log-ins of the demo, and a few lines for a shell that work as they are.
///
/// # Errors
///
/// When the database cannot be read.
pub fn instructions(service: &Service, address: SocketAddr) -> Result<String, ServiceError> {
    let [DemoUser { email, .. }, ..] = USERS;
    let mut text = format!("The password of everyone is {PASSWORD}\n\n");
    for user in USERS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<24}{}", user.email, user.is);
    }
    let url = match &service.public_url {
        Some(url) => url.to_string(),
        None => format!("http://{}", reachable(address)),
    };
    let _ = writeln!(text, "\nLook around with a browser: {url}/");
    if cfg!(feature = "swagger-ui") {
        let _ = writeln!(text, "Read about the API: {url}/docs/");
    }
    let base = format!("{url}/api");
    let _ = write!(
        text,
        "\nTry, in another terminal:\n\n\
         TOKEN=$(curl -s {base}/requestAuthToken -H 'Content-Type: application/json' \
         -d '{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}' | {FIND_TOKEN})\n",
    );
    // People play with the demo: an object of its beginning may be gone when it is started again.
    match member_sensor(email, &mut *service.database().connection()?)? {
        Some((asset, sensor, Instant(last))) => {
            // The last hour before noon: solar power is not zero then.
            let start = last.date().and_time(NaiveTime::MIN) + TimeDelta::hours(11);
            let end = start + TimeDelta::hours(1);
            let [start, end] = [start, end].map(|instant| instant.format("%Y-%m-%dT%H:%M:%SZ"));
            let _ = write!(
                text,
                "curl -si -H \"Authorization: Bearer $TOKEN\" '{base}/v3_0/assets?sort_by=name&per_page=2'; echo\n\
                 curl -si -H \"Authorization: Bearer $TOKEN\" \
                 '{base}/v3_0/sensors/{sensor}/measurements?start={start}&end={end}'; echo\n\
                 curl -si -H \"Authorization: Bearer $TOKEN\" -X DELETE {base}/v3_0/assets/{asset}; echo\n",
            );
        }
        None => {
            let _ = write!(
                text,
                "curl -si -H \"Authorization: Bearer $TOKEN\" {base}/v3_0/users/me; echo\n\
                 curl -si -H \"Authorization: Bearer $TOKEN\" {base}/v3_0/accounts; echo\n",
            );
        }
    }
    Ok(text)
}

/// A sensor in the account of this user, with its asset and the begin of its last measurement.
fn member_sensor(
    email: &str,
    connection: &mut Connection,
) -> Result<Option<(i32, i32, Instant)>, diesel::result::Error> {
    measurements::table
        .inner_join(
            sensors::table.inner_join(assets::table.inner_join(accounts::table.inner_join(users::table))),
        )
        .filter(users::email.eq(email))
        .order((sensors::id, measurements::event_start.desc()))
        .select((assets::id, sensors::id, measurements::event_start))
        .first(connection)
        .optional()
}

/// Where this machine reaches a service that listens on `address`, which may stand for all of its addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Its passwords are public, so it does not go where there is other data.
    #[error(
        "the demo is for an empty database, and this one holds other data: name another database, or leave --demo out"
    )]
    Occupied,
    /// The service is not started as a demo, and everybody could log in.
    #[error(
        "everybody knows the password of {}, which is the one of the demo: give each of them another one with \
         `set-password EMAIL`, or serve the demo with `--demo`",
        emails.join(", ")
    )]
    PublicPasswords {
        /// The email addresses of those users.
        emails: Vec<String>,
    },
    /// The database failed.
    #[error("cannot fill the database with the demo world")]
    Database(#[from] diesel::result::Error),
    /// No connection.
    #[error("cannot fill the database with the demo world")]
    Connection(#[from] ServiceError),
    /// A password could not be hashed.
    #[error("cannot fill the database with the demo world")]
    Password(#[from] PasswordError),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

    use super::{ASSETS, DAYS, DemoError, fill};
    use crate::{
        database::{Database, Location},
        schema::{accounts, measurements},
    };

    fn empty() -> Database {
        Database::open(&Location::Memory, 1, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn the_demo_is_filled_in_once() {
        let database = empty();
        let sensors: usize = ASSETS.iter().map(|(_, _, _, measured)| measured.len()).sum();
        for _ in 0..2 {
            fill(&database).unwrap();
            let count: i64 =
                measurements::table.count().get_result(&mut database.connection().unwrap()).unwrap();
            assert_eq!(u64::try_from(count).unwrap(), sensors as u64 * DAYS * 24 * 4);
        }
    }

    #[test]
    fn the_demo_leaves_other_data_alone() {
        let database = empty();
        diesel::insert_into(accounts::table)
            .values(accounts::name.eq("Real account"))
            .execute(&mut database.connection().unwrap())
            .unwrap();
        assert!(matches!(fill(&database), Err(DemoError::Occupied)));
        assert_eq!(
            accounts::table
                .select(accounts::name)
                .load::<String>(&mut database.connection().unwrap())
                .unwrap(),
            ["Real account"]
        );
    }
}
