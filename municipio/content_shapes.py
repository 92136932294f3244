"""The exact JSON of a content folder's files. An unknown key, a missing key or a wrong type is an error.

These shapes are private to `municipio.content`; everybody else sees the dataclasses of the rooms.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from municipio.tramites import CostKind

Sha256Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
FilledText = Annotated[str, Meta(min_length=1, max_length=20_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Digits = Annotated[str, Meta(pattern="^[0-9]{16,22}$")]


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """Base: strict."""


class ManifestShape(Shape):
    v: int
    version: str
    created: str
    inegi: Annotated[str, Meta(pattern="^[0-9]{5}$")]
    files: dict[str, Sha256Hex]


class RequirementShape(Shape):
    name: FilledText
    originals: Count
    copies: Count
    note: str = ""
    held_by_government: bool = False


class CostShape(Shape):
    kind: CostKind
    amount_centavos: Count = 0
    uma: str = ""
    note: str = ""


class TramiteShape(Shape):
    id: FilledText
    name: FilledText
    dependency: FilledText
    unit: FilledText
    category: FilledText
    description: FilledText
    cases: str
    requirements: tuple[RequirementShape, ...]
    cost: CostShape
    time_text: FilledText
    time_days: int | None
    validity: str
    hours: str
    place: str
    phone: str
    legal_basis: tuple[str, ...]
    obtains: tuple[str, ...]
    channels: tuple[str, ...]
    online_url: str = ""
    synonyms: tuple[str, ...] = ()
    consulted: Count = 0


class CategoryShape(Shape):
    id: FilledText
    name: FilledText
    icon: FilledText


class ServiceShape(Shape):
    code: FilledText
    name: FilledText
    dependency: FilledText
    keywords: tuple[str, ...]
    icon: FilledText


class EmergencyShape(Shape):
    name: FilledText
    number: Annotated[str, Meta(pattern=r"^[0-9+*#() -]{2,24}$")]


class TermsShape(Shape):
    version: FilledText
    language: FilledText
    title: FilledText
    body: FilledText
    notice_simple: FilledText
    notice_full: FilledText
    sha256: Sha256Hex


class RecipientsShape(Shape):
    siac: tuple[str, ...]
    tesoreria: tuple[str, ...]
    contraloria: tuple[str, ...]


class LiquidacionShape(Shape):
    payload: FilledText
    signature: bytes


class PadronShape(Shape):
    clave: Digits
    owner_masked: Annotated[str, Meta(max_length=40)]
    street: Annotated[str, Meta(max_length=200)]
    colonia: Annotated[str, Meta(max_length=120)]
    kind: Annotated[str, Meta(pattern="^(urbano|rustico)$")]
    benefit: Annotated[str, Meta(max_length=60)]
    liquidacion: LiquidacionShape | None
