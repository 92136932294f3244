"""Is the data directory where it survives a restart and an update: on the mounted data partition?"""

from __future__ import annotations

from pathlib import Path


def wrong_partition(data: Path, mount: str) -> str:
    """Why facts would be lost with the next restart; empty when all is well or nothing is expected."""
    if not mount:
        return ""
    expected = Path(mount)
    if not expected.is_mount():
        return f"the data partition is not mounted at {mount}: facts would be lost; check the card"
    folder = next(p for p in (data.absolute(), *data.absolute().parents) if p.exists())
    if folder.stat().st_dev != expected.stat().st_dev:
        return f"{data} is not on the data partition {mount}: facts would be lost"
    return ""
