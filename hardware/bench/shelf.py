"""The scenarios that ship with the program, and any other file of a technician's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hardware.bench.complaints import nearest
from hardware.bench.devices import vocabulary
from hardware.bench.reading import parse_scenario
from hardware.bench.scenario import Scenario, ScenarioProblem


def shipped() -> dict[str, bytes]:
    """Name to file content, in the order in which a technician should meet them."""
    folder = resources.files("hardware.bench") / "scenarios"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): f.read_bytes() for f in files}


def find(wanted: str) -> Scenario | ScenarioProblem:
    """By the name of one that ships (with or without its number), or by the path of a file."""
    path = Path(wanted)
    if path.suffix == ".yaml":
        try:
            return parse_scenario(path.read_bytes(), wanted, vocabulary())
        except OSError as trouble:
            return ScenarioProblem(wanted, 0, f"no se puede leer: {trouble.strerror}")
    shelf = shipped()
    for name, raw in shelf.items():
        if wanted in {name, name.partition("-")[2]}:
            return parse_scenario(raw, f"{name}.yaml", vocabulary())
    return ScenarioProblem(wanted, 0, nearest(wanted, shelf, "escenario"))
