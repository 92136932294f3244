"""Papers: what each receipt and slip says, as lines that any printer can print.

Builders take plain values, the node's settings and a `_` that turns Spanish into the paper's
language. Amounts are centavos; moments are timezone-aware, or None when the clock is not believed.
"""

from municipio.papers.cash import comprobante_efectivo
from municipio.papers.common import (
    Gettext,
    cadena_de_seguridad,
    date_text,
    follow_url,
    moment_text,
    verification_url,
)
from municipio.papers.pase import PaseReferences, make_pase_references, pase_de_caja
from municipio.papers.payment import Concepts, concepts_of, pago_en_verificacion, recibo
from municipio.papers.predial import ficha_consulta, requisitos_beneficio
from municipio.papers.report import comprobante_reporte
from municipio.papers.tramite import requisitos

__all__ = [
    "Concepts",
    "Gettext",
    "PaseReferences",
    "cadena_de_seguridad",
    "comprobante_efectivo",
    "comprobante_reporte",
    "concepts_of",
    "date_text",
    "ficha_consulta",
    "follow_url",
    "make_pase_references",
    "moment_text",
    "pago_en_verificacion",
    "pase_de_caja",
    "recibo",
    "requisitos",
    "requisitos_beneficio",
    "verification_url",
]
