"""Receipts as lines: what a paper says, before anybody knows which printer says it.

`hardware.printer` turns these lines into bytes; screens and tests read them as text.
Builders for each paper live in `municipio.papers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Align(StrEnum):
    LEFT = "left"
    CENTER = "center"


class Size(StrEnum):
    SMALL = "small"
    NORMAL = "normal"
    LARGE = "large"
    """Double width and height on paper: titles and totals only."""


@dataclass(frozen=True, slots=True)
class Text:
    """Running text, wrapped at word boundaries to the printer's columns."""

    text: str
    align: Align = Align.LEFT
    bold: bool = False
    size: Size = Size.NORMAL


@dataclass(frozen=True, slots=True)
class Pair:
    """A label at the left and its value at the right; the value is never cut."""

    label: str
    value: str
    bold: bool = False
    size: Size = Size.NORMAL


@dataclass(frozen=True, slots=True)
class Rule:
    """A dashed line across the paper."""


@dataclass(frozen=True, slots=True)
class Space:
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR code with its text alternative printed below when `caption` is given."""

    content: str
    caption: str = ""
    module_dots: int = 5


@dataclass(frozen=True, slots=True)
class Barcode:
    """Code 128 with human-readable digits below."""

    content: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A line with an empty box to tick, for lists of requirements."""

    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    pass


Line = Text | Pair | Rule | Space | Qr | Barcode | Check | Cut


class PaperKind(StrEnum):
    RECIBO = "recibo"
    PASE_DE_CAJA = "pase_de_caja"
    REPORTE = "reporte"
    REQUISITOS = "requisitos"
    FICHA = "ficha"
    VERIFICACION = "verificacion"


@dataclass(frozen=True, slots=True)
class Paper:
    """One thing to print. `folio` is empty only for papers that open no matter (requisitos, ficha)."""

    kind: PaperKind
    folio: str
    lines: tuple[Line, ...]
    language: str = "es_MX"
    note: str = field(default="", compare=False)
