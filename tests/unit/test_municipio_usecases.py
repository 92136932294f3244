"""What kiosk and portal do alike: file a report, issue a pase, look a folio up, search."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiosk.simulated_city import CLAVE, debt, nothing_due, sign
from kiosk.simulated_kiosk import World
from kiosk.simulators import MemorySealer, MemorySigner
from municipio.identifiers import FolioProblem
from municipio.reports import ReportDraft, ReportProblem
from municipio.settings import parse_settings
from municipio.usecases import tramites
from municipio.usecases.folios import FolioFound, FolioNotFound, look_up
from municipio.usecases.pase import PaseIssued, PaseRefusal, PaseRefused, issue_pase
from municipio.usecases.ports import CityFolio, NotRecorded, NotRecordedCause
from municipio.usecases.reports import ReportFiled, file_report

DRAFT = ReportDraft(
    service_code="bache",
    colonia="iquisa",
    street="Chabacano 7",
    between_1="Álamo",
    description="Hay un hoyo grande",
    phone="921 123 4567",
    phone_consent=True,
)
TODAY = date(2026, 1, 20)


@pytest.fixture
def world() -> World:
    return World()


def file(world: World, draft: ReportDraft) -> ReportFiled | ReportProblem | NotRecorded:
    return file_report(
        draft,
        ledger=world.ledger,
        catalogue=world.catalogue,
        sealer=MemorySealer(),
        channel="portal",
        language="es",
        today=TODAY,
    )


def issue(world: World, signed: Any, **changes: Any) -> PaseIssued | PaseRefused | NotRecorded:
    arguments: dict[str, Any] = {
        "ledger": world.ledger,
        "settings": parse_settings({}),
        "verify": MemorySigner().verify,
        "today": TODAY,
        "trusted_time": True,
    }
    return issue_pase(signed, **(arguments | changes))


def test_a_report_travels_sealed_but_for_what_routing_needs(world: World) -> None:
    filed = file(world, DRAFT)
    assert isinstance(filed, ReportFiled)
    data = dict(world.ledger.facts[0].data)
    sealed = json.loads(MemorySealer.open(data.pop("sealed")))
    assert data == {
        "service_code": "bache",
        "colonia": "Iquisa",
        "channel": "portal",
        "language": "es",
        "recipient": "siac",
    }
    assert sealed == {
        "street": "Chabacano 7",
        "between": ["Álamo"],
        "description": "Hay un hoyo grande",
        "phone": "9211234567",
    }


def test_a_colonia_that_no_list_knows_travels_sealed(world: World) -> None:
    assert isinstance(file(world, replace(DRAFT, colonia="casa de Juan")), ReportFiled)
    data = world.ledger.facts[0].data
    assert data["colonia"] == ""
    assert b"casa de Juan" in MemorySealer.open(data["sealed"])


def test_the_folio_of_a_report_is_kept_without_personal_data(world: World) -> None:
    filed = file(world, DRAFT)
    assert isinstance(filed, ReportFiled)
    stub = world.ledger.stubs[filed.folio]
    assert (stub.kind, stub.state, stub.opened_on) == ("reporte", "recibido", "2026-01-20")
    assert "Chabacano" not in str(stub)


def test_a_bad_report_stores_nothing(world: World) -> None:
    assert isinstance(file(world, replace(DRAFT, street="")), ReportProblem)
    assert world.ledger.facts == []


def test_a_report_that_cannot_be_stored_says_so(world: World) -> None:
    world.ledger.refuse = NotRecordedCause.DISK_FULL
    assert isinstance(file(world, DRAFT), NotRecorded)


def test_a_pase_takes_its_reference_from_the_number_of_its_fact(world: World) -> None:
    first, second = (issue(world, sign(debt())) for _ in range(2))
    assert isinstance(first, PaseIssued)
    assert isinstance(second, PaseIssued)
    assert first.references.reference == "0390070001"
    assert second.references.reference == "0390070002"
    assert first.references.due == date(2026, 1, 31)
    assert first.folio != second.folio
    assert world.ledger.stubs[first.folio].detail["reference"] == "0390070001"


@pytest.mark.parametrize(
    ("signed", "changes", "cause"),
    [
        (sign(debt(valid_until=date(2026, 1, 20))), {"today": date(2026, 1, 21)}, "expired"),
        (sign(debt()), {"verify": lambda _s, _m: False}, "bad_signature"),
        (sign(debt()), {"trusted_time": False}, "time_unsure"),
        (sign(debt()), {"today": None}, "time_unsure"),
        (sign(nothing_due(CLAVE)), {}, "nothing_due"),
        (
            sign(debt()),
            {"settings": parse_settings({"bank": {"bbva_enabled": False, "oxxo_enabled": False}})},
            "no_place",
        ),
        (sign(debt()), {"settings": parse_settings({"bank": {"clabe": "123"}})}, "no_place"),
    ],
)
def test_a_pase_that_may_not_be_paid_is_refused_and_not_numbered(
    world: World, signed: Any, changes: dict[str, Any], cause: str
) -> None:
    assert issue(world, signed, **changes) == PaseRefused(PaseRefusal(cause))
    assert world.ledger.facts == []


def test_a_pase_is_good_on_its_last_day(world: World) -> None:
    assert isinstance(issue(world, sign(debt()), today=date(2026, 1, 31)), PaseIssued)


def test_the_citys_word_on_a_folio_counts_more_than_the_nodes(world: World) -> None:
    filed = file(world, DRAFT)
    assert isinstance(filed, ReportFiled)
    world.city.folios[filed.folio] = CityFolio(filed.folio, "reporte", "atendido", "SIAC-000123")
    found = look_up(world.ledger, world.city, filed.folio.lower())
    assert isinstance(found, FolioFound)
    assert found.state == "atendido"


def test_a_folio_is_told_apart_when_unknown_and_when_unreachable(world: World) -> None:
    folio = "COA007-R1-000001-"
    answers = [look_up(world.ledger, world.city, f"{folio}{c}") for c in "0123456789ABCDEFGHJKLM"]
    assert any(isinstance(a, FolioProblem) for a in answers)
    filed = file(world, DRAFT)
    assert isinstance(filed, ReportFiled)
    world.ledger.stubs.clear()
    known = look_up(world.ledger, world.city, filed.folio)
    assert known == FolioNotFound(filed.folio)
    world.cut_network()
    unreachable = look_up(world.ledger, world.city, filed.folio)
    assert isinstance(unreachable, FolioNotFound)
    assert unreachable.no_answer is not None


def test_search_falls_back_to_category_and_then_to_the_most_consulted(world: World) -> None:
    headings = [
        tramites.search(world.catalogue, query, category).heading.value
        for query, category in (("licencia", "legal"), (" ", "legal"), ("", ""))
    ]
    assert headings == ["results", "category", "most_consulted"]


def test_what_the_government_holds_comes_last(world: World) -> None:
    card = world.catalogue.tramites[0]
    assert [r.held_by_government for r in tramites.requirements(card)] == [False, True]
