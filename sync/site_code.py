"""The site code on disk: each try is stored, fsynced, before it is judged."""

from __future__ import annotations

from enum import StrEnum

from municipio.site_code import MAX_NOTE_BYTES, counted, judged, may_try
from sync.allow_list import list_file
from sync.datadir import DataDir
from sync.stick_files import read_plain
from sync.whole_file import keep_file

CODE_NAME = "site-code.json"


class CodeAnswer(StrEnum):
    OPENED = "opened"
    WRONG = "wrong"
    CLOSED = "closed"
    """No code, one that was used, too many tries, or the city's list is here."""
    NOT_STORED = "not_stored"
    """The disk would not take the count of the try: nothing opens."""


class SiteCode:
    """The code of one node. Every question reads the disk: another program may have used it."""

    def __init__(self, data: DataDir) -> None:
        self._file = data.node_key.with_name(CODE_NAME)
        self._list = list_file(data)

    def may_open(self) -> bool:
        raw = read_plain(self._file, MAX_NOTE_BYTES)
        return raw is not None and not self._list.exists() and may_try(raw)

    def try_code(self, code: str) -> CodeAnswer:
        raw = read_plain(self._file, MAX_NOTE_BYTES)
        if raw is None or self._list.exists():
            return CodeAnswer.CLOSED
        before = counted(raw)
        if before is None:
            return CodeAnswer.CLOSED
        if not self._store(before):
            return CodeAnswer.NOT_STORED
        tried = judged(before, code)
        if tried.opens and not self._store(tried.note):
            return CodeAnswer.NOT_STORED
        return CodeAnswer.OPENED if tried.opens else CodeAnswer.WRONG

    def _store(self, raw: bytes) -> bool:
        try:
            keep_file(self._file, raw)
        except OSError:
            return False
        return True
