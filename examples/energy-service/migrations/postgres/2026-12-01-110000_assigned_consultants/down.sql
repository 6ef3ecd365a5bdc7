DROP TABLE assigned_consultants;
ALTER TABLE accounts DROP COLUMN assigned_consultants_only;
