"""Sealed files on their way to the city: put on disk first, named by a fact, erased once the city has them.

One file per attachment, `DATA/attachments/<sha256>`, its name the SHA-256 of its bytes, so that a
damaged file is known and the same file twice is one. Which of them are wanted is in the ledger, written
in the transaction of the fact that names them (`sync.rows`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from municipio.usecases.ports import AttachmentRef, NotStored, NotStoredCause
from municipio.wire.attachment import MAX_ATTACHMENT_BYTES, is_sha256
from sync.sharing import make_folder, open_shared
from sync.whole_file import fsync

MAX_ATTACHMENTS_PER_FACT = 8
FOLDER_BYTES = 512 * 1024 * 1024
"""Room for attachments that wait; a node off line for weeks stops taking photos before it is full."""
FREE_BYTES = 64 * 1024 * 1024
"""Left free on the disk for payments and reports, which go first."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,40}/[a-z0-9][a-z0-9.+-]{0,60}")


class AttachmentStore:
    """Implements `municipio.usecases.ports.Attachments` on a folder. May be shared by programs."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = MAX_ATTACHMENT_BYTES,
        folder_bytes: int = FOLDER_BYTES,
        free_bytes: int = FREE_BYTES,
    ) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._folder_bytes = folder_bytes
        self._free_bytes = free_bytes
        self._orphans: set[str] = set()

    def put(self, sealed: bytes, media_type: str) -> AttachmentRef | NotStored:
        """Store sealed bytes; returns after file and folder are on disk.

        `media_type` is that of the content inside (`image/jpeg`); ValueError when it is not one, or
        for no bytes at all (a programmer's error).
        """
        if not _MEDIA_TYPE.fullmatch(media_type) or not sealed:
            raise ValueError("an attachment has bytes and a media type")
        if len(sealed) > self._max_bytes:
            detail = f"{len(sealed)} bytes, at most {self._max_bytes}"
            return NotStored(NotStoredCause.TOO_LARGE, detail)
        ref = AttachmentRef(hashlib.sha256(sealed).hexdigest(), len(sealed), media_type)
        try:
            if self._is_full(len(sealed)):
                return NotStored(NotStoredCause.FULL, "no room left for attachments")
            self._write(self.folder / ref.sha256, sealed)
        except OSError as e:
            return NotStored(NotStoredCause.FAILED, str(e))
        return ref

    def read(self, sha256: str) -> bytes | None:
        """The whole file, None when it is not there or its bytes are not those of its name."""
        try:
            raw = (self.folder / sha256).read_bytes()
        except OSError:
            return None
        return raw if hashlib.sha256(raw).hexdigest() == sha256 else None

    def erase(self, sha256: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / sha256).unlink()

    def sweep(self, wanted: set[str]) -> int:
        """Erase files that are not wanted now and were not at the last sweep either; how many.

        Two sweeps, because a file is put before the fact that names it is recorded.
        """
        with contextlib.suppress(FileNotFoundError):
            found = {path.name for path in self.folder.iterdir()} - wanted
            gone = found & self._orphans
            for name in gone:
                self.erase(name)
            self._orphans = found - gone
            return len(gone)
        return 0

    def _is_full(self, size: int) -> bool:
        make_folder(self.folder)
        held = sum(entry.stat().st_size for entry in os.scandir(self.folder))
        stat = os.statvfs(self.folder)
        free = stat.f_bavail * stat.f_frsize
        return held + size > self._folder_bytes or free - size < self._free_bytes

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(f".{path.name}.{os.getpid()}")
        handle = open_shared(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        fsync(self.folder)


def named_attachments(data: Mapping[str, Any]) -> tuple[AttachmentRef, ...]:
    """The attachments that a fact's data names. ValueError for a list that is not one of ours."""
    listed = data.get("attachments", [])
    if not isinstance(listed, list) or len(listed) > MAX_ATTACHMENTS_PER_FACT:
        raise ValueError(f"attachments is a list of at most {MAX_ATTACHMENTS_PER_FACT}")
    return tuple(_ref(item) for item in listed)


def _ref(item: Any) -> AttachmentRef:
    if not isinstance(item, dict) or set(item) != {"sha256", "bytes", "media_type"}:
        raise ValueError("an attachment has sha256, bytes and media_type")
    sha256, size, media_type = item["sha256"], item["bytes"], item["media_type"]
    if not isinstance(sha256, str) or not is_sha256(sha256):
        raise ValueError("sha256 is 64 lower-case hex digits")
    if type(size) is not int or not 0 < size <= MAX_ATTACHMENT_BYTES:
        raise ValueError("bytes of an attachment are out of range")
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError("media_type is not a media type")
    return AttachmentRef(sha256, size, media_type)
