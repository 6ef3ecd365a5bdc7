-- Whether the readers of the asset of which this one is a part read this one, too. The two may belong to different accounts, so
-- nobody does unless somebody who may share this one says so.
ALTER TABLE assets
    ADD COLUMN inherits_access BOOLEAN NOT NULL DEFAULT FALSE,
    DROP INDEX parent_asset_id,
    ADD INDEX assets_parent_asset_id_inherits_access (parent_asset_id, inherits_access);
