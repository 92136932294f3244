"""The Nth thing on the printer's wire goes wrong, for N = 1, 2, 3... until nothing is left to fail.

After each fault the journal and the paper agree: an original comes out at most once, what is called
printed is on paper, what is called failed is not, and what follows a doubt is a copy. The ledger, the
desk, the driver and the simulated printer are the real ones.
"""

from __future__ import annotations

import difflib
import itertools
import pickle
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
AT_ONCE = 3
"""Of each case."""
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


def new_ledger(path: Path) -> SqliteLedger:
    opened = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(opened, SqliteLedger)
    return opened


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
        return new_ledger(self.folder / "ledger.sqlite")

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


@pytest.fixture(scope="module")
def street_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Profile], Street]]:
    built: list[Street] = []
    lock = threading.Lock()
    tmp_path = tmp_path_factory.mktemp("streets")
    blank = tmp_path / "blank.sqlite"
    new_ledger(blank).close()

    def build(profile: Profile) -> Street:
        with lock:
            folder = tmp_path / str(len(built))
            folder.mkdir()
            shutil.copy(blank, folder / "ledger.sqlite")
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
    street.far.close()

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


def until_one_survives(at_once: int, fails: Callable[[int], bool]) -> int:
    """Try N = 1, 2, 3... side by side, no further once one survived; how many failed."""
    numbers, survived = itertools.count(1), threading.Event()
    one = threading.Lock()
    failed: list[int] = []

    def work() -> None:
        while not survived.is_set():
            with one:
                nth = next(numbers)
            assert nth < N_MAX, "the talk with a printer ends"
            if fails(nth):
                failed.append(nth)
            else:
                survived.set()

    with ThreadPoolExecutor(at_once) as pool:
        for worker in [pool.submit(work) for _ in range(at_once)]:
            worker.result()
    return len(failed)


def fail_each(street_of: Callable[[Profile], Street], profile: Profile, fault: Fault) -> int:
    return until_one_survives(AT_ONCE, lambda nth: fail_once(street_of(profile), fault, nth))


CASES = (
    *(("generic-80", fault) for fault in Fault),
    *(("tm-t88-58", fault) for fault in (Fault.SHORT, Fault.FLIP, Fault.UNPLUG)),
    ("pos-58", Fault.UNPLUG),
)


@pytest.fixture(scope="module")
def failures(
    street_of: Callable[[Profile], Street],
) -> Iterator[dict[tuple[str, Fault], Future[int]]]:
    """How many failed of each case. They mostly wait, for silences that are real: so all side by side."""
    with ThreadPoolExecutor(len(CASES)) as pool:
        yield {
            (name, fault): pool.submit(fail_each, street_of, FAST[name], fault)
            for name, fault in CASES
        }


@pytest.mark.parametrize(("name", "fault"), CASES[:-1])
def test_journal_and_paper_agree_whatever_fails_on_the_wire(
    failures: dict[tuple[str, Fault], Future[int]], name: str, fault: Fault
) -> None:
    assert failures[name, fault].result() > 10


def test_a_printer_without_a_token_agrees_too_when_no_byte_is_lost_in_silence(
    failures: dict[tuple[str, Fault], Future[int]],
) -> None:
    assert FAST["pos-58"].sync is Sync.NONE
    assert failures["pos-58", Fault.UNPLUG].result() > 5


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

paper, left = pickle.load(sys.stdin.buffer), -1
for line in sys.stdin.buffer:
    nth, folder = int(line.split(b" ", 1)[0]), Path(os.fsdecode(line.split(b" ", 1)[1][:-1]))
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()

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


class Programs:
    """Starts a program of its own for every N, as forks of a few that have everything imported."""

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._all = [
            subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
            )
            for _ in range(count)
        ]  # fmt: skip
        for one in self._all:
            assert one.stdin is not None
            one.stdin.write(pickle.dumps(receipt(0)))
            self._free.put(one)

    def __call__(self, street: Street, nth: int) -> int:
        """The exit code of a print whose Nth operation kills it."""
        one = self._free.get()
        assert one.stdin is not None
        assert one.stdout is not None
        one.stdin.write(b"%d %s\n" % (nth, bytes(street.folder)))
        one.stdin.flush()
        said = one.stdout.readline()
        self._free.put(one)
        return int(said)

    def close(self) -> None:
        for one in self._all:
            one.communicate(timeout=20)


def kill_once(street: Street, nth: int, programs: Programs) -> bool:
    """The program dies at its Nth operation, a write half done; then a new one, and a person asks."""
    code = programs(street, nth)
    assert code in (0, 9)
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
    street.far.close()

    assert again.end is PrintEnd.PRINTED
    assert again.copy == 1, "what may be out counts as out"
    assert sum(has_whole_original(text) for text in texts) <= 1
    assert next(job.verdict for job in jobs) in (PrintVerdict.UNKNOWN, PrintVerdict.PRINTED)
    if code == 0:
        assert sum(has_whole_original(text) for text in before) == 1
    return code == 9


def test_a_program_killed_anywhere_in_a_print_never_gives_a_second_original(
    street_of: Callable[[Profile], Street],
) -> None:
    profile = FAST["generic-80"]
    programs = Programs(4)
    try:
        killed = until_one_survives(4, lambda n: kill_once(street_of(profile), n, programs))
    finally:
        programs.close()

    assert killed > 10
