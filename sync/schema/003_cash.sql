-- Cash: what happened to each piece, and how far each peripheral's events have been taken over.
-- Rows of cash_movement are never changed. Amounts are centavos of one piece; `dispensed` is the
-- hopper's lifetime count when change was ordered, -1 for all else.

CREATE TABLE cash_movement (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  payment TEXT NOT NULL,
  kind TEXT NOT NULL,
  unit TEXT NOT NULL,
  amount INTEGER NOT NULL,
  count INTEGER NOT NULL,
  dispensed INTEGER NOT NULL,
  time TEXT NOT NULL,
  boot TEXT NOT NULL,
  boot_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX cash_movement_payment ON cash_movement (payment);
CREATE INDEX cash_movement_cut ON cash_movement (number) WHERE kind = 'cut';

CREATE TABLE cash_position (
  unit TEXT PRIMARY KEY,
  serial INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  accepted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
