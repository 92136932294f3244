"""The strip that tells a technician whether the profile is right."""

from __future__ import annotations

from hardware.printer.profiles import Profile
from municipio.receipts import (
    Align,
    Barcode,
    Check,
    Line,
    Pair,
    Paper,
    PaperKind,
    Qr,
    Rule,
    Size,
    Text,
)

ALPHABET = "ÁÉÍÓÚÜÑ áéíóúüñ ¿¡ º ª $ €"


def _alphabet(profile: Profile) -> tuple[Line, ...]:
    """In the printer's own letters; a sign that its page lacks goes to a drawn line of its own."""
    own = "".join(c for c in ALPHABET if profile.speaks(c)).strip()
    drawn = "".join(c for c in ALPHABET if not profile.speaks(c))
    lines: tuple[Line, ...] = (Text(own, bold=True),)
    return (*lines, Text(f"{drawn} (dibujado)")) if drawn else lines


def technician_strip(profile: Profile) -> Paper:
    """Every feature of a paper once. Lines are in Spanish: a technician reads them."""
    lines: tuple[Line, ...] = (
        Text("PRUEBA DE IMPRESORA", Align.CENTER, bold=True, size=Size.LARGE),
        Text(f"{profile.name} · {profile.label}", Align.CENTER, size=Size.SMALL),
        Rule(),
        Text("Esta línea debe verse con acentos:"),
        *_alphabet(profile),
        Text("Esta línea va dibujada:"),
        Text("Nɨmpɨ ꞌayapa, tōnalli"),
        Rule(),
        Pair("Ancho en columnas", str(profile.columns)),
        Pair("TOTAL", "$ 1,095.60", bold=True, size=Size.LARGE),
        Text("0123456789" * (profile.columns // 10) + "0123456789"[: profile.columns % 10]),
        Check("Casilla para marcar", "La regla de arriba debe caber en un renglón."),
        Rule(),
        Qr("https://ejemplo.invalid/prueba", "Debe leerse con un teléfono."),
        Barcode("0903900012341095602601319", "Debe leerse con un lector de barras."),
        Text("Si algo no se ve así, cambie printer.profile.", Align.CENTER, size=Size.SMALL),
    )
    return Paper(PaperKind.FICHA, "", lines)
