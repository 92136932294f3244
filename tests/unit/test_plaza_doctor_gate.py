"""How the doctor asks the gate."""

from __future__ import annotations

from pathlib import Path

from captive_portal.gate.visits import GateTrouble
from municipio.settings import parse_settings
from plaza.doctor.collect import look_at_gate


def test_a_gate_that_does_not_answer_is_told_as_such(tmp_path: Path) -> None:
    nft = {"portal": {"gate": "nft", "gate_socket": str(tmp_path / "gate.sock")}}

    assert isinstance(look_at_gate(parse_settings(nft)), GateTrouble)


def test_where_the_gate_is_not_the_firewalls_there_is_nothing_to_ask() -> None:
    assert look_at_gate(parse_settings({})) is None
