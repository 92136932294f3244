"""A city as large as a real one for pictures and layout tests: long names, many rows (all demostración)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.simulated_city import MemoryCatalogue
from kiosk.simulated_kiosk import World
from municipio.reports import Service
from municipio.tramites import Category, Cost, CostKind, Requirement

_CATEGORIES = (
    ("casa", "Mi casa y mi predio", "house"),
    ("obra", "Construir o remodelar", "hammer"),
    ("negocio", "Mi negocio", "store"),
    ("familia", "Familia y actas", "users"),
    ("documentos", "Constancias y documentos", "file-text"),
    ("apoyos", "Salud, apoyos y quejas", "heart-handshake"),
    ("calle", "Mi calle y mi colonia", "trees"),
)
_TRAMITES = (
    ("Constancia de no adeudo predial", "casa"),
    ("Constancia de residencia", "documentos"),
    ("Cédula de empadronamiento comercial por apertura o refrendo anual", "negocio"),
    ("Licencia de construcción de obra menor hasta 60 metros cuadrados", "obra"),
    ("Copia certificada de acta de nacimiento", "familia"),
    ("Constancia de alineamiento y número oficial", "obra"),
    ("Consulta médica general en la unidad municipal", "apoyos"),
    ("Contrato de agua potable para casa habitación", "calle"),
)
_SERVICES = (
    ("bache", "Bache o calle dañada", "Maquinaria Pesada", "construction"),
    ("calle_terraceria", "Rehabilitación de calle de terracería", "Maquinaria Pesada", "tractor"),
    ("luminaria", "Lámpara fundida o apagada", "Alumbrado", "lamp"),
    ("luminaria_dia", "Lámpara encendida de día o parpadea", "Alumbrado", "lightbulb"),
    ("cable_poste", "Cable caído o poste en mal estado", "Alumbrado", "utility-pole"),
    ("basura", "No pasó el camión de la basura", "Limpia Pública", "trash-2"),
    ("basurero", "Basura tirada en la calle o en un lote", "Limpia Pública", "trash"),
    ("fuga", "Fuga de agua", "CMAS Agua Potable", "droplets"),
    ("coladera", "Coladera tapada o sin tapa", "CMAS Alcantarillado", "circle-dot-dashed"),
    ("drenaje", "Drenaje tapado o aguas negras", "CMAS Alcantarillado", "waves"),
    ("arbol", "Árbol caído o con riesgo de caer", "Ornatos", "tree-deciduous"),
    ("banqueta", "Banqueta rota o tapada", "Obras Públicas", "footprints"),
    ("animal", "Animal suelto, herido o maltratado", "Salud", "paw-print"),
    ("comercio", "Puesto o comercio que estorba el paso", "Comercio", "store"),
)
_COLONIAS = (
    "20 de Noviembre", "Adolfo López Mateos", "Benito Juárez Norte", "Centro", "Divina Providencia",
    "Fracc. Ciudad Olmeca", "Iquisa", "Lomas de Barrillas", "María de la Piedad", "Petrolera",
)  # fmt: skip


class LargeCatalogue(MemoryCatalogue):
    """The small city's properties, with a real city's number of services and colonias."""

    def categories(self) -> tuple[Category, ...]:
        return tuple(Category(*row) for row in _CATEGORIES)

    def services(self) -> tuple[Service, ...]:
        return tuple(Service(code, name, who, (), icon) for code, name, who, icon in _SERVICES)

    def colonias(self) -> tuple[str, ...]:
        return _COLONIAS

    def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("Emergencias", "911"),
            ("Protección Civil (demostración)", "921 000 0001"),
            ("Bomberos (demostración)", "921 000 0002"),
            ("Cruz Roja (demostración)", "921 000 0003"),
            ("CFE: fallas de luz", "071"),
        )


def large_world() -> World:
    """A world whose catalogue is as full as a city's."""
    catalogue = LargeCatalogue()
    pattern = catalogue.tramites[0]
    catalogue.tramites = tuple(
        replace(
            pattern,
            id=f"COA-T-TES-ING-{number}",
            name=name,
            category=category,
            dependency="Tesorería (demostración)",
            cost=Cost(CostKind.FIXED, 35400),
            requirements=(
                *pattern.requirements,
                Requirement("Comprobante de domicilio", 1, 1, "no mayor a tres meses"),
                Requirement("Último recibo de predial pagado", 1, 1),
                Requirement("Carta poder, si no acude el titular", 1, 2),
            ),
        )
        for number, (name, category) in enumerate(_TRAMITES, 1)
    )
    return World(catalogue=catalogue)
