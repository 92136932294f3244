"""A node without a screen says how it is: its body, its filter, the dates of what it serves; each once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from captive_portal.filter.baseline import build_baseline
from captive_portal.filter.store import ListStore
from kiosk.simulators import MemoryLedger
from municipio.device_words import technician_words
from municipio.devices import DeviceState
from municipio.facts import FactType, Lane, decode_fact
from plaza.node_vitals import LIST_UNREADABLE, LOOK_EVERY_S, Contents, content_date, told_beside
from sync.datadir import DataDir
from sync.outbox import Load, Outbox
from sync.wiring import Memory, open_memory


@pytest.fixture
def lists(tmp_path: Path) -> ListStore:
    return ListStore(tmp_path / "filter", tmp_path / "baseline.cdb")


def write_catalogue(path: Path, day: str) -> None:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        db.execute("INSERT INTO meta VALUES ('created', ?)", (day,))
    db.close()


def test_a_change_of_dates_is_a_fact_once_also_over_restarts(
    tmp_path: Path, lists: ListStore
) -> None:
    ledger, catalogue = MemoryLedger(), tmp_path / "catalogue.sqlite"
    Contents(ledger, catalogue, lists, tmp_path).step(0)
    assert ledger.facts == [], "there is nothing to tell yet"
    write_catalogue(catalogue, "2026-11-20")
    build_baseline(lists.baseline)
    for _ in range(2):
        contents = Contents(ledger, catalogue, lists, tmp_path)
        for turn in range(3):
            contents.step(turn * LOOK_EVERY_S)
    listed = lists.serving()
    assert [(fact.type, fact.data) for fact in ledger.facts] == [
        (FactType.NODE_CONTENT_CHANGED, {
            "content": "2026-11-20", "filter_list": listed.facts.date,
            "filter_names": listed.facts.names,
        }),
    ]  # fmt: skip
    write_catalogue(catalogue, "2026-11-21")
    contents.step(10 * LOOK_EVERY_S)
    assert [fact.data["content"] for fact in ledger.facts] == ["2026-11-20", "2026-11-21"]


def test_the_filter_is_a_device(tmp_path: Path, lists: ListStore) -> None:
    contents = Contents(MemoryLedger(), tmp_path / "none", lists, tmp_path)
    assert contents.filter.state is DeviceState.STARTING
    contents.step(0)
    assert contents.filter.state is DeviceState.ABSENT
    build_baseline(lists.baseline)
    contents.step(LOOK_EVERY_S)
    assert contents.filter.state is DeviceState.READY
    lists.baseline.write_bytes(b"x" * 5000)
    contents.step(2 * LOOK_EVERY_S)
    assert asdict(contents.filter) == {"state": DeviceState.FAULT, "cause": LIST_UNREADABLE}
    assert "plaza sync pull" in technician_words("filter", LIST_UNREADABLE)


def test_a_damaged_catalogue_has_no_date(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"x" * 5000)
    assert content_date(tmp_path / "catalogue.sqlite") == ""


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(DataDir(tmp_path / "node"))
    assert isinstance(opened, Memory), opened
    yield opened
    opened.close()


def test_beside_the_carrier_the_nodes_own_body_is_told(memory: Memory) -> None:
    """Over the real readers of this machine: whatever it is like, it is told."""
    deadline = time.monotonic() + 30
    told: set[str] = set()
    with told_beside(memory):
        while told < {"health"} and time.monotonic() < deadline:
            load = Outbox(memory.ledger).load(Lane.VIT, 1, 1, 100)
            facts = [decode_fact(raw) for raw in load.facts] if isinstance(load, Load) else []
            told = {f.data["device"] for f in facts if f.type is FactType.DEVICE_CHANGED}
            time.sleep(0.05)
    assert "health" in told
