"""What idle drivers cost, and how long a device's edge takes to be a state.

The simulators live in another process, so that only the drivers are measured: printer, card terminal,
charge controller (both kinds) and the node's health, as `hardware.registry` builds them for a node.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hardware.power.simulator import SunSimulator
from hardware.printer.simulator import PrinterSimulator
from hardware.registry import REGISTRY, Watched
from hardware.terminal.simulator import TerminalSimulator
from municipio.devices import DeviceState
from municipio.settings import Settings, parse_settings

IDLE_S = 8.0
GOAL_PERCENT = 2.0


def tell(what: str, value: float, unit: str, goal: str = "") -> None:
    row: dict[str, object] = {"what": what, "value": round(value, 3), "unit": unit}
    if goal:
        row["goal"] = goal
    print(json.dumps(row, ensure_ascii=False), flush=True)


def far_ends(folder: Path) -> None:
    """The other process: simulators at links in `folder`, one order per line of stdin."""
    printer = PrinterSimulator(folder / "papers")
    terminal = TerminalSimulator()
    vedirect, epever = SunSimulator("vedirect"), SunSimulator("epever")
    ends = {"printer": printer, "terminal": terminal, "vedirect": vedirect, "epever": epever}
    for name, end in ends.items():
        end.link(folder / name)
        end.open()
    orders: dict[str, Callable[[], object]] = {
        "paper_out": printer.paper_out,
        "paper_in": printer.load_paper,
        "load_off": lambda: (vedirect.set_load(False), epever.set_load(False)),
        "load_on": lambda: (vedirect.set_load(True), epever.set_load(True)),
        "offline": lambda: setattr(terminal, "online", False),
        "online": lambda: setattr(terminal, "online", True),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        orders[line.strip()]()
        print(time.monotonic(), flush=True)
    for end in ends.values():
        end.close()


class Far:
    """The other process, seen from here."""

    def __init__(self, folder: Path) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-P", __file__, "--far", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def do(self, order: str) -> float:
        """The moment at which it was done: CLOCK_MONOTONIC is one for all processes."""
        assert self._program.stdin is not None
        self._program.stdin.write(order + "\n")
        self._program.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait(timeout=10)

    def _read(self) -> str:
        assert self._program.stdout is not None
        return self._program.stdout.readline()


def settings(folder: Path, kind: str) -> Settings:
    return parse_settings(
        {
            "printer": {"port": str(folder / "printer")},
            "terminal": {"port": str(folder / "terminal")},
            "power": {"kind": kind, "port": str(folder / kind)},
            "health": {"data": str(folder)},
        }
    )


def built(folder: Path) -> dict[str, Watched]:
    one, other = settings(folder, "vedirect"), settings(folder, "epever")
    drivers = {name: REGISTRY[name].build(one, None) for name in ("printer", "terminal", "health")}
    drivers["vedirect"] = REGISTRY["power"].build(one, None)
    drivers["epever"] = REGISTRY["power"].build(other, None)
    return drivers


def settled(drivers: dict[str, Watched]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        states = {d.status().state for d in drivers.values()}
        if DeviceState.STARTING not in states and DeviceState.UNKNOWN not in states:
            return
        time.sleep(0.05)
    raise SystemExit(f"never settled: { ({n: d.status() for n, d in drivers.items()}) }")


def share(seconds: float) -> float:
    """Percent of one core that this process uses while this thread sleeps."""
    cpu, wall = time.process_time(), time.monotonic()
    time.sleep(seconds)
    return (time.process_time() - cpu) / (time.monotonic() - wall) * 100


def edge_ms(far: Far, order: str, driver: Watched, cause: str) -> float:
    began = far.do(order)
    while driver.status().cause != cause:
        if time.monotonic() - began > 8:
            raise SystemExit(f"the edge of «{order}» never came")
        time.sleep(0.002)
    return (time.monotonic() - began) * 1000


def edges(far: Far, drivers: dict[str, Watched]) -> None:
    for name, order, back, cause in (
        ("printer", "paper_out", "paper_in", "paper_end"),
        ("terminal", "offline", "online", "offline"),
        ("vedirect", "load_off", "load_on", "load_off"),
        ("epever", "load_off", "load_on", "load_off"),
    ):
        took = []
        for pause_s in (0.1, 0.43, 0.76):
            took.append(edge_ms(far, order, drivers[name], cause))
            edge_ms(far, back, drivers[name], "")
            time.sleep(pause_s)
        # VE.Direct is not asked: it speaks once a second, and a block takes 0.1 s on the wire.
        goal = "<= 1100" if name == "vedirect" else "<= 1000"
        tell(f"status edge to state: {name}", max(took), "ms max of 3", goal)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        far = Far(folder)
        drivers = built(folder)
        settled(drivers)
        time.sleep(1.0)
        tell(
            f"idle drivers together ({', '.join(drivers)})",
            share(IDLE_S),
            "% of a core",
            f"< {GOAL_PERCENT:g}",
        )
        edges(far, drivers)
        for driver in drivers.values():
            driver.close()
        far.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--far"]:
        far_ends(Path(sys.argv[2]))
    else:
        main()
