"""What each type of fact is called in Spanish, for the people who look after nodes."""

from __future__ import annotations

from typing import Final

from municipio.facts import RECOVERED, FactType

FACT_NAMES: Final[dict[str, str]] = {
    FactType.PAYMENT_INTENDED: "empezó el pago",
    FactType.PAYMENT_TAKEN: "se cobró",
    FactType.PAYMENT_UNKNOWN: "no se sabe si se cobró",
    FactType.PAYMENT_RESOLVED: "se aclaró el cobro",
    FactType.PASE_ISSUED: "se numeró el pase de caja",
    FactType.RECEIPT_PRINTED: "se imprimió el recibo",
    FactType.RECEIPT_REPRINTED: "se imprimió una copia",
    FactType.RECEIPT_UNKNOWN: "no se sabe si se imprimió",
    FactType.REPORT_FILED: "se levantó el reporte",
    FactType.REPORT_PHOTO_ADDED: "se agregó una foto",
    FactType.COMPLAINT_FILED: "se presentó la queja",
    FactType.APPOINTMENT_ASKED: "se pidió la cita",
    FactType.SURVEY_ANSWERED: "se contestó la encuesta",
    FactType.FILTER_APPEALED: "se pidió revisar la página",
    FactType.TERMS_ACCEPTED: "se aceptaron los términos",
    FactType.VISIT_ENDED: "terminó una visita",
    FactType.VISIT_COUNTED: "se contaron visitas",
    FactType.DEVICE_CHANGED: "cambió un equipo",
    FactType.ENERGY_CHANGED: "cambió la energía",
    FactType.NODE_STARTED: "arrancó el nodo",
    FactType.NODE_CONFIGURED: "llegaron ajustes de la ciudad",
    FactType.NODE_UPDATED: "se actualizó el nodo",
    FactType.NODE_UPDATE_RETURNED: "volvió a la versión anterior",
    FactType.NODE_CLOCK_CHECKED: "oyó la hora de la ciudad",
    FactType.NODE_CONTENT_CHANGED: "cambió el contenido",
    FactType.TECHNICIAN_ACTED: "actuó un técnico",
    FactType.TRAMITE_CONSULTED: "se consultaron trámites",
    **dict.fromkeys(RECOVERED.values(), "llegó un hecho rescatado"),
}
"""Every type of fact, by the text that it has in a fact."""


def fact_name(type: str) -> str:
    """The words of a type, also of one that a newer node made."""
    return FACT_NAMES.get(type, "otro hecho")
