-- InnoDB, which checks foreign keys and never gives an id to another row that it gave away once: ids appear in URLs
-- and decide who may do what. Text is compared and ordered by its characters (but spaces at the end do not count).
-- An index on each foreign key comes with it. Each statement commits by itself: after a failure in the middle, what
-- was made has to be dropped by hand.

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL,
    consultancy_account_id INTEGER,
    FOREIGN KEY (consultancy_account_id) REFERENCES accounts (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    account_id INTEGER NOT NULL,
    -- Without upper case, so that it is unique without regard to ASCII case: people type their address in many ways.
    email VARCHAR(255) NOT NULL UNIQUE CHECK (email NOT REGEXP '[A-Z]'),
    username VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE RESTRICT
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL UNIQUE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE users_roles (
    user_id INTEGER NOT NULL,
    role_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, role_id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE account_roles (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL UNIQUE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE accounts_account_roles (
    account_id INTEGER NOT NULL,
    account_role_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, account_role_id),
    FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (account_role_id) REFERENCES account_roles (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE assets (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL,
    -- NULL: public. So the account must not go before its assets: with SET NULL they would all
    -- become public.
    account_id INTEGER,
    latitude DOUBLE CHECK (latitude BETWEEN -90 AND 90),
    longitude DOUBLE CHECK (longitude BETWEEN -180 AND 180),
    -- Not CASCADE: a child may belong to another account than its parent, and who may delete the
    -- parent need not be allowed to delete the child.
    parent_asset_id INTEGER,
    FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE RESTRICT,
    FOREIGN KEY (parent_asset_id) REFERENCES assets (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sensors (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    asset_id INTEGER NOT NULL,
    name VARCHAR(255) NOT NULL,
    -- Empty: a plain number.
    unit VARCHAR(255) NOT NULL,
    event_resolution_minutes INTEGER NOT NULL CHECK (event_resolution_minutes > 0),
    FOREIGN KEY (asset_id) REFERENCES assets (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE measurements (
    sensor_id INTEGER NOT NULL,
    -- UTC.
    event_start DATETIME(6) NOT NULL,
    event_value DOUBLE NOT NULL,
    PRIMARY KEY (sensor_id, event_start),
    FOREIGN KEY (sensor_id) REFERENCES sensors (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Only hashes: who reads this table (a backup, a leak) cannot log in with what it holds.
CREATE TABLE auth_tokens (
    token_hash BINARY(32) PRIMARY KEY,
    user_id INTEGER NOT NULL,
    -- UTC.
    created_at DATETIME(6) NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
