"""Receipt lines to rows of characters: wrapping, pairs and boxes. Knows columns, no bytes."""

from __future__ import annotations


def wrap(text: str, columns: int, *, hanging: int = 0) -> list[str]:
    """Break at spaces; a word longer than the paper is broken, never lost.

    `hanging` indents every row after the first. An empty text is one empty row.
    """
    assert columns > hanging >= 0, "no room for text"
    rows: list[str] = []
    row = ""
    for word in text.split():
        room = columns - (hanging if rows else 0)
        if row and len(row) + 1 + len(word) <= room:
            row = f"{row} {word}"
            continue
        if row:
            rows.append(row)
            room = columns - hanging
        while len(word) > room:
            rows.append(word[:room])
            word, room = word[room:], columns - hanging
        row = word
    rows.append(row)
    return [r if i == 0 else " " * hanging + r for i, r in enumerate(rows) if r or len(rows) == 1]


def balanced(text: str, columns: int) -> list[str]:
    """Wrapped to as few rows as `wrap` needs, but of like length: no last word alone."""
    rows = wrap(text, columns)
    for narrower in range(columns - 1, columns // 2, -1):
        tried = wrap(text, narrower)
        if len(tried) > len(rows):
            break
        rows = tried
    return rows


def pair(label: str, value: str, columns: int) -> list[str]:
    """Label at the left, value at the right of the last row. The value is never cut.

    The label wraps beside the value while it keeps a third of the width; else the value gets rows
    of its own.
    """
    label, value = " ".join(label.split()), " ".join(value.split())
    if len(label) + 1 + len(value) <= columns:
        return [label + value.rjust(columns - len(label))]
    room = columns - len(value) - 1
    if room >= columns // 3:
        *before, last = balanced(label, room)
        return [*before, last + value.rjust(columns - len(last))]
    return [*wrap(label, columns), *(row.rjust(columns) for row in wrap(value, columns))]


def check(text: str, detail: str, columns: int) -> list[str]:
    """An empty box, the text beside it, and its detail below, aligned with the text."""
    rows = wrap(f"[ ] {text}", columns, hanging=4)
    if detail.strip():
        rows += ["    " + row for row in wrap(detail, columns - 4)]
    return rows
