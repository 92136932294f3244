"""A blocked name leads a telephone to the portal's own page, through the real firewall and portal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.policy import Category
from captive_portal.filter.reading import ListFile

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
GATEWAY, BLOCKED = "10.66.0.1", "bloqueado.example.org"


@pytest.fixture
def filtered_town(town: Any, tmp_path: Path) -> Iterator[Any]:
    """The town with a list of one name, which resolves to the node as the filter answers it."""
    names, folder = tmp_path / "names.txt", town.data / "filter"
    names.write_text(f"{BLOCKED}\n")
    folder.mkdir(exist_ok=True)
    build(BuildPlan([ListFile(names, Category.GAMBLING)], folder / "list.cdb", date(2026, 1, 15)))
    hosts = Path("/etc/netns") / town.phone / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{GATEWAY} {BLOCKED}\n")
    yield town
    hosts.unlink()
    shutil.rmtree(folder)


def test_who_is_online_learns_why_a_page_does_not_open(filtered_town: Any) -> None:
    town = filtered_town
    before = town.from_phone("get", f"http://{BLOCKED}/carta?x=1")
    town.gate.grant(town.phone_ip, 600)

    sent = town.from_phone("get", f"http://{BLOCKED}/carta?x=1")
    page = town.from_phone("get", sent["location"])

    assert before["location"] == f"http://{GATEWAY}/", "who has not accepted sees the welcome"
    assert sent["location"] == f"http://{GATEWAY}/es/bloqueado?nombre={BLOCKED}"
    assert page["status"] == 200
    assert "Apuestas" in page["body"]
    assert "15 de enero de 2026" in page["body"]
