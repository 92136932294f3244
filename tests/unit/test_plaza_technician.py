"""From a card to a login list on a node: the clerk's and the technician's commands, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from central.cli import main as plaza_central
from central.keys import create_city_keys
from hardware.card.virtual_piv import certificate, new_key, public_der
from municipio.technicians import Role
from municipio.wire.technician_list import decode_list
from plaza.commands.technician import technician as plaza_technician
from sync.datadir import DataDir

KEY = new_key()


class Town:
    """A city's key directory and one node that trusts it."""

    def __init__(self, folder: Path) -> None:
        self.keys = folder / "city-keys"
        self.city = create_city_keys(self.keys)
        self.node = DataDir(folder / "node")
        self.node.create()
        self.node.city_pub.write_bytes(self.city.public_pem)
        self.card = folder / "card.pem"
        shown = x509.load_der_x509_certificate(certificate(KEY))
        self.card.write_bytes(shown.public_bytes(Encoding.PEM))
        self.list = folder / "list.json"

    def clerk(self, *words: str) -> Result:
        return CliRunner().invoke(plaza_central, ["technician", *words, "--keys", str(self.keys)])

    def technician(self, *words: str) -> Result:
        return CliRunner().invoke(plaza_technician, [*words, "--data", str(self.node.path)])


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_a_card_is_registered_signed_and_installed(town: Town) -> None:
    added = town.clerk(
        "add", "T-014", "--key", str(town.card), "--role", "service", "--role", "cash"
    )
    assert added.exit_code == 0, added.output
    assert town.clerk("export", "--out", str(town.list)).exit_code == 0
    installed = town.technician("install", str(town.list), "--json")
    listed = decode_list(town.list.read_bytes(), town.city.public, inegi="30039")

    assert installed.exit_code == 0, installed.output
    assert json.loads(installed.output)["technicians"] == 1
    assert town.technician("show").exit_code == 0
    owner = listed.owner_of(public_der(KEY))  # type: ignore[union-attr]  # checked by the install above
    assert owner is not None
    assert owner.roles == frozenset(Role)


def test_each_list_is_newer_and_a_removed_badge_is_not_in_it(town: Town) -> None:
    town.clerk("add", "T-014", "--key", str(town.card))
    town.clerk("export", "--out", str(town.list))
    assert town.clerk("remove", "T-014").exit_code == 0
    town.clerk("export", "--out", str(town.list))
    told = json.loads(town.technician("install", str(town.list), "--json").output)

    assert (told["serial"], told["technicians"]) == (2, 0)
    assert "no technician" in town.clerk("list").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "Juan Pérez", "--key", "CARD"), "an id is"),
        (("add", "T-1", "--key", "/nowhere"), "No such file"),
        (("add", "T-1", "--key", "KEYS"), "neither a certificate"),
        (("remove", "T-9"), "not registered"),
        (
            ("add", "T-1", "--key", "CARD", "--from", "2026-02-01", "--until", "2026-01-01"),
            "before",
        ),
    ],
)
def test_what_a_clerk_gets_wrong_is_one_clear_line(
    town: Town, words: tuple[str, ...], says: str
) -> None:
    named = {"CARD": str(town.card), "KEYS": str(town.keys / "recipients.json")}
    result = town.clerk(*(named.get(w, w) for w in words))

    assert result.exit_code == 1
    assert says in result.output


def test_a_list_of_another_city_is_not_installed(town: Town, tmp_path: Path) -> None:
    other = Town(tmp_path / "other")
    other.clerk("export", "--out", str(town.list))
    refused = town.technician("install", str(town.list))

    assert refused.exit_code == 1
    assert "bad_signature" in refused.output
    assert town.technician("show").exit_code == 1
