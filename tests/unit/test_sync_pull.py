"""Pulling content: what the city signed and nothing else, whole or not at all, the old one on any doubt."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage import x25519
from waitress.server import create_server

from captive_portal.server import stop_server
from central.app import create_app
from central.city import City
from central.cli import main as plaza_central
from central.content import write_content
from central.context import Central
from central.demo import content_files
from central.keys import CityKey
from central.nodes import add_node
from central.projector import Projector
from central.publish import publish_content, publish_filter
from central.repository import (
    Ceremony,
    RepositoryError,
    add_files,
    create_repository,
    refresh,
    renew,
)
from central.store import open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.content import RECIPIENTS, encode_recipients
from municipio.padron import PadronRow, encode_padron
from municipio.predial import Account
from municipio.wire.keys import load_public, public_pem
from municipio.wire.padron_delta import Delta, DeltaProblem, make_delta, read_delta
from municipio.wire.pulled_content import CurrentProblem, decode_current
from plaza.cli import main as plaza
from sync.catalogue import SqliteCatalogue
from sync.datadir import DataDir
from sync.pull import Install, NotPulled, Pulled, PullTrouble, Trust, UpToDate, pull_content
from sync.tuf_fetcher import FolderFetcher
from sync.whole_folder import NodeContent

INEGI = "30039"
ACCOUNTS = 400
NOW = datetime.now(UTC)
CITY_KEY = Ed25519PrivateKey.generate()


def small_files() -> dict[str, bytes]:
    keys = [str(x25519.Identity.generate().to_public()) for _ in range(2)]
    return {**content_files(), "recipients.json": encode_recipients({r: keys for r in RECIPIENTS})}


def clave(number: int) -> str:
    return f"{number:022d}"


def padron(count: int = ACCOUNTS, changed: int = -1, without: int = -1) -> list[PadronRow]:
    rows = [
        PadronRow(Account(clave(n), "M. L. H.", f"Calle {n * 7919}", "Centro", "urbano"), None)
        for n in range(count) if n != without
    ]  # fmt: skip
    return [
        replace(r, account=replace(r.account, street="Calle Nueva"))
        if r.account.clave == clave(changed) else r
        for r in rows
    ]  # fmt: skip


class Clock:
    def __init__(self, quality: TimeQuality = TimeQuality.SYNCED) -> None:
        self.quality = quality

    def now(self) -> Instant:
        return Instant(NOW, self.quality, "boot", 1)


@dataclass
class Street:
    """A city's repository, a mirror of it, and a node that knows the first root."""

    home: Path

    @property
    def repo(self) -> Path:
        return self.home / "repo"

    @property
    def keys(self) -> Path:
        return self.home / "tuf-keys"

    @property
    def node(self) -> DataDir:
        return DataDir(self.home / "node")

    def publish(self, version: str, rows: list[PadronRow], at: datetime = NOW) -> None:
        files = {**small_files(), "padron.ndjson": encode_padron(rows)}
        folder = self.home / f"content-{version}"
        write_content(
            folder,
            files,
            version=version,
            created=date(2026, 1, 20),
            inegi=INEGI,
            sign=CITY_KEY.sign,
        )
        publish_content(self.repo, self.keys, folder, at)

    def pull(
        self, clock: Clock | None = None, mirror: Path | None = None, with_padron: bool = True
    ) -> Pulled | UpToDate | NotPulled:
        content = NodeContent(
            self.node, CITY_KEY.public_key(), INEGI, with_padron, lambda _line: None
        )
        trust = Trust(
            self.node.path / "tuf" / "metadata",
            self.node.path / "tuf" / "draft",
            (self.home / "first-root.json").read_bytes(),
        )
        install = Install(content.install, content.install_delta)
        fetcher = FolderFetcher(mirror or self.repo)
        return pull_content(trust, fetcher, clock or Clock(), self.node.catalogue, install)

    def counts(self) -> tuple[int, int]:
        with closing(SqliteCatalogue(self.node.catalogue)) as catalogue:
            return catalogue.counts()

    def street_of(self, number: int) -> str:
        catalogue = SqliteCatalogue(self.node.catalogue)
        found = catalogue.account(clave(number))
        catalogue.close()
        return "" if found is None else found.street


@pytest.fixture
def street(tmp_path: Path) -> Street:
    made = Street(tmp_path)
    create_repository(made.repo, made.keys, Ceremony(), NOW)
    shutil.copy(made.repo / "metadata" / "1.root.json", tmp_path / "first-root.json")
    made.node.create()
    made.publish("2026-01-20.1", padron())
    return made


def trouble(outcome: object) -> PullTrouble:
    assert isinstance(outcome, NotPulled), outcome
    return outcome.trouble


def test_a_new_node_takes_everything(street: Street) -> None:
    done = street.pull()
    assert isinstance(done, Pulled)
    assert (done.version, done.was_delta) == ("2026-01-20.1", False)
    assert street.street_of(7) == "Calle 55433"
    assert street.pull() == UpToDate("2026-01-20.1")


def test_what_changed_travels_alone(street: Street) -> None:
    whole = street.pull()
    street.publish("2026-01-21.1", [*padron(changed=7, without=9), *padron(402)[400:]])
    done = street.pull()
    assert isinstance(done, Pulled)
    assert isinstance(whole, Pulled)
    assert done.was_delta
    assert street.street_of(7) == "Calle Nueva"
    assert street.street_of(8) == "Calle 63352"
    assert street.street_of(9) == ""
    assert street.street_of(401) == f"Calle {401 * 7919}"
    assert street.counts() == (115, 401)


def test_a_node_that_slept_for_long_takes_the_padron_whole(street: Street) -> None:
    street.pull()
    for day in range(21, 27):
        street.publish(f"2026-01-{day}.1", padron(changed=day))
    done = street.pull()
    assert isinstance(done, Pulled)
    assert (done.version, done.was_delta) == ("2026-01-26.1", False)
    assert street.street_of(26) == "Calle Nueva"


def test_a_delta_that_does_not_fit_is_followed_by_the_whole_padron(street: Street) -> None:
    street.pull()
    with sqlite3.connect(street.node.catalogue) as connection:  # a row lost on the card
        connection.execute(
            "DELETE FROM padron WHERE row_key = (SELECT row_key FROM padron LIMIT 1)"
        )
    connection.close()
    street.publish("2026-01-21.1", padron(changed=7))
    done = street.pull()
    assert isinstance(done, Pulled)
    assert not done.was_delta
    assert street.counts() == (115, ACCOUNTS)


def test_a_node_without_a_kiosk_takes_no_padron_from_a_delta_either(street: Street) -> None:
    street.pull(with_padron=False)
    street.publish("2026-01-21.1", padron(changed=7))
    assert isinstance(street.pull(with_padron=False), Pulled)
    assert street.counts() == (115, 0)


def test_without_proof_of_the_time_nothing_is_judged(street: Street) -> None:
    assert trouble(street.pull(Clock(TimeQuality.UNKNOWN))) is PullTrouble.CLOCK
    assert isinstance(street.pull(Clock(TimeQuality.FLOOR)), Pulled)


def test_a_frozen_repository_is_noticed_and_the_old_content_serves(tmp_path: Path) -> None:
    long_ago = NOW - timedelta(days=100)
    frozen = Street(tmp_path)
    create_repository(frozen.repo, frozen.keys, Ceremony(), long_ago)
    shutil.copy(frozen.repo / "metadata" / "1.root.json", tmp_path / "first-root.json")
    frozen.node.create()
    frozen.publish("2026-01-20.1", padron(), long_ago)
    assert trouble(frozen.pull()) is PullTrouble.OLD
    refresh(frozen.repo, frozen.keys, NOW)
    assert isinstance(frozen.pull(), Pulled)


def test_an_older_state_of_the_repository_is_refused(street: Street, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(street.repo, before)
    street.publish("2026-01-21.1", padron(changed=7))
    street.pull()
    assert trouble(street.pull(mirror=before)) is PullTrouble.NOT_BELIEVED
    assert street.street_of(7) == "Calle Nueva"


def test_metadata_of_two_moments_cannot_be_mixed(street: Street, tmp_path: Path) -> None:
    former = tmp_path / "former"
    shutil.copytree(street.repo, former)
    street.publish("2026-01-21.1", padron(changed=7))
    mixed = tmp_path / "mixed"
    shutil.copytree(street.repo, mixed)
    for name in ("2.content.json", "3.content.json"):
        shutil.copy(former / "metadata" / "2.content.json", mixed / "metadata" / name)
    assert trouble(street.pull(mirror=mixed)) is PullTrouble.NOT_BELIEVED


def test_a_changed_target_is_refused_and_nothing_is_installed(street: Street) -> None:
    for path in (street.repo / "targets" / "content" / "2026-01-20.1").glob("*.padron.ndjson.gz"):
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    assert trouble(street.pull()) is PullTrouble.NOT_BELIEVED
    assert not street.node.catalogue.exists()


def test_the_key_of_another_role_signs_no_content(street: Street) -> None:
    shutil.copy(street.keys / "filter.key", street.keys / "content.key")
    street.publish("2026-01-21.1", padron(changed=7))
    assert trouble(street.pull()) is PullTrouble.NOT_BELIEVED


def test_content_that_the_citys_own_key_did_not_sign_is_refused(street: Street) -> None:
    folder = street.home / "content-2026-01-20.1"
    other = Ed25519PrivateKey.generate()
    files = {**small_files(), "padron.ndjson": encode_padron(padron())}
    write_content(
        folder,
        files,
        version="2026-01-22.1",
        created=date(2026, 1, 22),
        inegi=INEGI,
        sign=other.sign,
    )
    publish_content(street.repo, street.keys, folder, NOW)
    assert trouble(street.pull()) is PullTrouble.REFUSED


def test_an_unreachable_city_changes_nothing(street: Street, tmp_path: Path) -> None:
    street.pull()
    (tmp_path / "empty").mkdir()
    assert trouble(street.pull(mirror=tmp_path / "empty")) in {
        PullTrouble.UNREACHABLE, PullTrouble.NOT_BELIEVED,
    }  # fmt: skip
    assert street.street_of(7) == "Calle 55433"


def test_a_root_may_change_when_enough_holders_sign(street: Street) -> None:
    renew(street.repo, street.keys, "root", NOW)
    renew(street.repo, street.keys, "targets", NOW)
    assert isinstance(street.pull(), Pulled)


def test_a_root_signed_by_too_few_is_not_even_made(tmp_path: Path) -> None:
    create_repository(tmp_path / "repo", tmp_path / "keys", Ceremony(3, 2), NOW)
    (tmp_path / "keys" / "root-1.key").unlink()
    renew(tmp_path / "repo", tmp_path / "keys", "root", NOW)
    (tmp_path / "keys" / "root-2.key").unlink()
    with pytest.raises(RepositoryError, match="1 root keys are here, 2 must sign"):
        renew(tmp_path / "repo", tmp_path / "keys", "root", NOW)


@pytest.mark.parametrize(
    "path", ["content/../x", "/content/x", "filter/x", "content", "content/a/b/c"]
)
def test_a_role_publishes_under_its_own_name_only(street: Street, path: str) -> None:
    with pytest.raises(RepositoryError):
        add_files(street.repo, street.keys, "content", {path: b"x"}, NOW)


def test_a_version_is_published_once_and_never_backwards(street: Street) -> None:
    with pytest.raises(RepositoryError, match="published before"):
        publish_content(street.repo, street.keys, street.home / "content-2026-01-20.1", NOW)
    with pytest.raises(RepositoryError, match="is older than"):
        street.publish("2026-01-19.1", padron())


# --- the delta ---------------------------------------------------------------------------


@given(
    st.dictionaries(st.integers(0, 30), st.text("abc", max_size=3)),
    st.dictionaries(st.integers(0, 30), st.text("abc", max_size=3)),
)
@settings(max_examples=100)
def test_a_delta_turns_any_padron_into_any_other(old: dict[int, str], new: dict[int, str]) -> None:
    before, after = (
        {clave(n): PadronRow(Account(clave(n), "X.", street, "Centro", "urbano"), None)
         for n, street in rows.items()}
        for rows in (old, new)
    )  # fmt: skip
    raw = make_delta(
        encode_padron(before.values()),
        encode_padron(after.values()),
        "2026-01-20.1",
        "2026-01-21.1",
    )
    delta = read_delta(raw)
    assert isinstance(delta, Delta)
    rows = {json.loads(line)["clave"]: line for line in delta.rows.splitlines()}
    left = {c: encode_padron([r]).strip() for c, r in before.items() if c not in delta.gone} | rows
    assert left == {c: encode_padron([r]).strip() for c, r in after.items()}
    assert delta.header.accounts == len(after)


@given(st.binary(max_size=300))
def test_noise_is_no_delta_and_no_list(raw: bytes) -> None:
    assert isinstance(read_delta(raw), DeltaProblem)
    assert isinstance(decode_current(raw), CurrentProblem)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"v":1,"version":"../x","files":[],"deltas":[]}',
        b'{"v":1,"version":"2026-01-20.1","files":["../../etc/passwd"],"deltas":[]}',
        b'{"v":2,"version":"2026-01-20.1","files":[],"deltas":[]}',
    ],
)
def test_a_list_names_plain_files_and_versions_only(raw: bytes) -> None:
    assert isinstance(decode_current(raw), CurrentProblem)


# --- over HTTP, with the commands ----------------------------------------------------------


@pytest.fixture
def server(street: Street) -> Iterator[Callable[..., int]]:
    """A city that serves the repository; gives a runner of `plaza sync pull` on an enrolled node."""
    node = street.node
    store = open_store(f"sqlite:///{street.home}/central.sqlite")
    city = City()
    projector = Projector(store, city, lambda: NOW)
    key = CityKey(CITY_KEY)
    central = Central(
        store, city, key, demo_perfil(), "", lambda: NOW, projector, repository=street.repo
    )
    server = create_server(create_app(central), host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    (street.home / "city.pub").write_bytes(public_pem(CITY_KEY.public_key()))
    url = f"http://127.0.0.1:{server.effective_port}"
    words = ["node", "init", "--central", url, "--city-key", str(street.home / "city.pub")]
    assert CliRunner().invoke(plaza, [*words, "--data", str(node.path)]).exit_code == 0
    public = load_public(node.node_pub.read_bytes())
    add_node(store, INEGI, "COA007", public, NOW, replace=False)
    yield partial(_run, node)
    stop_server(server)
    thread.join(timeout=10)
    store.close()


def _run(node: DataDir, *words: str) -> int:
    run = CliRunner().invoke(plaza, ["sync", "pull", "--data", str(node.path), *words])
    assert "Traceback" not in run.output
    return run.exit_code


def test_a_node_pulls_from_its_city_with_one_command(
    street: Street, server: Callable[..., int]
) -> None:
    assert server() == 0
    assert street.street_of(7) == "Calle 55433"
    street.publish("2026-01-21.1", padron(changed=7))
    assert server("--json") == 0
    assert street.street_of(7) == "Calle Nueva"
    note = json.loads((street.node.run / "pull.json").read_text())
    assert (note["state"], note["version"]) == ("current", "2026-01-21.1")


def test_a_stick_with_a_mirror_serves_as_well(street: Street, server: Callable[..., int]) -> None:
    assert server() == 0
    street.publish("2026-01-21.1", padron(changed=7))
    stick = street.home / "stick"
    shutil.copytree(street.repo, stick)
    assert server("--from", str(stick)) == 0
    assert street.street_of(7) == "Calle Nueva"


def filter_list(street: Street, name: str, day: str, key: Ed25519PrivateKey = CITY_KEY) -> Path:
    """A list of one name, compiled and signed with the commands."""
    (street.home / "adult.txt").write_text(f"{name}\n")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (street.home / "city.key").write_bytes(pem)
    out, signer = street.home / f"{name}.cdb", str(street.home / "city.key")
    source = f"adult={street.home / 'adult.txt'}"
    for words in (
        ["build", source, "--out", str(out), "--date", day],
        ["sign", str(out), "--key", signer],
    ):
        run = CliRunner().invoke(plaza, ["filter", *words])
        assert run.exit_code == 0, run.output
    return out


def blocked(street: Street, name: str) -> bool:
    database = street.node.path / "filter" / "list.cdb"
    run = CliRunner().invoke(plaza, ["filter", "test", "--db", str(database), name])
    assert run.exit_code == 0, run.output
    return "adult" in run.stdout


def test_the_newest_list_of_names_comes_with_the_content(
    street: Street, server: Callable[..., int]
) -> None:
    publish_filter(street.repo, street.keys, filter_list(street, "malo.example", "2026-01-20"), NOW)
    assert server() == 0
    assert blocked(street, "malo.example")
    newer = filter_list(street, "peor.example", "2026-01-21")
    publish_filter(street.repo, street.keys, newer, NOW)
    assert server() == 0
    assert blocked(street, "peor.example")
    assert not blocked(street, "malo.example")


def test_a_list_that_the_city_did_not_sign_changes_nothing(
    street: Street, server: Callable[..., int]
) -> None:
    publish_filter(street.repo, street.keys, filter_list(street, "malo.example", "2026-01-20"), NOW)
    assert server() == 0
    other = filter_list(street, "peor.example", "2026-01-21", Ed25519PrivateKey.generate())
    publish_filter(street.repo, street.keys, other, NOW)
    assert server() == 0  # the content is as new as it can be
    assert blocked(street, "malo.example")


def test_a_stranger_pulls_nothing(street: Street, server: Callable[..., int]) -> None:
    assert server() == 0
    store = open_store(f"sqlite:///{street.home}/central.sqlite")
    central = Central(
        store, City(), CityKey(CITY_KEY), demo_perfil(), "", lambda: NOW,
        Projector(store, City(), lambda: NOW), repository=street.repo,
    )  # fmt: skip
    client = create_app(central).test_client()
    for path in ("/v1/tuf-root", "/v1/tuf/metadata/timestamp.json", "/v1/tuf/targets/content/x"):
        assert client.get(path).status_code == 401
    store.close()


def test_the_commands_of_the_city_make_publish_and_renew(tmp_path: Path) -> None:
    places = ["--repo", str(tmp_path / "repo"), "--keys", str(tmp_path / "keys")]

    def publish(*words: str) -> tuple[int, str]:
        run = CliRunner().invoke(plaza_central, ["publish", *words, *places])
        return run.exit_code, run.output

    assert publish("init", "--root-keys", "3", "--threshold", "2")[0] == 0
    assert publish("init")[0] == 1
    (tmp_path / "ajustes.toml").write_text("[portal]\nsession_min = 60\n")
    assert publish("settings", str(tmp_path / "ajustes.toml")) == (
        0, "settings/city.toml is published: 1 settings\n",
    )  # fmt: skip
    assert publish("refresh")[0] == 0
    assert publish("renew", "root")[0] == 0
    code, said = publish("content", str(tmp_path))
    assert (code, "manifest.json" in said) == (1, True)
