"""Fetching: from the city over HTTPS, or from a folder that somebody carried. Nothing is opened here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pyrage

from central.desk import Desk, DeskError
from central.desk_log import LOG_TYPE
from municipio.wire import keys
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body

TIMEOUT_S = 30.0
_KIND = "plaza-desk"


def fetch(desk: Desk, client: httpx2.Client, city: keys.PublicKey, identity: Any) -> int:
    """Everything new of this office; returns how many facts are new. Raises DeskError."""
    try:
        return _fetch(desk, client, city, identity)
    except httpx2.HTTPError as e:
        raise DeskError(f"la ciudad no responde: {type(e).__name__}") from e


def _fetch(desk: Desk, client: httpx2.Client, city: keys.PublicKey, identity: Any) -> int:
    base, token = f"/v1/desk/{desk.office}", _token(desk, client, city, identity)
    fresh = 0
    for chain in _ask(client, f"{base}/chains", token, city)["chains"]:
        name = f"{chain['node']}/{chain['epoch']}"
        after = desk.cursors().get(name, 0)
        while after < chain["through"]:
            stretch = _ask(client, f"{base}/facts/{name}/{after}", token, city)
            fresh += sum(desk.put(raw) for raw in stretch["facts"])
            if stretch["through"] <= after:
                break
            after = stretch["through"]
            desk.set_cursor(name, after)
    for sha256 in desk.wanted_files():
        reply = client.get(f"{base}/attachments/{sha256}", headers=_bearer(token))
        if reply.status_code == 200:
            desk.put_file(sha256, reply.content)
    return fresh


def _token(desk: Desk, client: httpx2.Client, city: keys.PublicKey, identity: Any) -> str:
    sealed = _ask(client, f"/v1/desk/{desk.office}", "", city)["token"]
    try:
        return bytes(pyrage.decrypt(str(sealed).encode(), [identity])).decode("ascii")
    except pyrage.DecryptError as e:
        raise DeskError(f"esta llave no es de la oficina «{desk.office}»") from e


def tell_openings(desk: Desk, client: httpx2.Client, city: keys.PublicKey, identity: Any) -> int:
    """Send the log of openings to the city's audit trail; how many rows were new. Raises DeskError."""
    try:
        return _tell_openings(desk, client, city, _token(desk, client, city, identity))
    except httpx2.HTTPError as e:
        raise DeskError(f"la ciudad no responde: {type(e).__name__}") from e


def _tell_openings(desk: Desk, client: httpx2.Client, city: keys.PublicKey, token: str) -> int:
    path, told = f"/v1/desk/{desk.office}/openings", 0
    known = _ask(client, f"{path}/{desk.name}", token, city)["rows"]
    while known < desk.rows:
        body, headers = desk.signed_log(known + 1), _bearer(token) | {"Content-Type": LOG_TYPE}
        answer = _read(client.post(path, content=body, headers=headers), city)
        told, known = told + answer["fresh"], answer["rows"]
    return told


def write_openings(desk: Desk, folder: Path) -> Path | None:
    """The log as files for a stick that goes back to the city; None when nothing was opened yet."""
    first, path = 1, None
    while first <= desk.rows:
        body = desk.signed_log(first)
        path = folder / f"{desk.office}-{desk.name}-{first:06d}.openings"
        path.write_bytes(body)
        first += body.count(b"\n") - 2
    return path


def _ask(client: httpx2.Client, path: str, token: str, city: keys.PublicKey) -> dict[str, Any]:
    return _read(client.get(path, headers=_bearer(token) if token else {}), city)


def _read(reply: httpx2.Response, city: keys.PublicKey) -> dict[str, Any]:
    if not verify_body(reply.content, reply.headers.get(SIGNATURE_HEADER), city):
        raise DeskError("la respuesta no viene firmada por la ciudad")
    if reply.status_code == 409:
        raise DeskError("la ciudad tiene otra bitácora de este escritorio: avise a la Contraloría")
    if reply.status_code != 200:
        raise DeskError(f"la ciudad respondió {reply.status_code}")
    found: dict[str, Any] = json.loads(reply.content)
    return found


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def write_bundle(out: Path, inegi: str, office: str, facts: Sequence[str], sign: keys.Sign) -> Path:
    """What a stick carries to a desk without a network: header, facts, the city's signature."""
    header = json.dumps({"kind": _KIND, "v": 1, "inegi": inegi, "office": office}, sort_keys=True)
    signed = "".join(f"{line}\n" for line in (header, *facts)).encode()
    path = out / f"{office}.desk"
    out.mkdir(parents=True, exist_ok=True)
    path.write_bytes(signed + keys.signature_text(sign(signed)).encode() + b"\n")
    return path


def take_bundle(desk: Desk, folder: Path, city: keys.PublicKey) -> int:
    """Read what was carried; returns how many facts are new. Raises DeskError."""
    path = folder / f"{desk.office}.desk"
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise DeskError(f"no se puede leer {path}: {e.strerror}") from e
    body, _, last = raw.removesuffix(b"\n").rpartition(b"\n")
    signature = keys.parse_base64(last.decode("ascii", "replace"), keys.SIGNATURE_BYTES)
    if signature is None or not keys.verify(city, signature, body + b"\n"):
        raise DeskError(f"{path} no viene firmado por la ciudad")
    header, *facts = body.decode().split("\n")
    known = json.loads(header)
    if (known.get("kind"), known.get("office")) != (_KIND, desk.office):
        raise DeskError(f"{path} no es para «{desk.office}»")
    fresh = sum(desk.put(fact) for fact in facts)
    for sha256 in desk.wanted_files():
        file = folder / "files" / sha256
        if file.is_file():
            desk.put_file(sha256, file.read_bytes())
    return fresh
