-- With whom an asset is shared: with a user, or with all users of an account.
CREATE TABLE asset_shares (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    asset_id INTEGER NOT NULL,
    user_id INTEGER,
    account_id INTEGER,
    -- Otherwise they only read it.
    can_update BOOLEAN NOT NULL DEFAULT FALSE,
    -- UTC. NULL: it has no end.
    expires_at DATETIME(6) NULL,
    CHECK ((user_id IS NULL) <> (account_id IS NULL)),
    UNIQUE (asset_id, user_id),
    UNIQUE (asset_id, account_id),
    FOREIGN KEY (asset_id) REFERENCES assets (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX asset_shares_user_id ON asset_shares (user_id, asset_id, expires_at);
CREATE INDEX asset_shares_account_id ON asset_shares (account_id, asset_id, expires_at);
