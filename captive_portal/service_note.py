"""Today's hours of service, when the battery limits them: a note that the node's energy program writes.

`DATA/run/service.json`: `{"since":"07:00","until":"19:00","boot":"...","written_boot_ms":123}`, the
place's own times; `since` may be empty. Rule: a note of another boot, or one that nobody renewed for
`STALE_MS`, says nothing. No note means that nothing limits the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from municipio.clock import Clock

STALE_MS = 15 * 60 * 1000
MAX_BYTES = 4096
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class ServiceToday:
    """`HH:MM` in the place's own time; `since` is empty when it began before."""

    since: str
    until: str


class _Note(msgspec.Struct, frozen=True):
    until: str
    boot: str
    written_boot_ms: int
    since: str = ""


def service_file(run: Path) -> Path:
    return run / "service.json"


def read_service(path: Path, clock: Clock) -> Callable[[], ServiceToday | None]:
    """A question that reads the note each time it is asked."""

    def ask() -> ServiceToday | None:
        try:
            with path.open("rb") as file:
                note = msgspec.json.decode(file.read(MAX_BYTES), type=_Note)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        now = clock.now()
        fresh = note.boot == now.boot and 0 <= now.boot_ms - note.written_boot_ms <= STALE_MS
        plain = _TIME.fullmatch(note.until) and (not note.since or _TIME.fullmatch(note.since))
        return ServiceToday(note.since, note.until) if fresh and plain else None

    return ask
