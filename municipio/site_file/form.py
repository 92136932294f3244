"""The keys as one JSON document: what the offline page holds, and what any other form is drawn from."""

from __future__ import annotations

from typing import Any

from municipio.site_file.judge import allowed_words, typed_words
from municipio.site_file.keys import KEYS, SECTIONS
from municipio.site_file.shape import ANY, STORED, Key, Kind
from municipio.site_file.write import HEADER, comment


def spec_document() -> dict[str, Any]:
    """`{"sections", "keys", "header", "any", "stored"}`, in the order of the file."""
    return {
        "sections": [{"name": name, "title": title} for name, title in SECTIONS.items()],
        "keys": [_plain(key) for key in KEYS],
        "header": list(HEADER),
        "any": ANY,
        "stored": STORED,
    }


def _plain(key: Key) -> dict[str, Any]:
    by = key.choices_by
    return {
        "name": key.name,
        "section": key.section,
        "word": key.word,
        "kind": key.kind.value,
        "default": list(key.default) if isinstance(key.default, tuple) else key.default,
        "label": key.label,
        "help": key.help,
        "allowed": allowed_words(key),
        "typed": typed_words(key),
        "comment": comment(key),
        "choices": [list(pair) for pair in key.choices],
        "choices_by": None
        if by is None
        else {"key": by[0], "table": {v: list(usable) for v, usable in by[1]}},
        "low": key.low,
        "high": key.high,
        "max_length": key.max_length,
        "max_bytes": key.max_bytes,
        "pattern": key.pattern,
        "example": key.example,
        "needed": key.is_needed,
        "when": None
        if key.when is None
        else {"key": key.when.key, "values": list(key.when.values)},
        "differs_from": key.differs_from,
        "secret": key.is_secret,
        "rare": key.is_rare,
    }


def typed_value(key: Key, typed: str) -> object:
    """What a person typed, as the kind of value that the key has; left as text where it is none."""
    if key.kind is Kind.LIST:
        return [part.strip() for part in typed.split(",") if part.strip()]
    if key.kind is Kind.NUMBER and typed.isascii() and typed.isdigit() and len(typed) < 9:
        return int(typed)
    if key.kind is Kind.CHOICE and typed.isascii() and typed.isdigit() and typed not in (
        value for value, _ in key.choices
    ):  # fmt: skip
        number = int(typed[:4])
        return key.choices[number - 1][0] if 1 <= number <= len(key.choices) else typed
    if key.kind is Kind.CHOICE and not typed:
        return key.default
    return typed
