-- With whom an asset is shared: with a user, or with all users of an account.
CREATE TABLE asset_shares (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    asset_id INTEGER NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
    -- Otherwise they only read it.
    can_update BOOLEAN NOT NULL DEFAULT FALSE,
    -- UTC. NULL: it has no end.
    expires_at TIMESTAMP,
    CHECK ((user_id IS NULL) <> (account_id IS NULL)),
    UNIQUE (asset_id, user_id),
    UNIQUE (asset_id, account_id)
);
CREATE INDEX asset_shares_user_id ON asset_shares (user_id, asset_id, expires_at);
CREATE INDEX asset_shares_account_id ON asset_shares (account_id, asset_id, expires_at);
