DROP TABLE shares;
DROP TABLE notes;
DROP TABLE log_ins;
DROP TABLE users;
DROP TABLE accounts;
