"""What long-lived programs do not load until they need it: a board of 512 MB has them there all day."""

from __future__ import annotations

import subprocess
import sys

NOT_AT_START = {
    "PIL": "strangers' pictures are decoded in a process of their own",
    "asyncio": "only where the portal itself has a certificate",
    "httpx2": "only the queue speaks with the city",
    "qrcode": "most visitors never see one",
    "sqlite_utils": "a catalogue is only built by whoever brings it",
}


def loaded(module: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-P", "-c", f"import {module}, sys; print(*sys.modules)"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return {name.partition(".")[0] for name in said.stdout.split()}


def test_the_portal_starts_without_what_a_visit_may_never_need() -> None:
    there = loaded("captive_portal.wiring")

    assert {name: why for name, why in NOT_AT_START.items() if name in there} == {}


def test_the_judge_of_a_start_does_without_what_reads_the_city_s_repository() -> None:
    assert loaded("plaza.commands.update") & {"tuf", "httpx2", "urllib3"} == set()
