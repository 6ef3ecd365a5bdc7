-- Who did what, and to whom. What an entry refers to may go: the entry stays, and its text still
-- says what it was about.

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    -- UTC.
    event_datetime DATETIME(6) NOT NULL,
    event TEXT NOT NULL,
    -- Who did it, and under which name.
    active_user_id INTEGER,
    active_user_name VARCHAR(255),
    affected_user_id INTEGER,
    affected_account_id INTEGER,
    FOREIGN KEY (active_user_id) REFERENCES users (id) ON DELETE SET NULL,
    FOREIGN KEY (affected_user_id) REFERENCES users (id) ON DELETE SET NULL,
    FOREIGN KEY (affected_account_id) REFERENCES accounts (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE asset_audit_log (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    -- UTC.
    event_datetime DATETIME(6) NOT NULL,
    event TEXT NOT NULL,
    -- Who did it, and under which name.
    active_user_id INTEGER,
    active_user_name VARCHAR(255),
    affected_asset_id INTEGER,
    FOREIGN KEY (active_user_id) REFERENCES users (id) ON DELETE SET NULL,
    FOREIGN KEY (affected_asset_id) REFERENCES assets (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
