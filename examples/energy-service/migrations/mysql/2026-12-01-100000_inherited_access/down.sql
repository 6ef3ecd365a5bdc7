-- The foreign key has an index of its own again before it loses this one.
CREATE INDEX assets_parent_asset_id ON assets (parent_asset_id);
DROP INDEX assets_parent_asset_id_inherits_access ON assets;
ALTER TABLE assets DROP COLUMN inherits_access;
