"""One user for each program of a node, one group for all: what one makes the others can use."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType
from municipio.stick_words import StickState
from municipio.usecases.ports import LinkState
from sync.attachments import AttachmentStore
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkNote, write_link
from sync.partition import wrong_partition
from sync.stick import StickNote, write_note


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def a_working_node(folder: Path) -> dict[str, int]:
    data = DataDir(folder)
    data.create()
    NodeKey.create(data)
    AttachmentStore(data.attachments).put(b"photo", "image/jpeg")
    ledger = open_ledger(data.ledger, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    ledger.record(FactDraft(FactType.REPORT_FILED, {}))
    ledger.reserve.fill()
    link = LinkNote(
        state=LinkState.ONLINE, waiting=0, last_carried="", since="", written_boot_ms=1, boot="b"
    )
    write_link(data.link_file, link)
    write_note(data.stick_file, StickNote(state=StickState.DONE))
    found = {p.relative_to(folder).as_posix(): mode(p) for p in folder.rglob("*")}
    ledger.close()
    return found


@pytest.mark.parametrize("umask", [0o022, 0o007])
def test_in_a_shared_directory_every_file_is_the_groups(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "plaza"
    folder.mkdir()
    folder.chmod(0o2770)
    before = os.umask(umask)
    try:
        found = a_working_node(folder)
    finally:
        os.umask(before)
    assert found.pop("keys/node.key") == 0o640
    assert found.pop("keys/node.pub") & 0o440 == 0o440
    for name, bits in found.items():
        is_folder = (folder / name).is_dir()
        assert bits == (0o2770 if is_folder else 0o660), f"{name} {bits:o}"


def test_on_a_desk_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    found = a_working_node(tmp_path / "plaza")
    for name in (
        "keys",
        "keys/node.key",
        "keys/ledger.key",
        "witness",
        "attachments",
        "run/link.json",
    ):
        assert found[name] & 0o077 == 0, name


def test_a_data_partition_that_is_not_mounted_is_noticed(tmp_path: Path) -> None:
    assert wrong_partition(tmp_path, "") == ""
    assert "not mounted" in wrong_partition(tmp_path / "data", str(tmp_path))
    assert wrong_partition(Path("/proc/self"), "/proc") == ""
    assert "not on the data partition" in wrong_partition(tmp_path / "data", "/proc")
