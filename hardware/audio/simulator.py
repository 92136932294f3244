"""A sound card, its socket, and the three programs that use them, in one folder.

The driver is pointed at the folder: `bin/` holds espeak-ng, aplay and amixer as small programs, `cards/`
shows the card while it is plugged in. Moods are in `state.json`, so that another process may change them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hardware.transport.event_end import EventEnd
from hardware.transport.event_stream import EV_SW, SW_HEADPHONE_INSERT, InputEvent

CARD = "Simulada"
JACK_ID = "0000:0006"
PROGRAMS = ("espeak-ng", "aplay", "amixer")
MOODS = ("ok", "fail", "hang", "garbage", "flood")
_ROOT = str(Path(__file__).parents[2])


class AudioSimulator:
    """`pace` is how much of a sound's true length playing takes. Controls from any thread."""

    def __init__(self, folder: Path, *, pace: float = 0.0) -> None:
        self.folder = folder
        self._jack = EventEnd(JACK_ID)
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "cards").mkdir(exist_ok=True)
        self._write({name: "ok" for name in PROGRAMS} | {"pace": pace, "headphones": False})
        for name in PROGRAMS:
            self.install(name)
        self.plug()

    @property
    def programs(self) -> str:
        return str(self.folder / "bin")

    @property
    def cards(self) -> str:
        return str(self.folder / "cards")

    def open_jack(self) -> str:
        """The evdev switch; the path is the setting `audio.jack_port`."""
        return self._jack.open()

    def link_jack(self, path: Path) -> None:
        self._jack.link(path)

    def close(self) -> None:
        self._jack.close()

    def plug(self) -> None:
        (self.folder / "cards" / CARD).mkdir(exist_ok=True)

    def unplug(self) -> None:
        (self.folder / "cards" / CARD).rmdir()

    def insert_headphones(self) -> None:
        self._switch(True)

    def pull_headphones(self) -> None:
        self._switch(False)

    def unplug_jack(self) -> None:
        self._jack.unplug()

    def replug_jack(self) -> None:
        self._jack.replug()

    def mood(self, program: str, mood: str) -> None:
        """How a program behaves from its next start: one of `MOODS`."""
        if program not in PROGRAMS or mood not in MOODS:
            raise ValueError(f"{program} cannot be {mood}")
        self._write(self._read() | {program: mood})

    def uninstall(self, program: str) -> None:
        (self.folder / "bin" / program).unlink(missing_ok=True)

    def install(self, program: str) -> None:
        path = self.folder / "bin" / program
        path.write_text(
            f"#!{sys.executable} -IS\nimport sys\nsys.path.insert(0, {_ROOT!r})\n"
            "from hardware.audio.simulated_programs import main\n"
            f"main({program!r}, {str(self.folder)!r}, sys.argv[1:])\n"
        )
        path.chmod(0o755)

    def said(self) -> list[dict[str, Any]]:
        """Every phrase that became sound: text and voice, oldest first."""
        return self._lines("said")

    def played(self) -> list[dict[str, Any]]:
        """Every sound that was begun: card, seconds, and whether it came to its end."""
        ends = {line["begun"] for line in self._lines("ended")}
        return [
            {**line, "ended": n in ends} for n, line in enumerate(self._lines("played"), start=1)
        ]

    def volumes(self) -> list[str]:
        """What the mixer was told, oldest first."""
        return [line["volume"] for line in self._lines("mixer")]

    def state(self) -> dict[str, object]:
        return {
            **self._read(),
            "plugged": (self.folder / "cards" / CARD).exists(),
            "said": len(self.said()),
            "volume": (self.volumes() or [""])[-1],
        }

    def _switch(self, on: bool) -> None:
        self._write(self._read() | {"headphones": on})
        self._jack.switch_on = on
        self._jack.send(InputEvent(EV_SW, SW_HEADPHONE_INSERT, int(on)))

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / f"{name}.jsonl"
        return [json.loads(s) for s in path.read_text().splitlines()] if path.exists() else []

    def _read(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return known

    def _write(self, state: dict[str, Any]) -> None:
        fresh = self.folder / ".state.json"
        fresh.write_text(json.dumps(state))
        fresh.replace(self.folder / "state.json")
