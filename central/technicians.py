"""The city's register of technicians: a file beside its keys, from which it signs short-lived lists.

    technicians.json  {"serial": 3, "technicians": [{"id", "key", "roles", "valid_from", "valid_until"}]}

It holds badge numbers and public keys; who a badge belongs to is written elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from central.files import keep_file
from central.keys import KeysError, load_city_key
from municipio.technicians import Technician, TechnicianList
from municipio.wire.technician_list import (
    encode_list,
    people_from_wire,
    person_flaw,
    person_to_wire,
)

REGISTER = "technicians.json"
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Register:
    serial: int
    """Of the newest list that was signed; 0 before the first."""
    technicians: tuple[Technician, ...]


def load_register(keys: Path) -> Register:
    """An empty one when there is none. Raises KeysError that names the file."""
    path = keys / REGISTER
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        people = people_from_wire(json.dumps(document["technicians"]).encode())
        return Register(int(document["serial"]), tuple(people))
    except FileNotFoundError:
        return Register(0, ())
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise KeysError(f"cannot use {path}: {e}") from e


def read_public_key(file: Path) -> bytes:
    """SubjectPublicKeyInfo (DER) from a certificate or public key in PEM. Raises KeysError."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES)
        public = (
            x509.load_pem_x509_certificate(raw).public_key()
            if b"BEGIN CERTIFICATE" in raw
            else load_pem_public_key(raw)
        )
    except OSError as e:
        raise KeysError(f"{file}: {e.strerror}") from e
    except (ValueError, UnsupportedAlgorithm) as e:
        raise KeysError(f"{file} is neither a certificate nor a public key in PEM") from e
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def add_technician(keys: Path, one: Technician) -> None:
    """Register or replace by badge. Raises KeysError for one that no list could hold."""
    flaw = person_flaw(one)
    if flaw:
        raise KeysError(f"{one.id}: {flaw}")
    register = load_register(keys)
    others = [t for t in register.technicians if t.id != one.id]
    if any(t.public_key == one.public_key for t in others):
        raise KeysError(f"{one.id}: another badge has this key")
    _save(keys, register.serial, [*others, one])


def remove_technician(keys: Path, badge: str) -> None:
    """From the next list on that badge opens nothing. Raises KeysError when it is not there."""
    register = load_register(keys)
    left = [t for t in register.technicians if t.id != badge]
    if len(left) == len(register.technicians):
        raise KeysError(f"{badge} is not registered")
    _save(keys, register.serial, left)


def export_list(keys: Path, inegi: str, today: date, days: int) -> tuple[bytes, TechnicianList]:
    """Sign the next list, valid from today for `days`. Raises KeysError."""
    city_key = load_city_key(keys)
    register = load_register(keys)
    people = tuple(t for t in register.technicians if t.valid_until >= today)
    listed = TechnicianList(inegi, register.serial + 1, today, today + timedelta(days=days), people)
    try:
        signed = encode_list(listed, city_key.sign)
    except ValueError as e:
        raise KeysError(str(e)) from e
    _save(keys, listed.serial, register.technicians)
    return signed, listed


def _save(keys: Path, serial: int, people: Sequence[Technician]) -> None:
    ordered = sorted(people, key=lambda t: t.id)
    document = {"serial": serial, "technicians": [person_to_wire(t) for t in ordered]}
    try:
        keep_file(keys / REGISTER, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as e:
        raise KeysError(f"cannot write {keys / REGISTER}: {e.strerror}") from e
