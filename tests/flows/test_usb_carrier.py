"""A stick between a node without network and the city: lost, copied, used twice, edited, in a wrong town."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.carrier import Desk, NodeResult, import_stick
from central.city import City
from central.keys import CityKey
from central.nodes import add_node
from central.staff import stored_facts
from central.store import open_store
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, encode_fact
from municipio.stick_words import StickState
from municipio.usecases.ports import AttachmentRef, Recorded
from municipio.wire import carrier as names
from sync.attachments import AttachmentStore
from sync.carrier import NodeSide, export_to, import_from
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Outbox
from sync.stick import StickNote, serve_stick
from sync.uploads import Uploads

NOW = datetime(2026, 1, 20, 18, tzinfo=UTC)
TYPES = [FactType.PAYMENT_TAKEN, FactType.REPORT_FILED, FactType.TERMS_ACCEPTED]


class Now:
    def now(self) -> Instant:
        return Instant(NOW, TimeQuality.SYNCED, "boot", 1)


@dataclass
class Node:
    """One node far from any network."""

    folder: Path
    code: str = "COA007"
    inegi: str = "30039"
    key: NodeKey = field(default_factory=lambda: NodeKey(Ed25519PrivateKey.generate()))
    told: list[bytes] = field(default_factory=list)
    ledger: SqliteLedger = field(init=False)
    side: NodeSide = field(init=False)

    def start(self, city: CityKey) -> None:
        opened = open_ledger(self.folder / "ledger.sqlite", Now(), self.code, self.inegi)
        assert isinstance(opened, SqliteLedger)
        self.ledger = opened
        uploads = Uploads(opened, AttachmentStore(self.folder / "attachments"))
        self.side = NodeSide(
            self.inegi, self.code, self.key, city.public, Outbox(opened), uploads,
            DataDir(self.folder),
        )  # fmt: skip

    def work(self, count: int, photos: int = 0) -> None:
        for n in range(count):
            self._record(FactDraft(TYPES[n % 3], {"n": len(self.told)}))
        for _ in range(photos):
            ref = self.side.uploads.store.put(os.urandom(300_000), "image/jpeg")
            assert isinstance(ref, AttachmentRef)
            self._record(FactDraft(FactType.REPORT_FILED, {"attachments": [ref.document()]}))

    def _record(self, draft: FactDraft) -> None:
        done = self.ledger.record(draft)
        assert isinstance(done, Recorded)
        self.told.append(encode_fact(done.fact))

    @property
    def waiting(self) -> tuple[int, int]:
        return self.side.outbox.waiting(), len(self.side.uploads.waiting())


@pytest.fixture
def city_key() -> CityKey:
    return CityKey(Ed25519PrivateKey.generate())


@pytest.fixture
def desk(tmp_path: Path, city_key: CityKey) -> Iterator[Desk]:
    store = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    yield Desk(store, City(), city_key)
    store.close()


@pytest.fixture
def node(tmp_path: Path, city_key: CityKey, desk: Desk) -> Iterator[Node]:
    folder = tmp_path / "node"
    folder.mkdir()
    made = Node(folder)
    made.start(city_key)
    add_node(desk.store, "30039", made.code, made.key.public, NOW, replace=False)
    yield made
    made.ledger.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def visit_city(stick: Path, desk: Desk) -> NodeResult:
    (result,) = import_stick(stick, desk, NOW)
    return result


def held(desk: Desk) -> list[bytes]:
    found = stored_facts(desk.store, "30039", "", "")
    return sorted(raw.encode() if isinstance(raw, str) else raw for raw in found)


def test_a_stick_brings_everything_and_takes_the_answers_back(
    node: Node, desk: Desk, stick: Path
) -> None:
    node.work(700, photos=2)
    done = export_to(stick, node.side)
    assert (done.facts, done.attachments, done.trouble) == (702, 2, "")
    assert node.waiting == (702, 2), "nothing is forgotten before the city has answered"
    result = visit_city(stick, desk)
    assert (result.facts, result.attachments, result.refused) == (702, 2, [])
    assert held(desk) == sorted(node.told)
    back = import_from(stick, node.side)
    assert (back.facts, back.attachments, back.refused) == (702, 2, [])
    assert node.waiting == (0, 0)
    assert list((node.folder / "attachments").iterdir()) == []
    again = export_to(stick, node.side)
    assert (again.facts, again.attachments) == (0, 0)
    assert list((stick / "PLAZA" / "out" / "30039-COA007" / "attachments").iterdir()) == []


def test_a_lost_stick_costs_nothing(node: Node, desk: Desk, stick: Path) -> None:
    node.work(5)
    export_to(stick, node.side)
    shutil.rmtree(stick)
    stick.mkdir()
    node.work(5)
    export_to(stick, node.side)
    assert visit_city(stick, desk).facts == 10
    import_from(stick, node.side)
    assert node.waiting == (0, 0)


def test_a_copied_stick_and_one_used_twice_have_one_effect(
    node: Node, desk: Desk, stick: Path, tmp_path: Path
) -> None:
    node.work(9, photos=1)
    export_to(stick, node.side)
    copy = tmp_path / "copy"
    shutil.copytree(stick, copy)
    assert visit_city(stick, desk).facts == 10
    for again in (stick, copy, stick):
        result = visit_city(again, desk)
        assert (result.facts, result.attachments, result.refused) == (0, 0, [])
    assert len(held(desk)) == 10
    import_from(copy, node.side)
    assert node.waiting == (0, 0)
    node.work(3)
    old = import_from(stick, node.side)
    assert (old.facts, node.waiting) == (0, (3, 0)), "an old answer changes nothing"


def test_an_edited_stick_is_refused_byte_by_byte_and_told(
    node: Node, desk: Desk, stick: Path
) -> None:
    node.work(6, photos=1)
    export_to(stick, node.side)
    out = stick / "PLAZA" / "out" / "30039-COA007"
    for file in [*out.glob("*.batch"), *(out / "attachments").iterdir()]:
        raw = bytearray(file.read_bytes())
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)
    result = visit_city(stick, desk)
    assert (result.facts, result.attachments, len(result.refused)) == (0, 0, 4)
    assert held(desk) == []
    export_to(stick, node.side)
    assert visit_city(stick, desk).facts == 7
    back = stick / "PLAZA" / "in" / "30039-COA007"
    for file in [*back.glob("*.ack"), back / names.HELD]:
        raw = bytearray(file.read_bytes())
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)
    refused = import_from(stick, node.side)
    assert (refused.facts, refused.attachments, len(refused.refused)) == (0, 0, 4)
    assert node.waiting == (7, 1)


def test_files_of_a_stick_that_its_node_did_not_sign_for_are_nobodys(
    node: Node, desk: Desk, stick: Path
) -> None:
    import hashlib

    node.work(1)
    export_to(stick, node.side)
    folder = stick / "PLAZA" / "out" / "30039-COA007" / "attachments"
    folder.mkdir(exist_ok=True)
    (folder / hashlib.sha256(b"planted").hexdigest()).write_bytes(b"planted")
    result = visit_city(stick, desk)
    assert (result.facts, result.attachments) == (1, 0)
    assert "not in a list that the node signed" in result.refused[0]


def test_a_stick_in_the_wrong_city_or_node_changes_nothing(
    node: Node, desk: Desk, stick: Path, tmp_path: Path, city_key: CityKey
) -> None:
    node.work(4)
    export_to(stick, node.side)
    other_city = replace(desk, city=City(inegi="30040"), key=CityKey(Ed25519PrivateKey.generate()))
    assert visit_city(stick, other_city).refused == ["it belongs to municipality 30039"]
    assert not (stick / "PLAZA" / "in").exists()
    same_number = replace(desk, key=CityKey(Ed25519PrivateKey.generate()))
    visit_city(stick, same_number)
    answer = import_from(stick, node.side)
    assert answer.facts == 0
    assert node.waiting == (4, 0), "another city's key proves nothing here"
    visit_city(stick, desk)
    neighbour = Node(tmp_path / "neighbour", code="COA008")
    neighbour.folder.mkdir()
    neighbour.start(city_key)
    neighbour.work(2)
    assert import_from(stick, neighbour.side).facts == 0
    ours = stick / "PLAZA" / "in" / "30039-COA007"
    shutil.copytree(ours, ours.with_name("30039-COA008"))
    assert import_from(stick, neighbour.side).facts == 0
    assert neighbour.waiting == (2, 0)
    neighbour.ledger.close()


def test_an_unknown_node_is_refused(
    desk: Desk, stick: Path, tmp_path: Path, city_key: CityKey
) -> None:
    stranger = Node(tmp_path / "stranger", code="COA099")
    stranger.folder.mkdir()
    stranger.start(city_key)
    stranger.work(1, photos=1)
    export_to(stick, stranger.side)
    result = visit_city(stick, desk)
    assert (result.facts, result.attachments) == (0, 0)
    assert all("active node" in r or "node signed" in r for r in result.refused)
    stranger.ledger.close()


def test_a_full_stick_takes_what_fits_most_urgent_first(
    node: Node, stick: Path, desk: Desk
) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounts a small disk; needs root")
    import subprocess

    node.work(60, photos=3)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(stick)], check=True)
    try:
        done = export_to(stick, node.side)
        assert done.is_full
        assert done.facts == 63
        assert done.attachments < 3
        assert visit_city(stick, desk).facts == 63
    finally:
        subprocess.run(["umount", str(stick)], check=True)


def test_what_lies_on_a_stick_beside_our_files_is_never_followed(
    node: Node, desk: Desk, stick: Path
) -> None:
    secret = node.folder / "secret"
    secret.write_text("not for the city")
    out = stick / "PLAZA" / "out" / "30039-COA007"
    out.mkdir(parents=True)
    (out / "pay-1-1.batch").symlink_to(secret)
    os.mkfifo(out / "rep-1-1.batch")
    (out / "..batch").write_text("x")
    (stick / "PLAZA" / "out" / "not-a-node").mkdir()
    assert visit_city(stick, desk).facts == 0
    back = stick / "PLAZA" / "in" / "30039-COA007"
    back.mkdir(parents=True, exist_ok=True)
    os.mkfifo(back / "pay-1.ack")
    (back / "attachments.held").unlink(missing_ok=True)
    (back / "attachments.held").symlink_to("/dev/zero")
    (back / "content").symlink_to("/")
    done = import_from(stick, node.side)
    assert (done.facts, done.content) == (0, "")


def test_network_and_stick_may_carry_the_same_facts_at_once(
    node: Node, desk: Desk, tmp_path: Path
) -> None:
    node.work(300)
    sticks = [tmp_path / f"stick-{n}" for n in range(3)]
    for folder in sticks:
        folder.mkdir()
        export_to(folder, node.side)
    threads = [threading.Thread(target=visit_city, args=(folder, desk)) for folder in sticks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held(desk) == sorted(node.told)
    for folder in sticks:
        import_from(folder, node.side)
    assert node.waiting == (0, 0)


def test_only_a_stick_of_the_city_is_served_when_it_is_put_in(
    node: Node, desk: Desk, stick: Path, city_key: CityKey
) -> None:
    node.work(3)
    notes: list[StickNote] = []
    assert serve_stick(stick, node.side, Now(), notes.append).state is StickState.REFUSED
    assert list(stick.iterdir()) == [], "somebody's own stick is left as it is"
    (stick / "PLAZA").mkdir()
    marker = stick / "PLAZA" / names.MARKER
    for inegi, sign in (("30040", city_key.sign), ("30039", node.key.sign)):
        marker.write_bytes(names.encode_stick(names.Stick(inegi, "USB-1", NOW.date()), sign))
        assert serve_stick(stick, node.side, Now(), notes.append).state is StickState.REFUSED
    marker.write_bytes(names.encode_stick(names.Stick("30039", "USB-1", NOW.date()), city_key.sign))
    notes.clear()
    end = serve_stick(stick, node.side, Now(), notes.append)
    assert (end.state, end.facts_out, end.serial) == (StickState.DONE, 3, "USB-1")
    assert notes[-1] == end
    assert {note.state for note in notes[:-1]} == {StickState.WORKING}
    visit_city(stick, desk)
    end = serve_stick(stick, node.side, Now(), notes.append)
    assert (end.facts_confirmed, end.facts_out) == (3, 0)
