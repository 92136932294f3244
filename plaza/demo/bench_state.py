"""What the bench page shows, once a second: values of the stage as JSON, in the words of a technician."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hardware.bench.shelf import find, shipped
from municipio.device_words import technician_words
from municipio.devices import DeviceState
from plaza.demo.journal import Journal
from plaza.demo.narration import NODE_NAMES
from plaza.demo.show import Show
from plaza.demo.stage import Stage
from plaza.hardware_look import STATE_WORDS

LATEST_RECEIPTS = 6
JOURNAL_LINES = 40
UNSEEN = "unseen"


def receipt_stems(folder: Path) -> list[str]:
    """Names of the receipts that came out, newest first. A receipt is complete when its PNG exists."""
    return sorted((p.stem for p in folder.glob("*.png")), reverse=True)


def stage_state(stage: Stage) -> dict[str, Any]:
    devices = stage.desk.states()
    for name, state in devices.items():
        state["words"] = _node_words(name, state)
    return {
        "network": stage.cable.whole,
        "cable": stage.cable.state,
        "programs": {p.name: p.running for p in (*stage.node_programs, stage.central)},
        "devices": devices,
        "charges": stage.terminal.charges()[-4:] if "terminal" in devices else [],
        "link": _link(stage),
        "receipts": receipt_stems(stage.plan.receipts)[:LATEST_RECEIPTS],
        "journal": Journal.of(stage).newest(JOURNAL_LINES),
    }


def story_state(show: Show | None) -> dict[str, Any]:
    """Where the scenario is; `key` changes when another one stands on the stage."""
    if show is None:
        return {"key": "demo"}
    return {
        "key": show.key,
        "playing": show.is_playing,
        "changing": show.is_changing,
        "verdict": show.verdict,
        "trouble": show.trouble,
        "steps": [asdict(told) for told in show.told],
    }


def scenario_titles() -> list[tuple[str, str]]:
    """Name and title of every scenario that ships."""
    found = ((name, find(name)) for name in shipped())
    return [(name, getattr(scenario, "title", name)) for name, scenario in found]


def _node_words(name: str, state: dict[str, object]) -> str:
    """What the node knows of a device; of one that a program of the node holds, what it does."""
    seen = state.get("node")
    if isinstance(seen, dict) and seen:
        cause = seen["cause"]
        said = technician_words(NODE_NAMES.get(name, name), cause) if cause else ""
        if seen["state"] == UNSEEN:
            return "Nadie lo mira: el kiosco está apagado"
        return f"{STATE_WORDS[DeviceState(seen['state'])]}{': ' + said if said and said != cause else ''}"
    causes = state.get("causes")
    if isinstance(causes, list) and causes:
        worst = next((c for c in causes if c != "offline"), causes[0])
        return technician_words(name, str(worst)).capitalize()
    if state.get("plugged") is False:
        return "Cable suelto"
    return "Callado: no contesta" if state.get("silent") else "Funciona"


def _link(stage: Stage) -> dict[str, Any]:
    """What the sync worker last wrote about the talk with the city; empty when it wrote nothing."""
    try:
        report: dict[str, Any] = json.loads((stage.plan.node / "run" / "link.json").read_text())
        return report
    except (OSError, ValueError):
        return {}
