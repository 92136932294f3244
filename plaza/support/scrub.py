"""Taking out of a text what a help bundle must not hold. Pure.

Rule of this boundary: a word of a log is kept only when our own programs could have written it, that is,
when it stands in their source or among the words of systemd and the kernel (`system_words.txt`); a name
of a person is in neither. What identifies a device,
an address, a case or a key is taken out by its shape, also inside words that are kept. Short numbers stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

GONE = "·"
"""Stands where something was."""

_SHAPES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)",
        r"AGE-SECRET-KEY-[A-Z0-9]+",
        r"\b(?:[0-9a-f]{2}[:-]){5,}[0-9a-f]{2}\b",  # hardware addresses
        r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?\b",
        r"(?<![\w:])(?=[0-9a-f:]*[a-f:]{2})(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:/\d+)?(?![\w:])",
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"\b[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d\b",  # CURP
        r"\b[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}\b",  # RFC
        r"\b[A-Z]{3}\d{3}-[PRAV]\d+-\d+-[0-9A-Z]\b",  # folios
        r"\b[0-9a-f]{12,}\b",
        r"\d{7,}",
        r"(?:\d[ -]?){9,}\d",  # telephones, claves, cards
        r"[A-Za-z0-9+/_=-]{24,}",  # keys and tokens
    )
)
_WORD = re.compile(r"[^\W\d_]{2,}")


def by_shape(text: str) -> str:
    """Without addresses, keys, long numbers and identifiers."""
    for shape in _SHAPES:
        text = shape.sub(GONE, text)
    return text


def by_word(text: str, known: Collection[str]) -> str:
    """Without the words that are not known."""
    return _WORD.sub(lambda found: found[0] if found[0] in known else GONE, text)


def scrub(text: str, known: Collection[str]) -> str:
    return by_word(by_shape(text), known)


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Every word of some sources, as it is written there."""
    return frozenset(word for text in texts for word in _WORD.findall(text))


def plain_of(document: Any) -> Any:
    """The same JSON document with every text in it scrubbed by shape; numbers are figures and stay."""
    if isinstance(document, str):
        return by_shape(document)
    if isinstance(document, Mapping):
        return {name: plain_of(value) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [plain_of(value) for value in document]
    return document
