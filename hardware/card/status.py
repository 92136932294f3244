"""Closed list of what can be wrong with the card, its reader or the service between."""

from __future__ import annotations

from enum import StrEnum

from municipio.devices import DeviceState, DeviceStatus, Slot, SlotState


class CardCause(StrEnum):
    NO_SERVICE = "no_service"
    """pcscd is not running, or was restarted a moment ago."""
    NO_ANSWER = "no_answer"
    """pcscd or the reader hangs."""
    NO_READER = "no_reader"
    TAKEN = "taken"
    """Another program holds the card."""
    MUTE = "mute"
    """The card does not power up: upside down, dirty or dead."""
    NOT_PIV = "not_piv"
    NO_KEY = "no_key"
    """A PIV card without a certificate of a P-256 or RSA 2048 key in slot 9A."""
    GARBLED = "garbled"
    """Its answers make no sense."""
    BLOCKED = "blocked"
    """Its PIN counter is used up."""


DEVICE_STATES: dict[SlotState, DeviceState] = {
    SlotState.READY: DeviceState.READY,
    SlotState.READING: DeviceState.BUSY,
    SlotState.CARD_ERROR: DeviceState.ATTENTION,
    SlotState.NO_CARD: DeviceState.READY,
    SlotState.NO_READER: DeviceState.ABSENT,
    SlotState.UNKNOWN: DeviceState.UNKNOWN,
}
"""The reader as a device: an empty slot is a healthy reader."""


def device_status(slot: Slot) -> DeviceStatus:
    return DeviceStatus(DEVICE_STATES[slot.state], slot.cause)
