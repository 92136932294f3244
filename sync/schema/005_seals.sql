-- Each fact carries a keyed hash (sync/seals.py), so that a changed fact is noticed before the next one
-- or the city continues the chain. Rows of older schemas are sealed once, when the key is made.
ALTER TABLE fact ADD COLUMN seal BLOB;

-- Facts from `moved` on (0: none) left this chain for a new epoch as *.recovered facts.
ALTER TABLE chain ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;

-- Why an epoch began, for its node.started fact: a JSON object (heads lost, rows that were not readable).
ALTER TABLE epoch ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';

-- Facts that did not fit their seal when the chain was closed before them, as they were found.
CREATE TABLE damaged_fact (
  lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (lane, epoch, seq)
) STRICT, WITHOUT ROWID;
