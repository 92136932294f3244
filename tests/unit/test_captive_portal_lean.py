"""What the portal does not load until it is needed: on a board of 512 MB it is there all day."""

from __future__ import annotations

import subprocess
import sys

import pytest

NOT_AT_START = {
    "PIL": "strangers' pictures are decoded in a process of their own",
    "asyncio": "only where the portal itself has a certificate",
    "httpx2": "only the queue speaks with the city",
    "qrcode": "most visitors never see one",
    "sqlite_utils": "a catalogue is only built by whoever brings it",
}


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    said = subprocess.run(
        [sys.executable, "-P", "-c", "import captive_portal.wiring, sys; print(*sys.modules)"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return {name.partition(".")[0] for name in said.stdout.split()}


@pytest.mark.parametrize("package", NOT_AT_START)
def test_the_portal_starts_without(package: str, loaded: set[str]) -> None:
    assert package not in loaded, NOT_AT_START[package]
