"""Every trouble of every device can be told to a citizen, to a technician and aloud."""

from __future__ import annotations

from enum import StrEnum

import pytest

from hardware.audio.protocol import AudioCause
from hardware.camera.protocol import CameraCause
from hardware.card.status import CardCause
from hardware.cash.status import CashCause
from hardware.health.state import Cause as HealthCause
from hardware.keypad.driver import KeypadCause
from hardware.power.state import Cause as PowerCause
from hardware.printer.status import Cause as PrinterCause
from hardware.registry import REGISTRY
from hardware.scanner.driver import ScannerCause
from hardware.terminal.causes import TerminalCause
from kiosk.presenters.wording import printer_trouble
from municipio.device_words import DEVICE_WORDS, technician_words
from municipio.devices import DeviceState

DEVICES: dict[str, type[StrEnum]] = {
    "audio": AudioCause,
    "camera": CameraCause,
    "card": CardCause,
    "cash": CashCause,
    "health": HealthCause,
    "power": PowerCause,
    "keypad": KeypadCause,
    "numpad": KeypadCause,
    "printer": PrinterCause,
    "scanner": ScannerCause,
    "terminal": TerminalCause,
}


@pytest.mark.parametrize("device", DEVICES)
def test_every_cause_has_all_three_sentences(device: str) -> None:
    for cause in DEVICES[device]:
        words = DEVICE_WORDS[device, cause.value]
        assert words.citizen.endswith(".")
        assert words.speech.endswith(".")
        assert words.technician
        assert not set(words.speech) & set(":;()/«»"), "a voice would stumble"


@pytest.mark.parametrize("device", DEVICES)
def test_no_sentence_is_of_a_cause_that_does_not_exist(device: str) -> None:
    told = {cause for name, cause in DEVICE_WORDS if name == device}

    assert told == {cause.value for cause in DEVICES[device]}


def test_no_device_that_a_node_may_have_is_without_sentences() -> None:
    assert set(DEVICES) == set(REGISTRY)
    assert {device for device, _ in DEVICE_WORDS} == set(REGISTRY)


@pytest.mark.parametrize("cause", [*PrinterCause, *(DeviceState)])
def test_a_printer_that_cannot_print_always_has_words_for_the_citizen(
    cause: PrinterCause | DeviceState,
) -> None:
    """The screens ask by cause, or by the state where a driver gave no cause."""
    works = {"paper_near_end", "ready", "busy"}
    assert printer_trouble(cause.value, str) or cause.value in works


def test_a_device_without_trouble_is_ready_and_an_unknown_word_is_shown_as_it_is() -> None:
    assert technician_words("printer", "") == "funciona"
    assert technician_words("printer", "otra") == "otra"
