"""Enrolment of this node with a code of the city: one request, then files that are written once.

May be run again after any interruption: the node's key stays the same, the city answers the same, and
what is written already is compared instead of written.
"""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from enum import StrEnum

import httpx2

from municipio.settings import SettingsError
from municipio.wire.enrolment import (
    ENROLMENT_TYPE,
    MAX_BODY,
    EnrolAnswer,
    EnrolCode,
    EnrolmentProblem,
    decode_answer,
    encode_request,
)
from sync.datadir import DataDir
from sync.keys import KeyMissing, NodeKey, write_new
from sync.tls import city_tls

PATH = "/v1/enrolments"


class EnrolTrouble(StrEnum):
    NO_ANSWER = "no_answer"
    """Nobody answered; the same command later goes on."""
    REFUSED = "refused"
    """The city knows the code not, or not any more."""
    NOT_THE_CITY = "not_the_city"
    """Somebody answered who does not know the code: a login page, a proxy, another city."""
    OTHER_IDENTITY = "other_identity"
    """This node's files already name another city or another node."""


@dataclass(frozen=True, slots=True)
class NotEnrolled:
    trouble: EnrolTrouble
    detail: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`is_approved` False: the node works and keeps its facts until the city's staff say yes."""

    node: str
    site: str
    key_id: str
    is_approved: bool


def enrol(
    data: DataDir, central_url: str, code: EnrolCode, ca_file: str = "", timeout_s: float = 20
) -> Enrolled | NotEnrolled:
    """Ask the city, then write its key and this node's settings. OSError when the disk refuses."""
    data.create()
    if not data.node_key.exists():
        NodeKey.create(data)
    key = NodeKey.load(data)
    if isinstance(key, KeyMissing):
        return NotEnrolled(EnrolTrouble.OTHER_IDENTITY, key.detail)
    secret = code.key()
    tls = city_tls(ca_file) if central_url.lower().startswith("https:") else True
    if isinstance(tls, KeyMissing):
        return NotEnrolled(EnrolTrouble.OTHER_IDENTITY, tls.detail)
    raw = _ask(central_url, encode_request(code, secret, key.public), tls, timeout_s)
    if isinstance(raw, NotEnrolled):
        return raw
    answer = decode_answer(raw, secret, key.public)
    if isinstance(answer, EnrolmentProblem):
        return NotEnrolled(EnrolTrouble.NOT_THE_CITY, answer.detail)
    other = _write(data, central_url, ca_file, answer)
    if other:
        return NotEnrolled(EnrolTrouble.OTHER_IDENTITY, other)
    return Enrolled(answer.node, answer.site, key.id, answer.is_approved)


def _ask(
    central_url: str, body: bytes, tls: ssl.SSLContext | bool, timeout_s: float
) -> bytes | NotEnrolled:
    """The whole bounded answer, or why there is none that could be one."""
    url = central_url.rstrip("/") + PATH
    deadline = time.monotonic() + timeout_s
    headers = {"Content-Type": "application/json", "User-Agent": "plaza"}
    try:
        with (
            httpx2.Client(
                timeout=timeout_s, follow_redirects=False, trust_env=False, verify=tls
            ) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            raw = b""
            for part in response.iter_bytes(4096):
                raw += part
                if len(raw) > MAX_BODY or time.monotonic() > deadline:
                    return NotEnrolled(EnrolTrouble.NOT_THE_CITY, "an answer without end")
    except (httpx2.HTTPError, httpx2.InvalidURL) as e:
        return NotEnrolled(EnrolTrouble.NO_ANSWER, f"{url}: {type(e).__name__}")
    if response.status_code == 200 and response.headers.get("Content-Type") == ENROLMENT_TYPE:
        return raw
    return _refusal(response.status_code, raw)


def _refusal(status: int, raw: bytes) -> NotEnrolled:
    """A problem is not proved by anybody, so it is only told, never acted upon."""
    try:
        document = json.loads(raw)
        kind = str(document["type"]).rsplit(":", 1)[-1]
        detail = str(document["detail"])[:200]
    except (ValueError, TypeError, KeyError, RecursionError):
        return NotEnrolled(EnrolTrouble.NOT_THE_CITY, f"HTTP {status}, and not from the city's API")
    if status >= 500 or status == 429:
        return NotEnrolled(EnrolTrouble.NO_ANSWER, f"the city is busy: {detail}")
    return NotEnrolled(EnrolTrouble.REFUSED, f"{kind}: {detail}")


def _write(data: DataDir, central_url: str, ca_file: str, answer: EnrolAnswer) -> str:
    """Write what is not there; the sentence about what is there and differs, or empty."""
    if data.city_pub.exists() and data.city_pub.read_bytes() != answer.city_pem:
        return f"{data.city_pub} is the key of another city"
    if data.settings_file.exists():
        try:
            settings = data.settings()
        except SettingsError as e:
            return str(e)
        if settings.node_code != answer.node:
            return (
                f"{data.settings_file} says node {settings.node_code}, the city says {answer.node}"
            )
        if settings.text("central.url") != central_url:
            return f"{data.settings_file} says central.url = {settings.text('central.url')}"
    else:
        write_new(data.settings_file, _settings(central_url, ca_file, answer).encode(), 0o644)
    if not data.city_pub.exists():
        write_new(data.city_pub, answer.city_pem, 0o644)
    return ""


def _settings(central_url: str, ca_file: str, answer: EnrolAnswer) -> str:
    """TOML; a JSON string is a TOML string."""
    ca = f"ca_file = {json.dumps(ca_file, ensure_ascii=False)}\n" if ca_file else ""
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in (
        ("url", central_url), ("inegi", answer.inegi), ("letters", answer.node[:3]), ("site", answer.site),
    )}  # fmt: skip
    return (
        f"[central]\nurl = {quoted['url']}\n{ca}\n"
        f"[city]\ninegi = {quoted['inegi']}\ncode = {quoted['letters']}\n\n"
        f"[node]\nnumber = {int(answer.node[3:])}\nsite = {quoted['site']}\n"
    )
