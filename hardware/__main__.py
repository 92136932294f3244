"""`python -m hardware simulate`: simulated devices in a process of their own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from hardware.printer.profiles import PROFILES
from hardware.simulate import simulate


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m hardware")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("simulate", help="a printer and a card terminal at the end of two ptys")
    run.add_argument("--printer-link", type=Path, required=True, help="symlink to the printer port")
    run.add_argument("--terminal-link", type=Path, required=True, help="symlink to the terminal")
    run.add_argument("--out", type=Path, required=True, help="where the papers fall")
    run.add_argument("--control", type=Path, required=True, help="Unix socket for JSON lines")
    run.add_argument("--terminal-journal", type=Path, help="file that keeps the charges")
    run.add_argument("--profile", choices=sorted(PROFILES), default="generic-80")
    chosen = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    simulate(
        printer_link=chosen.printer_link,
        terminal_link=chosen.terminal_link,
        out_dir=chosen.out,
        control=chosen.control,
        profile=chosen.profile,
        stop=stop,
        terminal_journal=chosen.terminal_journal,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
