ALTER TABLE assets DROP COLUMN inherits_access;
