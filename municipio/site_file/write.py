"""Writing `plaza.toml`: a whole commented file from values, and an existing one with its secrets blanked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from municipio.site_file.judge import allowed_words
from municipio.site_file.keys import KEYS, SECTIONS
from municipio.site_file.shape import STORED, Key, Kind, Value

HEADER = (
    "# plaza.toml: lo que este nodo debe saber de su lugar.",
    "# Se edita con el Bloc de notas. Lo que sigue a un # es un comentario.",
    "# Las contraseñas se guardan en el nodo y se borran de este archivo al encender.",
)


def write_site_file(values: Mapping[str, Value]) -> str:
    """The file with every key that applies, each explained; what is not said has its default.

    Keys that do not apply to these values are left out, so that the file is as long as the site needs.
    """
    full = settled(values)
    lines = list(HEADER)
    for section, title in SECTIONS.items():
        keys = [k for k in KEYS if k.section == section and k.applies(full)]
        if keys:
            lines += ["", f"# --- {title}", f"[{section}]"]
            for key in keys:
                lines += [f"# {line}" for line in comment(key)]
                lines.append(f"{key.word} = {toml_value(key, full[key.name])}")
    return "\n".join(lines) + "\n"


def settled(values: Mapping[str, Value]) -> dict[str, Value]:
    """Every key; one that does not apply has its default, and so hides what hangs on it."""
    full = {key.name: key.default for key in KEYS} | dict(values)
    for key in KEYS:
        if not key.applies(full):
            full[key.name] = key.default
    return full


def comment(key: Key) -> list[str]:
    """One or two lines that stand above a key."""
    must = " Obligatorio." if key.is_needed else ""
    allowed = allowed_words(key)
    return [f"{key.label}. {key.help}{must}", *([f"  {allowed}"] if allowed else [])]


def toml_value(key: Key, value: Value) -> str:
    """A JSON string without escapes beyond TOML's own is a TOML string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_quoted(v) for v in value)}]"
    if isinstance(value, int):
        return str(value)
    if key.kind is Kind.BLOCK and value and "'''" not in value:
        return f"'''\n{value.strip()}\n'''"
    return _quoted(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def blank_secrets(text: str, secrets: Iterable[str]) -> str | None:
    """The same file, comments and order kept, with these keys saying `STORED`; None when it cannot."""
    try:
        document: Any = tomlkit.parse(text)
        for name in secrets:
            section, _, word = name.partition(".")
            if document.get(section, {}).get(word):
                document[section][word] = STORED
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return None
