-- AUTOINCREMENT where an id appears in URLs and decides who may do what: an id that was
-- given away once is never given to another row.

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    consultancy_account_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL
);
CREATE INDEX accounts_consultancy_account_id ON accounts (consultancy_account_id);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
    -- Compared without regard to ASCII case, as people type their address.
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    username TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE INDEX users_account_id ON users (account_id);

CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE users_roles (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role_id)
) WITHOUT ROWID;

CREATE TABLE account_roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE accounts_account_roles (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account_role_id INTEGER NOT NULL REFERENCES account_roles (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, account_role_id)
) WITHOUT ROWID;

CREATE TABLE assets (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    -- NULL: public. So the account must not go before its assets: with SET NULL they would all
    -- become public.
    account_id INTEGER REFERENCES accounts (id) ON DELETE RESTRICT,
    latitude DOUBLE CHECK (latitude BETWEEN -90 AND 90),
    longitude DOUBLE CHECK (longitude BETWEEN -180 AND 180),
    -- Not CASCADE: a child may belong to another account than its parent, and who may delete the
    -- parent need not be allowed to delete the child.
    parent_asset_id INTEGER REFERENCES assets (id) ON DELETE SET NULL
);
CREATE INDEX assets_account_id ON assets (account_id);
CREATE INDEX assets_parent_asset_id ON assets (parent_asset_id);

CREATE TABLE sensors (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    asset_id INTEGER NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Empty: a plain number.
    unit TEXT NOT NULL,
    event_resolution_minutes INTEGER NOT NULL CHECK (event_resolution_minutes > 0)
);
CREATE INDEX sensors_asset_id ON sensors (asset_id);

CREATE TABLE measurements (
    sensor_id INTEGER NOT NULL REFERENCES sensors (id) ON DELETE CASCADE,
    -- UTC.
    event_start TIMESTAMP NOT NULL,
    event_value DOUBLE NOT NULL,
    PRIMARY KEY (sensor_id, event_start)
) WITHOUT ROWID;

-- Only hashes: who reads this table (a backup, a leak) cannot log in with what it holds.
CREATE TABLE auth_tokens (
    token_hash BLOB PRIMARY KEY NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- UTC.
    created_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX auth_tokens_user_id ON auth_tokens (user_id);
