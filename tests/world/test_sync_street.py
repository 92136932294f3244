"""A node and a city on a street that loses, repeats and lies: the city ends with exactly the union."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, decode_fact, encode_fact
from municipio.usecases.ports import AttachmentRef, LinkState, Recorded
from sync.attachments import AttachmentStore
from sync.delivery import Delivery
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger
from sync.link import LinkFile, read_link
from sync.outbox import Outbox
from sync.protocol import Exchange, Pace, Send
from sync.simulator import CitySimulator, Mood
from sync.uploads import Uploads
from sync.verify import verify_ledger
from sync.worker import Worker

TYPES = [
    FactType.PAYMENT_TAKEN,
    FactType.REPORT_FILED,
    FactType.TERMS_ACCEPTED,
    FactType.DEVICE_CHANGED,
]
LIES = [mood for mood in Mood if mood is not Mood.FROM_BACKUP]


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


class World:
    """One node, one city, and hours of street in virtual seconds."""

    def __init__(self, folder: Path, seed: int, moods: list[Mood]) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.moods = moods
        self.key = NodeKey(Ed25519PrivateKey.generate())
        self.city = CitySimulator("COA007", self.key.public, self._mood)
        self.now = 1000.0
        self.recorded: list[bytes] = []
        self.store = AttachmentStore(folder / "attachments")
        self.photos: dict[str, bytes] = {}
        self.start()

    def _mood(self) -> Mood:
        return self.chance.choice(self.moods) if self.chance.random() < 0.6 else Mood.HONEST

    def start(self) -> None:
        """Start the node's programs, as after a power cut."""
        opened = open_ledger(self.folder / "ledger.sqlite", Now(), "COA007", "30039")
        assert isinstance(opened, SqliteLedger), opened
        self.ledger = opened
        self.outbox = Outbox(opened)
        self.uploads = Uploads(opened, self.store)
        delivery = Delivery(
            self.outbox, "COA007", self.key, self.city.public, self.city, self.uploads
        )
        pace = Pace(5, 5, 1800)
        exchange = Exchange(pace, self.chance.random, attempts=self.outbox.attempts())
        exchange.begin(self.now)
        self.worker = Worker(
            opened,
            delivery,
            exchange,
            LinkFile(self.folder / "link.json"),
            seconds=lambda: self.now,
        )

    def record(self) -> None:
        draft = FactDraft(self.chance.choice(TYPES), {"n": len(self.recorded)})
        done = self.ledger.record(draft)
        assert isinstance(done, Recorded), done
        self.recorded.append(encode_fact(done.fact))

    def photograph(self) -> None:
        """A report with a sealed photo of a few parts."""
        sealed = self.chance.randbytes(self.chance.randrange(1, 700_000))
        ref = self.store.put(sealed, "image/jpeg")
        assert isinstance(ref, AttachmentRef)
        self.photos[ref.sha256] = sealed
        draft = FactDraft(FactType.REPORT_FILED, {"attachments": [ref.document()]})
        done = self.ledger.record(draft)
        assert isinstance(done, Recorded), done
        self.recorded.append(encode_fact(done.fact))

    def step(self) -> None:
        self.now += self.worker.step(self.now) + 0.01

    def settle(self) -> None:
        """Peace on the street: everything must arrive."""
        self.moods = [Mood.HONEST]
        for _ in range(2000):
            if not self.outbox.waiting() and not self.uploads.waiting():
                return
            self.step()
        raise AssertionError("the queue does not drain")


@pytest.mark.parametrize("seed", range(12))
def test_the_city_ends_with_exactly_what_citizens_did(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed, LIES)
    for _ in range(250):
        deed = world.chance.random()
        if deed < 0.4:
            world.record()
        elif deed < 0.42:
            world.photograph()
        elif deed < 0.45:
            world.ledger.close()
            world.start()
        else:
            world.step()
    world.settle()
    assert sorted(world.city.facts()) == sorted(world.recorded)
    assert world.city.tampering == 0
    assert {name: world.city.files[name] for name in world.city.complete} == world.photos
    assert list(world.store.folder.iterdir()) == []
    assert verify_ledger(world.ledger).problems == ()
    note = read_link(tmp_path / "link.json")
    assert note is not None
    assert (note.state, note.trouble) == (LinkState.ONLINE, "")
    world.ledger.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_city_that_comes_back_from_a_backup_gets_everything_again(
    tmp_path: Path, seed: int
) -> None:
    world = World(tmp_path, seed, [Mood.HONEST, Mood.FROM_BACKUP, Mood.LOST_ANSWER])
    for _ in range(150):
        world.record()
        world.step()
    world.settle()
    for _ in range(3):
        world.record()
        world.settle()
    held = {decode_fact(raw).id for raw in world.city.facts()}
    missing = [raw for raw in world.recorded if decode_fact(raw).id not in held]
    # A lane in which nothing new happens learns of the city's loss with its next fact.
    for draft in TYPES:
        done = world.ledger.record(FactDraft(draft, {}))
        assert isinstance(done, Recorded)
        world.recorded.append(encode_fact(done.fact))
    world.settle()
    assert sorted(world.city.facts()) == sorted(world.recorded), missing
    world.ledger.close()


def test_no_lie_ever_clears_the_queue(tmp_path: Path) -> None:
    lies = [
        Mood.LOGIN_PAGE, Mood.GARBAGE, Mood.CUT_ANSWER, Mood.OTHER_CITY, Mood.LYING_HASH,
        Mood.LOST_ANSWER, Mood.BROKEN, Mood.STRANGER, Mood.TOO_LARGE,
    ]  # fmt: skip
    world = World(tmp_path, 1, [Mood.HONEST])
    for _ in range(5):
        world.record()
    delivery = Delivery(world.outbox, "COA007", world.key, world.city.public, world.city)
    for lie in lies:
        world.city.mood = iter([lie] * 10).__next__
        for stretch in world.outbox.stretches():
            delivery.send(Send(stretch.lane, stretch.epoch, 1, 500))
        assert world.outbox.waiting() == 5, lie
    world.ledger.close()


def test_a_cloned_card_is_noticed_and_new_facts_travel_in_a_new_epoch(tmp_path: Path) -> None:
    world = World(tmp_path / "one", 1, [Mood.HONEST])
    world.record()
    world.settle()
    world.ledger.close()
    clone = tmp_path / "two"
    shutil.copytree(tmp_path / "one", clone)
    world.start()
    draft = FactDraft(FactType.PAYMENT_TAKEN, {"who": "first"})
    for _ in range(3):
        assert isinstance(world.ledger.record(draft), Recorded)
    world.settle()
    held = len(world.city.facts())
    world.ledger.close()
    world.folder = clone
    world.start()
    lost = world.ledger.record(FactDraft(FactType.PAYMENT_TAKEN, {"who": "clone"}))
    assert isinstance(lost, Recorded)
    for _ in range(5):
        world.step()
    assert world.city.tampering >= 1
    assert world.outbox.epoch() == 2
    assert held < len(world.city.facts())
    inner = [decode_fact(raw).data.get("fact", "").encode() for raw in world.city.facts()]
    assert encode_fact(lost.fact) in inner, "what the clone promised travels inside another fact"
    after = world.ledger.record(FactDraft(FactType.PAYMENT_TAKEN, {"who": "clone, later"}))
    assert isinstance(after, Recorded)
    assert after.fact.epoch == 2
    for _ in range(5):
        world.step()
    assert encode_fact(after.fact) in world.city.facts()
    assert world.outbox.waiting() == 0
    assert verify_ledger(world.ledger).problems == ()
    world.ledger.close()
