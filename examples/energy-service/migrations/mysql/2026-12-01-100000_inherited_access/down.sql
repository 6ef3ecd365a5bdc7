ALTER TABLE assets
    ADD INDEX parent_asset_id (parent_asset_id),
    DROP INDEX assets_parent_asset_id_inherits_access,
    DROP COLUMN inherits_access;
