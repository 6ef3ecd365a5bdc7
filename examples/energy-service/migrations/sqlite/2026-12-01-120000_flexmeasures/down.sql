CREATE TABLE flex_models (
    asset_id INTEGER PRIMARY KEY NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    -- JSON.
    document TEXT NOT NULL
);
INSERT INTO flex_models (asset_id, document) SELECT id, flex_model FROM assets WHERE flex_model IS NOT NULL;
ALTER TABLE assets DROP COLUMN generic_asset_type_id;
ALTER TABLE assets DROP COLUMN attributes;
ALTER TABLE assets DROP COLUMN flex_context;
ALTER TABLE assets DROP COLUMN flex_model;
ALTER TABLE assets DROP COLUMN sensors_to_show;
ALTER TABLE assets DROP COLUMN sensors_to_show_as_kpis;

ALTER TABLE sensors DROP COLUMN attributes;
ALTER TABLE sensors DROP COLUMN timezone;
