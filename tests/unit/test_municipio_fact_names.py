"""Every type of fact has a name."""

from __future__ import annotations

from municipio.fact_names import FACT_NAMES
from municipio.facts import FactType


def test_every_type_of_fact_has_a_name_that_is_not_its_type() -> None:
    assert set(FACT_NAMES) == set(FactType)
    assert not set(FACT_NAMES.values()) & set(FactType)
