"""What a device of the bench is: how to build it, what may be done to it, what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hardware.bench.builders import Place, Watched
from hardware.bench.scenario import Scalar
from municipio.settings import Settings

Kind = type | tuple[str, ...]


class Simulator(Protocol):
    """The far end of a wire. Controls are methods of the object itself."""

    def open(self) -> str: ...

    def close(self) -> None: ...

    def state(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Verb:
    """A control: `call` takes the simulator and the arguments, whose kinds are given."""

    call: Callable[..., object]
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A control on the bench page: a word of this device with its arguments filled in.

    `look` is how it is drawn: plain, coin, note, card, key or trouble.
    """

    label: str
    verb: str
    args: tuple[Scalar, ...] = ()
    look: str = "plain"


@dataclass(frozen=True, slots=True)
class Device:
    """`settings` are what the node needs to use it, with `{port}` for where it is, `{files}` its folder.

    `watch` builds the node's own driver, to look at a device that no program of the node opens:
    always, or only while the setting `taken_by` is off.
    """

    name: str
    label: str
    build: Callable[[Place], Simulator]
    settings: Mapping[str, Scalar]
    verbs: Mapping[str, Verb]
    buttons: tuple[Button, ...]
    watch: Callable[[Settings], Watched] | None = None
    taken_by: str = ""
    form: tuple[str, str, str] | None = None
    """A word with one text of one's own: the word, what to write, and the button."""
    note: str = ""
    """What somebody at the page must know to use it."""
    missing: Callable[[], str] = field(default=lambda: "")
    """What this machine lacks to simulate it; empty when nothing."""


def word(name: str, *kinds: Kind) -> tuple[str, Verb]:
    """A verb that is the simulator's method of the same name."""
    return name, Verb(lambda sim, *args: getattr(sim, name)(*args), kinds)


def money(name: str, method: str) -> tuple[str, Verb]:
    """A verb whose pesos become centavos."""
    return name, Verb(lambda sim, pesos: getattr(sim, method)(round(pesos * 100)), (float,))
