"""Switches without a node: what was pressed is remembered, may fail, and can be followed by a stage."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from plaza.energy_plan import Action, Antennas, Arm, Halt, Light, Processor, Service, Switch, Usb

KINDS: dict[str, type[Action]] = {
    kind.__name__.lower(): kind for kind in (Switch, Light, Antennas, Usb, Processor, Arm, Halt)
}


class SimulatedEdge:
    """`refuses` names kinds of action (`arm`, `halt`, ...) that fail from now on."""

    def __init__(self) -> None:
        self.pressed: list[Action] = []
        self.on: dict[Service, bool] = dict.fromkeys(Service, True)
        self.screen_percent = 100
        self.antennas = self.usb = True
        self.slow = False
        self.armed_s = 0
        self.halted = False
        self.refuses: set[str] = set()

    def do(self, action: Action) -> str:
        if (kind := type(action).__name__.lower()) in self.refuses:
            return f"simulated trouble: {kind}"
        self.pressed.append(action)
        match action:
            case Switch(service, on):
                self.on[service] = on
            case Light(percent):
                self.screen_percent = percent
            case Antennas(on):
                self.antennas = on
            case Usb(on):
                self.usb = on
            case Processor(slow):
                self.slow = slow
            case Arm(seconds):
                self.armed_s = seconds
            case Halt():
                self.halted = True
        return ""


class JournalEdge:
    """Every action as a line of JSON in a file: whoever plays the node's hardware follows it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def do(self, action: Action) -> str:
        line = json.dumps({"do": type(action).__name__.lower(), **asdict(action)})
        try:
            with self._file.open("a", encoding="utf-8") as journal:
                journal.write(line + "\n")
        except OSError as trouble:
            return f"{self._file}: {trouble.strerror}"
        return ""


def action_of(line: str) -> Action:
    """The action of one line of the journal. Raises ValueError or KeyError for any other line."""
    document = json.loads(line)
    kind = KINDS[document.pop("do")]
    if "service" in document:
        document["service"] = Service(document["service"])
    return kind(**document)
