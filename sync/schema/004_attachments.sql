-- Sealed files that facts name, until the city has them. The bytes are in DATA/attachments/<sha256>.
-- state: waiting, held (the city has it), missing (the file was lost or damaged on this node).
CREATE TABLE attachment (
  sha256 TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  lane INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting'
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_waiting ON attachment (lane, epoch, seq) WHERE state = 'waiting';
