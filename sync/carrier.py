"""Facts by USB stick: everything that the city does not have goes out, its answers come back in.

The same signed batches and the same signed acknowledgements as over HTTP, so a stick and the network
may carry the same facts at the same time. Nothing on a stick changes this node unless the city signed
it for this node, and nothing is forgotten here before such an answer.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from municipio.content import ContentProblem
from municipio.wire import carrier as names
from municipio.wire.ack import MAX_ACK_BYTES, AckProblem, decode_ack
from municipio.wire.keys import PublicKey
from sync.allow_list import LIST_NAME
from sync.content_folder import Installed
from sync.datadir import DataDir
from sync.delivery import packed_batch
from sync.keys import NodeKey
from sync.outbox import ChainDiffers, Damaged, Outbox, Stretch
from sync.recovery import DAMAGED, OTHER_FUTURE
from sync.stick_files import plain_names, read_plain, write_whole
from sync.uploads import Uploads
from sync.whole_folder import NodeContent

FACTS_AT_ONCE = 500
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it, and of how much."""


def silent(_: str, __: int, ___: int) -> None:
    return None


@dataclass(slots=True)
class Exported:
    """`is_full`: the stick had no room for the rest; `trouble` in English, empty when there was none."""

    facts: int = 0
    batches: int = 0
    attachments: int = 0
    is_full: bool = False
    trouble: str = ""


@dataclass(slots=True)
class Imported:
    """What the city's answers changed; `refused` names each file that was not believed, and why."""

    facts: int = 0
    attachments: int = 0
    content: str = ""
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NodeSide:
    """What export and import need of a node."""

    inegi: str
    node: str
    key: NodeKey
    city: PublicKey
    outbox: Outbox
    uploads: Uploads
    data: DataDir
    with_padron: bool = True

    def folder(self, stick: Path, direction: str) -> Path:
        return stick / names.ROOT / direction / names.node_folder(self.inegi, self.node)


def export_to(stick: Path, here: NodeSide, progress: Progress = silent) -> Exported:
    """Write every fact and sealed file that the city has not acknowledged; facts first, by urgency."""
    done, folder = Exported(), here.folder(stick, names.OUT)
    wanted: set[str] = set()
    try:
        total = here.outbox.waiting()
        for stretch in here.outbox.stretches():
            _export_chain(folder, here, stretch, done, wanted)
            progress("facts", done.facts, total)
        _remove_others(folder, wanted | {names.SENT})
        files = here.uploads.waiting()[: names.MAX_HELD]
        sent = [file.sha256 for file in files]
        note = names.encode_sent(here.inegi, here.node, sent, here.key.sign)
        write_whole(folder / names.SENT, note)
        for number, file in enumerate(files, start=1):
            raw = here.uploads.store.read(file.sha256)
            if raw is not None:
                _write_attachment(folder / "attachments" / file.sha256, raw)
                done.attachments += 1
            progress("attachments", number, len(files))
        _remove_others(folder / "attachments", set(sent))
    except OSError as e:
        done.is_full = e.errno in (errno.ENOSPC, errno.EDQUOT)
        done.trouble = str(e)
    return done


def _export_chain(
    folder: Path, here: NodeSide, stretch: Stretch, done: Exported, wanted: set[str]
) -> None:
    first = stretch.acked + 1
    while first <= stretch.last:
        load = here.outbox.load(stretch.lane, stretch.epoch, first, FACTS_AT_ONCE)
        if isinstance(load, Damaged):
            here.outbox.recover_from(stretch.lane, stretch.epoch, load.seq, DAMAGED)
            return  # what followed is in a newer epoch, which comes later in the list or next time
        if load is None:
            return
        packed, count = packed_batch(here.node, here.key.sign, stretch.lane, stretch.epoch, load)
        name = names.batch_name(stretch.lane, stretch.epoch, first)
        write_whole(folder / name, packed)
        wanted.add(name)
        done.batches += 1
        done.facts += count
        first += count


def _write_attachment(path: Path, raw: bytes) -> None:
    try:
        same = path.stat().st_size == len(raw)
    except OSError:
        same = False
    if not same:
        write_whole(path, raw)


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Take away our own older files, which the city has or which were written anew."""
    for name in list(plain_names(folder)):
        if name not in wanted:
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def import_from(stick: Path, here: NodeSide, progress: Progress = silent) -> Imported:
    """Apply what the city wrote for this node: acknowledgements, held files, content, in that order."""
    done, folder = Imported(), here.folder(stick, names.IN)
    acks = [name for name in plain_names(folder) if names.is_ack_name(name)]
    for number, name in enumerate(acks, start=1):
        refused = _import_ack(folder / name, here, done)
        done.refused += [f"{name}: {refused}"] if refused else []
        progress("acknowledgements", number, len(acks))
    _import_held(folder / names.HELD, here, done)
    content = folder / names.CONTENT
    if content.is_dir() and not content.is_symlink():
        progress("content", 0, 1)
        _import_content(content, here, done)
    return done


def _import_ack(file: Path, here: NodeSide, done: Imported) -> str:
    """Why an acknowledgement was not believed; empty when it was."""
    raw = read_plain(file, MAX_ACK_BYTES)
    ack = AckProblem("not a plain file") if raw is None else decode_ack(raw, here.city)
    if isinstance(ack, AckProblem):
        return ack.detail
    if ack.node != here.node:
        return f"it is for node {ack.node}"
    try:
        moved = here.outbox.apply_ack(ack)
    except apsw.Error as e:
        return f"it could not be stored: {e}"
    if isinstance(moved, ChainDiffers):
        if moved.is_ahead:
            here.outbox.recover_unacked(ack.lane, ack.epoch, OTHER_FUTURE)
        return moved.detail
    done.facts += moved
    return ""


def _import_held(file: Path, here: NodeSide, done: Imported) -> None:
    raw = read_plain(file, names.MAX_NOTE_BYTES)
    if raw is None:
        return
    held = names.decode_held(raw, here.city, here.inegi, here.node)
    if isinstance(held, names.NoteProblem):
        done.refused.append(f"{file.name}: {held.detail}")
        return
    for waiting in here.uploads.waiting():
        if waiting.sha256 in held:
            here.uploads.held(waiting.sha256)
            done.attachments += 1


def _import_content(folder: Path, here: NodeSide, done: Imported) -> None:
    """Content and the list of technicians beside it: whole, and the list never older than ours."""
    listed = folder / LIST_NAME
    if listed.is_symlink() or (listed.exists() and not listed.is_file()):
        done.refused.append(f"content: {LIST_NAME} is not a plain file")
        return
    tell = done.refused.append
    content = NodeContent(here.data, here.city, here.inegi, here.with_padron, tell)
    result = content.install(folder)
    if isinstance(result, Installed):
        done.content = result.version
    elif isinstance(result, ContentProblem):
        done.refused.append(f"content: {result}")
