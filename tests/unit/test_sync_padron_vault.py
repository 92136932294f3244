"""The padrón on the card: found and opened with a clave, and telling nothing to who copies the file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from central.city import City
from central.demo_data import make_demo_city
from central.keys import create_city_keys
from central.store import open_store
from central.wiring import demo_perfil
from municipio.padron import PadronRow
from municipio.predial import Account
from plaza.cli import main as plaza
from sync.catalogue import SqliteCatalogue
from sync.padron_vault import PadronVault, load_vault, make_vault, secret_file

CLAVE = "0620000101023005000007"
ROW = PadronRow(Account(CLAVE, "M. L. H.", "Calle Chabacano", "Iquisa", "urbano"), None)
VAULT = PadronVault(hashlib.sha256(b"a site").digest())


def test_a_row_is_opened_with_its_clave_and_this_sites_secret_alone() -> None:
    name, sealed = VAULT.seal(ROW)
    assert name == VAULT.row_key(CLAVE)
    assert VAULT.open(CLAVE, sealed) == ROW
    assert VAULT.open(CLAVE[:-1] + "8", sealed) is None
    assert PadronVault(bytes(32)).open(CLAVE, sealed) is None


def test_the_same_row_is_never_sealed_to_the_same_bytes() -> None:
    assert VAULT.seal(ROW)[1] != VAULT.seal(ROW)[1]


def test_another_rows_bytes_do_not_pass_under_this_clave() -> None:
    other = PadronRow(Account("0" * 22, "X.", "Otra", "Otra", "urbano"), None)
    assert VAULT.open(CLAVE, VAULT.seal(other)[1]) is None


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_damage_on_the_card_is_a_row_that_is_not_there(damage: bytes) -> None:
    assert VAULT.open(CLAVE, damage) is None


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    assert load_vault(catalogue) is None
    made = make_vault(catalogue)
    assert make_vault(catalogue) == made == load_vault(catalogue)
    assert secret_file(catalogue).stat().st_mode & 0o777 == 0o600
    assert len(made.secret) == 32


def test_a_secret_cut_by_a_power_cut_is_made_anew(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.sqlite"
    make_vault(catalogue)
    secret_file(catalogue).write_bytes(b"half")
    assert load_vault(catalogue) is None
    assert len(make_vault(catalogue).secret) == 32


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A data directory that trusts a demonstration city, whose content lies beside it."""
    keys = tmp_path / "city-keys"
    city = create_city_keys(keys)
    store = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    make_demo_city(
        store, City(), demo_perfil(), keys=keys, content=tmp_path / "content",
        on=date(2026, 1, 20), count=40,
    )  # fmt: skip
    store.close()
    data = tmp_path / "data"
    (data / "keys").mkdir(parents=True)
    (data / "keys" / "city.pub").write_bytes(city.public_pem)
    return data


def install(data: Path) -> dict[str, object]:
    words = ["content", "import", str(data.parent / "content"), "--data", str(data), "--json"]
    run = CliRunner().invoke(plaza, words)
    assert run.exit_code == 0, run.output
    answer: dict[str, object] = json.loads(run.stdout)
    return answer


def test_a_copied_catalogue_tells_no_clave_no_initials_and_no_street(node: Path) -> None:
    install(node)
    copied = (node / "catalogue.sqlite").read_bytes()
    padron = (node.parent / "content" / "padron.ndjson").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in padron.splitlines()]
    assert len(rows) == 40
    for row in rows:
        for planted in (row["clave"], row["owner_masked"], row["street"]):
            assert planted.encode() not in copied, planted
        assert row["liquidacion"] is None or row["liquidacion"]["payload"].encode() not in copied
    with closing(SqliteCatalogue(node / "catalogue.sqlite")) as catalogue:
        account = catalogue.account(rows[7]["clave"])
    assert account is not None
    assert account.street == rows[7]["street"]


def test_without_the_secret_only_the_padron_is_lost(node: Path) -> None:
    install(node)
    secret_file(node / "catalogue.sqlite").unlink()
    with closing(SqliteCatalogue(node / "catalogue.sqlite")) as catalogue:
        assert catalogue.account(CLAVE) is None
        assert catalogue.problem is None
        assert catalogue.search_tramites("predial")


def test_content_of_before_the_padron_was_sealed_still_serves_all_else(node: Path) -> None:
    install(node)
    with closing(sqlite3.connect(node / "catalogue.sqlite")) as connection:
        connection.execute("DROP TABLE padron")
        connection.execute("CREATE TABLE padron (clave TEXT PRIMARY KEY, street TEXT)")
        connection.execute("INSERT INTO padron VALUES (?, 'Calle')", (CLAVE,))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with closing(SqliteCatalogue(node / "catalogue.sqlite")) as catalogue:
        assert catalogue.problem is None
        assert catalogue.terms("es") is not None
        assert catalogue.account(CLAVE) is None
        assert install(node)["accounts"] == 40
        assert catalogue.counts() == (115, 40)


def test_a_node_without_a_kiosk_takes_no_padron(node: Path) -> None:
    (node / "settings.toml").write_text("[node]\npadron = false\n")
    assert install(node)["accounts"] == 0
    with closing(SqliteCatalogue(node / "catalogue.sqlite")) as catalogue:
        assert catalogue.counts() == (115, 0)
        assert catalogue.account(CLAVE) is None


def test_two_sites_never_share_the_name_of_a_row() -> None:
    assert VAULT.row_key(CLAVE) != PadronVault(bytes(32)).row_key(CLAVE)
