"""Opens a list file and streams its lines: plain or gzip, with or without BOM, any line ends.

A list is read whole or not at all: half of a list would be half of a protection that nobody notices.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from captive_portal.filter.lists import (
    MAX_LINE,
    LineParser,
    Refusal,
    Refused,
    Result,
    choose_parser,
)
from captive_portal.filter.policy import Category

MAX_TEXT_BYTES = 4 * 1024**3
HEAD_BYTES = 16 * 1024
_HEADER = re.compile(r"^[#!;]\s*category\s*:\s*([a-z-]+)\s*$", re.IGNORECASE | re.MULTILINE)
_WORDS = re.compile(r"[a-z]+(?:-vpn)?")
_ALIASES = {
    "porn": Category.ADULT, "pornography": Category.ADULT, "nsfw": Category.ADULT,
    "adultos": Category.ADULT, "apuestas": Category.GAMBLING, "doh": Category.DOH_VPN,
    "vpn": Category.DOH_VPN, "drogas": Category.DRUGS, "violencia": Category.VIOLENCE,
}  # fmt: skip


class ListUnreadable(Exception):
    """A list file that cannot be used; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class ListFile:
    path: Path
    category: Category

    @property
    def name(self) -> str:
        return self.path.name


def find_lists(arguments: list[str], otherwise: Category | None = None) -> list[ListFile]:
    """Files named on a command line: `adult=FILE` (or `adult:FILE`), `FILE`, or a folder of them.

    A category that is not written before `=` is looked for in a first line `# category: adult`, then
    in the words of the file's name, then in its folder's name; `otherwise` is for lists that tell none.
    Raises ListUnreadable.
    """
    found: list[ListFile] = []
    for argument in arguments:
        told, path = _told(argument)
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
        else:
            files = [path]
        found += [ListFile(file, told or _guess(file, otherwise)) for file in files]
    return found


def _told(argument: str) -> tuple[Category | None, Path]:
    for mark in "=:":
        before, found, after = argument.partition(mark)
        if found and after and (category := category_of(before)):
            return category, Path(after)
    return None, Path(argument)


def category_of(word: str) -> Category | None:
    """The category that a word names, in English or Spanish."""
    lower = word.strip().lower()
    if lower in _ALIASES:
        return _ALIASES[lower]
    return Category(lower) if lower in list(Category) else None


def _guess(path: Path, otherwise: Category | None) -> Category:
    try:
        with _open(path) as stream:
            head = stream.read(HEAD_BYTES).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as e:
        raise ListUnreadable(f"{path}: {_why(e)}") from None
    if (written := _HEADER.search(head)) is not None:
        category = category_of(written[1])
        if category is None:
            raise ListUnreadable(f"{path}: its category «{written[1]}» is not known")
        return category
    for text in (path.name, path.parent.name):
        named = {c for w in _WORDS.findall(text.lower()) if (c := category_of(w))}
        if len(named) == 1:
            return named.pop()
    if otherwise is not None:
        return otherwise
    raise ListUnreadable(f"{path}: which category? Write CATEGORY={path} ({', '.join(Category)})")


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or "not readable"


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The file's bytes, unpacked when they are gzip (by content, not by name)."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        if packed:
            with gzip.open(stream) as unpacked:
                yield unpacked
        else:
            yield stream


class ListReader:
    """One pass over a list; afterwards `sha256` (of the unpacked text) and `lines` are known."""

    def __init__(self, file: ListFile) -> None:
        self.file = file
        self.lines = 0
        self.sha256 = ""

    def results(self) -> Iterator[Result]:
        """What every line says. Raises ListUnreadable."""
        try:
            with _open(self.file.path) as stream:
                yield from self._read(stream)
        except (OSError, EOFError, zlib.error) as e:
            raise ListUnreadable(f"{self.file.path}: {_why(e)}") from None

    def _read(self, stream: IO[bytes] | gzip.GzipFile) -> Iterator[Result]:
        digest = hashlib.sha256()
        parse: LineParser | None = None
        size, tail = 0, b""
        while block := stream.read(1 << 20):
            size += len(block)
            if size > MAX_TEXT_BYTES:
                raise ListUnreadable(f"{self.file.path}: more than {MAX_TEXT_BYTES} bytes of text")
            digest.update(block)
            if parse is None:
                block = block.removeprefix(b"\xef\xbb\xbf")
                parse = choose_parser(block[:HEAD_BYTES].decode("utf-8", "replace"))
            *lines, tail = (tail + block).splitlines(keepends=True) or [b""]
            if tail.endswith(b"\n"):
                lines, tail = [*lines, tail], b""
            if len(tail) > 1 << 20:
                # A line without an end must not gather in memory; what is kept is refused as too long.
                tail = tail[: 2 * MAX_LINE]
            for line in lines:
                yield from self._line(parse, line)
        if tail and parse is not None:
            yield from self._line(parse, tail)
        self.sha256 = digest.hexdigest()

    def _line(self, parse: LineParser, raw: bytes) -> tuple[Result, ...]:
        self.lines += 1
        if len(raw) > MAX_LINE:
            return (Refused(Refusal.LINE_TOO_LONG, raw[:60].decode("utf-8", "replace")),)
        return parse(raw.decode("utf-8", "replace").rstrip("\r\n"))
