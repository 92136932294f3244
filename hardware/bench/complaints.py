"""How a scenario that cannot be understood is told: in a technician's words, with the nearest known one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

_KINDS = {
    "str": "texto (escríbalo entre comillas)", "int": "un número entero", "float": "un número",
    "bool": "true o false", "array": "una lista", "object": "un bloque", "null": "nada",
}  # fmt: skip


class Wrong(Exception):
    """A step that cannot be understood: at which key, and why in a technician's words."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        self.text = text


def nearest(word: str, known: Collection[str], what: str = "clave") -> str:
    """What to tell about a word that nobody knows."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.4)
    tail = f"; ¿quiso decir «{close[0]}»?" if close else f"; hay: {', '.join(sorted(known)[:12])}"
    return f"no hay {what} «{word}»{tail}"


def say_wrong(text: str) -> str:
    """msgspec's message in a technician's words."""
    key = path_key(text)
    head = f"«{key}»: " if key else ""
    if found := re.match(r"Expected `([^`]+)`, got `([^`]+)`", text):
        wanted = " o ".join(_KINDS.get(w.strip(), w.strip()) for w in found[1].split("|"))
        return f"{head}se esperaba {wanted}, no {_KINDS.get(found[2], found[2]).split(' (')[0]}"
    if found := re.match(r"Object missing required field `([^`]+)`", text):
        return f"{head}falta «{found[1]}»"
    if found := re.match(r"Invalid enum value '?([^']+)'?", text):
        return f"{head}«{found[1]}» no es uno de los valores que se admiten"
    return f"{head}{text}"


def path_key(text: str) -> str:
    """The first key of the place that msgspec names, or nothing."""
    found = re.search(r"at `\$\.([a-z_]+)", text)
    return found[1] if found else ""
