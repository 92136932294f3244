from __future__ import annotations

import pyrage
import pytest

from sync.sealing import AgeSealer, NoRecipient


def test_only_the_office_and_the_escrow_can_open_what_was_sealed() -> None:
    office, escrow, other = (pyrage.x25519.Identity.generate() for _ in range(3))
    sealer = AgeSealer(lambda _: [str(office.to_public())], [str(escrow.to_public())])
    sealed = sealer.seal("siac", "teléfono 921…".encode())
    assert sealed.startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert "921" not in sealed
    for identity in (office, escrow):
        assert pyrage.decrypt(sealed.encode(), [identity]).decode() == "teléfono 921…"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed.encode(), [other])


@pytest.mark.parametrize("names", [(), ("not a key",)])
def test_without_a_usable_key_nothing_is_stored_in_the_clear(names: tuple[str, ...]) -> None:
    with pytest.raises(NoRecipient):
        AgeSealer(lambda _: names).seal("siac", b"x")
