"""A city's content as files: what each one holds, and whether a set of them can be believed.

Pure: bytes in, values out. Reading and writing folders is `sync.content_folder` (node) and
`central.content` (city). The layout is described in docs/reference/content.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

import msgspec
import rfc8785

from municipio import content_shapes as shapes
from municipio.reports import Service, service_flaw
from municipio.terms import LANGUAGES, Terms, terms_flaw
from municipio.tramites import CATEGORY_COUNT, Category, Tramite, category_flaw, tramite_flaw

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
FILES: tuple[str, ...] = (
    "tramites.json",
    "categories.json",
    "services.json",
    "colonias.json",
    "emergency.json",
    "terms.json",
    "recipients.json",
    "padron.ndjson",
)
"""Every content has exactly these files besides the manifest and its signature."""

RECIPIENTS: tuple[str, ...] = ("siac", "tesoreria", "contraloria")
MIN_KEYS = 2

_VERSION = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,4})")
_AGE_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}")
# Lower-case Bech32 characters: everything but 1, b, i, o (BIP 173).

_T = TypeVar("_T")
Verify = Callable[[bytes, bytes], bool]
"""(signature, message) -> True when the city signed the message."""


class ContentTrouble(StrEnum):
    MISSING = "missing"
    BAD_SIGNATURE = "bad_signature"
    CORRUPTED = "corrupted"
    """The bytes are not those the manifest names."""
    MALFORMED = "malformed"
    """The bytes are as signed, but break the layout."""
    OTHER_CITY = "other_city"
    OLDER = "older"
    NOT_STORED = "not_stored"


@dataclass(frozen=True, slots=True)
class ContentProblem:
    """Why a content folder was refused. `file` is the name inside the folder, empty for the whole."""

    file: str
    reason: str
    trouble: ContentTrouble = ContentTrouble.MALFORMED

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}" if self.file else self.reason


@dataclass(frozen=True, slots=True)
class Manifest:
    """`version` is `YYYY-MM-DD.n`; `files` maps each name of `FILES` to the SHA-256 of its bytes."""

    version: str
    created: date
    inegi: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything but the padrón, which `municipio.padron` reads row by row because it is large."""

    manifest: Manifest
    tramites: tuple[Tramite, ...]
    categories: tuple[Category, ...]
    services: tuple[Service, ...]
    colonias: tuple[str, ...]
    emergency: tuple[tuple[str, str], ...]
    terms: tuple[Terms, ...]
    recipients: Mapping[str, tuple[str, ...]]


class _Flaw(ValueError):
    """Leaves a reader early; never leaves this module."""

    def __init__(self, file: str, reason: str, trouble: ContentTrouble) -> None:
        super().__init__(reason)
        self.problem = ContentProblem(file, reason, trouble)


def version_key(version: str) -> tuple[date, int]:
    """Orders versions by date and then number. ValueError when it is not `YYYY-MM-DD.n`."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version!r} is not a version such as 2026-01-20.1")
    return date.fromisoformat(match[1]), int(match[2])


def make_manifest(
    files: Mapping[str, bytes], *, version: str, created: date, inegi: str
) -> Manifest:
    """The manifest of a complete set of files. ValueError when the set or the version is wrong."""
    if set(files) != set(FILES):
        raise ValueError(f"a content has exactly these files: {', '.join(FILES)}")
    version_key(version)
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}
    return Manifest(version=version, created=created, inegi=inegi, files=hashes)


def encode_manifest(manifest: Manifest) -> bytes:
    """RFC 8785 bytes: what the city signs."""
    return rfc8785.dumps(
        {
            "v": 1,
            "version": manifest.version,
            "created": manifest.created.isoformat(),
            "inegi": manifest.inegi,
            "files": dict(manifest.files),
        }
    )


def read_manifest(raw: bytes, signature: bytes, *, verify: Verify) -> Manifest | ContentProblem:
    """Check the signature first, then the layout. `signature` is base64 text as found in manifest.sig."""
    try:
        plain = base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError):
        return ContentProblem(SIGNATURE, "it is not base64", ContentTrouble.BAD_SIGNATURE)
    if not verify(plain, raw):
        reason = "the manifest is not signed by the city that this node trusts"
        return ContentProblem(SIGNATURE, reason, ContentTrouble.BAD_SIGNATURE)
    try:
        shape = _decode(MANIFEST, raw, shapes.ManifestShape)
        return _manifest(shape)
    except _Flaw as e:
        return e.problem


def _manifest(shape: shapes.ManifestShape) -> Manifest:
    if shape.v != 1:
        raise _malformed(MANIFEST, f"layout {shape.v} is not known to this node, which reads 1")
    odd = sorted(set(shape.files) ^ set(FILES))
    if odd:
        raise _malformed(MANIFEST, f"it lists too much or too little: {', '.join(odd)}")
    try:
        version_key(shape.version)
        created = date.fromisoformat(shape.created)
    except ValueError as e:
        raise _malformed(MANIFEST, str(e)) from e
    return Manifest(shape.version, created, shape.inegi, dict(shape.files))


def read_content(
    manifest: Manifest, files: Mapping[str, bytes], *, with_padron: bool = True
) -> Content | ContentProblem:
    """Check every hash, then parse every file but the padrón. The first problem stops it.

    Without `with_padron` its hash is not asked for: it comes as a delta, which is signed by itself.
    """
    try:
        for name in FILES:
            if name != "padron.ndjson" or with_padron:
                _check_hash(name, manifest, files)
        categories = _categories(files["categories.json"])
        return Content(
            manifest=manifest,
            tramites=_tramites(files["tramites.json"], categories),
            categories=categories,
            services=_services(files["services.json"]),
            colonias=_colonias(files["colonias.json"]),
            emergency=_emergency(files["emergency.json"]),
            terms=_terms(files["terms.json"]),
            recipients=_recipients(files["recipients.json"]),
        )
    except _Flaw as e:
        return e.problem


def encode_values(values: object) -> bytes:
    """Indented JSON of dataclasses, lists and mappings, for the small files; stable for equal values."""
    return msgspec.json.format(msgspec.json.encode(values, order="sorted"), indent=1) + b"\n"


def encode_emergency(numbers: Sequence[tuple[str, str]]) -> bytes:
    """emergency.json from (name, number) pairs."""
    return encode_values([{"name": name, "number": number} for name, number in numbers])


def encode_recipients(keys: Mapping[str, Sequence[str]]) -> bytes:
    """recipients.json; ValueError unless exactly `RECIPIENTS` have age public keys, two at least each."""
    if set(keys) != set(RECIPIENTS):
        raise ValueError(f"recipients are exactly {', '.join(RECIPIENTS)}")
    if any(len(set(names)) < MIN_KEYS for names in keys.values()):
        raise ValueError("each office has two keys at least: its own and its escrow")
    raw = encode_values({name: list(keys[name]) for name in RECIPIENTS})
    try:
        _recipients(raw)
    except _Flaw as e:
        raise ValueError(str(e)) from e
    return raw


def _tramites(raw: bytes, categories: Sequence[Category]) -> tuple[Tramite, ...]:
    name = "tramites.json"
    found = _decode(name, raw, tuple[shapes.TramiteShape, ...])
    tramites = tuple(_convert(t, Tramite) for t in found)
    ids = frozenset(c.id for c in categories)
    _refuse(name, (tramite_flaw(t, ids) for t in tramites))
    _refuse_twice(name, (t.id for t in tramites))
    return tramites


def _categories(raw: bytes) -> tuple[Category, ...]:
    name = "categories.json"
    found = _decode(name, raw, tuple[shapes.CategoryShape, ...])
    categories = tuple(_convert(c, Category) for c in found)
    _refuse(name, (category_flaw(c) for c in categories))
    _refuse_twice(name, (c.id for c in categories))
    if len(categories) != CATEGORY_COUNT:
        raise _malformed(name, f"{len(categories)} categories, not {CATEGORY_COUNT}")
    return categories


def _services(raw: bytes) -> tuple[Service, ...]:
    name = "services.json"
    found = _decode(name, raw, tuple[shapes.ServiceShape, ...])
    services = tuple(_convert(s, Service) for s in found)
    _refuse(name, (service_flaw(s) for s in services))
    _refuse_twice(name, (s.code for s in services))
    return services


def _colonias(raw: bytes) -> tuple[str, ...]:
    colonias = _decode("colonias.json", raw, tuple[shapes.FilledText, ...])
    _refuse_twice("colonias.json", colonias)
    return colonias


def _emergency(raw: bytes) -> tuple[tuple[str, str], ...]:
    found = _decode("emergency.json", raw, tuple[shapes.EmergencyShape, ...])
    return tuple((e.name, e.number) for e in found)


def _terms(raw: bytes) -> tuple[Terms, ...]:
    name = "terms.json"
    found = _decode(name, raw, tuple[shapes.TermsShape, ...])
    terms = tuple(_convert(t, Terms) for t in found)
    _refuse(name, (terms_flaw(t) for t in terms))
    _refuse_twice(name, (t.language for t in terms))
    missing = [lang for lang in LANGUAGES if all(t.language != lang for t in terms)]
    if missing:
        raise _malformed(name, f"no terms in {', '.join(missing)}")
    if len({t.version for t in terms}) != 1:
        raise _malformed(name, "the languages are not of one version")
    return terms


def _recipients(raw: bytes) -> dict[str, tuple[str, ...]]:
    name = "recipients.json"
    shape = _decode(name, raw, shapes.RecipientsShape)
    keys: dict[str, tuple[str, ...]] = {r: getattr(shape, r) for r in RECIPIENTS}
    for recipient, public in keys.items():
        if not public:
            raise _malformed(name, f"{recipient} has no key: nothing could be sealed to it")
        _refuse(name, (f"{k!r} is no age key" for k in public if not _AGE_KEY.fullmatch(k)))
    return keys


def _check_hash(name: str, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    if name not in files:
        raise _Flaw(name, "the file is missing", ContentTrouble.MISSING)
    if hashlib.sha256(files[name]).hexdigest() != manifest.files[name]:
        reason = "the file is not the one that the manifest names (corrupted or changed)"
        raise _Flaw(name, reason, ContentTrouble.CORRUPTED)


def _decode(file: str, raw: bytes, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise _malformed(file, str(e)) from e


def _convert(shape: shapes.Shape, kind: type[_T]) -> _T:
    return msgspec.convert(shape, kind, from_attributes=True)


def _refuse(file: str, flaws: Iterable[str | None]) -> None:
    flaw = next((f for f in flaws if f is not None), None)
    if flaw is not None:
        raise _malformed(file, flaw)


def _refuse_twice(file: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise _malformed(file, f"{id_!r} is there twice")
        seen.add(id_)


def _malformed(file: str, reason: str) -> _Flaw:
    return _Flaw(file, reason, ContentTrouble.MALFORMED)
