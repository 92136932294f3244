"""The city's keys on disk: one Ed25519 key that signs, and one age key per office that opens.

They live in a directory beside the database (or where `PLAZA_CITY_KEYS` says), never in a repository:

    city.key        Ed25519, PKCS #8 PEM, 0600: signs acknowledgements, liquidaciones and content
    city.pub        its public half (SubjectPublicKeyInfo PEM), which every node is given
    <office>.agekey private half of an office (age), 0600: opens what citizens sent to it
    <office>-respaldo.agekey  its escrow, kept in a safe
    recipients.json {"siac": ["age1...", "age1..."], ...}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from central.files import write_private

OFFICES = ("siac", "tesoreria", "contraloria")
"""Reports, treasury, and the internal control body, which alone may read complaints."""
ESCROW = "-respaldo"
"""Each office has a second key, kept in a safe: what was sent to it can be opened when the first is lost."""


class KeysError(Exception):
    """The key directory cannot be used; the message is fit for a terminal."""


@dataclass(frozen=True)
class CityKey:
    """The city's signing key."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    @property
    def public_pem(self) -> bytes:
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519."""
        return self.private.sign(message)


def load_city_key(directory: Path) -> CityKey:
    """Read `city.key`. Raises KeysError that names the file and what is wrong with it."""
    path = directory / "city.key"
    if not path.exists():
        raise KeysError(f"no city key at {path}; make one with: plaza-central key create")
    return CityKey(load_private(path))


def load_private(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key of the city. Raises KeysError that names the file and what is wrong with it."""
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise KeysError(f"cannot use the city key at {path}: {e}") from e
    if not isinstance(private, Ed25519PrivateKey):
        raise KeysError(f"the city key at {path} is not Ed25519")
    return private


def make_private(path: Path) -> Ed25519PrivateKey:
    """A key made where it is missing. Raises KeysError, OSError."""
    if not path.exists():
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem)
    return load_private(path)


def create_city_keys(directory: Path) -> CityKey:
    """Make the city's keys where they are missing, and load them. Existing keys are never replaced."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(directory / "city.key")
        key = load_city_key(directory)
        (directory / "city.pub").write_bytes(key.public_pem)
        recipients = {
            office: [_office_recipient(directory, name) for name in (office, f"{office}{ESCROW}")]
            for office in OFFICES
        }
        text = json.dumps(recipients, indent=2, sort_keys=True) + "\n"
        (directory / "recipients.json").write_text(text, encoding="utf-8")
    except OSError as e:
        raise KeysError(f"cannot write keys in {directory}: {e.strerror}") from e
    return key


def load_recipients(directory: Path) -> dict[str, list[str]]:
    """The offices' age public keys. Raises KeysError."""
    path = directory / "recipients.json"
    try:
        loaded: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise KeysError(f"cannot read {path}: {e}") from e
    return loaded


def _office_recipient(directory: Path, office: str) -> str:
    path = directory / f"{office}.agekey"
    if not path.exists():
        write_private(path, f"{pyrage.x25519.Identity.generate()}\n".encode())
    identity = pyrage.x25519.Identity.from_str(path.read_text(encoding="ascii").strip())
    return str(identity.to_public())
