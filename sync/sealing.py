"""Sealing with age: what a citizen writes can be opened by an office of the city, not by this node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pyrage


class NoRecipient(ValueError):
    """The content of this node names no usable key for an office; nothing may be stored in the clear."""


class AgeSealer:
    """Implements `municipio.usecases.ports.Sealer` and `AttachmentSealer`.

    `recipient_keys` gives the age public keys of an office (`Catalogue.recipient_keys`); `escrow` are
    further keys that can open everything, normally none. Armored text is what officials open with the
    standard `age` tool.
    """

    def __init__(
        self, recipient_keys: Callable[[str], Sequence[str]], escrow: Sequence[str] = ()
    ) -> None:
        self._recipient_keys = recipient_keys
        self._escrow = tuple(escrow)

    def seal(self, recipient: str, plaintext: bytes) -> str:
        """Raises NoRecipient when the office has no key that can be used."""
        return self._encrypt(recipient, plaintext, armored=True).decode("ascii")

    def seal_bytes(self, recipient: str, plaintext: bytes) -> bytes:
        """A file, unarmored: a third smaller. Raises NoRecipient like `seal`."""
        return self._encrypt(recipient, plaintext, armored=False)

    def _encrypt(self, recipient: str, plaintext: bytes, *, armored: bool) -> bytes:
        names = self._recipient_keys(recipient)
        if not names:
            raise NoRecipient(f"no key for {recipient}")
        try:
            keys = [pyrage.x25519.Recipient.from_str(name) for name in (*names, *self._escrow)]
        except pyrage.RecipientError as e:
            raise NoRecipient(f"a key for {recipient} cannot be used: {e}") from e
        return cast(bytes, pyrage.encrypt(plaintext, keys, armored=armored))
