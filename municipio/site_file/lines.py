"""On which line a key stands, however TOML lets it be written (dotted, quoted, in an inline table).

No TOML reader for Python tells positions. tomlkit keeps a whole document: marks are put in the values'
places, the document is written out once, and the lines before each mark are counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

_TROUBLE = (TOMLKitError, KeyError, TypeError, AttributeError, ValueError, RecursionError)

Path = tuple[str, ...]


def lines_of(text: str, paths: Sequence[Path]) -> dict[Path, int]:
    """The line of each key or section, from 1; 0 when it cannot be found."""
    try:
        document: Any = tomlkit.parse(text)
        marked = [path for n, path in enumerate(paths) if _put_mark(document, path, n)]
        written = tomlkit.dumps(document) if marked else ""
    except _TROUBLE:
        marked, written = [], ""
    found = {path: _line_of_mark(written, n) for n, path in enumerate(paths) if path in marked}
    return {path: found.get(path, 0) or _head(text, path) for path in paths}


def _put_mark(document: Any, path: Path, number: int) -> bool:
    try:
        holder = document
        for part in path[:-1]:
            holder = holder[part]
        if isinstance(holder[path[-1]], Table):
            return False
        holder[path[-1]] = _mark(number)
    except _TROUBLE:
        return False
    return True


def _mark(number: int) -> str:
    return f"plaza-here-7f3a-{number}-"


def _line_of_mark(written: str, number: int) -> int:
    at = written.find(_mark(number))
    return written.count("\n", 0, at) + 1 if at >= 0 else 0


def _head(text: str, path: Path) -> int:
    """Of `[section]`, or of the line that begins with it, as a person would look for it."""
    dotted = re.escape(".".join(path))
    lines = text.split("\n")
    for pattern in (rf"\s*\[+\s*{dotted}\s*\]", rf"\s*[\"']?{re.escape(path[0])}[\"']?\s*[.=]"):
        for number, line in enumerate(lines, 1):
            if re.match(pattern, line):
                return number
    return 0
