"""The city's list of technicians as a file: signed text that a USB stick may carry.

`{"payload": "<RFC 8785 JSON as a string>", "signature": "<base64 Ed25519 over the payload>"}`.
The signature is checked before anything else is read.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
import rfc8785

from municipio.technicians import (
    Role,
    Technician,
    TechnicianList,
    is_technician_id,
    is_usable_key,
)
from municipio.wire import keys

MAX_LIST_BYTES = 256 * 1024
MAX_TECHNICIANS = 200
MAX_VALID_DAYS = 92
"""A stolen card stops opening every node within a quarter, even where no link ever reaches."""
MAX_KEY_BYTES = 512


class ListTrouble(StrEnum):
    MISSING = "missing"
    NOT_READ = "not_read"
    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    OTHER_CITY = "other_city"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class ListProblem:
    """Why there is no list to go by; `detail` is for a technician's log."""

    trouble: ListTrouble
    detail: str = ""


class _Person(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    key: str
    roles: list[Role]
    valid_from: date
    valid_until: date


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["technicians"]
    v: Literal[1]
    inegi: str
    serial: int
    valid_from: date
    valid_until: date
    technicians: list[_Person]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    payload: str
    signature: str


def encode_list(listed: TechnicianList, sign: keys.Sign) -> bytes:
    """The file. ValueError, naming the rule, for a list that no node would believe."""
    flaw = list_flaw(listed)
    if flaw:
        raise ValueError(flaw)
    payload = rfc8785.dumps(
        {
            "kind": "technicians",
            "v": 1,
            "inegi": listed.inegi,
            "serial": listed.serial,
            "valid_from": listed.valid_from.isoformat(),
            "valid_until": listed.valid_until.isoformat(),
            "technicians": [_person(t) for t in listed.technicians],
        }
    )
    file = {"payload": payload.decode(), "signature": keys.signature_text(sign(payload))}
    return json.dumps(file, indent=1).encode() + b"\n"


def decode_list(
    raw: bytes, public: keys.PublicKey, *, inegi: str, newest_serial: int = 0
) -> TechnicianList | ListProblem:
    """A hostile file to a list that the owner of `public` signed for this city, not older than seen."""
    if len(raw) > MAX_LIST_BYTES:
        return ListProblem(ListTrouble.MALFORMED, "it is too long")
    try:
        file = msgspec.json.decode(raw, type=_File)
        payload = file.payload.encode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as e:
        return ListProblem(ListTrouble.MALFORMED, str(e))
    signature = keys.parse_base64(file.signature, keys.SIGNATURE_BYTES)
    if signature is None or not keys.verify(public, signature, payload):
        return ListProblem(
            ListTrouble.BAD_SIGNATURE, "not signed by the city that this node trusts"
        )
    try:
        listed = _from_wire(msgspec.json.decode(payload, type=_Wire))
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        return ListProblem(ListTrouble.MALFORMED, str(e))
    flaw = list_flaw(listed)
    if flaw:
        return ListProblem(ListTrouble.MALFORMED, flaw)
    if listed.inegi != inegi:
        return ListProblem(ListTrouble.OTHER_CITY, f"it is for {listed.inegi}, not for {inegi}")
    if listed.serial < newest_serial:
        detail = f"list {listed.serial} is older than {newest_serial}, which was here before"
        return ListProblem(ListTrouble.OLDER, detail)
    return listed


def list_flaw(listed: TechnicianList) -> str:
    """Which rule the list breaks, empty when none."""
    if listed.serial < 1:
        return "serial starts at 1"
    if not timedelta(0) <= listed.valid_until - listed.valid_from <= timedelta(days=MAX_VALID_DAYS):
        return f"a list is valid for 0 to {MAX_VALID_DAYS} days"
    if len(listed.technicians) > MAX_TECHNICIANS:
        return f"a list has at most {MAX_TECHNICIANS} technicians"
    for one in listed.technicians:
        flaw = person_flaw(one)
        if flaw:
            return f"{one.id[:20]}: {flaw}"
    for name, values in (
        ("id", [t.id for t in listed.technicians]),
        ("key", [t.public_key for t in listed.technicians]),
    ):
        if len(set(values)) != len(values):
            return f"two technicians have the same {name}"
    return ""


def person_flaw(one: Technician) -> str:
    if not is_technician_id(one.id):
        return "an id is 2 to 16 of A-Z, 0-9 and dash, such as T-014"
    if not one.roles:
        return "a technician has at least one role"
    if one.valid_until < one.valid_from:
        return "valid_until is before valid_from"
    if len(one.public_key) > MAX_KEY_BYTES or not is_usable_key(one.public_key):
        return "the key is neither P-256 nor RSA 2048"
    return ""


def person_to_wire(one: Technician) -> dict[str, Any]:
    """How one technician is written, in a list and in the city's own register."""
    return _person(one)


def people_from_wire(raw: bytes) -> Sequence[Technician]:
    """A JSON array of `person_to_wire`. ValueError (msgspec's too) when it is not one."""
    return [_technician(p) for p in msgspec.json.decode(raw, type=list[_Person])]


def _person(one: Technician) -> dict[str, Any]:
    return {
        "id": one.id,
        "key": base64.b64encode(one.public_key).decode(),
        "roles": sorted(role.value for role in one.roles),
        "valid_from": one.valid_from.isoformat(),
        "valid_until": one.valid_until.isoformat(),
    }


def _technician(wire: _Person) -> Technician:
    try:
        key = base64.b64decode(wire.key, validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError("a key is not base64") from e
    return Technician(wire.id, key, frozenset(wire.roles), wire.valid_from, wire.valid_until)


def _from_wire(wire: _Wire) -> TechnicianList:
    people = tuple(_technician(p) for p in wire.technicians)
    return TechnicianList(wire.inegi, wire.serial, wire.valid_from, wire.valid_until, people)
