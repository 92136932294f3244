"""A scenario as values: what is done to an installation, in which order, and what must be seen.

The order is what matters; `at_s` says only when a step may happen at the earliest, in seconds of the
scenario's own time. A step does at most one thing and may first say what is about to happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Scalar = str | int | float | bool

NETWORK = ("cut", "restore", "login_page")
"""The uplink: no cable; a whole one; a cable that ends at somebody's login page."""
PROGRAM = ("kill", "start", "restart")
NODE = ("power_cut", "power_up")

DEFAULT_WITHIN_S = 12.0
DEFAULT_DEVICES = ("printer", "terminal")


@dataclass(frozen=True, slots=True)
class DeviceDoes:
    """A control of a simulated device, one of its verbs."""

    device: str
    verb: str
    args: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkDoes:
    verb: Literal["cut", "restore", "login_page"]


@dataclass(frozen=True, slots=True)
class KioskDoes:
    """The kiosk's program: `kill` is a crash, without a goodbye."""

    verb: Literal["kill", "start", "restart"]


@dataclass(frozen=True, slots=True)
class NodeDoes:
    """Every program of the node at once, as the mains do it. The devices keep their own state."""

    verb: Literal["power_cut", "power_up"]


@dataclass(frozen=True, slots=True)
class Tap:
    """A finger on a target; `until` names screens, and it is touched again until one is up."""

    target: str
    until: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeText:
    """On whichever keypad or keyboard the screen shows."""

    text: str


@dataclass(frozen=True, slots=True)
class AskDebt:
    """A person looks up what a property owes, from the first screen to the ways to pay."""

    clave: str


@dataclass(frozen=True, slots=True)
class PayByCard:
    """From the ways to pay: chooses the card, confirms, and waits until the terminal asks for it."""


@dataclass(frozen=True, slots=True)
class PayInCash:
    """From the ways to pay: chooses cash, confirms, and waits until the kiosk takes money."""


@dataclass(frozen=True, slots=True)
class PutMoney:
    """Puts in, piece by piece, what the kiosk still asks for; with `but`, all except so many pesos."""

    but: float = 0.0


@dataclass(frozen=True, slots=True)
class CountMoney:
    """Takes the money out of the boxes, counts it, and types the sum on the keypad of the screen."""


@dataclass(frozen=True, slots=True)
class Seek:
    """With headphones on: goes on with the tactile key until the voice says this."""

    words: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor's phone on the portal: accepts the terms, or sends `reports` reports."""

    accepts: bool = False
    reports: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing happens for so long, in seconds of scenario time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Expect:
    """What must become true together. Empty fields ask nothing; lists of text mean any of them."""

    screen: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    no_text: str = ""
    offered: str = ""
    """A target that can be touched now."""
    refused: str = ""
    """A target that is missing or cannot be touched now."""
    fact: str = ""
    times: int | None = None
    at_city: bool = False
    """Count the fact as the city stored it, not in the node's own journal."""
    papers: int | None = None
    paper_says: str = ""
    """In the newest whole paper."""
    approved: int | None = None
    """Charges that the bank approved, whatever the kiosk believes."""
    waiting: int | None = None
    """Facts that the city has not acknowledged."""
    heard: tuple[str, ...] = ()
    """In what the voice said since the last step that was done; any of them."""
    silent: bool = False
    """The voice said nothing since then."""
    returned: float | None = None
    """Pesos that came back to the hand of who put them in, all together."""
    sees: tuple[tuple[str, str], ...] = ()
    """Device to the state or cause that the node's own driver must report."""
    holds_s: float = 0.0
    """It must stay true for so many real seconds."""


ByPerson = Tap | TypeText | AskDebt | PayByCard | PayInCash | PutMoney | CountMoney | Seek | Visit
"""What somebody does who stands before the kiosk, or near it."""

Doing = DeviceDoes | NetworkDoes | KioskDoes | NodeDoes | ByPerson | Wait | Expect | None


@dataclass(frozen=True, slots=True)
class Step:
    """`turn` asks the person in training to do it; `within_s` is the patience, in real seconds."""

    line: int
    at_s: float | None = None
    say: str = ""
    turn: str = ""
    within_s: float = DEFAULT_WITHIN_S
    doing: Doing = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`pace`: seconds of scenario time that pass in a real second when nobody watches."""

    name: str
    title: str
    summary: str
    steps: tuple[Step, ...]
    learn: tuple[str, ...] = ()
    devices: tuple[str, ...] = DEFAULT_DEVICES
    clock: Literal["sure", "unsure"] = "sure"
    settings: tuple[tuple[str, Scalar], ...] = ()
    pace: float = 40.0


def patient(scenario: Scenario, factor: float) -> Scenario:
    """The same on a slower machine: what may take a while may take `factor` times as long."""
    steps = tuple(replace(s, within_s=s.within_s * factor) for s in scenario.steps)
    return replace(scenario, steps=steps)


@dataclass(frozen=True, slots=True)
class ScenarioProblem:
    """A scenario that cannot be played. `line` counts from 1; 0 when it is about the whole file."""

    file: str
    line: int
    text: str
    step: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {f'paso {self.step}: ' if self.step else ''}{self.text}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a scenario may name: each device's verbs with the kind of each argument, and settings.

    A kind is `str`, `int`, `float`, or a tuple of the only words allowed.
    """

    verbs: dict[str, dict[str, tuple[type | tuple[str, ...], ...]]] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
