"""What a node says of itself with or without a screen: its body, its filter, the dates of its content.

Runs beside the queue's carrier (`plaza sync run`), because that is the one program that every node has.
What hangs from the kiosk (printer, coins, cards) is told by the kiosk. Nothing heavy is imported: the
catalogue's date is read by itself, not with the catalogue.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from captive_portal.filter.database import Unusable
from captive_portal.filter.store import ListStore
from hardware.health.driver import NodeHealth
from kiosk.vitals import Vitals
from kiosk.vitals_wiring import read_renderer
from municipio.devices import DeviceState, DeviceStatus
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Ledger, NotRecorded
from sync.wiring import Memory

LOOK_EVERY_S = 60.0
"""How often files are looked at: they change once a day."""
TOLD_NAME = "vitals-node.json"
CONTENT_NAME = "content-told.json"
LIST_UNREADABLE = "list_unreadable"


@dataclass(frozen=True, slots=True)
class Dates:
    """What this node serves. Dates are ISO; empty where there is nothing that can be read."""

    content: str = ""
    filter_list: str = ""
    filter_names: int = 0


def content_date(catalogue: Path) -> str:
    """The day of the installed content, empty when there is none that can be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{catalogue.as_uri()}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'created'").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def look_at_filter(lists: ListStore) -> tuple[DeviceStatus, str, int]:
    """The filter as a device, and the date and length of its list."""
    if not any(path.exists() for path in lists.candidates):
        return DeviceStatus(DeviceState.ABSENT), "", 0
    found = lists.serving()
    if isinstance(found, Unusable):
        return DeviceStatus(DeviceState.FAULT, LIST_UNREADABLE), "", 0
    return DeviceStatus(DeviceState.READY), found.facts.date, found.facts.names


class Contents:
    """Looks at the files now and then; a change of dates becomes a fact, once."""

    def __init__(self, ledger: Ledger, catalogue: Path, lists: ListStore, folder: Path) -> None:
        self._ledger, self._catalogue, self._lists = ledger, catalogue, lists
        self._file = folder / CONTENT_NAME
        self._told = _read_dates(self._file)
        self._look_at = 0.0
        self.filter = DeviceStatus(DeviceState.STARTING)

    def step(self, now: float) -> None:
        """Monotonic seconds."""
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        self.filter, listed, names = look_at_filter(self._lists)
        dates = Dates(content_date(self._catalogue), listed, names)
        if dates in (self._told, Dates()):
            return
        data = {name: getattr(dates, name) for name in Dates.__slots__}
        done = self._ledger.record(FactDraft(FactType.NODE_CONTENT_CHANGED, data))
        if not isinstance(done, NotRecorded):
            self._told = dates
            fresh = self._file.with_suffix(".new")
            with contextlib.suppress(OSError):
                fresh.write_text(json.dumps(data), encoding="utf-8")
                fresh.replace(self._file)


def _read_dates(file: Path) -> Dates:
    """Nothing told when it is missing or damaged."""
    try:
        return Dates(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Dates()


@contextmanager
def told_beside(memory: Memory) -> Iterator[None]:
    """Watch and tell while the caller does its own work."""
    run = memory.data.run
    health = NodeHealth(
        memory.data.path,
        clock=lambda: memory.clock.now().quality,
        renderer=lambda: read_renderer(memory.data),
    )
    lists = ListStore(memory.data.path / "filter")
    contents = Contents(memory.ledger, memory.data.catalogue.absolute(), lists, run)

    def look() -> Mapping[str, DeviceStatus]:
        contents.step(time.monotonic())
        return {"health": health.status(), "filter": contents.filter}

    vitals = Vitals(memory.ledger, look, None, run, TOLD_NAME)
    vitals.start()
    try:
        yield
    finally:
        vitals.close()
        health.close()
