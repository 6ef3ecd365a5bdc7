-- Whether an account is looked after by those consultants of its consultancy alone who are assigned to it, or by all of them.
ALTER TABLE accounts ADD COLUMN assigned_consultants_only BOOLEAN NOT NULL DEFAULT FALSE;

-- The consultants who are assigned to an account.
CREATE TABLE assigned_consultants (
    account_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_id),
    FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX assigned_consultants_user_id ON assigned_consultants (user_id, account_id);
