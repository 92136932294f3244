"""What a receipt costs: bytes on the wire, time to make it, time to a verdict, and the imports."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hardware.printer.driver import ReceiptPrinter
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES
from hardware.printer.simulator import PrinterSimulator
from hardware.transport.pty_end import PtyEnd
from municipio.devices import DeviceState, PrintVerdict
from municipio.receipts import Align, Line, Pair, Paper, PaperKind, Qr, Rule, Size, Text

WIDE = PROFILES["generic-80"]
CODE = "https://plaza.example/r/COA007-P1-000123-K.109560.20260120." + "A" * 86


def receipt() -> Paper:
    """Forty lines with a QR, every line a full one: the worst that a receipt may be."""
    lines: list[Line] = [
        Text("H. AYUNTAMIENTO DE EJEMPLO", Align.CENTER, bold=True),
        Text("COMPROBANTE PROVISIONAL", Align.CENTER, bold=True),
        Rule(),
        *(Pair(f"{1990 + n} Impuesto y adicional", "1,369.50") for n in range(31)),
        Rule(),
        Pair("TOTAL", "$ 42,454.50", bold=True, size=Size.LARGE),
        Text("CUARENTA Y DOS MIL CUATROCIENTOS 50/100 M.N.", Align.CENTER),
        Qr(CODE),
        Text("Verifique este comprobante con su teléfono.", Align.CENTER),
        Text("Conserve este comprobante.", Align.CENTER),
    ]
    assert len(lines) == 40
    return Paper(PaperKind.RECIBO, "COA007-P1-000123-K", tuple(lines))


def tell(what: str, value: float, unit: str, goal: str = "", peer: str = "") -> None:
    row: dict[str, object] = {"what": what, "value": round(value, 2), "unit": unit}
    if goal:
        row["goal"] = goal
    if peer:
        row["peer"] = peer
    print(json.dumps(row, ensure_ascii=False), flush=True)


def p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def import_ms(module: str, environment: dict[str, str] | None = None) -> float:
    """Median of five fresh interpreters, less the same without the import."""

    def run(code: str) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", code], check=True, env={**os.environ, **(environment or {})}
            )
            times.append(time.perf_counter() - began)
        return statistics.median(times) * 1000

    return run(f"import {module}") - run("pass")


def render() -> None:
    rendered = render_lines(receipt(), WIDE)
    tell("receipt, 40 lines with QR", len(rendered), "bytes", "<= 2500")
    times = []
    for _ in range(200):
        began = time.perf_counter()
        render_lines(receipt(), WIDE)
        times.append((time.perf_counter() - began) * 1000)
    tell(
        "render a 40-line receipt",
        p95(times),
        "ms p95",
        "<= 10",
        f"python-escpos: {escpos_ms():.2f} ms p95",
    )


def escpos_ms() -> float:
    """The same forty lines and QR through python-escpos."""
    from escpos.printer import Dummy

    rows = [f"{1990 + n} Impuesto y adicional".ljust(40) + "1,369.50" for n in range(39)]
    times = []
    for _ in range(50):
        began = time.perf_counter()
        other = Dummy()
        for row in rows:
            other.textln(row)
        other.qr(CODE, native=True, size=5)
        other.cut()
        times.append((time.perf_counter() - began) * 1000)
    return p95(times)


def imports() -> None:
    with tempfile.TemporaryDirectory() as cache:
        peer = import_ms("escpos.printer", {"ESCPOS_CAPABILITIES_PICKLE_DIR": cache})
    ours = import_ms("hardware.printer.driver")
    tell("import of the printer driver", ours, "ms", "<= 150", f"escpos.printer: {peer:.0f} ms")


@contextlib.contextmanager
def quiet_printer(folder: Path) -> Iterator[ReceiptPrinter]:
    """A simulator and a driver that is ready."""
    far = PrinterSimulator(folder)
    printer = ReceiptPrinter(far.open(), 115200, WIDE)
    while printer.status().state is not DeviceState.READY:
        time.sleep(0.01)
    try:
        yield printer
    finally:
        printer.close()
        far.close()


def verdicts() -> None:
    with tempfile.TemporaryDirectory() as folder, quiet_printer(Path(folder)) as printer:
        rendered = printer.render(receipt())
        times = []
        for _ in range(12):
            began = time.perf_counter()
            assert printer.print_rendered(rendered).verdict is PrintVerdict.PRINTED
            times.append((time.perf_counter() - began) * 1000)
    tell("enqueue to verdict, printer that takes no time", p95(times), "ms p95", "<= 3000")


def first_bytes() -> None:
    """A far end that answers nothing but notes when the first byte of the job arrives."""
    arrived = threading.Event()
    end = PtyEnd(lambda data: arrived.set())
    printer = ReceiptPrinter(end.open(), 115200, WIDE)
    rendered = printer.render(receipt())
    times = []
    for _ in range(5):
        time.sleep(0.9)
        arrived.clear()
        began = time.perf_counter()
        waiting = threading.Thread(target=printer.print_rendered, args=(rendered,))
        waiting.start()
        arrived.wait(5)
        times.append((time.perf_counter() - began) * 1000)
        waiting.join()
    printer.close()
    end.close()
    tell("enqueue to first byte on the wire", max(times), "ms max of 5", "<= 150")


def after_the_cut() -> None:
    """A printer of 100 mm/s: from the moment its paper is whole to the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        far = PrinterSimulator(Path(folder), speed_mm_s=100, pictures=False)
        printer = ReceiptPrinter(far.open(), 115200, WIDE)
        while printer.status().state is not DeviceState.READY:
            time.sleep(0.01)
        rendered = printer.render(receipt())
        times = []
        for nth in range(1, 4):
            done: list[float] = []
            waiting = threading.Thread(target=lambda: _printed_at(printer, rendered, done))  # noqa: B023
            waiting.start()
            while len(far.receipts()) < nth:
                time.sleep(0.005)
            cut = time.perf_counter()
            waiting.join()
            times.append(max(0.0, done[0] - cut) * 1000)
        printer.close()
        far.close()
    tell("cut to verdict, printer of 100 mm/s", max(times), "ms max of 3", "<= 3000")


def _printed_at(printer: ReceiptPrinter, rendered: bytes, done: list[float]) -> None:
    assert printer.print_rendered(rendered).verdict is PrintVerdict.PRINTED
    done.append(time.perf_counter())


def edges() -> None:
    """The cover opens and closes: how long until the driver says so."""
    for name in ("generic-80", "pos-58"):
        profile = PROFILES[name]
        with tempfile.TemporaryDirectory() as folder:
            far = PrinterSimulator(Path(folder), profile, pictures=False)
            printer = ReceiptPrinter(far.open(), 115200, profile)
            while printer.status().state is not DeviceState.READY:
                time.sleep(0.01)
            time.sleep(0.5)
            times = []
            for step in range(6):
                wanted = DeviceState.READY if step % 2 else DeviceState.ATTENTION
                began = time.perf_counter()
                far.load_paper() if step % 2 else far.paper_out()
                while printer.status().state is not wanted:
                    time.sleep(0.002)
                times.append((time.perf_counter() - began) * 1000)
                time.sleep(0.37)
            printer.close()
            far.close()
        how = "told by itself" if profile.asb else "asked"
        tell(f"paper out to state, {name} ({how})", max(times), "ms max of 6", "<= 1000")


def idle() -> None:
    """Processor time of a driver that waits, its simulator not counted (it is another process)."""
    with tempfile.TemporaryDirectory() as folder:
        script = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from hardware.printer.simulator import PrinterSimulator\n"
            "far = PrinterSimulator(Path(sys.argv[1]))\n"
            "print(far.open(), flush=True)\n"
            "sys.stdin.read()\n"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", script, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout is not None
        assert other.stdin is not None
        printer = ReceiptPrinter(other.stdout.readline().strip(), 115200, WIDE)
        while printer.status().state is not DeviceState.READY:
            time.sleep(0.01)
        time.sleep(0.5)
        before, began = time.process_time(), time.perf_counter()
        time.sleep(5)
        share = (time.process_time() - before) / (time.perf_counter() - began) * 100
        printer.close()
        other.stdin.close()
        other.wait()
    tell("idle printer driver", share, "% of a core", "< 2 for all drivers together")


if __name__ == "__main__":
    render()
    imports()
    first_bytes()
    verdicts()
    after_the_cut()
    edges()
    idle()
