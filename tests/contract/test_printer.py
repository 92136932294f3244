"""What every printer must do, simulated or real.

Over the simulator always; over a real one with `-m hw` and `PLAZA_HW_PRINTER` naming its port
(/dev/serial/by-path/..., usb://vvvv:pppp or tcp://address:9100) and `PLAZA_HW_PROFILE` its profile:
load paper, close the cover, and keep the strips it prints.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardware.printer import commands
from hardware.printer.driver import SILENCE_S, ReceiptPrinter
from hardware.printer.profiles import PROFILES, Profile, Sync
from hardware.printer.protocol import print_seconds
from hardware.printer.simulator import PrinterSimulator
from hardware.printer.strip import technician_strip
from hardware.transport.address import open_address, parse_address
from hardware.transport.serial_port import SerialPort, open_port
from municipio.devices import DeviceState, DeviceStatus, Printer, PrintResult, PrintVerdict
from municipio.receipts import Paper, PaperKind, Text

WIDE = PROFILES["generic-80"]


@dataclass(frozen=True)
class Rig:
    far: PrinterSimulator
    printer: ReceiptPrinter
    port: Path
    profile: Profile = WIDE

    def strip(self) -> bytes:
        return self.printer.render(technician_strip(self.profile))

    def long(self) -> bytes:
        rows = tuple(Text(f"Renglón {n} de un papel largo") for n in range(120))
        return self.printer.render(Paper(PaperKind.FICHA, "", rows))


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def ready(printer: Printer) -> None:
    until(lambda: printer.status().state is DeviceState.READY)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    far = PrinterSimulator(tmp_path / "papers")
    port = tmp_path / "printer"
    far.link(port)
    far.open()
    printer = ReceiptPrinter(str(port), 115200, WIDE)
    yield Rig(far, printer, port)
    printer.close()
    far.close()


@pytest.fixture(params=["simulator", pytest.param("real", marks=pytest.mark.hw)])
def any_printer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Printer]:
    if request.param == "simulator":
        yield request.getfixturevalue("rig").printer
        return
    path = os.environ.get("PLAZA_HW_PRINTER", "")
    if not path:
        pytest.skip("PLAZA_HW_PRINTER names no port")
    printer = ReceiptPrinter(
        path,
        115200,
        PROFILES[os.environ.get("PLAZA_HW_PROFILE", "generic-80")],
    )
    yield printer
    printer.close()


def test_a_well_printer_is_ready_and_prints(any_printer: Printer) -> None:
    ready(any_printer)

    result = any_printer.print_rendered(any_printer.render(technician_strip(WIDE)))

    assert result == PrintResult(PrintVerdict.PRINTED)


def test_rendering_the_same_paper_twice_gives_the_same_bytes(any_printer: Printer) -> None:
    paper = technician_strip(WIDE)

    assert any_printer.render(paper) == any_printer.render(paper)


@contextmanager
def plugged(far: PrinterSimulator, profile: Profile, baud: int = 115200) -> Iterator[Rig]:
    """A driver at the other end of whatever wire that simulator hangs on."""
    place = far.open()
    address = parse_address(place)
    printer = ReceiptPrinter(
        place,
        baud,
        profile,
        opener=lambda: open_address(address, baud, usb_backend=far.usb_backend),
    )
    try:
        yield Rig(far, printer, Path(place), profile)
    finally:
        printer.close()
        far.close()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_every_profile_prints_on_its_own_kind_of_printer(profile: Profile, tmp_path: Path) -> None:
    with plugged(PrinterSimulator(tmp_path, profile), profile) as rig:
        ready(rig.printer)

        assert rig.printer.print_rendered(rig.strip()) == PrintResult(PrintVerdict.PRINTED)
        until(lambda: rig.far.receipts() == ["0001"])
        assert rig.far.state()["buffered_bytes"] == 0


@pytest.mark.parametrize("wire", ["pty", "tcp", "usb"])
def test_on_every_wire_trouble_is_told_and_a_printer_that_returns_is_found(
    wire: str, tmp_path: Path
) -> None:
    far = PrinterSimulator(tmp_path / "papers", wire=wire)
    if wire == "pty":
        far.link(tmp_path / "printer")
        far.open()
    with plugged(far, WIDE) as rig:
        if wire == "pty":
            rig.printer.close()
            rig = Rig(far, ReceiptPrinter(str(tmp_path / "printer"), 115200, WIDE), tmp_path)
        ready(rig.printer)
        far.paper_out()
        refused = rig.printer.print_rendered(rig.strip())
        far.load_paper()
        far.unplug()
        until(lambda: rig.printer.status().state is DeviceState.ABSENT)
        gone = rig.printer.print_rendered(rig.strip())
        far.replug()
        ready(rig.printer)
        printed = rig.printer.print_rendered(rig.strip())
        rig.printer.close()

    assert refused == PrintResult(PrintVerdict.FAILED, "paper_end")
    assert gone == PrintResult(PrintVerdict.FAILED, "no_answer")
    assert printed == PrintResult(PrintVerdict.PRINTED)
    assert far.receipts() == ["0001"]


@pytest.mark.parametrize("wire", ["tcp", "usb"])
def test_a_printer_that_takes_no_data_is_told_as_blocked(wire: str, tmp_path: Path) -> None:
    far = PrinterSimulator(tmp_path, wire=wire)
    with plugged(far, WIDE) as rig:
        ready(rig.printer)
        far.block()
        until(lambda: rig.printer.status().state is not DeviceState.READY, SILENCE_S + 3)
        far.unblock()
        ready(rig.printer)

        assert rig.printer.print_rendered(rig.strip()).verdict is PrintVerdict.PRINTED


def test_a_printer_that_tells_changes_by_itself_is_heard_between_two_questions(rig: Rig) -> None:
    ready(rig.printer)
    until(lambda: rig.far.state()["reports"] is True)
    rig.printer.print_rendered(rig.strip())
    until(lambda: rig.far.state()["reports"] is True)
    edges = []
    for change, state in (
        (rig.far.open_cover, DeviceState.ATTENTION),
        (rig.far.close_cover, DeviceState.READY),
    ):
        began = time.monotonic()
        change()
        until(lambda state=state: rig.printer.status().state is state)  # type: ignore[misc]  # bound now
        edges.append(time.monotonic() - began)

    assert max(edges) < 1


def test_a_star_that_calls_itself_offline_while_it_prints_still_ends_printed(
    tmp_path: Path,
) -> None:
    star = PROFILES["star-escpos-80"]
    with plugged(PrinterSimulator(tmp_path, star, speed_mm_s=150), star) as rig:
        ready(rig.printer)

        assert rig.printer.print_rendered(rig.long()) == PrintResult(PrintVerdict.PRINTED)
        assert rig.far.receipts() == ["0001"]


def test_a_printer_without_any_token_is_believed_only_after_the_time_its_paper_takes(
    tmp_path: Path,
) -> None:
    small = PROFILES["pos-58"]
    assert small.sync is Sync.NONE
    with plugged(PrinterSimulator(tmp_path, small, speed_mm_s=60), small) as rig:
        ready(rig.printer)
        rendered = rig.strip()
        began = time.monotonic()
        printed = rig.printer.print_rendered(rendered)
        took = time.monotonic() - began
        papers = rig.far.receipts()
        rig.far.set_paper(60)
        short = rig.printer.print_rendered(rendered)

    assert printed == PrintResult(PrintVerdict.PRINTED)
    assert papers == ["0001"]
    assert took > print_seconds(rendered, small, 115200)
    assert short.verdict in (PrintVerdict.FAILED, PrintVerdict.UNKNOWN)
    assert short.cause == "paper_end"


def test_at_9600_baud_the_answers_wait_for_the_wire_and_nothing_is_taken_for_silence(
    tmp_path: Path,
) -> None:
    with plugged(PrinterSimulator(tmp_path, baud=9600), WIDE, 9600) as rig:
        ready(rig.printer)
        rendered = rig.strip()
        began = time.monotonic()

        assert rig.printer.print_rendered(rendered) == PrintResult(PrintVerdict.PRINTED)
        assert time.monotonic() - began > len(rendered) * 10 / 9600 * 0.9


def test_a_printed_paper_is_whole_in_all_its_files(rig: Rig) -> None:
    ready(rig.printer)
    rendered = rig.strip()
    rig.printer.print_rendered(rendered)
    papers = rig.far.out_dir

    assert rig.far.receipts() == ["0001"]
    assert (papers / "0001.bin").read_bytes() == rendered
    assert "ÁÉÍÓÚÜÑ áéíóúüñ ¿¡ º ª $" in (papers / "0001.txt").read_text("utf-8")
    assert (papers / "0001.png").read_bytes().startswith(b"\x89PNG")


def test_without_paper_nothing_is_sent_and_with_paper_it_prints_again(rig: Rig) -> None:
    ready(rig.printer)
    rig.far.paper_out()

    refused = rig.printer.print_rendered(rig.strip())
    seen = rig.printer.status()
    rig.far.load_paper()
    ready(rig.printer)
    printed = rig.printer.print_rendered(rig.strip())

    assert refused == PrintResult(PrintVerdict.FAILED, "paper_end")
    assert seen == DeviceStatus(DeviceState.ATTENTION, "paper_end")
    assert printed.verdict is PrintVerdict.PRINTED
    assert rig.far.receipts() == ["0001"]


@pytest.mark.parametrize(
    ("break_it", "state", "cause"),
    [
        (lambda far: far.open_cover(), DeviceState.ATTENTION, "cover_open"),
        (lambda far: far.fault("cutter"), DeviceState.FAULT, "cutter"),
        (lambda far: far.fault("unrecoverable"), DeviceState.FAULT, "unrecoverable"),
        (lambda far: far.fault("auto_recoverable"), DeviceState.BUSY, "auto_recoverable"),
        (lambda far: far.set_paper(1000), DeviceState.READY, "paper_near_end"),
        (lambda far: far.silence(), DeviceState.UNKNOWN, "no_answer"),
    ],
)
def test_each_trouble_is_told_by_its_name_within_seconds(
    rig: Rig, break_it: Callable[[PrinterSimulator], None], state: DeviceState, cause: str
) -> None:
    ready(rig.printer)
    break_it(rig.far)

    until(lambda: rig.printer.status() == DeviceStatus(state, cause), SILENCE_S + 3)


def test_a_silent_printer_fails_a_paper_instead_of_waiting_for_ever(rig: Rig) -> None:
    ready(rig.printer)
    rig.far.silence()
    began = time.monotonic()

    result = rig.printer.print_rendered(rig.strip())

    assert result == PrintResult(PrintVerdict.FAILED, "no_answer")
    assert time.monotonic() - began < 10
    assert rig.far.receipts() == []


def test_a_printer_that_takes_no_bytes_is_told_as_blocked_or_silent(rig: Rig) -> None:
    ready(rig.printer)
    rig.far.block()

    result = rig.printer.print_rendered(rig.strip())

    assert result.verdict is PrintVerdict.FAILED
    assert result.cause in ("host_blocked", "no_answer")


def test_paper_that_ends_in_the_middle_leaves_a_torn_piece_and_no_receipt(tmp_path: Path) -> None:
    far = PrinterSimulator(tmp_path / "papers", paper_mm=120, speed_mm_s=400)
    printer = ReceiptPrinter(far.open(), 115200, WIDE)
    rig = Rig(far, printer, tmp_path)
    ready(printer)

    result = printer.print_rendered(rig.long())
    until(lambda: far.state()["buffered_bytes"] == 0)
    far.load_paper()
    ready(printer)
    again = printer.print_rendered(rig.strip())
    printer.close()
    far.close()

    assert result.verdict in (PrintVerdict.FAILED, PrintVerdict.UNKNOWN)
    assert result.cause == "paper_end"
    assert again.verdict is PrintVerdict.PRINTED
    torn = list((tmp_path / "papers").glob("*-parcial.png"))
    assert len(torn) == 1
    assert len(far.receipts()) == 1


def test_a_cable_pulled_during_a_paper_is_failed_or_unknown_never_printed(tmp_path: Path) -> None:
    far = PrinterSimulator(tmp_path / "papers", speed_mm_s=100)
    far.link(tmp_path / "printer")
    far.open()
    printer = ReceiptPrinter(str(tmp_path / "printer"), 115200, WIDE)
    ready(printer)
    results: list[PrintResult] = []
    rendered = Rig(far, printer, tmp_path).long()
    waiting = threading.Thread(target=lambda: results.append(printer.print_rendered(rendered)))
    whole_roll = far.state()["paper_mm"]
    waiting.start()
    until(lambda: far.state()["paper_mm"] != whole_roll)
    far.unplug()
    waiting.join(timeout=15)
    gone = printer.status()
    printer.close()
    far.close()

    assert len(results) == 1
    assert results[0].verdict in (PrintVerdict.FAILED, PrintVerdict.UNKNOWN)  # by what was sent
    assert gone.state is DeviceState.ABSENT


def test_a_printer_that_vanishes_is_absent_and_found_again_when_it_returns(rig: Rig) -> None:
    ready(rig.printer)
    rig.far.unplug()
    until(lambda: rig.printer.status().state is DeviceState.ABSENT)

    refused = rig.printer.print_rendered(rig.strip())
    rig.far.replug()
    ready(rig.printer)

    assert refused == PrintResult(PrintVerdict.FAILED, "no_answer")
    assert rig.printer.print_rendered(rig.strip()).verdict is PrintVerdict.PRINTED


def test_a_command_that_a_power_cut_left_half_said_does_not_deafen_the_printer(
    tmp_path: Path,
) -> None:
    far = PrinterSimulator(tmp_path / "papers")
    port = open_port(far.open(), 115200)
    assert isinstance(port, SerialPort)
    port.write(commands.raster(72, 12, bytes(864))[:-700])
    time.sleep(0.2)
    port.close()
    printer = ReceiptPrinter(far.open(), 115200, WIDE)
    ready(printer)
    result = printer.print_rendered(printer.render(technician_strip(WIDE)))
    printer.close()
    far.close()

    assert result.verdict is PrintVerdict.PRINTED


def test_two_programs_never_share_a_printer(rig: Rig) -> None:
    ready(rig.printer)
    second = ReceiptPrinter(str(rig.port), 115200, WIDE)
    until(lambda: second.status().state is not DeviceState.STARTING)
    seen = second.status()
    second.close()

    assert seen.state in (DeviceState.UNKNOWN, DeviceState.ABSENT)
    assert rig.printer.print_rendered(rig.strip()).verdict is PrintVerdict.PRINTED


def test_a_closed_printer_refuses_and_does_not_hang(rig: Rig) -> None:
    rig.printer.close()

    assert rig.printer.print_rendered(b"x").verdict is PrintVerdict.FAILED
