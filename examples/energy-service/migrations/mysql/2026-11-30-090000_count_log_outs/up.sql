-- How often all log-ins of the user by sessions were ended. A session counts as long as this is what it was then: no clock says
-- which of a log-in and a log-out was first. The sessions that there are end.
ALTER TABLE users DROP COLUMN logged_out_at;
ALTER TABLE users ADD COLUMN log_outs INTEGER NOT NULL DEFAULT 0;
