"""The updater of a real node, built from its data directory. It must work where little else does.

A version whose programs cannot read the settings or open the ledger is just the one that has to go, so
neither is needed here: without them the defaults hold and nobody is told until the version before runs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from municipio.facts import FactDraft, FactType
from municipio.settings import Settings, SettingsError, parse_settings
from municipio.usecases.ports import Recorded
from plaza.image import ImageInfo
from plaza.quiet import busy_with
from plaza.unit_control import SYSTEMCTL
from plaza.updates.health import Trial
from plaza.updates.health_look import read_old_rows
from plaza.updates.journal import FOLDER, FileJournal
from plaza.updates.rauc import Rauc
from plaza.updates.rules import Here, Moment, Window
from plaza.updates.updater import Node, Updater
from sync.clock import SystemClock, quality_with
from sync.database import LedgerUnreadable
from sync.datadir import DataDir
from sync.energy_note import FileBand
from sync.kiosk_pulse import read_pulse
from sync.wiring import CannotStart, Memory, open_memory


class House:
    """One node's things, the ledger opened when it is first wanted. `close` after use."""

    def __init__(self, data: DataDir, image: ImageInfo) -> None:
        self.data, self.image = data, image
        self.settings = settings_of(data)
        self.clock = SystemClock(data.link_file, quality_with(self.settings.flag("node.rtc")))
        self.journal = FileJournal(updates_folder(data))
        self.band = FileBand(data, self.settings, self.clock)
        self._memory: Memory | None = None

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def memory(self) -> Memory | None:
        """The open ledger, None while it cannot be opened."""
        if self._memory is None:
            opened = open_memory(self.data, salvaging=False)
            self._memory = None if isinstance(opened, CannotStart) else opened
        return self._memory

    def here(self) -> Here:
        number, image = self.settings.number, self.image
        return Here(
            image.version, image.board, image.ledger_schema, number("update.ring"), self.local()
        )

    def local(self) -> datetime | None:
        """The hour of the place, None while the clock has no proof."""
        now = self.clock.now()
        if now.time is None or not now.is_trusted:
            return None
        return now.time.astimezone(ZoneInfo(self.settings.text("city.timezone")))

    def window(self) -> Window:
        number = self.settings.number
        return Window(number("update.from_hour"), number("update.to_hour"))

    def trial(self) -> Trial:
        number = self.settings.number
        return Trial(number("update.health_min") * 60.0, number("update.health_limit_min") * 60.0)

    def moment(self, told: bool) -> Moment:
        pulse = read_pulse(self.data.kiosk_file, self.clock.now())
        memory = self.memory()
        try:
            payments = () if memory is None else memory.ledger.open_payments()
        except LedgerUnreadable:
            payments = ()
        return Moment(self.band(), busy_with(payments, pulse), told)

    def somebody_pays(self) -> bool:
        """While a version is judged: only a kiosk that draws has somebody before it."""
        pulse = read_pulse(self.data.kiosk_file, self.clock.now())
        return pulse is not None and self.moment(True).busy is not None

    def rows(self) -> str:
        memory = self.memory()
        return "" if memory is None else read_old_rows(memory.ledger)

    def tell(self, kind: FactType, data: Mapping[str, Any]) -> bool:
        memory = self.memory()
        return memory is not None and isinstance(
            memory.ledger.record(FactDraft(kind, dict(data))), Recorded
        )

    def updater(self, rauc: Rauc, restart: Callable[[], None]) -> Updater:
        now = self.clock.now()
        node = Node(
            now.boot, lambda: self.clock.now().boot_ms, self.here(), self.window(), self.moment,
            self.rows, self.tell, restart,
        )  # fmt: skip
        return Updater(node, self.journal, rauc)


def updates_folder(data: DataDir) -> Path:
    return data.path / FOLDER


def settings_of(data: DataDir) -> Settings:
    """The node's, or every default where its file cannot be used."""
    try:
        return data.settings()
    except SettingsError:
        return parse_settings({})


def restart_machine() -> None:
    """Ends every program in order, then starts anew: a warm start, which needs nothing to wake it."""
    subprocess.run([SYSTEMCTL, "--no-ask-password", "reboot"], check=False, timeout=60)
