"""Seals of forms: once, in time, from the address they were shown to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.form_seal import SEAL_LIFE_MS, FormSeal, SealState

SEALS = FormSeal(b"k" * 32)


def test_a_seal_is_accepted_once() -> None:
    seals = FormSeal()
    seal = seals.make("accept", "10.0.0.5", 1000)

    assert seals.claim(seal, "accept", "10.0.0.5", 2000) is SealState.FRESH
    assert seals.claim(seal, "accept", "10.0.0.5", 2001) is SealState.USED


def test_a_released_seal_may_be_used_again() -> None:
    seals = FormSeal()
    seal = seals.make("accept", "10.0.0.5", 1000)
    seals.claim(seal, "accept", "10.0.0.5", 2000)

    seals.release(seal)

    assert seals.claim(seal, "accept", "10.0.0.5", 3000) is SealState.FRESH


def test_what_came_of_a_form_is_remembered() -> None:
    seals = FormSeal()
    seal = seals.make("report", "10.0.0.5", 0)
    seals.claim(seal, "report", "10.0.0.5", 1)

    seals.keep_result(seal, "COA007-R1-000001-X")

    assert seals.result_of(seal) == "COA007-R1-000001-X"


@pytest.mark.parametrize(("purpose", "address"), [("report", "10.0.0.5"), ("accept", "10.0.0.6")])
def test_a_seal_is_worth_nothing_elsewhere(purpose: str, address: str) -> None:
    seal = SEALS.make("accept", "10.0.0.5", 1000)

    assert SEALS.claim(seal, purpose, address, 1001) is SealState.FORGED


def test_a_seal_grows_stale() -> None:
    seal = SEALS.make("accept", "10.0.0.5", 1000)

    assert SEALS.claim(seal, "accept", "10.0.0.5", 1001 + SEAL_LIFE_MS) is SealState.STALE


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_no_text_is_a_seal(text: str) -> None:
    assert SEALS.claim(text, "accept", "10.0.0.5", 1) is SealState.FORGED
