"""Fetching an update: by signed spans that go on where they broke off, from the city or from a stick."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from waitress.server import create_server

from captive_portal.server import stop_server
from central.app import create_app
from central.city import City
from central.cli import main as plaza_central
from central.context import Central
from central.keys import CityKey
from central.nodes import add_node
from central.projector import Projector
from central.repository import Ceremony, create_repository
from central.rollout_books import nodes_of, start, stop
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.facts import format_time
from municipio.usecases.ports import LinkState
from municipio.wire.carrier import Stick, encode_stick
from municipio.wire.keys import load_public, public_pem
from municipio.wire.software import Bundle
from plaza.cli import main as plaza
from plaza.image import ImageInfo
from plaza.updates.journal import FileJournal
from plaza.updates.state import Source, State
from sync import pull_software
from sync.answers import Refused, Trouble
from sync.datadir import DataDir
from sync.link import LinkNote, write_link
from sync.pull_software import Ended, FolderSpans, fetch_bundle

INEGI = "30039"
NOW = datetime.now(UTC)
OLD, NEW = "0.1.0", "0.2.0"
CONTENT = bytes(range(256)) * 50_000  # 12.8 MB: four spans


class Street:
    """A city that serves its repository, and a node with an image."""

    def __init__(self, home: Path) -> None:
        self.home, self.repo, self.keys = home, home / "repo", home / "keys"
        self.city_key = Ed25519PrivateKey.generate()
        create_repository(self.repo, self.keys, Ceremony(), NOW)
        self.store = open_store(f"sqlite:///{home}/central.sqlite")
        city = City()
        central = Central(
            self.store, city, CityKey(self.city_key), demo_perfil(), "", lambda: datetime.now(UTC),
            Projector(self.store, city, lambda: NOW), repository=self.repo,
        )  # fmt: skip
        self._server = create_server(create_app(central), host="127.0.0.1", port=0, threads=2)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.node, self.image = DataDir(home / "node"), home / "image.json"
        self.node.create()
        self._set_up_node(f"http://127.0.0.1:{self._server.effective_port}")
        self.write_image(OLD)

    def _set_up_node(self, url: str) -> None:
        pem = self.home / "city.pub"
        pem.write_bytes(public_pem(self.city_key.public_key()))
        words = ["node", "init", "--central", url, "--city-key", str(pem)]
        done = CliRunner().invoke(plaza, [*words, "--data", str(self.node.path)])
        assert done.exit_code == 0, done.output
        public = load_public(self.node.node_pub.read_bytes())
        add_node(self.store, INEGI, "COA007", public, NOW, replace=False)

    def write_image(self, version: str) -> None:
        info = ImageInfo(version, "vm-amd64", "c", format_time(NOW), "", 5)
        document = {name: getattr(info, name) for name in ImageInfo.__struct_fields__}
        self.image.write_text(json.dumps(document))

    def publish(self, version: str, *options: str, content: bytes = CONTENT) -> Result:
        file = self.home / "bundle"
        file.write_bytes(content)
        words = ["publish", "software", str(file), "--version", version, "--board", "vm-amd64"]
        places = ["--repo", str(self.repo), "--keys", str(self.keys), "--ledger-schema", "5"]
        return CliRunner().invoke(plaza_central, [*words, *places, *options])

    def check(self, *words: str) -> tuple[int, str]:
        """Exit code and how the round ended."""
        places = ["--data", str(self.node.path), "--image", str(self.image), "--json"]
        done = CliRunner().invoke(plaza, ["update", "check", *places, *words])
        assert "Traceback" not in done.output
        out = done.stdout.strip()
        return done.exit_code, json.loads(out)["round"] if out else done.stderr.strip()

    @property
    def journal(self) -> FileJournal:
        return FileJournal(self.node.path / "updates")

    def close(self) -> None:
        if self._thread.is_alive():
            stop_server(self._server)
            self._thread.join(timeout=10)
            self.store.close()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    made = Street(tmp_path)
    try:
        yield made
    finally:
        made.close()


def go(store: Store, version: str = NEW) -> None:
    start(store, INEGI, version, NOW, rings=3)


def test_a_version_comes_when_its_wave_is_open(street: Street) -> None:
    assert street.check() == (0, "nothing")
    assert street.publish(NEW).exit_code == 0
    assert street.check() == (0, "wave"), "no roll-out was begun"
    go(street.store)
    assert street.check() == (0, "wave"), "this node is in the third ring"
    with street.node.settings_file.open("a") as file:
        file.write("[update]\nring = 1\n")
    assert street.check() == (0, "ready")
    journal = street.journal.read()
    assert (journal.state, journal.version, journal.source) == (State.READY, NEW, Source.CITY)
    assert Path(journal.file).read_bytes() == CONTENT
    assert [row.node for row in nodes_of(street.store, INEGI, NEW)] == ["COA007"]
    stop(street.store, INEGI, NEW, "x", NOW)
    assert street.check() == (0, "wave")
    assert not street.journal.read().wave, "what is ready waits too"
    assert street.publish(NEW).exit_code == 1, "a version is published once"


def test_a_node_that_has_it_throws_the_file_away(street: Street) -> None:
    assert street.publish(NEW).exit_code == 0
    stick = mirrored(street)
    assert street.check("--from", str(stick)) == (0, "ready")
    street.write_image(NEW)
    assert street.check("--from", str(stick)) == (0, "nothing")
    assert street.journal.read().state is State.IDLE
    assert list((street.node.path / "updates").glob("*.raucb")) == []


def mirrored(street: Street) -> Path:
    stick = street.home / "stick" / "PLAZA" / "repo"
    words = ["publish", "mirror", str(stick), "--only", "software", "--board", "vm-amd64"]
    done = CliRunner().invoke(plaza_central, [*words, "--repo", str(street.repo)])
    assert done.exit_code == 0, done.output
    return stick


def test_a_stick_needs_no_city_and_no_wave(street: Street) -> None:
    assert street.publish(NEW).exit_code == 0
    assert street.check()[1] == "wave", "the first root comes from the city"
    stick = mirrored(street)
    assert street.check("--from", str(stick)) == (0, "ready")
    journal = street.journal.read()
    assert (journal.state, journal.source) == (State.READY, Source.STICK)
    assert street.check() == (0, "wave"), "from the city it would have to wait"


def test_a_stick_of_the_city_brings_settings_and_a_version_when_it_is_put_in(
    street: Street,
) -> None:
    street.check()  # the first root comes from the city
    assert street.publish(NEW).exit_code == 0
    file = street.home / "ajustes.toml"
    file.write_text('[city]\nname = "Coatzacoalcos"\n')
    places = ["--repo", str(street.repo), "--keys", str(street.keys)]
    words = ["publish", "settings", str(file), *places]
    assert CliRunner().invoke(plaza_central, words).exit_code == 0
    stick = street.home / "stick"
    mirror = ["publish", "mirror", str(stick / "PLAZA" / "repo"), "--repo", str(street.repo)]
    assert CliRunner().invoke(plaza_central, mirror).exit_code == 0
    put_in = [
        "sync",
        "stick",
        str(stick),
        "--data",
        str(street.node.path),
        "--image",
        str(street.image),
    ]
    assert CliRunner().invoke(plaza, put_in).exit_code == 1, "nobody of the city made this stick"
    assert street.journal.read().state is State.IDLE
    marker = encode_stick(Stick(INEGI, "USB-1", date(2026, 1, 20)), street.city_key.sign)
    (stick / "PLAZA" / "stick.plaza").write_bytes(marker)
    done = CliRunner().invoke(plaza, put_in)
    assert done.exit_code == 0, done.output
    assert street.journal.read().state is State.READY
    assert street.node.settings().text("city.name") == "Coatzacoalcos"


def test_what_somebody_changed_on_a_stick_is_thrown_away(street: Street) -> None:
    assert street.publish(NEW).exit_code == 0
    stick = mirrored(street)
    [bundle] = (stick / "targets").rglob("*.raucb")
    raw = bundle.read_bytes()
    bundle.write_bytes(raw[:-1] + b"x")
    assert street.check("--from", str(stick)) == (1, "wrong")
    assert street.journal.read().state is State.IDLE
    assert list((street.node.path / "updates").glob("*.part")) == []
    bundle.write_bytes(raw)
    assert street.check("--from", str(stick)) == (0, "ready")


@pytest.mark.parametrize(
    ("version", "options", "expected"),
    [
        ("0.0.9", (), "older"),
        ("0.0.9", ("--goes-back",), "ready"),
        (NEW, ("--ring", "2"), "ring"),
        (NEW, ("--not-before", "2099-01-01"), "not_yet"),
        (NEW, ("--ledger-schema", "9", "--min-ledger-schema", "6"), "schema"),
        (NEW, ("--ledger-schema", "105"), "schema"),
    ],
)
def test_what_is_not_for_this_node_is_not_fetched(
    street: Street, version: str, options: tuple[str, ...], expected: str
) -> None:
    assert street.publish(version, *options).exit_code == 0
    code, ended = street.check("--from", str(mirrored(street)))
    assert code == 0
    # A machine whose clock nobody proved says so instead of judging a date.
    assert ended in ((expected, "clock") if expected == "not_yet" else (expected,))


def test_payments_and_reports_go_first(street: Street) -> None:
    with street.node.settings_file.open("a") as file:
        file.write("[update]\nring = 1\n")
    assert street.publish(NEW).exit_code == 0
    go(street.store)

    def waiting(requests: int) -> None:
        note = LinkNote(
            state=LinkState.ONLINE, waiting=requests, last_carried="", since="",
            written_boot_ms=0, boot="b", requests=requests,
        )  # fmt: skip
        write_link(street.node.link_file, note)

    waiting(2)
    assert street.check() == (0, "paused")
    waiting(0)
    assert street.check() == (0, "ready")


def test_a_city_that_cannot_be_reached_is_told(street: Street) -> None:
    assert street.publish(NEW).exit_code == 0
    assert street.check()[0] == 0
    street.close()
    code, said = street.check()
    assert (code, said.startswith("unreachable")) == (1, True)


class Broken:
    """A link that ends after `pieces` chunks of the mirror, and then works for one more span, and so on."""

    def __init__(self, folder: Path, pieces: list[int]) -> None:
        self._spans, self._pieces = FolderSpans(folder), pieces
        self.asked: list[tuple[int, int]] = []

    def download(self, path: str, span: tuple[int, int] | None) -> Iterator[bytes] | int | Refused:
        assert span is not None
        self.asked.append(span)
        if not self._pieces:
            return self._spans.download(path, span)
        pieces = self._pieces.pop(0)
        if pieces < 0:
            return Refused(Trouble.OFFLINE, "no link")
        whole = self._spans.download(path, span)
        assert isinstance(whole, Iterator)
        return (chunk for _, chunk in zip(range(pieces), whole, strict=False))


def bundle_of(street: Street) -> tuple[Path, Callable[..., Ended]]:
    """The repository, and a way to fetch its one bundle into `file`."""
    [raw] = (street.repo / "targets").rglob("*.raucb")
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert raw.name.startswith(digest)
    target = f"software/vm-amd64/plaza-vm-amd64-{NEW}.raucb"
    bundle = Bundle(NEW, "vm-amd64", 5, 1, 9, None, False, target, len(CONTENT), digest)

    def fetch(
        spans: pull_software.Spans, file: Path, go_on: Callable[[], bool] = lambda: True
    ) -> Ended:
        return fetch_bundle(spans, bundle, file, go_on)

    return street.repo, fetch


def test_a_fetch_goes_on_where_it_broke_off(street: Street, tmp_path: Path) -> None:
    assert street.publish(NEW).exit_code == 0
    repo, fetch = bundle_of(street)
    link, file = Broken(repo, [3, -1, 7]), tmp_path / "x.raucb"
    assert fetch(link, file) is Ended.BROKEN_OFF
    assert file.with_suffix(".part").stat().st_size == 3 * 256 * 1024
    assert fetch(link, file) is Ended.BROKEN_OFF
    assert fetch(link, file) is Ended.BROKEN_OFF
    here = file.with_suffix(".part").stat().st_size
    assert here == 10 * 256 * 1024
    assert fetch(link, file) is Ended.WHOLE
    assert file.read_bytes() == CONTENT
    assert link.asked[3][0] == here, "nothing is asked for twice"


def test_a_fetch_pauses_between_spans(street: Street, tmp_path: Path) -> None:
    assert street.publish(NEW).exit_code == 0
    repo, fetch = bundle_of(street)
    left = [True, True, False]
    file = tmp_path / "x.raucb"
    assert fetch(FolderSpans(repo), file, lambda: left.pop(0)) is Ended.PAUSED
    assert file.with_suffix(".part").stat().st_size == 2 * pull_software.SPAN
    assert fetch(FolderSpans(repo), file) is Ended.WHOLE


def test_bytes_that_the_city_did_not_sign_are_thrown_away(street: Street, tmp_path: Path) -> None:
    assert street.publish(NEW).exit_code == 0
    repo, fetch = bundle_of(street)
    file = tmp_path / "x.raucb"
    for start_with in (b"x", CONTENT + b"more"):
        file.with_suffix(".part").write_bytes(start_with)
        assert fetch(FolderSpans(repo), file) is Ended.WRONG
        assert not file.with_suffix(".part").exists()
    assert fetch(FolderSpans(repo), file) is Ended.WHOLE
    assert fetch(FolderSpans(tmp_path), tmp_path / "y.raucb") is Ended.BROKEN_OFF
