CREATE TABLE flex_models (
    asset_id INTEGER PRIMARY KEY REFERENCES assets (id) ON DELETE CASCADE,
    -- JSON.
    document TEXT NOT NULL
);
