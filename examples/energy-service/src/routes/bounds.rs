//! The bounds of the input of clients, each defined once: validation compares with them, and the schemas of the document
//! are made of them. `utoipa`'s attributes take nothing but literals.

use std::ops::RangeInclusive;

use utoipa::openapi::{
    Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat,
    schema::{SchemaType, Type},
};

/// Characters of a name.
pub(super) const NAME: RangeInclusive<usize> = 1..=80;
/// Characters of a unit.
pub(super) const UNIT: RangeInclusive<usize> = 0..=20;
/// Characters of the name of a time zone.
pub(super) const TIMEZONE: RangeInclusive<usize> = 1..=64;
/// Characters of an email address (RFC 5321, section 4.5.3.1.3).
pub(super) const EMAIL: RangeInclusive<usize> = 3..=254;
/// Characters of a password: not too short to be guessed slowly, and not too long to be hashed quickly.
pub(super) const PASSWORD: RangeInclusive<usize> = 8..=128;
/// Characters of a search text, which may be an email address.
pub(super) const FILTER: RangeInclusive<usize> = 0..=*EMAIL.end();
/// The duration of one event, in minutes: a year at most.
pub(super) const RESOLUTION: RangeInclusive<i32> = 1..=366 * 24 * 60;
/// Degrees north.
pub(super) const LATITUDE: RangeInclusive<f64> = -90.0..=90.0;
/// Degrees east.
pub(super) const LONGITUDE: RangeInclusive<f64> = -180.0..=180.0;
/// The number of the first page of a list.
pub(super) const FIRST_PAGE: u32 = 1;
/// Pages of a list.
pub(super) const PAGES: RangeInclusive<u32> = FIRST_PAGE..=2_147_483_647;
/// Rows of one page of a list.
pub(super) const PER_PAGE: RangeInclusive<u32> = 1..=100;
/// Rows of a list that is answered as a whole.
pub(super) const ROWS: i64 = 5_000;
/// Rows of a list that are read at once.
pub(super) const ROWS_AT_ONCE: i64 = 100;
/// Bytes of the rows of one answer, as JSON. An answer is written on the event loop.
pub(super) const ANSWER: usize = 4 * 1024 * 1024;
/// Steps down from an asset to its parts.
pub(super) const DEPTH: RangeInclusive<u32> = 0..=100;
/// Entries of one answer of an audit log, or of another list of which the latest comes first.
pub(super) const ENTRIES: RangeInclusive<i64> = 1..=100;
/// Measurements that one request records or reads.
pub(super) const EVENTS: RangeInclusive<usize> = 1..=10_000;
/// Roles of one change: a denial logs each of them.
pub(super) const ROLES: RangeInclusive<usize> = 1..=100;

pub(super) fn name() -> Object {
    text(&NAME).build()
}

pub(super) fn unit() -> Object {
    text(&UNIT).build()
}

pub(super) fn timezone() -> Object {
    text(&TIMEZONE).build()
}

pub(super) fn email() -> Object {
    text(&EMAIL).format(Some(SchemaFormat::KnownFormat(KnownFormat::Email))).build()
}

pub(super) fn password() -> Object {
    text(&PASSWORD).format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).build()
}

pub(super) fn filter() -> Object {
    text(&FILTER).build()
}

pub(super) fn resolution() -> Object {
    let (min, max) = RESOLUTION.into_inner();
    integer(KnownFormat::Int32).minimum(Some(min)).maximum(Some(max)).build()
}

pub(super) fn latitude() -> Object {
    degrees(&LATITUDE)
}

pub(super) fn longitude() -> Object {
    degrees(&LONGITUDE)
}

pub(super) fn page() -> Object {
    let (min, max) = PAGES.into_inner();
    integer(KnownFormat::Int32).minimum(Some(min)).maximum(Some(max)).build()
}

pub(super) fn per_page() -> Object {
    let (min, max) = PER_PAGE.into_inner();
    integer(KnownFormat::Int32).minimum(Some(min)).maximum(Some(max)).build()
}

pub(super) fn depth() -> Object {
    let (min, max) = DEPTH.into_inner();
    integer(KnownFormat::Int32).minimum(Some(min)).maximum(Some(max)).build()
}

pub(super) fn entries() -> Object {
    let (min, max) = ENTRIES.into_inner();
    integer(KnownFormat::Int64).minimum(Some(min)).maximum(Some(max)).build()
}

/// The roles that are given, or those that are taken; there may be so many together.
pub(super) fn roles() -> Array {
    let role = ObjectBuilder::new().schema_type(Type::String).build();
    ArrayBuilder::new().items(role).unique_items(true).max_items(Some(*ROLES.end())).build()
}

/// Values of one request, of which some may be missing.
pub(super) fn values() -> Array {
    let number = SchemaType::Array(vec![Type::Number, Type::Null]);
    let value = ObjectBuilder::new().schema_type(number);
    let (min, max) = EVENTS.into_inner();
    ArrayBuilder::new().items(value).min_items(Some(min)).max_items(Some(max)).build()
}

/// A JSON document, or its text.
pub(super) fn document() -> Object {
    let object_or_text = SchemaType::Array(vec![Type::Object, Type::String]);
    ObjectBuilder::new().schema_type(object_or_text).build()
}

/// A JSON array, or its text.
pub(super) fn array() -> Object {
    let array_or_text = SchemaType::Array(vec![Type::Array, Type::String]);
    ObjectBuilder::new().schema_type(array_or_text).build()
}

fn text(length: &RangeInclusive<usize>) -> ObjectBuilder {
    let least = Some(*length.start()).filter(|least| *least > 0);
    ObjectBuilder::new().schema_type(Type::String).min_length(least).max_length(Some(*length.end()))
}

fn integer(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(format)))
}

/// They may be left out, or be `null`.
fn degrees(range: &RangeInclusive<f64>) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Number, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
        .minimum(Some(*range.start()))
        .maximum(Some(*range.end()))
        .build()
}
