"""Host names as the filter knows them: lower case, ASCII, without the last dot. No I/O.

A list, a person or a URL may spell a name in many ways; there is one form inside (RFC 1034 3.1 lengths,
RFC 5891 A-labels), and whatever has none is a `NameProblem` with a reason for the report.
"""

from __future__ import annotations

import re
from enum import StrEnum

import idna

MAX_NAME = 253
MAX_LABEL = 63
_NAME = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_ADDRESS = re.compile(r"[0-9.]+|\[?[0-9a-f]*:[0-9a-f:.]*\]?")
_LENGTHS = tuple(bytes((n,)) for n in range(MAX_LABEL + 1))
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_REGISTRY = re.compile(r"(?:com|co|org|or|net|ne|edu|gob|gov|go|mil|nom|ac|ind|web)\.[a-z]{2}")
"""Second-level registries such as `com.mx`: whole countries hang below them."""


class NameProblem(StrEnum):
    """Why a text is not a name that can be filtered."""

    EMPTY = "empty"
    TOO_LONG = "longer than a name can be"
    ADDRESS = "an address, not a name"
    NOT_A_NAME = "not a host name"
    TOO_BROAD = "covers a whole top-level domain or registry"


def parse_name(text: str, *, broad: bool = False) -> str | NameProblem:
    """The one inner form of a name, or why there is none. Single labels are too broad to filter.

    `broad` also takes registries such as `gob.mx`: they may be allowed, never blocked.
    """
    name = text.strip().rstrip(".").lower()
    if _NAME.fullmatch(name) and len(name) <= MAX_NAME:
        # Nearly every name of a list ends here; what follows is for the odd ones.
        return NameProblem.TOO_BROAD if not broad and _REGISTRY.fullmatch(name) else name
    return _unusual(name, broad)


def _unusual(name: str, broad: bool) -> str | NameProblem:
    if not name:
        return NameProblem.EMPTY
    if len(name) > 4 * MAX_NAME:
        return NameProblem.TOO_LONG
    if _ADDRESS.fullmatch(name):
        return NameProblem.ADDRESS
    if not name.isascii():
        name = _to_ascii(name)
    if len(name) > MAX_NAME or any(len(label) > MAX_LABEL for label in name.split(".")):
        return NameProblem.TOO_LONG
    if re.fullmatch(r"[a-z][a-z0-9-]*", name) or (not broad and _REGISTRY.fullmatch(name)):
        return NameProblem.TOO_BROAD
    return name if _NAME.fullmatch(name) else NameProblem.NOT_A_NAME


def _to_ascii(name: str) -> str:
    """A-labels of an international name; empty when IDNA 2008 (UTS 46 mapping) has none."""
    labels = []
    for label in name.translate(_DOTS).split("."):
        try:
            mapped = idna.uts46_remap(label, std3_rules=False, transitional=False)
            labels.append(mapped if mapped.isascii() else idna.alabel(mapped).decode("ascii"))
        except (idna.IDNAError, UnicodeError):
            return ""
    return ".".join(labels)


def wire(name: str) -> bytes:
    """A name of `parse_name` in DNS wire format (RFC 1035 3.1)."""
    labels = name.encode("ascii").split(b".")
    return b"".join([_LENGTHS[len(p)] + p for p in labels]) + b"\0"


def parents(name: str) -> list[str]:
    """The name itself and every parent with at least two labels, longest first."""
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(len(labels) - 1)]


def is_within(name: str, parent: str) -> bool:
    """True for the parent itself and everything below it."""
    return name == parent or name.endswith("." + parent)
