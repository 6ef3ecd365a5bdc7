CREATE TABLE flex_models (
    asset_id INTEGER PRIMARY KEY,
    -- JSON.
    document TEXT NOT NULL,
    FOREIGN KEY (asset_id) REFERENCES assets (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
