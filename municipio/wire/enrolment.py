"""Enrolment by a one-time code: two HTTP bodies, each proved with a key that the code gives.

A code such as `K7QF-2M9D-XR4T-8WNH` (Crockford's base 32, no letter that is mistaken for a digit) has a
name, its first four characters, and a secret of 60 bits, the rest. Node and city derive one key from it
with scrypt (RFC 7914); the secret itself never travels. The node proves that it knows the code and which
public key is its own; the city proves the same back, with its own public key in the answer. So a login
page, a proxy or another city can neither take a node's place nor give it a false city, and who copies
both bodies would have to try 2^60 secrets, scrypt for each.

The request is one JSON object in RFC 8785 form; the answer is such an object, a line feed and its proof.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import rfc8785
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from municipio.wire.keys import KeyFormatError, PublicKey, load_public, parse_base64

ENROLMENT_TYPE = "application/vnd.plaza.enrolment"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NAME_LETTERS = 4
SECRET_LETTERS = 12
MAX_BODY = 8192
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LETTERS = re.compile(rf"[{ALPHABET}]{{{NAME_LETTERS + SECRET_LETTERS}}}")
_NODE = re.compile(r"[A-Z]{3}\d{3}")
_INEGI = re.compile(r"\d{5}")


@dataclass(frozen=True, slots=True)
class EnrolmentProblem:
    """Why a code or a body is not believed; `detail` is for a technician."""

    detail: str


@dataclass(frozen=True, slots=True)
class EnrolCode:
    """`name` may be stored and shown; `secret` only ever on paper and in the technician's head."""

    name: str
    secret: str

    def __str__(self) -> str:
        letters = self.name + self.secret
        return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))

    def key(self) -> bytes:
        """32 bytes; takes some 30 ms on a server and half a second on a small board, on purpose."""
        salt = f"plaza enrolment {self.name}".encode()
        return hashlib.scrypt(
            self.secret.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26, dklen=32
        )


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    code_name: str
    public: PublicKey
    proof: bytes

    def is_proved(self, key: bytes) -> bool:
        return hmac.compare_digest(self.proof, _request_proof(key, self.code_name, self.public))


@dataclass(frozen=True, slots=True)
class EnrolAnswer:
    """`is_approved` is False while the city's staff has yet to say yes: facts wait on the node."""

    node: str
    inegi: str
    site: str
    is_approved: bool
    city_pem: bytes


class _RequestWire(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    public: str
    proof: str


class _AnswerWire(msgspec.Struct, forbid_unknown_fields=True):
    approved: bool
    city_key: str
    inegi: str
    node: str
    public: str
    site: str


def new_code(random_below: Callable[[int], int]) -> EnrolCode:
    """`random_below` is a source of secrets such as `secrets.randbelow`."""
    letters = "".join(ALPHABET[random_below(32)] for _ in range(NAME_LETTERS + SECRET_LETTERS))
    return EnrolCode(letters[:NAME_LETTERS], letters[NAME_LETTERS:])


def parse_code(text: str) -> EnrolCode | EnrolmentProblem:
    """Read what a person typed: any case, dashes or blanks anywhere, O for 0, I and L for 1."""
    letters = re.sub(r"[\s-]", "", text[:100]).upper().translate(_MISREAD)
    if not _LETTERS.fullmatch(letters):
        return EnrolmentProblem(
            "an enrolment code has 16 letters and digits, such as K7QF-2M9D-XR4T-8WNH"
        )
    return EnrolCode(letters[:NAME_LETTERS], letters[NAME_LETTERS:])


def encode_request(code: EnrolCode, key: bytes, public: PublicKey) -> bytes:
    proof = _request_proof(key, code.name, public)
    wire = {"code": code.name, "public": _b64(_raw(public)), "proof": _b64(proof)}
    return rfc8785.dumps(wire)


def decode_request(raw: bytes) -> EnrolRequest | EnrolmentProblem:
    """Parse hostile bytes; nothing is proved yet."""
    if len(raw) > MAX_BODY:
        return EnrolmentProblem("too large")
    try:
        wire = msgspec.json.decode(raw, type=_RequestWire)
    except (msgspec.MsgspecError, RecursionError):
        return EnrolmentProblem("not an enrolment request")
    public, proof = parse_base64(wire.public, 32), parse_base64(wire.proof, 32)
    if public is None or proof is None or len(wire.code) != NAME_LETTERS:
        return EnrolmentProblem("not an enrolment request")
    try:
        return EnrolRequest(wire.code, PublicKey.from_public_bytes(public), proof)
    except ValueError:
        return EnrolmentProblem("not a public key")


def encode_answer(answer: EnrolAnswer, key: bytes, public: PublicKey) -> bytes:
    """`public` is the node's own key, so that an answer to another node proves nothing here."""
    body = rfc8785.dumps(
        {
            "approved": answer.is_approved,
            "city_key": answer.city_pem.decode("ascii"),
            "inegi": answer.inegi,
            "node": answer.node,
            "public": _b64(_raw(public)),
            "site": answer.site,
        }
    )
    return body + b"\n" + _b64(_answer_proof(key, body)).encode()


def decode_answer(raw: bytes, key: bytes, public: PublicKey) -> EnrolAnswer | EnrolmentProblem:
    """Believe an answer only when whoever wrote it knows the code and answers this very key."""
    if len(raw) > MAX_BODY:
        return EnrolmentProblem("too large")
    body, _, proof_text = raw.partition(b"\n")
    proof = parse_base64(proof_text.decode("ascii", "replace").strip(), 32)
    if proof is None or not hmac.compare_digest(proof, _answer_proof(key, body)):
        return EnrolmentProblem("the answer does not come from the city that gave this code")
    try:
        wire = msgspec.json.decode(body, type=_AnswerWire)
        load_public(wire.city_key.encode())
    except (msgspec.MsgspecError, KeyFormatError, RecursionError):
        return EnrolmentProblem("the city's answer cannot be read")
    if wire.public != _b64(_raw(public)):
        return EnrolmentProblem("the city answered another node")
    if not _NODE.fullmatch(wire.node) or not _INEGI.fullmatch(wire.inegi) or len(wire.site) > 100:
        return EnrolmentProblem("the city's answer cannot be read")
    return EnrolAnswer(wire.node, wire.inegi, wire.site, wire.approved, wire.city_key.encode())


def _request_proof(key: bytes, name: str, public: PublicKey) -> bytes:
    return hmac.digest(
        key, b"plaza enrolment request\n" + name.encode() + b"\n" + _raw(public), "sha256"
    )


def _answer_proof(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"plaza enrolment answer\n" + body, "sha256")


def _raw(public: PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
