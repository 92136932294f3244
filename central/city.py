"""What central knows about the municipality that it serves; values only."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class City:
    """The defaults are the demonstration city."""

    inegi: str = "30039"
    code: str = "COA"
    name: str = "Ayuntamiento de Ejemplo"
    timezone: str = "America/Mexico_City"
    help_phone: str = "921 000 0000 (demostración)"
    clave_mask: str = "2-3-3-2-3-3-2-3-1"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
