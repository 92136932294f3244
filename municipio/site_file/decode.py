"""From the bytes that a Windows editor saved to text: marks, UTF-16 and line ends, nothing guessed twice."""

from __future__ import annotations

from dataclasses import dataclass

from municipio.site_file.fault import SiteFault

MAX_BYTES = 64 * 1024
MAX_TEXT = 32 * 1024
MAX_LINE = 4096
"""TOML parsers take time by the square of a dotted key's length; no honest line is near this."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a file was saved, so that it can be written back the same way."""

    mark: bytes
    encoding: str
    is_crlf: bool

    def encode(self, text: str) -> bytes:
        lines = text.replace("\r\n", "\n")
        return self.mark + (lines.replace("\n", "\r\n") if self.is_crlf else lines).encode(
            self.encoding
        )


def decode(raw: bytes) -> tuple[str, Spelling] | SiteFault:
    """The text with plain line feeds, and how it was spelled."""
    if len(raw) > MAX_BYTES:
        return SiteFault(f"el archivo tiene más de {MAX_BYTES // 1024} KiB: no es un plaza.toml")
    mark, encoding = next(((m, e) for m, e in _MARKS if raw.startswith(m)), (b"", _unmarked(raw)))
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as bad:
        line = raw[: bad.start].count(b"\n") + 1
        return SiteFault(
            "hay una letra que no está en UTF-8 (vuelva a guardar el archivo con «Codificación: UTF-8»)",
            line=line,
        )
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
