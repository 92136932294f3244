"""What each area of the doctor is called, for the node's screens and for the city's pages."""

from __future__ import annotations


def N_(message: str) -> str:
    """Marks a sentence for the catalogues; it is translated where it is shown."""
    return message


DOCTOR = "doctor"
"""The name under which a node tells the city of its own examination (`device.changed`)."""

AREA_WORDS: dict[str, str] = {
    "hardware": N_("Equipos"),
    "services": N_("Servicios"),
    "network": N_("Red"),
    "radio": N_("Wi-Fi"),
    "contact": N_("Contacto con la ciudad"),
    "queue": N_("Cola de envío"),
    "disk": N_("Memoria"),
    "clock": N_("Hora"),
    "filter": N_("Filtro"),
    "content": N_("Contenido"),
    "energy": N_("Energía"),
    "versions": N_("Versiones"),
    "updates": N_("Actualizaciones"),
    "site": N_("Ajustes del lugar"),
}


def areas_in_words(cause: str) -> str:
    """`disk,clock` as `Memoria, Hora`; a word of a newer node stays as it is."""
    return ", ".join(AREA_WORDS.get(word, word) for word in cause.split(",") if word)
