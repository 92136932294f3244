"""Cards of trámites: cost labels, flaws, and the demo catalogue that citizens see."""

import json
from dataclasses import replace
from importlib.resources import files

import pytest

from central.demo import demo_categories, demo_services, demo_tramites
from municipio.tramites import (
    CATEGORY_COUNT,
    Category,
    Cost,
    CostKind,
    Requirement,
    category_flaw,
    cost_label,
    tramite_flaw,
)

TRAMITES = demo_tramites()
CATEGORY_IDS = frozenset(c.id for c in demo_categories())
PLACEHOLDER = "Fundamento por confirmar por el área (dato de demostración)"
KNOWN_LAWS = (
    "Código Hacendario Municipal",
    "Ley de Catastro",
    "Reglamento de la Ley de Catastro",
    "Ley General de Responsabilidades Administrativas (LGRA), artículos 91 y 93",
    "Ley General de Protección de Datos Personales",
    "Ley 316",
    PLACEHOLDER,
)


def same(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("cost", "label"),
    [
        (Cost(CostKind.NONE), "Sin costo"),
        (Cost(CostKind.FIXED, 16900), "$ 169.00"),
        (Cost(CostKind.UMA, uma="3.5"), "3.5 UMA"),
        (Cost(CostKind.UMA, 35193, "3"), "3 UMA ($ 351.93)"),
        (Cost(CostKind.VARIABLE), "Puede tener un costo"),
    ],
)
def test_a_cost_reads_as_a_citizen_would_say_it(cost: Cost, label: str) -> None:
    assert cost_label(cost, same) == label


def test_only_words_of_a_cost_are_translated() -> None:
    assert cost_label(Cost(CostKind.NONE), lambda _: "Free") == "Free"
    assert cost_label(Cost(CostKind.FIXED, 100), lambda _: "Free") == "$ 1.00"


def test_the_demo_catalogue_has_115_cards_without_flaws() -> None:
    assert len(TRAMITES) == 115
    assert len({t.id for t in TRAMITES}) == len({t.name for t in TRAMITES}) == 115
    assert [f for t in TRAMITES if (f := tramite_flaw(t, CATEGORY_IDS))] == []


def test_every_card_is_complete() -> None:
    for t in TRAMITES:
        assert 2 <= len(t.requirements) <= 7, t.name
        assert len(t.synonyms) >= 3, t.name
        assert t.description.endswith("."), t.name
        assert t.cases, t.name
        assert t.validity, t.name
        assert t.obtains, t.name
        assert t.time_days is not None, t.name


def test_invented_figures_say_that_they_are_demonstration() -> None:
    for t in TRAMITES:
        assert "(demostración)" in t.hours
        assert "(demostración)" in t.place
        assert "(demostración)" in t.phone
        assert t.cost.kind is CostKind.NONE or "demostración" in t.cost.note


def test_no_card_cites_a_law_that_nobody_confirmed() -> None:
    for t in TRAMITES:
        assert all(law.startswith(KNOWN_LAWS) for law in t.legal_basis), t.name


def test_every_life_event_has_a_card_and_every_kind_of_cost_is_shown() -> None:
    assert {t.category for t in TRAMITES} == CATEGORY_IDS
    assert {t.cost.kind for t in TRAMITES} == set(CostKind)
    assert len(CATEGORY_IDS) == CATEGORY_COUNT


def test_alineamiento_is_the_most_consulted_of_47214() -> None:
    top = max(TRAMITES, key=lambda t: t.consulted)
    assert (top.name, top.consulted) == ("Alineamiento y número oficial", 3804)
    assert sum(t.consulted for t in TRAMITES) == 47_214


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "COA-T--ING-1"}, "not a homoclave"),
        ({"id": "COA-T-TÉS-ING-1"}, "not a homoclave"),
        ({"name": " "}, "no name"),
        ({"category": "vehículos"}, "unknown category"),
        ({"channels": ("paloma",)}, "unknown channel"),
        ({"channels": ()}, "no channel"),
        ({"requirements": (Requirement("INE", -1, 0),)}, "negative copies"),
        ({"requirements": (Requirement("", 1, 0),)}, "a requirement has no name"),
        ({"time_days": -1}, "negative time"),
        ({"consulted": -1}, "negative count"),
        ({"legal_basis": ()}, "no legal basis"),
        ({"online_url": "http://x.example"}, "not https"),
        ({"cost": Cost(CostKind.FIXED)}, "needs amount_centavos"),
        ({"cost": Cost(CostKind.FIXED, -5)}, "negative cost"),
        ({"cost": Cost(CostKind.UMA, uma="tres")}, "not a number of UMA"),
        ({"cost": Cost(CostKind.UMA, uma="-1")}, "not a number of UMA"),
        ({"cost": Cost(CostKind.NONE, uma="1")}, "has no UMA"),
    ],
)
def test_a_card_with_a_flaw_says_which(change: dict[str, object], reason: str) -> None:
    flaw = tramite_flaw(replace(TRAMITES[0], **change), CATEGORY_IDS)
    assert flaw is not None
    assert reason in flaw


def test_a_category_needs_an_ascii_id_a_name_and_an_icon() -> None:
    assert category_flaw(Category("casa", "Casa", "house")) is None
    assert category_flaw(Category("Casa Nueva", "Casa", "house"))
    assert category_flaw(Category("casa", " ", "house"))
    assert category_flaw(Category("casa", "Casa", "../house.svg"))


def test_every_icon_that_the_demo_names_can_be_drawn_by_the_kiosk() -> None:
    drawn = json.loads(files("kiosk.assets").joinpath("icons.json").read_text("utf-8"))
    assert {x.icon for x in (*demo_categories(), *demo_services())} <= set(drawn)
