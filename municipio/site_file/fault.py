"""What is wrong with a `plaza.toml`, said so that a technician can mend it with a text editor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from municipio.site_file.shape import shown


@dataclass(frozen=True, slots=True)
class SiteFault:
    """One mistake. `line` is 0 where the fault is that something is missing from the whole file.

    `what` and `allowed` are Spanish sentences; `nearest` is the key that was probably meant, or empty.
    A secret's value is never repeated here.
    """

    what: str
    key: str = ""
    line: int = 0
    allowed: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        where = f"Línea {self.line}: " if self.line else ""
        parts = [f"{where}{self.what}."]
        if self.nearest:
            parts.append(f"¿Quiso decir {_near(self.nearest)}?")
        if self.allowed:
            parts.append(f"Se admite: {self.allowed}.")
        return " ".join(parts)

    def plain(self) -> dict[str, str | int]:
        return asdict(self)


def _near(nearest: str) -> str:
    return nearest if nearest.startswith("[") else shown(nearest)


def fault_lines(faults: Iterable[SiteFault]) -> list[str]:
    """One sentence a fault, in the order of the file; those of the whole file first."""
    return [str(f) for f in sorted(faults, key=lambda f: f.line)]


def error_text(faults: Iterable[SiteFault], *, serves_with_last: bool) -> bytes:
    """`plaza-error.txt`: UTF-8 with a mark and CRLF, so that any Windows shows it right."""
    lines = [
        "El archivo plaza.toml de esta tarjeta no se puede usar.",
        "",
        *(f"{n}. {text}" for n, text in enumerate(fault_lines(faults), 1)),
        "",
        "El nodo sigue atendiendo con los últimos datos buenos."
        if serves_with_last
        else "El nodo espera un archivo correcto para empezar a atender.",
        "Qué hacer: abra plaza.toml con el Bloc de notas, corrija las líneas de arriba, guarde,",
        "expulse la tarjeta y vuelva a encender el nodo. También puede hacer un archivo nuevo con la",
        "página nuevo-sitio.html, que está en esta misma tarjeta.",
        "",
    ]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
