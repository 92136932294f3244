"""`python -m hardware simulate`: the simulated devices as a program of their own.

For tests that kill things: the devices, like real ones, outlive the node's programs. A Unix socket
takes one JSON request per line and answers one JSON line, `{"ok": true, ...}` or
`{"ok": false, "error": "..."}`.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardware.printer.profiles import PROFILES
from hardware.printer.simulator import ROLL_MM, PrinterSimulator
from hardware.terminal.simulator import TerminalSimulator

REQUEST_MAX = 4096
Operation = Callable[[dict[str, Any]], object]


class Bench:
    """Both simulators behind named operations, as the control socket offers them."""

    def __init__(self, printer: PrinterSimulator, terminal: TerminalSimulator) -> None:
        self.printer = printer
        self.terminal = terminal
        self.operations: dict[str, Operation] = {
            "state": lambda r: self.state(),
            "receipts": lambda r: {"receipts": printer.receipts()},
            "charges": lambda r: {"charges": terminal.charges()},
            "paper_out": lambda r: printer.paper_out(),
            "set_paper": lambda r: printer.set_paper(float(r["mm"])),
            "load_paper": lambda r: printer.load_paper(float(r.get("mm", ROLL_MM))),
            "open_cover": lambda r: printer.open_cover(),
            "close_cover": lambda r: printer.close_cover(),
            "printer_fault": lambda r: printer.fault(str(r["cause"])),
            "printer_clear_faults": lambda r: printer.clear_faults(),
            "printer_silence": lambda r: printer.silence(),
            "printer_speak": lambda r: printer.speak(),
            "printer_block": lambda r: printer.block(),
            "printer_unblock": lambda r: printer.unblock(),
            "printer_unplug": lambda r: printer.unplug(),
            "printer_replug": lambda r: printer.replug(),
            "hold": lambda r: terminal.hold(),
            "auto": lambda r: terminal.auto(),
            "approve": lambda r: terminal.approve(r.get("key")),
            "decline": lambda r: terminal.decline(r.get("key")),
            "cancel": lambda r: terminal.cancel(r.get("key")),
            "expire": lambda r: terminal.expire(r.get("key")),
            "online": self._online,
            "terminal_silence": lambda r: terminal.silence(),
            "terminal_speak": lambda r: terminal.speak(),
            "terminal_unplug": lambda r: terminal.unplug(),
            "terminal_replug": lambda r: terminal.replug(),
        }

    def state(self) -> dict[str, object]:
        return {"printer": self.printer.state(), "terminal": self.terminal.state()}

    def answer(self, line: bytes) -> dict[str, object]:
        """One request to one reply. Never raises for what a client may send."""
        try:
            request = json.loads(line)
            operation = self.operations[request["op"]]
            result = operation(request)
        except KeyError as problem:
            return {"ok": False, "error": f"unknown op or missing field: {problem}"}
        except (ValueError, TypeError) as problem:
            return {"ok": False, "error": str(problem)}
        return {"ok": True, **(result if isinstance(result, dict) else {})}

    def _online(self, request: dict[str, Any]) -> None:
        self.terminal.online = bool(request["value"])


class ControlServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The control socket, readable by its owner alone."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, bench: Bench) -> None:
        path.unlink(missing_ok=True)
        self.bench = bench
        super().__init__(str(path), _Handler)
        path.chmod(0o600)


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, ControlServer), "this handler serves the control socket"
        while line := self.rfile.readline(REQUEST_MAX):
            reply = self.server.bench.answer(line)
            self.wfile.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")


def simulate(
    *,
    printer_link: Path,
    terminal_link: Path,
    out_dir: Path,
    control: Path,
    profile: str,
    stop: threading.Event,
    terminal_journal: Path | None = None,
) -> None:
    """Run until `stop`. The links appear before the control socket does.

    With `terminal_journal` the terminal remembers its charges in that file, as a real one does.
    """
    printer = PrinterSimulator(out_dir, PROFILES[profile])
    terminal = TerminalSimulator(journal=terminal_journal)
    printer.link(printer_link)
    terminal.link(terminal_link)
    printer.open()
    terminal.open()
    server = ControlServer(control, Bench(printer, terminal))
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        printer.close()
        terminal.close()
        control.unlink(missing_ok=True)
