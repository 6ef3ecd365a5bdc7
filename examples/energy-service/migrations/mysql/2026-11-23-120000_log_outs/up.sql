-- UTC. All sessions of the user until then have ended; NULL: the user never logged out.
ALTER TABLE users ADD COLUMN logged_out_at DATETIME(6);
