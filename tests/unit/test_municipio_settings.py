"""Settings: one table, everything checked, nothing unknown."""

from __future__ import annotations

from typing import Any

import pytest

from municipio.settings import SETTINGS, SettingsError, parse_settings


def test_an_empty_file_gives_every_default() -> None:
    found = parse_settings({})
    assert {s.name: s.default for s in SETTINGS} == dict(found.values)
    assert found.node_code == "COA007"


def test_names_are_unique_and_every_default_is_one_of_its_choices() -> None:
    assert len({s.name for s in SETTINGS}) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.help
        assert type(setting.default) is setting.type
        assert not setting.choices or setting.default in setting.choices


def test_a_file_changes_only_what_it_names() -> None:
    found = parse_settings({"city": {"code": "MIN"}, "node": {"number": 12}})
    assert found.node_code == "MIN012"
    assert found.flag("printer.enabled")
    assert found.text("city.inegi") == "30039"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"city": "x"}, r"«city» must be a section such as \[city\]"),
        (
            {"city": {"nme": "x"}},
            "unknown setting «city.nme»; the nearest known one is «city.name»",
        ),
        ({"ciudad": {"name": "x"}}, "unknown setting «ciudad.name»; .* «city.name»"),
        ({"node": {"number": "7"}}, "«node.number» must be int, not '7'"),
        ({"node": {"number": True}}, "«node.number» must be int"),
        ({"node": {"number": 0}}, "«node.number» must be a number from 1 to 999, not 0"),
        ({"node": {"number": 1000}}, "«node.number» must be a number from 1 to 999, not 1000"),
        ({"printer": {"enabled": 1}}, "«printer.enabled» must be bool"),
        ({"city": {"receipt_kind": "factura"}}, "must be one of recibo_oficial, comprobante"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_known_key(
    document: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_settings(document)


def test_asking_for_the_wrong_type_is_a_programmers_error() -> None:
    with pytest.raises(AssertionError, match=r"node\.number is int, not str"):
        parse_settings({}).text("node.number")
    with pytest.raises(KeyError):
        parse_settings({}).text("node.nothing")
