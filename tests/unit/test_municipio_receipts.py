"""Papers and device verdicts as values."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from municipio import receipts
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus, PrintVerdict
from municipio.receipts import Cut, Line, Paper, PaperKind, Text


@pytest.mark.parametrize("kind", get_args(Line))
def test_every_line_is_a_frozen_value(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert getattr(receipts, kind.__name__) is kind


def test_a_note_for_the_log_does_not_make_another_paper() -> None:
    lines = (Text("hola"), Cut())
    assert Paper(PaperKind.FICHA, "", lines) == Paper(
        PaperKind.FICHA, "", lines, note="from a test"
    )
    assert Paper(PaperKind.FICHA, "", lines) != Paper(PaperKind.FICHA, "", lines, language="en")


def test_unknown_is_a_state_of_every_device_and_verdict() -> None:
    for states in (DeviceState, PrintVerdict, ChargeState):
        assert "unknown" in [state.value for state in states]
    assert DeviceStatus(DeviceState.READY).cause == ""


def test_a_charge_has_room_for_four_digits_of_a_card_and_no_more_fields() -> None:
    names = [field.name for field in dataclasses.fields(Charge)]
    assert names == ["key", "state", "amount_centavos", "authorization", "card_last4", "message"]
