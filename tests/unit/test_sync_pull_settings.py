"""Settings from the city: all of a node's documents or none, the place's own always beneath them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.cli import main as plaza_central
from central.repository import Ceremony, add_files, create_repository
from municipio.facts import FactType
from municipio.wire.keys import public_pem
from plaza.cli import main as plaza
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.pull import NotPulled
from sync.pull_settings import SettingsOutcome, SettingsRefused, SettingsTaken, pull_settings
from sync.pull_wiring import Puller, build_puller
from sync.wiring import Memory, open_memory

NOW = datetime.now(UTC)


class City:
    """A repository, and a node that reads it from a mirror."""

    def __init__(self, home: Path) -> None:
        self.repo, self.keys = home / "repo", home / "keys"
        create_repository(self.repo, self.keys, Ceremony(), NOW)
        self.node = DataDir(home / "node")
        self.node.create()
        NodeKey.create(self.node)
        city = Ed25519PrivateKey.generate().public_key()
        self.node.city_pub.write_bytes(public_pem(city))
        (self.node.path / "tuf").mkdir()
        shutil.copy(self.repo / "metadata" / "1.root.json", self.node.path / "tuf" / "root.json")
        self.document = home / "ajustes.toml"

    def publish(self, text: str, *options: str) -> tuple[int, str]:
        self.document.write_text(text, encoding="utf-8")
        words = ["publish", "settings", str(self.document), *options]
        return self.run(*words)

    def run(self, *words: str) -> tuple[int, str]:
        places = ["--repo", str(self.repo), "--keys", str(self.keys)]
        done = CliRunner().invoke(plaza_central, [*words, *places])
        return done.exit_code, done.output

    def pull(self) -> SettingsOutcome:
        memory = self.memory()
        try:
            puller = build_puller(memory, self.repo)
            assert isinstance(puller, Puller), puller
            try:
                return pull_settings(puller)
            finally:
                puller.close()
        finally:
            memory.close()

    def memory(self) -> Memory:
        memory = open_memory(self.node)
        assert isinstance(memory, Memory), memory
        return memory

    def told(self) -> list[tuple[str, list[str]]]:
        """(state, keys) of every fact about settings."""
        memory = self.memory()
        try:
            with memory.ledger.reading() as db:
                sql = "SELECT json_extract(body, '$.data.state'), json_extract(body, '$.data.keys')"
                kind = FactType.NODE_CONFIGURED.value
                where = f"FROM fact WHERE json_extract(body, '$.type') = '{kind}' ORDER BY seq"
                return [(row[0], row[1]) for row in db.execute(f"{sql} {where}")]
        finally:
            memory.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    return City(tmp_path)


def test_a_node_takes_what_the_city_sets_over_what_the_place_says(city: City) -> None:
    city.node.settings_file.write_text('[city]\nname = "Lugar"\n[node]\nsite = "Parque"\n')
    assert city.pull() is None
    assert city.publish('[city]\nname = "Coatzacoalcos"\n')[0] == 0
    assert city.publish("[portal]\nsession_min = 60\n", "--profile", "kiosk")[0] == 0
    assert city.publish("[portal]\nsession_min = 30\n", "--node", "COA007")[0] == 0
    assert city.publish("[portal]\nsession_min = 15\n", "--node", "COA008")[0] == 0
    assert city.pull() == SettingsTaken(("city.name", "portal.session_min"))
    settings = city.node.settings()
    assert settings.text("city.name") == "Coatzacoalcos"
    assert settings.text("node.site") == "Parque"
    assert settings.number("portal.session_min") == 30
    assert city.node.own_settings().text("city.name") == "Lugar"
    assert city.pull() is None
    assert city.run("publish", "settings", "--remove", "--node", "COA007")[0] == 0
    assert city.pull() == SettingsTaken(("portal.session_min",))
    assert city.node.settings().number("portal.session_min") == 60
    assert [state for state, _ in city.told()] == ["applied", "applied"]


@pytest.mark.parametrize(
    "text", ['[central]\nurl = "http://x"\n', "[kiosk]\nwidth = 1\n", "[nada]\na = 1\n", "no TOML"]
)
def test_the_city_cannot_publish_what_nodes_would_refuse(city: City, text: str) -> None:
    code, said = city.publish(text)
    assert (code, "nodes would refuse this" in said) == (1, True)


def test_one_bad_document_refuses_all_and_is_told_once(city: City) -> None:
    assert city.publish('[city]\nname = "Coatzacoalcos"\n')[0] == 0
    assert isinstance(city.pull(), SettingsTaken)
    bad = {
        "settings/city.toml": b'[city]\nname = "Otra"\n',
        "settings/node/COA007.toml": b'[central]\nurl = "http://ladron.example"\n',
    }
    add_files(city.repo, city.keys, "settings", bad, NOW)
    first, second = city.pull(), city.pull()
    assert isinstance(first, SettingsRefused)
    assert "central.url" in first.detail
    assert second == SettingsRefused(first.detail, told=False)
    assert city.node.settings().text("city.name") == "Coatzacoalcos"
    assert [state for state, _ in city.told()] == ["applied", "refused"]


def test_a_repository_that_somebody_changed_sets_nothing(city: City) -> None:
    assert city.publish('[city]\nname = "Coatzacoalcos"\n')[0] == 0
    for file in (city.repo / "targets" / "settings").glob("*.city.toml"):
        file.write_bytes(file.read_bytes().replace(b"Coatza", b"Ladron"))
    assert isinstance(city.pull(), NotPulled)
    assert city.node.settings().text("city.name") == "Ayuntamiento de Ejemplo"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff", b"[]", b'{"values": {"central.url": "http://x"}, "targets": {}}',
        b'{"values": {"city.timezone": "No/Hay"}, "targets": {}}', b'{"values": {"x": 1}}',
        b'{"values": {"city.receipt_kind": "otro"}, "targets": {}}',
    ],
)  # fmt: skip
def test_a_damaged_or_edited_file_of_the_citys_counts_as_none(city: City, raw: bytes) -> None:
    city.node.city_settings.write_bytes(raw)
    assert city.node.settings() == city.node.own_settings()


def test_a_setting_of_a_newer_version_is_left_out_and_the_rest_stays(city: City) -> None:
    raw = b'{"values": {"city.name": "Coatza", "city.song": "la bamba"}, "targets": {}, "v": 2}'
    city.node.city_settings.write_bytes(raw)
    assert city.node.settings().text("city.name") == "Coatza"


def test_a_technician_sees_and_forgets_what_the_city_set(city: City) -> None:
    assert city.publish('[city]\nname = "Coatzacoalcos"\n')[0] == 0
    assert isinstance(city.pull(), SettingsTaken)
    words = ["settings", "city", "--data", str(city.node.path)]
    assert "Coatzacoalcos" in CliRunner().invoke(plaza, words).output
    assert CliRunner().invoke(plaza, [*words, "--forget"]).exit_code == 0
    assert city.node.settings().text("city.name") == "Ayuntamiento de Ejemplo"
    assert city.pull() is None, "the same documents do not come back by themselves"
