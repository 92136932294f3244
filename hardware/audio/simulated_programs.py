"""What the simulated espeak-ng, aplay and amixer do when the driver runs them. Standard library only."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

RATE = 8000
_FLOOD = b"\x00" * 65536


def main(program: str, folder: str, argv: list[str]) -> None:
    """Behave as `state.json` says, else do the program's work."""
    place = Path(folder)
    state = json.loads((place / "state.json").read_text())
    mood = state[program]
    if mood == "fail":
        sys.exit(1)
    if mood == "hang":
        time.sleep(3600)
    if mood in ("garbage", "flood"):
        while True:
            sys.stdout.buffer.write(_FLOOD if mood == "flood" else b"not what was asked")
            if mood == "garbage":
                return
    {"espeak-ng": _speak, "aplay": _play, "amixer": _mix}[program](place, state, argv)


def _speak(place: Path, state: dict[str, Any], argv: list[str]) -> None:
    text = sys.stdin.buffer.read().decode()
    _note(place, "said", {"text": text, "voice": argv[argv.index("-v") + 1], "argv": argv})
    frames = b"".join(
        struct.pack("<h", int(6000 * math.sin(n * 0.35))) for n in range(RATE // 40 * len(text))
    )
    head = b"RIFF\x24\xf0\xff\x7fWAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16
    )
    sys.stdout.buffer.write(head + b"data\x00\xf0\xff\x7f" + frames)


def _play(place: Path, state: dict[str, Any], argv: list[str]) -> None:
    wav = sys.stdin.buffer.read()
    seconds = (len(wav) - 44) / (RATE * 2)
    begun = _note(place, "played", {"card": argv[argv.index("-D") + 1], "seconds": seconds})
    time.sleep(seconds * state["pace"])
    _note(place, "ended", {"begun": begun})


def _mix(place: Path, state: dict[str, Any], argv: list[str]) -> None:
    if "cget" in argv:
        value = "on" if state["headphones"] else "off"
        sys.stdout.write(f"numid=1,iface=CARD,name='Headphone Jack'\n  : values={value}\n")
    else:
        _note(place, "mixer", {"volume": argv[-1], "argv": argv})


def _note(place: Path, name: str, line: dict[str, Any]) -> int:
    """Add a line with the process that wrote it; its number, from 1."""
    path = place / f"{name}.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(line | {"pid": os.getpid()}) + "\n")
    return len(path.read_text().splitlines())
