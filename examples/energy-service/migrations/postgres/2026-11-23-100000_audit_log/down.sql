DROP TABLE asset_audit_log;
DROP TABLE audit_log;
