"""What a city may set on its nodes: everything of the city, nothing that would lock a technician out."""

from __future__ import annotations

import pytest

from municipio.city_settings import (
    FROM_CITY,
    CitySettingsProblem,
    for_node,
    for_profile,
    lay_over,
    merge,
    read_layer,
    targets_for,
)
from municipio.settings import SETTINGS, parse_settings

DEFAULTS = {s.name: s.default for s in SETTINGS}
LOCKS_OUT = (
    "central.url", "central.ca_file", "central.timeout_s", "node.number", "city.code", "city.inegi",
    "node.data_mount", "node.profile", "card.enabled", "card.reader", "kiosk.width", "kiosk.touch_provider",
    "portal.interface", "portal.uplink", "portal.gate", "portal.listen", "portal.gate_socket",
    "power.kind", "power.port", "hardware.programs", "terminal.api_url", "terminal.token_file",
    "sync.retry_max_s", "sync.heartbeat_s", "update.health_min", "update.health_limit_min",
)  # fmt: skip


def document(name: str, value: str) -> bytes:
    section, key = name.split(".")
    return f"[{section}]\n{key} = {value}\n".encode()


def literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.mark.parametrize("name", LOCKS_OUT)
def test_what_would_lock_a_technician_out_is_the_places(name: str) -> None:
    found = read_layer(document(name, literal(DEFAULTS[name])))
    assert isinstance(found, CitySettingsProblem), name
    assert found.key == name


def test_no_port_address_or_path_of_a_machine_comes_from_the_city() -> None:
    ends = (
        ".port",
        ".id",
        ".baud",
        ".reader",
        ".listen",
        ".interface",
        ".uplink",
        "_file",
        "_socket",
    )
    assert [name for name in FROM_CITY if name.endswith(ends)] == []
    assert set(FROM_CITY) <= set(DEFAULTS)


@pytest.mark.parametrize("name", FROM_CITY)
def test_what_a_city_may_send_takes_its_own_default(name: str) -> None:
    found = read_layer(document(name, literal(DEFAULTS[name])))
    assert found == {name: DEFAULTS[name]}, found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("city.timezone", '"America/Coatzacoalcos"'),
        ("city.timezone", '"../../etc/passwd"'),
        ("city.primary_color", '"azul"'),
        ("city.clave_mask", '"2-2"'),
        ("city.receipt_kind", '"otro"'),
        ("city.name", '""'),
        ("city.name", '"a\\nb"'),
        ("kiosk.idle_warning_s", "0"),
        ("kiosk.idle_warning_s", "true"),
        ("portal.session_min", "1000000"),
        ("portal.ssid", '"' + "ñ" * 20 + '"'),
        ("cash.coins", '"mucho"'),
        ("bank.clabe", '"12"'),
        ("update.ring", "0"),
        ("printer.enabled", '"yes"'),
    ],
)
def test_a_value_with_which_a_program_would_not_start_is_refused(name: str, value: str) -> None:
    assert isinstance(read_layer(document(name, value)), CitySettingsProblem)


@pytest.mark.parametrize("raw", [b"\xff", b"[city", b"x = 1", b"[nada]\na = 1", b"#" * 70_000])
def test_what_is_no_settings_document_is_refused(raw: bytes) -> None:
    assert isinstance(read_layer(raw), CitySettingsProblem)


def test_the_node_counts_more_than_its_profile_and_that_more_than_the_city() -> None:
    layers = [
        {"city.name": "a", "city.rfc": "c"},
        {"city.name": "b", "printer.enabled": False},
        {"node.site": "d"},
    ]
    values = merge(layers)
    assert values == {"city.name": "b", "city.rfc": "c", "printer.enabled": False, "node.site": "d"}
    own = parse_settings({"node": {"number": 12}})
    over = lay_over(own, values)
    assert (over.text("city.name"), over.node_code) == ("b", "COA012")


def test_each_node_reads_three_documents() -> None:
    assert targets_for("portal", "COA012") == (
        "settings/city.toml", "settings/profile/portal.toml", "settings/node/COA012.toml",
    )  # fmt: skip
    for wrong in ("../x", "", "coa007", "COA0071"):
        with pytest.raises(ValueError, match="node"):
            for_node(wrong)
    with pytest.raises(ValueError, match="kiosk"):
        for_profile("../../root")
