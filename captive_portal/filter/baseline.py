"""The list that an image brings, so that a node filters before the city's first list arrives.

Public DoH resolvers are named in earnest; every other category holds invented demonstration names only.
A city replaces it with lists whose licence it accepted.
"""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.reading import find_lists
from captive_portal.filter.report import BuildReport

DAY = date(2026, 11, 20)
"""Of its contents: the same sources make the same bytes on any day."""
NOTICE = "lista base de demostración: solo los DNS cifrados son reales; la ciudad pone sus listas"


def build_baseline(out: Path, allow: tuple[str, ...] = ()) -> BuildReport:
    """Write the unsigned baseline. Raises what `build` raises."""
    folder = resources.files("captive_portal.filter").joinpath("baseline_lists")
    with resources.as_file(folder) as path:
        return build(BuildPlan(find_lists([str(path)]), out, DAY, allow, notice=NOTICE))
