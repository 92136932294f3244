"""The looks that health is judged by: the kiosk's sign, a request to the portal, a write to the ledger.

All of it on this machine; no part of a look leaves it.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from municipio.energy import Supply
from municipio.facts import LANES, FactError
from municipio.settings import Settings, SettingsError
from municipio.stored_facts import decode_stored
from plaza.unit_control import Units
from plaza.updates.health import Health, Look, Part
from sync.clock import SystemClock
from sync.database import LedgerUnreadable
from sync.datadir import DataDir
from sync.kiosk_pulse import KioskPulse, read_pulse
from sync.ledger import SqliteLedger
from sync.rows import (
    FOLIO_COLUMNS,
    LANE_NUMBER,
    PRINT_JOB_COLUMNS,
    read_folio,
    read_payment,
    read_print_job,
)
from sync.site_state import is_waiting
from sync.wiring import CannotStart, Memory, open_memory

PORTAL_S = 8.0
OLD_ROWS = 500
"""Of each table, the oldest so many are read as a program would; the pages of all are checked at open."""
WATCHDOG = Path("/sys/class/watchdog/watchdog0")
KIOSK, PORTAL = "plaza-kiosk.service", "plaza-portal.service"
PROGRAMS = (
    KIOSK, PORTAL, "plaza-sync.service", "plaza-gate.service",
    "plaza-names.service", "plaza-filter.service", "plaza-wifi.service",
)  # fmt: skip


class Looker:
    """Keeps what it saw last, because drawing and dying show between two looks. `close` after use."""

    def __init__(
        self, data: DataDir, units: Units, watchdog: Path = WATCHDOG,
        seconds: Callable[[], float] = time.monotonic, rows_before: str = "",
    ) -> None:  # fmt: skip
        """`rows_before` is what the version before could not read of the ledger: it does not count."""
        self._data, self._units, self._watchdog, self._seconds = data, units, watchdog, seconds
        self._rows_before = rows_before
        self._memory: Memory | None = None
        self._settings: Settings | None = None
        self._clock = SystemClock(data.link_file)
        self._pulse: KioskPulse | None = None
        self._restarts: dict[str, int] = {}

    def look(self) -> Look:
        found = {
            Part.LEDGER: self._ledger(),
            Part.PROGRAMS: self._programs(),
            Part.KIOSK: self._kiosk(),
            Part.PORTAL: self._portal(),
            Part.WATCHDOG: self._fed(),
        }
        parts = {part: health for part, (health, _) in found.items()}
        said = {part: why for part, (_, why) in found.items() if why}
        return Look(self._seconds(), parts, said)

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _ledger(self) -> tuple[Health, str]:
        if is_waiting(self._data):
            return self._no_name_yet()
        if self._memory is None:
            opened = open_memory(self._data, salvaging=False)
            if isinstance(opened, CannotStart):
                return Health.UNWELL, opened.detail
            trouble = read_old_rows(opened.ledger)
            if trouble and trouble != self._rows_before:
                opened.close()
                return Health.UNWELL, trouble
            self._memory, self._settings = opened, opened.settings
        trouble = write_nothing(self._memory.ledger)
        return (Health.UNWELL, trouble) if trouble else (Health.WELL, "")

    def _no_name_yet(self) -> tuple[Health, str]:
        """A node that waits for its site file has no ledger; its screen and its page are judged."""
        try:
            self._settings = self._data.settings()
        except SettingsError as e:
            return Health.UNWELL, str(e)
        return Health.ABSENT, ""

    def _kiosk(self) -> tuple[Health, str]:
        if self._settings is None:
            return Health.UNWELL, "the ledger is not open"
        if self._settings.text("node.profile") == "portal":
            return Health.ABSENT, ""
        if self._rests(KIOSK, self._settings):
            return Health.RESTING, ""
        pulse, former = read_pulse(self._data.kiosk_file, self._clock.now()), self._pulse
        self._pulse = pulse
        if pulse is None:
            return Health.UNWELL, "the kiosk gives no sign"
        if former is not None and pulse.boot_ms > former.boot_ms and pulse.flips == former.flips:
            return Health.UNWELL, "the kiosk lives and draws nothing"
        return Health.WELL, ""

    def _portal(self) -> tuple[Health, str]:
        if self._settings is None:
            return Health.UNWELL, "the ledger is not open"
        if self._rests(PORTAL, self._settings):
            return Health.RESTING, ""
        return ask_portal(self._settings.text("portal.listen"))

    def _rests(self, unit: str, settings: Settings) -> bool:
        """Stopped in order, on a node whose energy program stops what it cannot feed."""
        solar = settings.text("energy.kind") == Supply.SOLAR
        return solar and unit not in self._restarts

    def _programs(self) -> tuple[Health, str]:
        former, self._restarts = self._restarts, self._units.restarts(PROGRAMS)
        now = self._restarts
        # -1 while it does not run; what came back after that counts from where it is then.
        died = [n for n, count in now.items() if count < 0 or 0 <= former.get(n, -1) < count]
        return (Health.UNWELL, f"started again: {', '.join(died)}") if died else (Health.WELL, "")

    def _fed(self) -> tuple[Health, str]:
        try:
            state = (self._watchdog / "state").read_text().strip()
        except OSError:
            return Health.ABSENT, ""
        return (Health.WELL, "") if state == "active" else (Health.UNWELL, "nobody feeds it")


def read_old_rows(ledger: SqliteLedger) -> str:
    """Read what older versions wrote, as programs do; why it cannot be, empty when it can."""
    tables = (
        ("payment", "body", read_payment),
        ("folio", FOLIO_COLUMNS, read_folio),
        ("print_job", PRINT_JOB_COLUMNS, read_print_job),
    )
    try:
        with ledger.reading() as db:
            for table, columns, read in tables:
                sql = f"SELECT {columns} FROM {table} LIMIT {OLD_ROWS}"  # noqa: S608 - constants
                for row in db.execute(sql):
                    read(row)
            for lane in LANES:
                sql = "SELECT body FROM fact WHERE lane = ? ORDER BY epoch, seq LIMIT ?"
                for (body,) in db.execute(sql, (LANE_NUMBER[lane], OLD_ROWS)):
                    decode_stored(body)
    except (apsw.Error, LedgerUnreadable, FactError, ValueError, TypeError) as e:
        return f"what was there cannot be read: {type(e).__name__}: {e}"[:300]
    return ""


def write_nothing(ledger: SqliteLedger) -> str:
    """A write that changes nothing and still goes to the disk; why it failed, empty when it did not."""
    try:
        with ledger.transaction() as db:
            db.execute("UPDATE node SET attempts = attempts")
    except apsw.Error as e:
        return f"it takes no write: {e}"[:300]
    return ""


def ask_portal(listen: str) -> tuple[Health, str]:
    """Any page will do, an error of its own will not."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    try:
        connection = http.client.HTTPConnection(here, int(port), timeout=PORTAL_S)
        try:
            connection.request("GET", "/", headers={"User-Agent": "plaza-health"})
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as e:
        return Health.UNWELL, f"no answer: {e}"[:300]
    return (Health.WELL, "") if status < 500 else (Health.UNWELL, f"answers {status}")
