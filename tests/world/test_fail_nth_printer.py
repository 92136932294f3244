"""The Nth thing on the printer's wire goes wrong, for N = 1, 2, 3... until nothing is left to fail.

After each fault the journal and the paper agree: an original comes out at most once, what is called
printed is on paper, what is called failed is not, and what follows a doubt is a copy. The ledger, the
desk, the driver and the simulated printer are the real ones.
"""

from __future__ import annotations

import difflib
import itertools
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from hardware.printer.driver import ReceiptPrinter
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES, Profile, Sync
from hardware.printer.simulator import PrinterSimulator
from hardware.printer.virtual_paper import preview
from hardware.transport.faulty_cable import Fault
from hardware.transport.port import Port, PortCause, PortProblem
from hardware.transport.serial_port import open_port
from kiosk.usecases.printing import PrintDesk, PrintEnd, PrintRequest
from municipio.clock import Instant, TimeQuality
from municipio.devices import DeviceState, PrintVerdict
from municipio.receipts import Paper, PaperKind, Qr, Text
from sync.ledger import SqliteLedger, open_ledger

FOLIO = "COA007-P1-000123-A"
LAST = "Conserve este comprobante."
FAST = {p.name: replace(p, speed_mm_s=2000) for p in PROFILES.values()}
"""Printers that are known to be quick, so that a verdict does not wait for paper."""
AT_ONCE = 12
N_MAX = 80


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def receipt(copy: int) -> Paper:
    rows = tuple(Text(f"Concepto número {n} de un recibo: 1,095.60") for n in range(24))
    mark = (Text(f"COPIA {copy}"),) if copy else ()
    lines = (Text(FOLIO), *mark, *rows, Qr("https://ejemplo.invalid/r/1"), Text(LAST))
    return Paper(PaperKind.REPORTE, FOLIO, lines)


REQUEST = PrintRequest(PaperKind.REPORTE, FOLIO, receipt)


class FaultyPort:
    """A port whose Nth operation, a write or a read that brought something, meets a fault."""

    def __init__(self, port: Port, wire: Wire) -> None:
        self._port = port
        self._wire = wire

    def write(self, data: bytes) -> PortProblem | None:
        spoiled = self._wire.spoil(data, writing=True)
        if isinstance(spoiled, PortProblem):
            return spoiled
        return self._port.write(spoiled) if spoiled else None

    def read(self, timeout_s: float) -> bytes | PortProblem:
        data = self._port.read(timeout_s)
        if isinstance(data, PortProblem) or not data:
            return data
        return self._wire.spoil(data, writing=False)

    def drop_input(self) -> None:
        self._port.drop_input()

    def close(self) -> None:
        self._port.close()


class Wire:
    """Opens faulty ports to one simulator, and counts what crosses once armed."""

    def __init__(self, far: PrinterSimulator, path: Path, fault: Fault, nth: int) -> None:
        self._far = far
        self._path = path
        self._fault = fault
        self._nth = nth
        self._left = -1
        self.fired = False
        self.spoiled_a_write = False

    def arm(self) -> None:
        self._left = self._nth

    def open(self) -> Port | PortProblem:
        opened = open_port(str(self._path), 115200)
        return opened if isinstance(opened, PortProblem) else FaultyPort(opened, self)

    def spoil(self, data: bytes, *, writing: bool) -> bytes | PortProblem:
        self._left -= self._left >= 0
        if self._left != 0 or self.fired:
            return data
        self.fired, self.spoiled_a_write = True, writing
        at, bit = self._nth * 7919 % len(data), self._nth % 8
        match self._fault:
            case Fault.SHORT:
                return data[: len(data) // 2]
            case Fault.DROP:
                return data[:at] + data[at + 1 :]
            case Fault.FLIP:
                return data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]
            case Fault.JUNK:
                return b"\xff\x81:\x80" + data if not writing else data
            case Fault.STALL:
                time.sleep(0.6)
                return data
            case _:
                self._far.unplug()
                self._far.replug()
                return PortProblem(PortCause.GONE)


@dataclass
class Street:
    """One printer, one ledger, and what is read from both afterwards."""

    folder: Path
    profile: Profile
    far: PrinterSimulator

    @property
    def port(self) -> Path:
        return self.folder / "printer"

    def ledger(self) -> SqliteLedger:
        opened = open_ledger(self.folder / "ledger.sqlite", Now(), "COA007", "30039")
        assert isinstance(opened, SqliteLedger)
        return opened

    def settle(self) -> None:
        until(lambda: self.far.state()["buffered_bytes"] == 0)

    def papers(self) -> list[str]:
        """Texts of what is out of the printer, whole papers and what still hangs from it."""
        self.far.load_paper()
        folder = self.far.out_dir
        return [p.read_text(encoding="utf-8") for p in sorted(folder.glob("[0-9]*.txt"))]


def until(holds: Callable[[], bool], within_s: float = 40.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def is_on(text: str, paper: Paper, profile: Profile) -> bool:
    """True when that paper, but for a damaged place, is among what came out."""
    wanted = preview(render_lines(paper, profile), profile).text
    return difflib.SequenceMatcher(None, wanted, text, autojunk=False).ratio() > 0.9


def has_whole_original(text: str) -> bool:
    return FOLIO in text and LAST in text and "COPIA" not in text


@pytest.fixture
def street_of(tmp_path: Path) -> Iterator[Callable[[Profile], Street]]:
    built: list[Street] = []
    lock = threading.Lock()

    def build(profile: Profile) -> Street:
        with lock:
            folder = tmp_path / str(len(built))
            folder.mkdir()
            far = PrinterSimulator(folder / "papers", profile, pictures=False)
            built.append(Street(folder, profile, far))
            street = built[-1]
        far.link(street.port)
        far.open()
        return street

    yield build
    for street in built:
        street.far.close()


def fail_once(street: Street, fault: Fault, nth: int) -> bool:
    """Print with the Nth operation failing, then as a person who asks again. False: nothing failed."""
    ledger = street.ledger()
    wire = Wire(street.far, street.port, fault, nth)
    printer = ReceiptPrinter(str(street.port), 115200, street.profile, opener=wire.open)
    desk = PrintDesk(ledger, printer, lambda: uuid4().hex)
    until(lambda: printer.status().state is DeviceState.READY)
    wire.arm()
    first = desk.print(REQUEST)
    fired = wire.fired
    until(lambda: printer.status().state is DeviceState.READY)
    street.settle()
    check_first(street, first.end, first.copy)
    again = desk.print(REQUEST) if first.end is not PrintEnd.PRINTED else None
    printer.close()
    texts = street.papers()
    jobs = ledger.print_jobs_for(FOLIO)
    ledger.close()

    where = f"{fault} {nth}: {first} then {again}: {texts}"
    assert sum(has_whole_original(text) for text in texts) <= 1, where
    assert all(job.verdict is not PrintVerdict.PENDING for job in jobs), where
    if again is not None:
        assert again.end is PrintEnd.PRINTED, where
        assert again.copy == (0 if first.end is PrintEnd.FAILED else 1), where
        assert any(text.count(FOLIO) and LAST in text for text in texts), where
    return fired


def check_first(street: Street, end: PrintEnd, copy: int) -> None:
    """What the verdict of the first print says is what the paper says."""
    if end is PrintEnd.UNKNOWN:
        return
    texts = street.papers()
    if end is PrintEnd.PRINTED:
        assert any(is_on(text, receipt(copy), street.profile) for text in texts), texts
    else:
        assert not any(has_whole_original(text) for text in texts), texts


def fail_each(street_of: Callable[[Profile], Street], profile: Profile, fault: Fault) -> int:
    """Every N until one survives, several at a time; how many failed."""
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in itertools.count(1, AT_ONCE):
            assert first < N_MAX, "the talk with a printer ends"
            numbers = range(first, first + AT_ONCE)
            fired = list(pool.map(lambda n: fail_once(street_of(profile), fault, n), numbers))
            failed += sum(fired)
            if not all(fired):
                return failed
    raise AssertionError


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *(("generic-80", fault) for fault in Fault),
        *(("tm-t88-58", fault) for fault in (Fault.SHORT, Fault.FLIP, Fault.UNPLUG)),
    ],
)
def test_journal_and_paper_agree_whatever_fails_on_the_wire(
    street_of: Callable[[Profile], Street], name: str, fault: Fault
) -> None:
    assert fail_each(street_of, FAST[name], fault) > 10


def test_a_printer_without_a_token_agrees_too_when_no_byte_is_lost_in_silence(
    street_of: Callable[[Profile], Street],
) -> None:
    assert FAST["pos-58"].sync is Sync.NONE
    assert fail_each(street_of, FAST["pos-58"], Fault.UNPLUG) > 5


PROGRAM = """
import os, pickle, sys, time
from datetime import UTC, datetime
from pathlib import Path
from hardware.printer.driver import ReceiptPrinter
from hardware.printer.profiles import PROFILES
from hardware.transport.serial_port import SerialPort, open_port
from kiosk.usecases.printing import PrintDesk, PrintRequest
from municipio.clock import Instant, TimeQuality
from municipio.devices import DeviceState
from sync.ledger import open_ledger

folder, nth, paper = Path(sys.argv[1]), int(sys.argv[2]), pickle.load(sys.stdin.buffer)
left = -1

class Now:
    def now(self):
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)

def dies(line, data):
    global left
    left -= left > 0
    if left == 0:
        if line is not None:
            SerialPort.write(line, data[: len(data) // 2])
        os._exit(9)

class Mortal(SerialPort):
    def write(self, data):
        dies(self, data)
        return super().write(data)
    def read(self, timeout_s):
        data = super().read(timeout_s)
        if data:
            dies(None, b"")
        return data

def opened():
    port = open_port(str(folder / "printer"), 115200)
    return Mortal(port._line) if isinstance(port, SerialPort) else port

ledger = open_ledger(folder / "ledger.sqlite", Now(), "COA007", "30039")
printer = ReceiptPrinter("", 115200, PROFILES["generic-80"], opener=opened)
while printer.status().state is not DeviceState.READY:
    time.sleep(0.01)
left = nth
outcome = PrintDesk(ledger, printer, lambda: "first").print(
    PrintRequest(paper.kind, paper.folio, lambda copy: paper)
)
assert outcome.end == "printed", outcome
os._exit(0)
"""


def kill_once(street: Street, nth: int) -> bool:
    """The program dies at its Nth operation, a write half done; then a new one, and a person asks."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(street.folder), str(nth)],
        input=pickle.dumps(receipt(0)),
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert done.returncode in (0, 9)
    ledger = street.ledger()
    printer = ReceiptPrinter(str(street.port), 115200, street.profile)
    until(lambda: printer.status().state is DeviceState.READY)
    street.settle()
    before = street.papers()
    again = PrintDesk(ledger, printer, lambda: "again").print(REQUEST)
    printer.close()
    texts = street.papers()
    jobs = ledger.print_jobs_for(FOLIO)
    ledger.close()

    assert again.end is PrintEnd.PRINTED
    assert again.copy == 1, "what may be out counts as out"
    assert sum(has_whole_original(text) for text in texts) <= 1
    assert next(job.verdict for job in jobs) in (PrintVerdict.UNKNOWN, PrintVerdict.PRINTED)
    if done.returncode == 0:
        assert sum(has_whole_original(text) for text in before) == 1
    return done.returncode == 9


def test_a_program_killed_anywhere_in_a_print_never_gives_a_second_original(
    street_of: Callable[[Profile], Street],
) -> None:
    killed = 0
    with ThreadPoolExecutor(4) as pool:
        for first in itertools.count(1, 4):
            assert first < N_MAX
            died = list(
                pool.map(
                    lambda n: kill_once(street_of(FAST["generic-80"]), n), range(first, first + 4)
                )
            )
            killed += sum(died)
            if not all(died):
                break

    assert killed > 10
