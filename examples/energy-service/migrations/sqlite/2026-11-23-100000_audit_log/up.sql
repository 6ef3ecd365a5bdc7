-- Who did what, and to whom. What an entry refers to may go: the entry stays, and its text still
-- says what it was about.

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- UTC.
    event_datetime TIMESTAMP NOT NULL,
    event TEXT NOT NULL,
    -- Who did it, and under which name.
    active_user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    active_user_name TEXT,
    affected_user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    affected_account_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL
);
CREATE INDEX audit_log_active_user_id ON audit_log (active_user_id);
CREATE INDEX audit_log_affected_user_id ON audit_log (affected_user_id);
CREATE INDEX audit_log_affected_account_id ON audit_log (affected_account_id);

CREATE TABLE asset_audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- UTC.
    event_datetime TIMESTAMP NOT NULL,
    event TEXT NOT NULL,
    -- Who did it, and under which name.
    active_user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    active_user_name TEXT,
    affected_asset_id INTEGER REFERENCES assets (id) ON DELETE SET NULL
);
CREATE INDEX asset_audit_log_active_user_id ON asset_audit_log (active_user_id);
CREATE INDEX asset_audit_log_affected_asset_id ON asset_audit_log (affected_asset_id);
