"""A damaged ledger must not stop a node: what is readable goes into a new file, the rest is told.

The damaged file is kept in `damaged/` beside the ledger, never changed, never deleted. The new one
begins an epoch after all that is known of the old ones, so no folio is given twice; facts that the city
does not have stay in their chains where these are whole and travel as `*.recovered` facts where not.
The swap survives a power cut at any step: a finished file waits under its own name until it is in place.
"""

from __future__ import annotations

import errno
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec

from municipio.clock import Clock
from municipio.facts import ZERO_HASH, FactError, fact_hash, node_urn
from municipio.stored_facts import decode_stored
from sync.database import LedgerDamaged, build_database, cannot_open
from sync.ledger import SqliteLedger, next_epoch, open_ledger, salvaged_file
from sync.recovery import recover_damaged, take_stranded
from sync.rows import LANE_NUMBER
from sync.salvage_read import KEYS, Found, read_all
from sync.seals import key_file, read_key, seal_of
from sync.sharing import make_folder, settle_file
from sync.use_lock import alone
from sync.whole_file import fsync

SALVAGED = "salvaged"
WAIT_S = 15.0
"""How long the other programs of the node are waited for before a salvage is given up."""

_LANES = {number: lane for lane, number in LANE_NUMBER.items()}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """`rows` were read by table; `damaged` tables were not readable as a whole; `kept` is the old file."""

    kept: Path
    rows: dict[str, int]
    damaged: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        return {"kept": self.kept.name, "rows": self.rows, "damaged": list(self.damaged)}


def open_salvaging(
    path: Path, clock: Clock, node_code: str, inegi: str
) -> SqliteLedger | LedgerDamaged:
    """Open the ledger; salvage it first when it is damaged, and take out facts that were changed.

    Still LedgerDamaged for a full disk, another node's or a newer generation's file, and when other
    programs will not let go of it.
    """
    opened = open_ledger(path, clock, node_code, inegi)
    if isinstance(opened, LedgerDamaged) and opened.can_salvage:
        done = salvage(path, clock, node_code, inegi)
        if isinstance(done, LedgerDamaged):
            return done
        opened = open_ledger(path, clock, node_code, inegi)
    if isinstance(opened, SqliteLedger):
        try:
            recover_damaged(opened)
        except apsw.Error as e:
            opened.close()
            return cannot_open(path, e)
    return opened


def salvage(
    path: Path, clock: Clock, node_code: str, inegi: str, *, wait_s: float = WAIT_S
) -> Salvaged | LedgerDamaged | None:
    """Replace a damaged file; None when another program has already done it."""
    lock = alone(path, wait_s)
    if lock is None:
        return LedgerDamaged(path, "it is damaged and another program still has it open")
    try:
        if salvaged_file(path).exists():
            _finish(path)
            return None
        if path.exists() and _is_whole(path, clock, node_code, inegi):
            return None
        return _salvage(path, clock, node_code, inegi)
    except OSError as e:
        return LedgerDamaged(path, str(e), disk_full=e.errno == errno.ENOSPC)
    except apsw.Error as e:
        return cannot_open(path, e)
    finally:
        lock.close()


def _is_whole(path: Path, clock: Clock, node_code: str, inegi: str) -> bool:
    opened = open_ledger(path, clock, node_code, inegi, locked=True)
    if isinstance(opened, SqliteLedger):
        opened.close()
        return True
    return not opened.can_salvage


def _salvage(path: Path, clock: Clock, node_code: str, inegi: str) -> Salvaged | LedgerDamaged:
    found = read_all(path)
    owners = {(row["node"], row["inegi"]) for row in found["node"].dicts()}
    if owners - {(node_code, inegi)}:
        return LedgerDamaged(path, f"it belongs to node {owners}, not to {node_code}")
    part = path.with_name(f".{path.name}.salvage")
    for name in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
        name.unlink(missing_ok=True)
    result = Salvaged(
        _kept_place(path),
        {table: len(rows.rows) for table, rows in found.items() if rows.rows},
        tuple(table for table, rows in found.items() if rows.damaged),
    )
    detail = msgspec.json.encode({"salvage": result.document()}).decode()
    epoch = _epoch_after(found, path)
    build_database(part, node_code, inegi, epoch, SALVAGED, detail)
    stranded = _fill(part, found, read_key(key_file(path)), node_urn(inegi, node_code))
    ledger = open_ledger(part, clock, node_code, inegi, locked=True)
    if isinstance(ledger, LedgerDamaged):
        raise apsw.CorruptError(ledger.detail)
    try:
        take_stranded(ledger, stranded, SALVAGED)
    finally:
        ledger.close()
    settle_file(part)
    fsync(part)
    part.replace(salvaged_file(path))
    fsync(path.parent)
    _finish(path)
    return result


def _finish(path: Path) -> None:
    """Put the damaged file away, its log first, and the new one in its place."""
    kept = _kept_place(path)
    make_folder(kept.parent)
    make_folder(kept)
    for name in (f"{path.name}-wal", f"{path.name}-shm", path.name):
        if path.with_name(name).exists():
            path.with_name(name).replace(kept / name)
            fsync(path.parent)
    fsync(kept)
    salvaged_file(path).replace(path)
    fsync(path.parent)


def _kept_place(path: Path) -> Path:
    """The first free folder under `damaged/`; one that a cut left without the main file is taken again."""
    number = 1
    while (path.parent / "damaged" / str(number) / path.name).exists():
        number += 1
    return path.parent / "damaged" / str(number)


def _epoch_after(found: dict[str, Found], path: Path) -> int:
    """After every epoch that anything here knows; far away when nothing does."""
    known = [key[-1] for key in found["epoch"].rows]
    known += [key[1] for key in found["fact"].rows]
    newest = max((int(e) for e in known if isinstance(e, int)), default=0)
    after = max(newest + 1, next_epoch(path))
    return after if after > 1 else 1000 + secrets.randbelow(9000)


def _fill(
    part: Path, found: dict[str, Found], key: bytes | None, source: str
) -> list[tuple[int, bytes]]:
    """Write the rows; returns (lane, fact) of facts that no longer follow what the city holds."""
    connection = apsw.Connection(str(part))
    try:
        with connection:
            stranded = _fill_chains(connection, found, key, source)
            for table in KEYS:
                if table not in ("node", "fact", "chain"):
                    _copy(connection, table, found[table])
            for row in found["node"].dicts():
                connection.execute(
                    "UPDATE node SET attempts = ?, last_carried = ?",
                    (row.get("attempts", 0), row.get("last_carried", "")),
                )
    finally:
        connection.close()
    return stranded


def _copy(connection: apsw.Connection, table: str, found: Found) -> None:
    columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    for row in found.dicts():
        names = [name for name in columns if name in row]
        marks = ", ".join("?" * len(names))
        sql = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our names
        try:
            connection.execute(sql, tuple(row[name] for name in names))
        except (apsw.ConstraintError, apsw.MismatchError):
            continue  # a row that damage has made impossible


def _fill_chains(
    connection: apsw.Connection, found: dict[str, Found], key: bytes | None, source: str
) -> list[tuple[int, bytes]]:
    """Facts and chain rows: each chain as far as it is unbroken, from what the city holds on."""
    chains = {(row["lane"], row["epoch"]): row for row in found["chain"].dicts()}
    facts: dict[tuple[int, int], dict[int, bytes]] = {}
    for row in found["fact"].dicts():
        if _is_fact(row, key, source):
            facts.setdefault((row["lane"], row["epoch"]), {})[row["seq"]] = row["body"]
    stranded: list[tuple[int, bytes]] = []
    for place in sorted(set(facts) | set(chains)):
        bodies = facts.get(place, {})
        acked, prev = _start(chains.get(place), bodies)
        seq = acked
        while seq + 1 in bodies and decode_stored(bodies[seq + 1]).prev == prev:
            seq, prev = seq + 1, fact_hash(bodies[seq + 1])
            seal = None if key is None else seal_of(key, prev)
            sql = "INSERT INTO fact (lane, epoch, seq, body, seal) VALUES (?, ?, ?, ?, ?)"
            connection.execute(sql, (*place, seq, bodies[seq], seal))
        first_prev = _start(chains.get(place), bodies)[1]
        connection.execute(
            """INSERT INTO chain (lane, epoch, acked, acked_hash, pruned, pruned_hash)
            VALUES (?, ?, ?, ?, ?, ?)""",
            (*place, acked, first_prev, acked, first_prev),
        )
        stranded += [(place[0], bodies[n]) for n in sorted(bodies) if n > seq]
    return stranded


def _start(chain: dict[str, Any] | None, bodies: dict[int, bytes]) -> tuple[int, str]:
    """(number, hash) of the last fact that the city holds; without a record, of what is not here."""
    if chain is not None and isinstance(chain.get("acked"), int):
        acked, digest = int(chain["acked"]), str(chain.get("acked_hash"))
        return (acked, digest) if acked else (0, ZERO_HASH)
    if not bodies:
        return 0, ZERO_HASH
    first = min(bodies)
    return first - 1, decode_stored(bodies[first]).prev


def _is_fact(row: dict[str, Any], key: bytes | None, source: str) -> bool:
    """A fact at its own place that this node wrote; an older schema's facts have no seal."""
    body, seal = row.get("body"), row.get("seal")
    if not isinstance(body, bytes):
        return False
    try:
        fact = decode_stored(body)
    except FactError:
        return False
    sealed = seal is None or key is None or seal == seal_of(key, fact_hash(body))
    lane = _LANES.get(row["lane"])
    place = (source, lane, row["epoch"], row["seq"])
    return sealed and (fact.source, fact.lane, fact.epoch, fact.seq) == place
