"""What a key of `plaza.toml` is, as data: the same rules judge a file, draw a form and write a page.

Every rule is data and none is a function, so that the offline page can hold them as JSON and judge by
them exactly as a node does. A pattern is written in what Python and JavaScript read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

Value = str | int | bool | tuple[str, ...]

STORED = "(guardado en el nodo)"
"""What stands in a secret's place once the node holds it: not empty, and of no use to a thief."""

ANY = "*"
"""In a condition: any value but an empty one."""


class Kind(StrEnum):
    TEXT = "text"
    BLOCK = "block"
    """Text of several lines, such as a certificate."""
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"
    """Some of the choices, in an order that means something."""


@dataclass(frozen=True, slots=True)
class When:
    """True while `key` has one of `values` (or, for `ANY`, any value but an empty one)."""

    key: str
    values: tuple[str, ...]

    def holds(self, values: Mapping[str, Value]) -> bool:
        value = values.get(self.key, "")
        return not is_empty(value) if self.values == (ANY,) else value in self.values


@dataclass(frozen=True, slots=True)
class Key:
    """`name` is `section.key`; `allowed` says in Spanish what may stand there; sizes in characters."""

    name: str
    kind: Kind
    default: Value
    label: str
    help: str
    allowed: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, what it means) in the order that a form shows them."""
    choices_by: tuple[str, tuple[tuple[str, tuple[int, ...]], ...]] | None = None
    """Another key, and the numbers that each of its values allows."""
    low: int = 0
    high: int = 0
    max_length: int = 120
    max_bytes: int = 0
    pattern: str = ""
    example: str = ""
    is_needed: bool = False
    """Must be said (while `when` holds)."""
    when: When | None = None
    differs_from: str = ""
    is_secret: bool = False
    is_rare: bool = False
    """Most sites leave it as it is: a form hides it and `plaza site new` does not ask."""

    @property
    def section(self) -> str:
        return self.name.partition(".")[0]

    @property
    def word(self) -> str:
        return self.name.partition(".")[2]

    def applies(self, values: Mapping[str, Value]) -> bool:
        return self.when is None or self.when.holds(values)


def shown(name: str) -> str:
    """A key as a person finds it in the file."""
    section, _, word = name.partition(".")
    return f"«{word}» de [{section}]" if word else f"«{section}»"


def is_empty(value: Value) -> bool:
    """What counts as not said."""
    return value in ("", (), "none", 0) and value is not False


NOTHING: Mapping[str, Value] = MappingProxyType({})
