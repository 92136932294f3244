"""A fact that had to leave its chain has at the city the effect that it would have had there."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from central.effects import effects_of
from central.node_simulator import NodeSimulator
from municipio.facts import RECOVERED, FactType, Lane

ZONE = ZoneInfo("America/Mexico_City")


@pytest.mark.parametrize(
    ("type", "data"),
    [
        (FactType.REPORT_FILED, {"service_code": "bache"}),
        (
            FactType.PAYMENT_TAKEN,
            {"amount_centavos": 100, "clave": "1", "liquidacion_id": "L", "method": "card"},
        ),
    ],
)
def test_a_recovered_fact_keeps_its_folio_and_its_effect(
    type: FactType, data: dict[str, object]
) -> None:
    node = NodeSimulator()
    inner = node.record(type, data)
    lane = Lane.PAY if type is FactType.PAYMENT_TAKEN else Lane.REP
    outer = node.record(RECOVERED[lane], {"fact": inner.decode(), "reason": "facts_damaged"})
    assert effects_of(outer, node.node, ZONE) == effects_of(inner, node.node, ZONE) != ()


@pytest.mark.parametrize("fact", [None, 5, "x", "{}"])
def test_a_recovered_fact_without_a_fact_has_none(fact: object) -> None:
    node = NodeSimulator()
    outer = node.record(RECOVERED[Lane.REP], {"fact": fact})
    assert effects_of(outer, node.node, ZONE) == ()


def test_a_fact_of_another_node_or_inside_two_others_has_none() -> None:
    node, other = NodeSimulator(), NodeSimulator(node="COA008")
    theirs = other.record(FactType.REPORT_FILED, {})
    outer = node.record(RECOVERED[Lane.REP], {"fact": theirs.decode()})
    assert effects_of(outer, node.node, ZONE) == ()
    twice = node.record(RECOVERED[Lane.REP], {"fact": outer.decode()})
    assert effects_of(twice, node.node, ZONE) == ()
