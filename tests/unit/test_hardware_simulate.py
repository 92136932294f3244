"""The simulators as a program of their own: what a test may ask while it kills our programs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.printer.driver import ReceiptPrinter
from hardware.printer.profiles import PROFILES
from hardware.printer.strip import technician_strip
from municipio.devices import DeviceState, PrintVerdict

WIDE = PROFILES["generic-80"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Path]:
    arguments = [
        *("--printer-link", str(tmp_path / "printer")),
        *("--terminal-link", str(tmp_path / "terminal")),
        *("--out", str(tmp_path / "papers")),
        *("--control", str(tmp_path / "control")),
    ]
    program = subprocess.Popen([sys.executable, "-m", "hardware", "simulate", *arguments])
    end = time.monotonic() + 20
    while not (tmp_path / "control").exists():
        assert time.monotonic() < end, "the simulators never came up"
        time.sleep(0.05)
    yield tmp_path
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=15) == 0


def ask(bench: Path, line: str) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(10)
        control.connect(str(bench / "control"))
        control.sendall(line.encode() + b"\n")
        reply: dict[str, Any] = json.loads(control.makefile("rb").readline())
    return reply


def test_devices_in_another_process_print_and_run_out_of_paper_when_told(bench: Path) -> None:
    printer = ReceiptPrinter(str(bench / "printer"), 115200, WIDE)
    end = time.monotonic() + 8
    while printer.status().state is not DeviceState.READY and time.monotonic() < end:
        time.sleep(0.02)
    printed = printer.print_rendered(printer.render(technician_strip(WIDE)))
    told = ask(bench, '{"op":"paper_out"}')
    refused = printer.print_rendered(printer.render(technician_strip(WIDE)))
    printer.close()

    assert printed.verdict is PrintVerdict.PRINTED
    assert told == {"ok": True}
    assert refused.cause == "paper_end"
    assert ask(bench, '{"op":"receipts"}') == {"ok": True, "receipts": ["0001"]}
    assert ask(bench, '{"op":"state"}')["printer"]["paper_mm"] == 0
    assert (bench / "control").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line", ["", "[]", "7", '{"op":"x"}', '{"op":"set_paper"}', "\x00", '{"op":7}']
)
def test_a_bad_request_is_answered_with_an_error(bench: Path, line: str) -> None:
    reply = ask(bench, line)

    assert reply["ok"] is False
    assert reply["error"]
