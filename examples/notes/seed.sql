-- A mill, a bakery that it shares a note with, a garage of strangers, and those who run the service.
INSERT INTO accounts (id, name) VALUES (1, 'Mill'), (2, 'Bakery'), (3, 'Garage'), (4, 'Platform');

INSERT INTO users (id, account_id, email, password_hash, role) VALUES
    (1, 1, 'mia@mill.example', '', 'member'),
    (2, 1, 'max@mill.example', '', 'member'),
    (3, 1, 'ada@mill.example', '', 'account-admin'),
    (4, 2, 'bob@bakery.example', '', 'member'),
    (5, 3, 'sue@garage.example', '', 'account-admin'),
    (6, 4, 'pat@platform.example', '', 'admin');

INSERT INTO notes (id, account_id, author_id, title, text, private_remark) VALUES
    (1, 1, 1, 'Delivery', 'Two sacks of rye on Monday.', 'Bob pays late.'),
    (2, 2, 4, 'Oven', 'The oven is cleaned on Friday.', '');

INSERT INTO shares (note_id, user_id, expires_at) VALUES (1, 4, NULL);
