"""A USB stick at the city: facts and sealed files of any number of nodes in, signed answers back on it.

The same rules as over HTTP: a batch counts by its node's signature, not by who carries it, so a stick
that was copied, edited or used twice does no harm. What is not of this city is left as it is.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import and_, select

from central.acknowledging import acknowledge
from central.attachments import progress, take_part
from central.city import City
from central.files import keep_file
from central.ingest import take_batch
from central.keys import CityKey
from central.nodes import find_active, keys_of, note_contact
from central.problems import Problem
from central.projections import project
from central.schema import heads
from central.store import Store
from municipio.facts import format_time
from municipio.wire import carrier as names
from municipio.wire.attachment import MAX_ATTACHMENT_BYTES, MAX_PART_BYTES, Progress
from municipio.wire.batch import (
    MAX_PACKED_BYTES,
    Batch,
    BatchHeader,
    BatchProblem,
    decode_batch,
    verify_batch,
)
from municipio.wire.keys import PublicKey, key_id

MAX_FILES = 20_000


@dataclass(slots=True)
class NodeResult:
    """What one node's folder brought; `facts` and `attachments` that are new to the city."""

    node: str
    facts: int = 0
    attachments: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """The city that reads sticks. `content` is a signed content folder to hand back, or None."""

    store: Store
    city: City
    key: CityKey
    content: Path | None = None


def import_stick(stick: Path, desk: Desk, at: datetime) -> list[NodeResult]:
    """Take what a stick holds for this city; write the answers on it. OSError when it is full or gone."""
    results: list[NodeResult] = []
    out = stick / names.ROOT / names.OUT
    for name in _folders(out):
        found = names.read_node_folder(name)
        if found is None:
            continue
        inegi, node = found
        result = NodeResult(node)
        results.append(result)
        if inegi != desk.city.inegi:
            result.refused.append(f"it belongs to municipality {inegi}")
            continue
        back = stick / names.ROOT / names.IN / name
        _import_node(out / name, back, node, desk, result, at)
    project(desk.store, desk.city.inegi, desk.city.zone, at)
    return results


def _import_node(
    folder: Path, back: Path, node: str, desk: Desk, result: NodeResult, at: datetime
) -> None:
    files = [(order, n) for n in _files(folder) if (order := names.batch_order(n)) is not None]
    for _, name in sorted(files):
        raw = _read(folder / name, MAX_PACKED_BYTES)
        taken = _take(raw, node, desk, at)
        if isinstance(taken, str):
            result.refused.append(f"{name}: {taken}")
            continue
        header, fresh, ack = taken
        result.facts += fresh
        keep_file(back / names.ack_name(header.lane, header.epoch), ack)
    held = _import_attachments(folder / "attachments", node, desk, result, at)
    if files or held:
        note_contact(desk.store, desk.city.inegi, node, at)
        keep_file(back / names.HELD, names.encode_held(desk.city.inegi, node, held, desk.key.sign))
        if desk.content is not None:
            _copy_content(desk.content, back / names.CONTENT)


def _take(
    raw: bytes | None, node: str, desk: Desk, at: datetime
) -> tuple[BatchHeader, int, bytes] | str:
    """(header, facts new to the city, acknowledgement) of one batch file, or why it is refused."""
    batch = BatchProblem("not a plain file, or too large") if raw is None else decode_batch(raw)
    if isinstance(batch, BatchProblem):
        return batch.detail
    if batch.header.node != node:
        return f"it was made by node {batch.header.node}"
    if not _is_signed(batch, node, desk):
        return "it is not signed by the key of an active node"
    before = _through(desk, batch.header)
    taken = take_batch(desk.store, desk.city.inegi, batch, at)
    if isinstance(taken, Problem):
        return taken.detail
    return batch.header, taken.through - before, acknowledge(batch.header, taken, desk.key.sign, at)


def _is_signed(batch: Batch, node: str, desk: Desk) -> bool:
    return any(verify_batch(batch, public) for public in _active_keys(node, desk))


def _active_keys(node: str, desk: Desk) -> list[PublicKey]:
    """The keys by which a node may be heard now."""
    inegi = desk.city.inegi
    found = (find_active(desk.store, inegi, key_id(k)) for k in keys_of(desk.store, inegi, node))
    return [
        public for known in found if known is not None and known[0] == node for public in known[1:]
    ]


def _sent(folder: Path, node: str, desk: Desk) -> set[str]:
    """The sealed files on the stick that the node itself says it wrote; others are nobody's."""
    raw = _read(folder / names.SENT, names.MAX_NOTE_BYTES) or b""
    for public in _active_keys(node, desk):
        listed = names.decode_sent(raw, public, desk.city.inegi, node)
        if not isinstance(listed, names.NoteProblem):
            return set(listed)
    return set()


def _through(desk: Desk, header: BatchHeader) -> int:
    h = heads.c
    mine = and_(
        h.inegi == desk.city.inegi,
        h.node == header.node,
        h.epoch == header.epoch,
        h.lane == header.lane.value,
    )
    with desk.store.begin() as connection:
        return int(connection.scalar(select(h.through).where(mine)) or 0)


def _import_attachments(
    folder: Path, node: str, desk: Desk, result: NodeResult, at: datetime
) -> list[str]:
    """Hashes of the files on the stick that the city has now."""
    held: list[str] = []
    sent = _sent(folder.parent, node, desk)
    for name in _files(folder):
        if name not in sent:
            result.refused.append(f"attachments/{name[:80]}: not in a list that the node signed")
            continue
        raw = _read(folder / name, MAX_ATTACHMENT_BYTES)
        known = progress(desk.store, desk.city.inegi, node, name)
        if isinstance(known, Problem) or raw is None:
            result.refused.append(f"attachments/{name[:80]}: not an attachment")
            continue
        if known.complete or _is_complete(_send_whole(raw, known, node, name, desk, at)):
            held.append(name)
            result.attachments += not known.complete
        else:
            result.refused.append(f"attachments/{name}: its bytes are not those of its name")
    return held


def _is_complete(found: Progress | Problem) -> bool:
    return isinstance(found, Progress) and found.complete


def _send_whole(
    raw: bytes, known: Progress, node: str, name: str, desk: Desk, at: datetime
) -> Progress | Problem:
    """Go on where an upload over the network may have ended; once more from the start if that was bad."""
    found: Progress | Problem = known
    for _ in range(2):
        first = found.received if isinstance(found, Progress) else 0
        for start in range(first, len(raw), MAX_PART_BYTES):
            part = raw[start : start + MAX_PART_BYTES]
            found = take_part(
                desk.store, desk.city.inegi, node, name, len(raw), start, part, format_time(at)
            )
        if _is_complete(found):
            break
    return found


def _copy_content(source: Path, target: Path) -> None:
    """The signed content folder, file by file; its own signature says on the node whether it is whole."""
    for name in _files(source):
        raw = (source / name).read_bytes()
        old = target / name
        if not (old.is_file() and old.stat().st_size == len(raw) and old.read_bytes() == raw):
            keep_file(old, raw)


def _folders(folder: Path) -> list[str]:
    return [e.name for e in _entries(folder) if e.is_dir(follow_symlinks=False)]


def _files(folder: Path) -> list[str]:
    if folder.is_symlink():
        return []
    return [e.name for e in _entries(folder) if e.is_file(follow_symlinks=False)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError:
        return []
    return entries[:MAX_FILES]


def _read(path: Path, limit: int) -> bytes | None:
    """An ordinary file of at most `limit` bytes; what is on a stick was written by anybody."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            raw = file.read(limit + 1)
    except OSError:
        return None
    return raw if len(raw) <= limit else None
