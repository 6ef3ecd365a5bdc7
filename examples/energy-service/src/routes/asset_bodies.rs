//! The bodies with which programs create and change assets: the fields of the forms, and the documents that clients of
//! FlexMeasures store with an asset. A document may refer to sensors, of which guards check each.

use std::collections::BTreeMap;

use auth_core::{AuthChangeset, LoadError};
use diesel::Insertable;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    asset_types,
    assets::{AssetChanges, NewAsset},
    bounds,
    flex_model::stored,
    input::{Validate, some},
};
use crate::{
    database::Connection,
    error::ServiceError,
    models::{FlexModel, Sensor, SensorsToShow, referenced},
    schema::assets,
};

/// The columns that only programs write.
#[derive(AuthChangeset, Clone, Default, Insertable)]
#[diesel(table_name = assets)]
pub(super) struct Documents {
    generic_asset_type_id: Option<i32>,
    attributes: Option<String>,
    flex_context: Option<String>,
    flex_model: Option<String>,
    sensors_to_show: Option<String>,
    sensors_to_show_as_kpis: Option<String>,
}

impl Documents {
    /// The changes, for the audit log.
    pub(super) fn fields(&self) -> [(&'static str, bool); 6] {
        [
            ("type", self.generic_asset_type_id.is_some()),
            ("attributes", self.attributes.is_some()),
            ("flex-context", self.flex_context.is_some()),
            ("flex-model", self.flex_model.is_some()),
            ("sensors to show", self.sensors_to_show.is_some()),
            ("sensors to show as KPIs", self.sensors_to_show_as_kpis.is_some()),
        ]
    }
}

/// Bodies with their own fields, and the documents of an asset. Serde's `flatten` would let unknown fields pass.
macro_rules! with_documents {
    ($($(#[$attribute:meta])* pub(super) struct $body:ident { $($own:tt)* })+) => {$(
        $(#[$attribute])*
        pub(super) struct $body {
            $($own)*
            #[schema(schema_with = bounds::document)]
            #[serde(default, deserialize_with = "document")]
            attributes: Option<Map<String, Value>>,
            #[schema(schema_with = bounds::document)]
            #[serde(default, deserialize_with = "document")]
            flex_context: Option<FlexModel>,
            #[schema(schema_with = bounds::document)]
            #[serde(default, deserialize_with = "document")]
            flex_model: Option<FlexModel>,
            #[schema(schema_with = bounds::array)]
            #[serde(default, deserialize_with = "document")]
            sensors_to_show: Option<SensorsToShow>,
            #[schema(schema_with = bounds::array)]
            #[serde(default, deserialize_with = "document")]
            sensors_to_show_as_kpis: Option<SensorsToShow>,
        }

        impl<'a> From<&'a $body> for Parts<'a> {
            fn from(body: &'a $body) -> Self {
                Self {
                    generic_asset_type_id: body.generic_asset_type_id,
                    attributes: body.attributes.as_ref(),
                    flex_context: body.flex_context.as_ref(),
                    flex_model: body.flex_model.as_ref(),
                    sensors_to_show: body.sensors_to_show.as_ref(),
                    sensors_to_show_as_kpis: body.sensors_to_show_as_kpis.as_ref(),
                }
            }
        }
    )+};
}

with_documents! {
    /// A new asset, as programs write it.
    #[derive(Clone, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub(super) struct AssetBody {
        #[schema(schema_with = bounds::name)]
        name: String,
        account_id: Option<i32>,
        #[schema(schema_with = bounds::latitude)]
        latitude: Option<f64>,
        #[schema(schema_with = bounds::longitude)]
        longitude: Option<f64>,
        parent_asset_id: Option<i32>,
        #[serde(default)]
        inherits_access: bool,
        /// An id of `/assets/types`.
        generic_asset_type_id: Option<i32>,
    }

    /// A change of an asset, as programs write it.
    #[derive(Clone, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(clippy::option_option, reason = "absent, null and a value are three things in a change")]
    pub(super) struct AssetPatch {
        #[schema(schema_with = bounds::name)]
        #[serde(default, deserialize_with = "some")]
        name: Option<String>,
        #[schema(schema_with = bounds::latitude)]
        #[serde(default, deserialize_with = "some")]
        latitude: Option<Option<f64>>,
        #[schema(schema_with = bounds::longitude)]
        #[serde(default, deserialize_with = "some")]
        longitude: Option<Option<f64>>,
        /// An id of `/assets/types`.
        #[schema(value_type = i32)]
        #[serde(default, deserialize_with = "some")]
        generic_asset_type_id: Option<i32>,
    }
}

/// A document, which clients of FlexMeasures send as a text.
pub(super) fn document<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let read = match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text),
        document => serde_json::from_value(document),
    };
    read.map(Some).map_err(de::Error::custom)
}

/// The documents of a body.
struct Parts<'a> {
    generic_asset_type_id: Option<i32>,
    attributes: Option<&'a Map<String, Value>>,
    flex_context: Option<&'a FlexModel>,
    flex_model: Option<&'a FlexModel>,
    sensors_to_show: Option<&'a SensorsToShow>,
    sensors_to_show_as_kpis: Option<&'a SensorsToShow>,
}

impl Parts<'_> {
    /// Their columns. The length of each is checked before its references are looked for.
    fn columns(&self) -> Result<Documents, ServiceError> {
        fn text(document: Option<&impl Serialize>) -> Result<Option<String>, ServiceError> {
            document.map(stored).transpose()
        }
        if let Some(id) = self.generic_asset_type_id {
            asset_types::valid(id)?;
        }
        Ok(Documents {
            generic_asset_type_id: self.generic_asset_type_id,
            attributes: text(self.attributes)?,
            flex_context: text(self.flex_context)?,
            flex_model: text(self.flex_model)?,
            sensors_to_show: text(self.sensors_to_show)?,
            sensors_to_show_as_kpis: text(self.sensors_to_show_as_kpis)?,
        })
    }

    /// The sensors that they refer to, by the place: the name of the document, and then the place in it.
    fn references(&self) -> Result<BTreeMap<String, Vec<i32>>, ServiceError> {
        let mut all = BTreeMap::new();
        for (name, references) in [
            ("flex_context", self.flex_context.map(FlexModel::references)),
            ("flex_model", self.flex_model.map(FlexModel::references)),
            ("sensors_to_show", self.sensors_to_show.map(SensorsToShow::references)),
            ("sensors_to_show_as_kpis", self.sensors_to_show_as_kpis.map(SensorsToShow::references)),
        ] {
            for (place, ids) in references.transpose()?.into_iter().flatten() {
                all.insert(format!("/{name}{place}"), ids);
            }
        }
        Ok(all)
    }

    fn validate(&self) -> Result<(), ServiceError> {
        self.columns()?;
        self.references().map(drop)
    }

    fn sensors(&self, connection: &mut Connection) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
        referenced(self.references().map_err(LoadError::unavailable)?, connection)
    }
}

impl AssetBody {
    /// The sensors that its documents refer to, each group labelled with the place.
    pub(super) fn sensors(
        &self,
        connection: &mut Connection,
    ) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
        Parts::from(self).sensors(connection)
    }

    pub(super) fn split(self) -> Result<(NewAsset, Documents), ServiceError> {
        let documents = Parts::from(&self).columns()?;
        Ok((self.plain(), documents))
    }

    fn plain(self) -> NewAsset {
        NewAsset {
            name: self.name,
            account_id: self.account_id,
            latitude: self.latitude,
            longitude: self.longitude,
            parent_asset_id: self.parent_asset_id,
            inherits_access: self.inherits_access,
        }
    }
}

impl AssetPatch {
    /// The sensors that its documents refer to, each group labelled with the place.
    pub(super) fn sensors(
        &self,
        connection: &mut Connection,
    ) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
        Parts::from(self).sensors(connection)
    }

    pub(super) fn split(self) -> Result<(AssetChanges, Documents), ServiceError> {
        let documents = Parts::from(&self).columns()?;
        Ok((self.plain(), documents))
    }

    fn plain(self) -> AssetChanges {
        AssetChanges { name: self.name, latitude: self.latitude, longitude: self.longitude }
    }
}

impl Validate for AssetBody {
    fn validate(&self) -> Result<(), ServiceError> {
        self.clone().plain().validate()?;
        Parts::from(self).validate()
    }
}

impl Validate for AssetPatch {
    fn validate(&self) -> Result<(), ServiceError> {
        self.clone().plain().validate()?;
        Parts::from(self).validate()
    }
}
