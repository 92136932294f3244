"""Keyed hashes of facts, and the witness of how far each chain had come: what a chain cannot say itself.

A hash chain shows a change by the fact that follows it. The last fact has none, and until the city
acknowledges it nobody else knows it. So each fact row carries a keyed hash (BLAKE2b, RFC 7693) under a
key that lies beside the ledger and not in it, and after each commit the head of the chain is noted in a
small file of its own, the witness, also keyed. From that follows:

- a fact that was changed in the file, by a failing card or by hand, does not fit its seal;
- a head that the witness knows and the ledger does not was lost after it had been promised: the card
  said "written" and it was not, or somebody put an older file in place.

Whoever holds the whole card and the key can forge both; nothing on the card can change that. The
witness is written without a sync, so it may be behind the ledger, and then it says nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import secrets
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from sync.sharing import make_folder, open_shared
from sync.whole_file import fsync

KEY_BYTES = 32
SEAL_BYTES = 16
_SLOT = struct.Struct("<QQ32s16s")
_SEALED = struct.Struct("<BQQ32s")
"""What the keyed hash in a slot covers: the lane, then the slot without it."""
_SLOT_BYTES = 64
_SLOTS = 4
"""Places per lane, used in turn: a torn write costs one of them."""
_LANES = 4
_SIZE = 4096


class Head(NamedTuple):
    """How far a chain of an epoch has come; `hash` are the 32 raw bytes of the last fact's hash."""

    epoch: int
    seq: int
    hash: bytes


class Witness(Protocol):
    """Remembers heads outside the ledger."""

    def note(self, lane: int, head: Head) -> None: ...

    def heads(self) -> Mapping[int, Head]: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


def seal_of(key: bytes, fact_hash: str) -> bytes:
    """Keyed hash of a fact, by its own hash; place and predecessor are inside the fact."""
    return hashlib.blake2b(fact_hash.encode(), key=key, digest_size=SEAL_BYTES).digest()


class FileWitness:
    """The witness as a mapped file of one page; programs of the node share it.

    Mapped, because a write call would dirty the file's times with each fact, which costs as much as the
    fact. Its block is written out first: on a file system that changes in place (ext4, tmpfs) a page
    that has its block can always be written, also when the disk is full.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        handle = open_shared(path, os.O_RDWR | os.O_CREAT)
        try:
            if os.fstat(handle).st_size != _SIZE:
                os.ftruncate(handle, 0)
                os.pwrite(handle, bytes(_SIZE), 0)
                os.fsync(handle)
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)

    def note(self, lane: int, head: Head) -> None:
        offset = (lane * _SLOTS + head.seq % _SLOTS) * _SLOT_BYTES
        packed = pack_head(self._key, lane, head)
        self._map[offset : offset + len(packed)] = packed

    def heads(self) -> Mapping[int, Head]:
        return read_heads(self._key, self._map[:])

    def sync(self) -> None:
        """Put it on disk now."""
        with contextlib.suppress(OSError):
            self._map.flush()

    def close(self) -> None:
        self._map.close()


def pack_head(key: bytes, lane: int, head: Head) -> bytes:
    """One slot: epoch, seq, hash, keyed hash of them."""
    body = _SEALED.pack(lane, head.epoch, head.seq, head.hash)
    return body[1:] + hashlib.blake2b(body, key=key, digest_size=SEAL_BYTES).digest()


def read_heads(key: bytes, page: bytes) -> dict[int, Head]:
    """The newest head of each lane that carries our seal; anything else in the file says nothing."""
    found: dict[int, Head] = {}
    for index in range(_LANES * _SLOTS):
        raw = page[index * _SLOT_BYTES : (index + 1) * _SLOT_BYTES]
        if len(raw) < _SLOT.size:
            continue
        lane, head = index // _SLOTS, Head(*_SLOT.unpack(raw[: _SLOT.size])[:3])
        if raw[: _SLOT.size] != pack_head(key, lane, head):
            continue
        known = found.get(lane)
        if known is None or (head.epoch, head.seq) > (known.epoch, known.seq):
            found[lane] = head
    return found


def key_file(ledger: Path) -> Path:
    """Where the key of a ledger is: with the node's other keys."""
    return ledger.parent / "keys" / "ledger.key"


def witness_file(ledger: Path) -> Path:
    return ledger.with_name("witness")


def read_key(path: Path) -> bytes | None:
    """The key, None when there is none that can be used."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return raw if len(raw) == KEY_BYTES else None


def coming_key(path: Path) -> bytes | None:
    """The key that will be this ledger's once its facts are sealed (`settle_key`); the same for everyone.

    None when another program has settled it at this very moment: look for the key again.
    """
    make_folder(path.parent)
    coming = path.with_suffix(".new")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    if read_key(coming) is None:
        handle = open_shared(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, coming)
        except FileExistsError:
            if read_key(coming) is None:
                part.replace(coming)
        part.unlink(missing_ok=True)
    return read_key(coming)


def settle_key(path: Path) -> None:
    """Everything is sealed with the coming key: from now on a missing seal is damage."""
    path.with_suffix(".new").replace(path)
    fsync(path.parent)
