"""HTTP message signatures (RFC 9421, Ed25519) over @method, @path and content-digest (RFC 9530).

Small on purpose: one signature per request, three covered components, parameters keyid and nonce.
`created` may be present and is never judged, because a node's clock may be years wrong; order and
replay are settled by fact numbers, not by time. Parsing is strict and bounded: header values must be
in the serialised form of RFC 8941, with no second spelling.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from municipio.wire import keys

COMPONENTS = ("@method", "@path", "content-digest")
MAX_HEADER = 1024
LABEL = "plaza"
_PATH = re.compile(r"/[A-Za-z0-9._~%!$&'()*+,;=:@/-]{0,511}")
_METHOD = re.compile(r"[A-Z]{3,10}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INPUT = re.compile(
    r"(?P<label>[a-z*][a-z0-9_.*-]{0,31})="
    r"(?P<params>\((?P<components>(?:\"[@a-z-]{1,32}\"(?: (?!\))|(?=\))))*)\)"
    r"(?P<rest>(?:;[a-z*][a-z0-9_.*-]{0,31}=(?:\"[ !#-\[\]-~]{0,256}\"|-?\d{1,15}))*))"
)
_PARAM = re.compile(r";([a-z*][a-z0-9_.*-]{0,31})=(?:\"([ !#-\[\]-~]*)\"|(-?\d{1,15}))")
_SIGNATURE = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]{0,31})=:(?P<value>[A-Za-z0-9+/=]{88}):")


@dataclass(frozen=True, slots=True)
class HttpSigProblem:
    """A request that cannot be believed; `detail` is safe to show."""

    detail: str


def content_digest(body: bytes) -> str:
    """`Content-Digest` field value of a body (RFC 9530, sha-256)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign_request(
    method: str, path: str, body: bytes, key_id: str, nonce: str, sign: keys.Sign
) -> dict[str, str]:
    """Headers that prove who sent a request. `path` is the absolute path without a query.

    ValueError when a part cannot stand in a signature (a programmer's error).
    """
    if not (_METHOD.fullmatch(method) and _PATH.fullmatch(path)):
        raise ValueError(f"cannot sign {method} {path}")
    if not (_TOKEN.fullmatch(key_id) and _TOKEN.fullmatch(nonce)):
        raise ValueError("key_id and nonce are 1 to 64 letters, digits, - or _")
    listed = " ".join(f'"{name}"' for name in COMPONENTS)
    params = f'({listed});keyid="{key_id}";nonce="{nonce}";alg="ed25519"'
    digest = content_digest(body)
    base = _signature_base(COMPONENTS, method, path, digest, params)
    return {
        "Content-Digest": digest,
        "Signature-Input": f"{LABEL}={params}",
        "Signature": f"{LABEL}=:{keys.signature_text(sign(base))}:",
    }


def verify_request(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    find_key: Callable[[str], keys.PublicKey | None],
) -> str | HttpSigProblem:
    """Key id of the signer, or why the request is not believed. Everything given is hostile."""
    found = {name.lower(): value.strip() for name, value in headers.items()}
    digest = found.get("content-digest", "")
    if digest != content_digest(body):
        return HttpSigProblem("Content-Digest does not match the body")
    parsed = _parse(found.get("signature-input", ""), found.get("signature", ""))
    if isinstance(parsed, HttpSigProblem):
        return parsed
    public = find_key(parsed.key_id)
    if public is None:
        return HttpSigProblem("unknown key")
    if not (_METHOD.fullmatch(method) and _PATH.fullmatch(path)):
        return HttpSigProblem("method or path cannot be signed")
    base = _signature_base(parsed.components, method, path, digest, parsed.params)
    if not keys.verify(public, parsed.signature, base):
        return HttpSigProblem("signature does not match")
    return parsed.key_id


@dataclass(frozen=True, slots=True)
class _Parsed:
    key_id: str
    components: tuple[str, ...]
    params: str
    signature: bytes


def _parse(signature_input: str, signature: str) -> _Parsed | HttpSigProblem:
    if len(signature_input) > MAX_HEADER or len(signature) > MAX_HEADER:
        return HttpSigProblem("signature headers are too long")
    given = _INPUT.fullmatch(signature_input)
    signed = _SIGNATURE.fullmatch(signature)
    if given is None or signed is None or given["label"] != signed["label"]:
        return HttpSigProblem("no signature that can be read")
    components = tuple(re.findall(r'"([^"]+)"', given["components"]))
    if sorted(components) != sorted(COMPONENTS):
        return HttpSigProblem("a signature covers @method, @path and content-digest")
    params = _parse_params(given["rest"])
    if params is None:
        return HttpSigProblem("signature parameters cannot be read")
    raw = keys.parse_base64(signed["value"], keys.SIGNATURE_BYTES)
    if raw is None:
        return HttpSigProblem("signature is not base64 of 64 bytes")
    return _Parsed(params["keyid"], components, given["params"], raw)


def _parse_params(rest: str) -> dict[str, str] | None:
    """Parameters by name; None unless keyid and nonce are there, once, and alg is ours."""
    params: dict[str, str] = {}
    for name, text, number in _PARAM.findall(rest):
        if name in params:
            return None
        params[name] = text or number
    if not (_TOKEN.fullmatch(params.get("keyid", "")) and params.get("nonce")):
        return None
    return params if params.get("alg", "ed25519") == "ed25519" else None


def _signature_base(
    components: tuple[str, ...], method: str, path: str, digest: str, params: str
) -> bytes:
    values = {"@method": method, "@path": path, "content-digest": digest}
    lines = [f'"{name}": {values[name]}' for name in components]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode()
