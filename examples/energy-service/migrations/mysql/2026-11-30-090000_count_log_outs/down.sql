ALTER TABLE users DROP COLUMN log_outs;
ALTER TABLE users ADD COLUMN logged_out_at DATETIME(6);
