"""The recipient's desk: sealed matters in a folder of the official's own machine, opened one by one.

What is fetched stays sealed on the disk. Each opening is written down before anything is shown: who,
which folio, why. The log is chained by hashes, so a row that was taken out or changed is noticed.

    DESK/sealed/<fact id>.json   a fact, byte for byte, still sealed
    DESK/files/<sha256>          an attachment, still sealed
    DESK/openings.ndjson         the log
    DESK/desk.key                the desk's own key, which signs the log on its way to the city
    DESK/cursors.json            how far each chain was fetched
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage

from central.desk_access import is_for
from central.desk_log import MAX_BYTES, MAX_ROWS, encode_log
from central.files import keep_file
from central.histories import Told, matters_of
from central.keys import make_private
from municipio.facts import RECOVERED, Fact, FactError, decode_fact, format_time
from municipio.identifiers import make_folio
from municipio.wire.keys import key_id

COLUMNS = (
    *("folio", "tipo", "fecha", "nodo", "servicio", "colonia", "calle", "entre", "descripcion"),
    *("telefono", "otros", "asunto"),
)
KINDS = {
    "report.filed": "Reporte",
    "report.photo_added": "Foto agregada",
    "complaint.filed": "Queja",
    "appointment.asked": "Cita",
    "survey.answered": "Encuesta",
}
OFFICE_NAMES = {"siac": "SIAC", "tesoreria": "Tesorería", "contraloria": "Contraloría"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ZERO = "0" * 64


class DeskError(ValueError):
    """What cannot be opened or is not whole; fit for a terminal and a page."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A matter as anybody may see it. `on` is an ISO day, empty when the node did not know it.

    `of` is empty but where copies of a card gave one folio to several matters: the id of the fact that
    opened this one, or its own where nobody can say to which it belongs.
    """

    id: str
    folio: str
    kind: str
    node: str
    on: str
    service: str
    colonia: str
    files: tuple[str, ...]
    sealed: str
    told: Told
    of: str = ""

    @property
    def choice(self) -> str:
        """What names it in a form."""
        return f"{self.folio} {self.of}".rstrip()


@dataclass(frozen=True, slots=True)
class Opened:
    """A matter with what its citizen wrote, and the bytes of its files that are here."""

    about: Sealed
    said: dict[str, Any]
    files: tuple[bytes, ...]


class Desk:
    """One office's folder and key. `who` is written into the log."""

    def __init__(self, folder: Path, office: str, identity: Any, who: str) -> None:
        self._folder = folder
        self._identity = identity
        self._who = who
        self.office = office
        self.title = OFFICE_NAMES.get(office, office)
        for name in ("sealed", "files"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)

    def put(self, raw: str) -> bool:
        """Keep a fact that is for this office; True when it is new. Raises DeskError."""
        try:
            fact = decode_fact(raw.encode())
        except (FactError, UnicodeEncodeError) as e:
            raise DeskError(f"not a fact: {e}") from e
        if not is_for(json.loads(raw), self.office):
            raise DeskError(f"fact {fact.id} is not for {self.office}")
        return self._write(self._folder / "sealed" / f"{fact.id}.json", raw.encode())

    def put_file(self, sha256: str, body: bytes) -> bool:
        """Keep a sealed file; raises DeskError when it is not the one that its name says."""
        if hashlib.sha256(body).hexdigest() != sha256:
            raise DeskError(f"file {sha256[:12]}… has other bytes than its name says")
        return self._write(self._folder / "files" / sha256, body)

    def wanted_files(self) -> tuple[str, ...]:
        """Hashes of files that matters name and that are not here."""
        named = {sha256 for matter in self.matters() for sha256 in matter.files}
        return tuple(sorted(n for n in named if not (self._folder / "files" / n).exists()))

    def cursors(self) -> dict[str, int]:
        path = self._folder / "cursors.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def set_cursor(self, chain: str, through: int) -> None:
        document = json.dumps(self.cursors() | {chain: through}, sort_keys=True)
        keep_file(self._folder / "cursors.json", document.encode())

    def matters(self) -> tuple[Sealed, ...]:
        """Everything here, still sealed, newest first."""
        paths = sorted((self._folder / "sealed").glob("*.json"))
        found = _apart([_sealed(decode_fact(path.read_bytes())) for path in paths])
        return tuple(sorted(found, key=lambda m: (m.on, m.folio, m.of, m.id), reverse=True))

    def never_opened(self) -> tuple[tuple[str, str], ...]:
        """Folio, and which of its matters where it has several, of what nobody has opened here."""
        seen = {(row["folio"], row.get("of", "")) for row in self.openings()}
        return tuple(
            dict.fromkeys((m.folio, m.of) for m in self.matters() if (m.folio, m.of) not in seen)
        )

    def open(self, folio: str, why: str, at: datetime, of: str = "") -> tuple[Opened, ...]:
        """Everything of a folio: the matter and what was added. Logged first. Raises DeskError.

        `of` says which matter, where the folio has several.
        """
        reason = " ".join(why.split())
        if len(reason) < 4:
            raise DeskError("diga por qué lo abre")
        mine = [matter for matter in self.matters() if matter.folio == folio]
        if not mine:
            raise DeskError(f"no hay nada con el folio {folio}")
        if mine[0].of:
            names = ", ".join(dict.fromkeys(matter.of for matter in mine))
            mine = [matter for matter in mine if matter.of == of]
            if not mine:
                raise DeskError(f"{folio} es de dos personas; diga cuál de sus asuntos: {names}")
        self._log(folio, reason[:300], at, mine[0].of)
        return tuple(self._open(matter) for matter in reversed(mine))

    def _open(self, matter: Sealed) -> Opened:
        said: dict[str, Any] = {}
        if matter.sealed:
            plain = self._decrypt(matter.sealed.encode(), matter.folio)
            try:
                loaded = json.loads(plain)
            except ValueError:
                loaded = plain.decode(errors="replace")
            said = loaded if isinstance(loaded, dict) else {"description": str(loaded)}
        here = [self._folder / "files" / sha256 for sha256 in matter.files]
        files = tuple(self._decrypt(p.read_bytes(), matter.folio) for p in here if p.exists())
        return Opened(matter, said, files)

    def _decrypt(self, sealed: bytes, folio: str) -> bytes:
        try:
            return bytes(pyrage.decrypt(sealed, [self._identity]))
        except pyrage.DecryptError as e:
            raise DeskError(f"esta llave no abre {folio}") from e

    def openings(self) -> tuple[dict[str, Any], ...]:
        """The log, oldest first. Raises DeskError when a row was changed or taken out."""
        before, found = _ZERO, []
        for line in self._log_lines():
            row = json.loads(line)
            if row.pop("prev") != before:
                raise DeskError("la bitácora de aperturas fue alterada")
            before = hashlib.sha256(line).hexdigest()
            found.append(row)
        return tuple(found)

    def signed_log(self, first: int = 1) -> bytes:
        """The log from a row on, signed by this desk, for the city; raises DeskError like `openings`.

        No more than one delivery holds; what is left goes with the next one.
        """
        self.openings()
        key = make_private(self._folder / "desk.key")
        rows = self._log_lines()[first - 1 :][:MAX_ROWS]
        while sum(len(row) + 1 for row in rows) > MAX_BYTES - 1024:
            rows = rows[: len(rows) // 2]
        return encode_log(self.office, key.public_key(), first, rows, key.sign)

    @property
    def name(self) -> str:
        """The id of this desk's key."""
        return key_id(make_private(self._folder / "desk.key").public_key())

    @property
    def rows(self) -> int:
        return len(self._log_lines())

    def _log_lines(self) -> list[bytes]:
        path = self._folder / "openings.ndjson"
        return path.read_bytes().splitlines() if path.exists() else []

    def _log(self, folio: str, why: str, at: datetime, of: str) -> None:
        lines = self._log_lines()
        prev = hashlib.sha256(lines[-1]).hexdigest() if lines else _ZERO
        row = {"at": format_time(at), "who": self._who, "folio": folio, "why": why, "prev": prev}
        row |= {"of": of} if of else {}
        with (self._folder / "openings.ndjson").open("ab") as file:
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _write(self, path: Path, body: bytes) -> bool:
        if path.exists():
            return False
        keep_file(path, body)
        return True


def files_of(raw: str) -> tuple[str, ...]:
    """Hashes of the sealed files that a fact names."""
    return _sealed(decode_fact(raw.encode())).files


def load_identity(path: Path) -> Any:
    """An office's age key from its file. Raises DeskError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        (key,) = (line.strip() for line in lines if line.strip() and not line.startswith("#"))
        return pyrage.x25519.Identity.from_str(key)
    except (OSError, ValueError, pyrage.IdentityError) as e:
        raise DeskError(f"{path} no es una llave age: {type(e).__name__}") from e


def to_csv(opened: Sequence[Opened]) -> str:
    """One row for each matter; no cell can be taken for a formula by a spreadsheet.

    `asunto` tells two matters of one folio apart.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in opened:
        writer.writerow([_cell(value) for value in _row(one)])
    return out.getvalue()


def _row(one: Opened) -> Iterator[str]:
    about, said = one.about, dict(one.said)
    yield from (about.folio, KINDS.get(about.kind, about.kind), about.on, about.node, about.service)
    yield str(said.pop("colonia", "") or about.colonia)
    yield str(said.pop("street", ""))
    between = said.pop("between", [])
    yield " y ".join(map(str, between)) if isinstance(between, list) else str(between)
    yield str(said.pop("description", ""))
    yield str(said.pop("phone", ""))
    yield json.dumps(said, ensure_ascii=False, sort_keys=True) if said else ""
    yield about.of


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _apart(found: Sequence[Sealed]) -> Iterator[Sealed]:
    """Two people's matters never look like one because a copied card gave both the same folio."""
    by_folio: dict[str, list[Sealed]] = {}
    for matter in found:
        by_folio.setdefault(matter.folio, []).append(matter)
    for mine in by_folio.values():
        for matter, of in zip(mine, matters_of([m.told for m in mine]), strict=True):
            yield replace(matter, of=of)


def _sealed(fact: Fact, epoch: int = 0) -> Sealed:
    """`epoch` is that of the fact that carried this one, if one did."""
    inner = fact.data.get("fact")
    if fact.type in RECOVERED.values() and isinstance(inner, str):
        return _sealed(decode_fact(inner.encode()), fact.epoch)
    node = fact.source.rpartition(":")[2]
    data = fact.data
    attachments = data.get("attachments")
    named = [a.get("sha256") for a in attachments if isinstance(a, dict)] if isinstance(
        attachments, list) else []  # fmt: skip
    place = make_folio(node, fact.lane, fact.epoch, fact.seq)
    folio = str(data.get("folio") or place)
    return Sealed(
        id=fact.id,
        folio=folio,
        kind=fact.type.value,
        node=node,
        on="" if fact.time is None else fact.time.date().isoformat(),
        service=str(data.get("service_code", "")),
        colonia=str(data.get("colonia", "")),
        files=tuple(n for n in named if isinstance(n, str) and _SHA256.fullmatch(n)),
        sealed=str(data.get("sealed", "")),
        told=Told(fact.id, epoch or fact.epoch, folio == place),
    )
