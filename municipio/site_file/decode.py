"""From bytes that a Windows editor saved to text: marks, UTF-16, ANSI, line ends; nothing guessed twice."""

from __future__ import annotations

import re
from dataclasses import dataclass

from municipio.site_file.fault import SiteFault

MAX_BYTES = 64 * 1024
MAX_TEXT = 32 * 1024
MAX_LINE = 4096
"""TOML parsers take time by the square of a dotted key's length; no honest line is near this."""

_ANSI = "cp1252"
"""What the Notepad before Windows 10 of 2019 calls ANSI in Mexico, and saves as unless told otherwise."""
_NO_ANSI = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
"""A letter of UTF-8 says that the file is UTF-8 and damaged; a control byte, that it is no text."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a file was saved, so that it can be written back the same way."""

    mark: bytes
    encoding: str
    is_crlf: bool

    def encode(self, text: str) -> bytes:
        """The bytes; with a mark and in UTF-8 where a letter has no place in what the file was saved in."""
        lines = text.replace("\r\n", "\n")
        lines = lines.replace("\n", "\r\n") if self.is_crlf else lines
        try:
            return self.mark + lines.encode(self.encoding)
        except UnicodeEncodeError:
            return lines.encode("utf-8-sig")


def decode(raw: bytes) -> tuple[str, Spelling] | SiteFault:
    """The text with plain line feeds, and how it was spelled."""
    if len(raw) > MAX_BYTES:
        return SiteFault(f"el archivo tiene más de {MAX_BYTES // 1024} KiB: no es un plaza.toml")
    mark, encoding = next(((m, e) for m, e in _MARKS if raw.startswith(m)), (b"", _unmarked(raw)))
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as bad:
        if not mark and encoding == "utf-8" and _is_ansi(raw):
            return _whole(raw.decode(_ANSI), b"", _ANSI)
        line = raw[: bad.start].count(b"\n") + 1
        return SiteFault(
            "hay una letra que no está en UTF-8 (vuelva a guardar el archivo con «Codificación: UTF-8»)",
            line=line,
        )
    return _whole(text, mark, encoding)


def _whole(text: str, mark: bytes, encoding: str) -> tuple[str, Spelling] | SiteFault:
    spelling = Spelling(mark, encoding, "\r\n" in text)
    text = text.replace("\r\n", "\n")
    if len(text) > MAX_TEXT:
        return SiteFault(f"el archivo tiene más de {MAX_TEXT} letras: no es un plaza.toml")
    for number, line_text in enumerate(text.split("\n"), 1):
        if len(line_text) > MAX_LINE:
            return SiteFault(f"esta línea tiene más de {MAX_LINE} letras", line=number)
    return text, spelling


def _unmarked(raw: bytes) -> str:
    """UTF-16 without a mark shows itself: every other byte of the first plain letters is zero."""
    head = raw[:64]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) > len(head) // 4:
        return "utf-16-be"
    return "utf-8"


def _is_ansi(raw: bytes) -> bool:
    """Whether bytes that are no UTF-8 are a whole text of one byte a letter."""
    try:
        raw.decode(_ANSI)
    except UnicodeDecodeError:
        return False
    return not _NO_ANSI.search(raw)
