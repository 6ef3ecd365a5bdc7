//! Measurements: what a sensor recorded. They are no context of their own: who may read or record them is
//! decided by the sensor's access-control list.

use chrono::NaiveDateTime;
use diesel::{Insertable, Queryable, Selectable, sqlite::Sqlite};

use crate::schema::measurements;

/// One value of one sensor.
#[derive(Clone, Copy, Debug, Insertable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = measurements, check_for_backend(Sqlite))]
pub struct Measurement {
    /// The sensor that recorded it.
    pub sensor_id: i32,
    /// When what was measured began, in UTC.
    pub event_start: NaiveDateTime,
    /// In the unit of the sensor.
    pub event_value: f64,
}
