"""Which sealed files still have to reach the city, and what its answers change.

A file goes after the fact that names it, and is erased only when the city says, signed, that it has
all of it with the right hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from municipio.wire.attachment import MAX_PART_BYTES
from sync.attachments import AttachmentStore
from sync.database import query
from sync.ledger import SqliteLedger

_READY = """
SELECT a.sha256, a.bytes FROM attachment AS a
JOIN chain AS c ON c.lane = a.lane AND c.epoch = a.epoch AND c.acked >= a.seq
WHERE a.state = 'waiting' ORDER BY a.lane, a.epoch, a.seq, a.sha256 LIMIT ?
"""
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class File:
    """One sealed file that the city does not have yet."""

    sha256: str
    size: int


class Uploads:
    """The files of one ledger and its folder."""

    def __init__(self, ledger: SqliteLedger, store: AttachmentStore) -> None:
        self._ledger = ledger
        self.store = store

    def ready(self) -> tuple[File, ...]:
        """Files whose fact the city holds, oldest first; at most AT_ONCE of them."""
        with self._ledger.reading() as db:
            return tuple(File(*row) for row in query(db, _READY, (AT_ONCE,)))

    def waiting(self) -> tuple[File, ...]:
        """Every file that the city does not have, whether or not its fact has arrived."""
        sql = "SELECT sha256, bytes FROM attachment WHERE state = 'waiting' ORDER BY sha256"
        with self._ledger.reading() as db:
            return tuple(File(*row) for row in query(db, sql))

    def missing(self) -> int:
        """How many files were lost or damaged on this node before the city had them."""
        sql = "SELECT count(*) FROM attachment WHERE state = 'missing'"
        with self._ledger.reading() as db:
            return int(query(db, sql)[0][0])

    def part(self, file: File, first: int, limit: int = MAX_PART_BYTES) -> bytes | None:
        """Bytes from `first` on; None when the file on this node is no longer what the fact names."""
        raw = self.store.read(file.sha256)
        if raw is None or len(raw) != file.size:
            return None
        return raw[first : first + min(limit, MAX_PART_BYTES)]

    def held(self, sha256: str) -> None:
        """The city has it: note that first, then erase the file. apsw errors come out."""
        self._set(sha256, "held")
        self.store.erase(sha256)

    def lost(self, sha256: str) -> None:
        """The file cannot be sent any more; it is told in `plaza sync status`."""
        self._set(sha256, "missing")

    def sweep(self) -> int:
        """Erase files that nothing needs: held ones that a power cut left, and those no fact names."""
        return self.store.sweep({file.sha256 for file in self.waiting()})

    def _set(self, sha256: str, state: str) -> None:
        with self._ledger.transaction() as db:
            db.execute("UPDATE attachment SET state = ? WHERE sha256 = ?", (state, sha256))
