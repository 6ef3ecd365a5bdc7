CREATE INDEX assets_parent_asset_id ON assets (parent_asset_id);
DROP INDEX assets_parent_asset_id_inherits_access;
ALTER TABLE assets DROP COLUMN inherits_access;
