"""The technician's cards on the bench: a private pcscd, its virtual reader, and a few cards to put in."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hardware.card.private_pcscd import PrivatePcscd
from hardware.card.simulator import CardSimulator
from hardware.card.virtual_piv import VirtualPiv

BADGES = {"T-001": "tecnico", "T-002": "segundo"}


def _babble(_command: bytes, _answer: bytes) -> bytes:
    return b"\x00"


class CardDesk:
    """`tecnico` and `segundo` are PIV cards that the city knows, `ajena` is one of another kind, `rota`

    one that babbles (demostración).
    """

    def __init__(self) -> None:
        self._service = PrivatePcscd()
        self._up = False
        self._slot = CardSimulator(self._service.port)
        self._inside = ""
        self.cards = {
            "tecnico": VirtualPiv(),
            "segundo": VirtualPiv(),
            "ajena": VirtualPiv(is_piv=False),
            "rota": VirtualPiv(),
        }

    def open(self) -> str:
        self.service_up()
        return ""

    def close(self) -> None:
        self._slot.close()
        self._service.close()
        self._up = False

    def insert(self, who: str) -> None:
        self._slot.remove()
        self._slot.spoil = _babble if who == "rota" else None
        self._slot.insert(self.cards[who])
        self._inside = who

    def remove(self) -> None:
        self._slot.remove()
        self._inside = ""

    def service_down(self) -> None:
        """pcscd dies, as it does when a reader's driver crashes."""
        self._service.kill()
        self._up = False

    def service_up(self) -> None:
        if not self._up:
            self._service.start()
            self._up = True

    def state(self) -> dict[str, object]:
        return {
            "inside": self._inside,
            "service": self._up,
            "tries_left": self.cards[self._inside or "tecnico"].tries_left,
        }

    def badges(self) -> dict[str, str]:
        """Each technician's badge with the public key of their card (PEM), for the city's list."""
        return {badge: _pem(self.cards[who]) for badge, who in BADGES.items()}


def _pem(card: VirtualPiv) -> str:
    return (
        card.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
