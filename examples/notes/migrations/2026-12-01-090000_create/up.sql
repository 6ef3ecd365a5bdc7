CREATE TABLE accounts (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('member', 'account-admin', 'admin'))
);

-- A token of a program, or the session of a browser.
CREATE TABLE log_ins (
    id INTEGER PRIMARY KEY NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    expires_at TEXT NOT NULL
);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    author_id INTEGER NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    private_remark TEXT NOT NULL,
    UNIQUE (account_id, title)
);

CREATE TABLE shares (
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at TEXT,
    PRIMARY KEY (note_id, user_id)
);

-- What `Note::POLICY.indexes()` names. The one on the account begins the unique key above.
CREATE INDEX shares_user_id ON shares (user_id, note_id, expires_at);

-- For the filter of the list.
CREATE INDEX notes_author_id ON notes (author_id);
