-- What clients of FlexMeasures store: JSON, as text. The flex-model becomes a column, beside the others.
ALTER TABLE assets ADD COLUMN generic_asset_type_id INTEGER;
ALTER TABLE assets ADD COLUMN attributes TEXT NOT NULL DEFAULT ('{}');
ALTER TABLE assets ADD COLUMN flex_context TEXT NOT NULL DEFAULT ('{}');
-- NULL: there is none.
ALTER TABLE assets ADD COLUMN flex_model TEXT;
ALTER TABLE assets ADD COLUMN sensors_to_show TEXT NOT NULL DEFAULT ('[]');
ALTER TABLE assets ADD COLUMN sensors_to_show_as_kpis TEXT NOT NULL DEFAULT ('[]');
UPDATE assets SET flex_model = (SELECT document FROM flex_models WHERE flex_models.asset_id = assets.id);
DROP TABLE flex_models;

ALTER TABLE sensors ADD COLUMN attributes TEXT NOT NULL DEFAULT ('{}');
ALTER TABLE sensors ADD COLUMN timezone VARCHAR(255) NOT NULL DEFAULT 'UTC';
