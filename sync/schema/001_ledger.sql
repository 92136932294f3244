-- The ledger: facts as they travel, how far the city holds them, and the rows that screens read.
-- Lanes are 0 pay, 1 rep, 2 acc, 3 vit. Nothing here says who a citizen is: personal data is sealed.

CREATE TABLE node (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  node TEXT NOT NULL,
  inegi TEXT NOT NULL,
  started_boot TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0,
  last_carried TEXT NOT NULL DEFAULT ''
) STRICT;

-- The current epoch is the largest one. Facts of older epochs stay sendable.
CREATE TABLE epoch (
  epoch INTEGER PRIMARY KEY,
  reason TEXT NOT NULL
) STRICT;

-- Canonical bytes of each numbered fact. The last fact of each chain is never deleted: the next
-- fact's seq and prev come from it.
CREATE TABLE fact (
  lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (lane, epoch, seq)
) STRICT, WITHOUT ROWID;

-- How far the city holds a chain, and how far acknowledged facts have been deleted here.
CREATE TABLE chain (
  lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  acked INTEGER NOT NULL DEFAULT 0,
  acked_hash TEXT NOT NULL,
  pruned INTEGER NOT NULL DEFAULT 0,
  pruned_hash TEXT NOT NULL,
  PRIMARY KEY (lane, epoch)
) STRICT, WITHOUT ROWID;

-- Facts that the city keeps in quarantine, and the matter that each belongs to.
CREATE TABLE fact_problem (
  lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  folio TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (lane, epoch, seq)
) STRICT, WITHOUT ROWID;

-- `number` keeps the order in which payments were opened.
CREATE TABLE payment (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  clave TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX payment_clave ON payment (clave);
CREATE INDEX payment_open ON payment (number) WHERE is_open;

CREATE TABLE folio (
  folio TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_on TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `rendered` becomes an empty blob once the paper is out and its day for a copy is over.
CREATE TABLE print_job (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  folio TEXT NOT NULL,
  kind TEXT NOT NULL,
  copy INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  rendered BLOB NOT NULL,
  verdict TEXT NOT NULL,
  cause TEXT NOT NULL,
  time TEXT NOT NULL,
  boot TEXT NOT NULL,
  boot_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX print_job_folio ON print_job (folio);
CREATE INDEX print_job_kept ON print_job (number) WHERE length(rendered) > 0;
