//! Flex-models: the freedom of a scheduler with an asset, as a JSON document that refers to sensors in any depth.

use std::collections::BTreeMap;

use auth_core::{LoadContexts, LoadError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Sensor;
use crate::{database::Connection, error::ServiceError};

/// The most sensors that one document refers to.
const MAX_REFERENCES: usize = 1_000;
/// The longest place of a reference, in bytes.
const MAX_PLACE: usize = 1_000;

/// The flexibility of an asset, such as `{"soc-max": {"sensor": 3}, "power-capacity": "20 kW"}`.
///
/// Every `sensor` and `*-sensor`, and every `sensors` and `*-sensors`, in any depth refers to sensors by their ids.
/// A key that only resembles these is refused.
/// A user who stores a document that names another account's sensor would have the scheduler read it for them, so a guard
/// checks each: [`sensors`](Self::sensors).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[schema(value_type = Object)]
#[serde(transparent)]
pub struct FlexModel(Map<String, Value>);

impl FlexModel {
    /// Where the document refers to sensors: the place as a JSON pointer (RFC 6901), and their ids.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Invalid`] where other values than ids stand, there are too many or their places too long, and
    /// where a key only resembles that of a reference.
    pub fn references(&self) -> Result<BTreeMap<String, Vec<i32>>, ServiceError> {
        let mut search = Search::default();
        search.object(&self.0)?;
        Ok(search.found)
    }

    /// The sensors that the document refers to, each group labelled with the place; in one statement.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if one of them is missing, [`LoadError::Unavailable`] if the database failed.
    pub fn sensors(&self, connection: &mut Connection) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
        referenced(self.references().map_err(LoadError::unavailable)?, connection)
    }
}

/// The sensors that documents refer to, in one statement.
///
/// # Errors
///
/// [`LoadError::NotFound`] if one of them is missing, [`LoadError::Unavailable`] if the database failed.
pub(crate) fn referenced(
    references: BTreeMap<String, Vec<i32>>,
    connection: &mut Connection,
) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
    let mut ids: Vec<i32> = references.values().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sensors: BTreeMap<i32, Sensor> = Sensor::load_all(&ids, connection)?.into_iter().collect();
    let of_place = |ids: Vec<i32>| -> Result<Vec<Sensor>, LoadError> {
        ids.iter().map(|id| sensors.get(id).cloned().ok_or(LoadError::NotFound)).collect()
    };
    references.into_iter().map(|(place, ids)| Ok((place, of_place(ids)?))).collect()
}

/// The sensors of an asset's charts, such as `[3, [4, 5], {"title": "Power", "plots": [{"sensor": 6}]}]`: ids, lists of ids, and
/// objects that refer to sensors as a [`FlexModel`] does. They refer to no asset.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[schema(value_type = Vec<Object>)]
#[serde(transparent)]
pub struct SensorsToShow(Vec<Value>);

impl SensorsToShow {
    /// Where they stand, as in [`FlexModel::references`].
    ///
    /// # Errors
    ///
    /// As there; and where an object refers to an asset, which no guard would check.
    pub fn references(&self) -> Result<BTreeMap<String, Vec<i32>>, ServiceError> {
        let mut search = Search { assets_too: true, ..Search::default() };
        for (index, item) in self.0.iter().enumerate() {
            search.way.push(Step::Index(index));
            match item {
                Value::Object(object) => search.object(object)?,
                Value::Array(items) => search.reference(items.iter().map(id).collect())?,
                item => search.reference(id(item).map(|id| vec![id]))?,
            }
            search.way.pop();
        }
        Ok(search.found)
    }
}

/// A step from a value to one in it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The references found on a way through the document. A document is read with a limit of its depth, so the way ends.
#[derive(Default)]
struct Search<'a> {
    way: Vec<Step<'a>>,
    found: BTreeMap<String, Vec<i32>>,
    references: usize,
    /// Whether a key may refer to assets in such documents, which is refused.
    assets_too: bool,
}

impl<'a> Search<'a> {
    fn object(&mut self, object: &'a Map<String, Value>) -> Result<(), ServiceError> {
        for (key, value) in object {
            self.way.push(Step::Key(key));
            if is_called(key, "sensor") {
                self.reference(id(value).map(|id| vec![id]))?;
            } else if is_called(key, "sensors") {
                let items = value.as_array().filter(|items| !items.is_empty());
                self.reference(items.and_then(|items| items.iter().map(id).collect()))?;
            } else if self.assets_too && key.to_ascii_lowercase().contains("asset") {
                return Err(ServiceError::invalid(format!(
                    "the key {key:?} refers to assets, of which no charts are shown"
                )));
            } else if resembles_reference(key) {
                return Err(ServiceError::invalid(format!(
                    "the key {key:?} is not ASCII, or resembles `sensor`, `sensors` or what ends in `-sensor` or `-sensors`"
                )));
            } else {
                self.value(value)?;
            }
            self.way.pop();
        }
        Ok(())
    }

    fn value(&mut self, value: &'a Value) -> Result<(), ServiceError> {
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.way.push(Step::Index(index));
                    self.value(item)?;
                    self.way.pop();
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn reference(&mut self, ids: Option<Vec<i32>>) -> Result<(), ServiceError> {
        let place = self.place()?;
        let ids = ids
            .ok_or_else(|| ServiceError::invalid(format!("`{place}` does not name sensors by their ids")))?;
        self.references += ids.len();
        if self.references > MAX_REFERENCES {
            return Err(ServiceError::invalid(format!(
                "there are more than {MAX_REFERENCES} references to sensors"
            )));
        }
        self.found.insert(place, ids);
        Ok(())
    }

    /// The place as text. Only for references, and with a limit: it is long where keys are.
    fn place(&self) -> Result<String, ServiceError> {
        let mut place = String::new();
        for step in &self.way {
            place.push('/');
            match step {
                Step::Key(key) => place.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => place.push_str(&index.to_string()),
            }
            if place.len() > MAX_PLACE {
                return Err(ServiceError::invalid(format!(
                    "the keys on the way to a reference are longer than {MAX_PLACE} bytes"
                )));
            }
        }
        Ok(place)
    }
}

/// `sensor`, and keys that end in `-sensor`.
fn is_called(key: &str, name: &str) -> bool {
    key.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('-'))
}

/// Whether another program, or a reader of the document, may take a key for one of a reference: in other letters of one
/// shape, in upper case, with `_` or a blank. The guard would not check the sensors below it, so it is refused.
fn resembles_reference(key: &str) -> bool {
    !key.is_ascii() || key.to_ascii_lowercase().contains("sensor")
}

fn id(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|id| i32::try_from(id).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn references(document: Value) -> Result<Vec<(String, Vec<i32>)>, String> {
        let document: FlexModel = serde_json::from_value(document).unwrap();
        document.references().map(|found| found.into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn sensors_are_found_in_any_depth() {
        let found = references(json!({
            "soc-at-start": "3 kWh",
            "sensor": 1,
            "power-capacity": {"sensor": 2},
            "soc-minima": [{"start": "2026-01-01", "value": {"sensor": 3}}, [[{"price-sensor": 4}]]],
            "inflexible-device-sensors": [5, 1],
            "a/b~c": {"sensors": [6]},
            "sense": 7,
        }));
        let expected = [
            ("/a~1b~0c/sensors", vec![6]),
            ("/inflexible-device-sensors", vec![5, 1]),
            ("/power-capacity/sensor", vec![2]),
            ("/sensor", vec![1]),
            ("/soc-minima/0/value/sensor", vec![3]),
            ("/soc-minima/1/0/0/price-sensor", vec![4]),
        ];
        assert_eq!(found, Ok(expected.map(|(place, ids)| (place.to_owned(), ids)).to_vec()));
        assert_eq!(references(json!({})), Ok(vec![]));
    }

    #[test]
    fn charts_name_sensors_by_bare_ids_too_and_no_assets() {
        let references = |charts: Value| -> Result<Vec<(String, Vec<i32>)>, String> {
            let charts: SensorsToShow = serde_json::from_value(charts).unwrap();
            charts.references().map(|found| found.into_iter().collect()).map_err(|error| error.to_string())
        };
        let found =
            references(json!([1, [2, 3], {"title": "Power", "sensors": [4], "plots": [{"sensor": 5}]}]));
        let expected =
            [("/0", vec![1]), ("/1", vec![2, 3]), ("/2/plots/0/sensor", vec![5]), ("/2/sensors", vec![4])];
        assert_eq!(found, Ok(expected.map(|(place, ids)| (place.to_owned(), ids)).to_vec()));
        assert_eq!(references(json!([])), Ok(vec![]));
        for wrong in [
            json!(["1"]),
            json!([1.5]),
            json!([null]),
            json!([[1, "2"]]),
            json!([[[1]]]),
            json!([{"sensor": "1"}]),
            json!([{"plots": [{"asset": 1}]}]),
            json!([{"Sensors": [1]}]),
        ] {
            assert!(references(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_could_be_read_in_another_way_is_refused() {
        for wrong in [
            json!({"sensor": "1"}),
            json!({"sensor": 1.0}),
            json!({"sensor": null}),
            json!({"sensor": [1]}),
            json!({"sensor": {"id": 1}}),
            json!({"sensor": 3_000_000_000_u32}),
            json!({"sensors": 1}),
            json!({"sensors": []}),
            json!({"sensors": [1, "2"]}),
            json!({"deep": [{"-sensor": true}]}),
            json!({"sensors": vec![1; MAX_REFERENCES + 1]}),
            json!({"k".repeat(MAX_PLACE): {"sensor": 1}}),
            json!({"Sensor": 1}),
            json!({"SENSORS": [1]}),
            json!({"price_sensor": 1}),
            json!({"priceSensor": 1}),
            json!({" sensor": 1}),
            json!({"sensor ": 1}),
            json!({"sensor-id": 1}),
            json!({"sensor\u{200B}": 1}),
            json!({"\u{17F}ensor": 1}),
            json!({"\u{455}\u{435}nsor": 1}),
            json!({"biosensor": 1}),
            json!({"deep": [{"sensory": 1}]}),
        ] {
            assert!(references(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
