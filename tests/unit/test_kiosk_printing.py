"""An original comes out once, whatever the printer says and whenever the power goes."""

from __future__ import annotations

import hashlib

import pytest

from kiosk.simulated_kiosk import World
from kiosk.simulators import PowerCut
from kiosk.usecases.printing import PrintDesk, PrintEnd, PrintRequest
from municipio.devices import DeviceState, PrintVerdict
from municipio.receipts import Paper, PaperKind, Text
from municipio.usecases.ports import NotRecordedCause

FOLIO = "COA007-P1-000001-3"


def paper(copy: int) -> Paper:
    mark = (Text(f"COPIA {copy}"),) if copy else ()
    return Paper(PaperKind.RECIBO, FOLIO, (Text(FOLIO), *mark))


REQUEST = PrintRequest(PaperKind.RECIBO, FOLIO, paper)


@pytest.fixture
def world() -> World:
    return World()


def desk(world: World) -> PrintDesk:
    return PrintDesk(world.ledger, world.printer, world.new_id)


def test_bytes_and_their_hash_are_stored_before_the_printer_sees_them(world: World) -> None:
    world.fuse.at = 2
    with pytest.raises(PowerCut):
        desk(world).print(REQUEST)
    [job] = world.ledger.jobs.values()
    assert job.verdict is PrintVerdict.PENDING
    assert job.sha256 == hashlib.sha256(job.rendered).hexdigest()
    assert world.printer.papers == []


def test_a_second_print_is_copy_one_and_a_third_copy_two(world: World) -> None:
    ends = [desk(world).print(REQUEST) for _ in range(3)]
    assert [e.copy for e in ends] == [0, 1, 2]
    assert world.printer.originals_of(FOLIO) == 1
    assert world.ledger.types() == ["receipt.printed", "receipt.reprinted", "receipt.reprinted"]


def test_a_refused_print_is_tried_again_as_the_same_original(world: World) -> None:
    world.printer.verdict, world.printer.cause = PrintVerdict.FAILED, "paper_end"
    failed = desk(world).print(REQUEST)
    assert (failed.end, failed.cause) == (PrintEnd.FAILED, "paper_end")
    world.printer.verdict = PrintVerdict.PRINTED
    again = desk(world).print(REQUEST)
    assert (again.copy, again.job_id) == (0, failed.job_id)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 4))
def test_no_cut_ever_gives_two_originals(world: World, call: int, after: bool) -> None:
    world.fuse.at, world.fuse.after = call, after
    with pytest.raises(PowerCut):
        desk(world).print(REQUEST)
    world.fuse.at = 0
    assert desk(world).print(REQUEST).end is PrintEnd.PRINTED
    assert world.printer.originals_of(FOLIO) <= 1


def test_a_print_cut_in_the_middle_is_unknown_and_the_next_is_a_copy(world: World) -> None:
    world.fuse.at, world.fuse.after = 2, True
    with pytest.raises(PowerCut):
        desk(world).print(REQUEST)
    world.fuse.at = 0
    assert desk(world).print(REQUEST).copy == 1
    assert world.ledger.types() == ["receipt.unknown", "receipt.reprinted"]


def test_without_room_for_the_spool_nothing_is_printed(world: World) -> None:
    world.ledger.refuse = NotRecordedCause.DISK_FULL
    assert desk(world).print(REQUEST).end is PrintEnd.NOT_SAVED
    assert world.printer.papers == []


def test_no_printer_is_a_failure_with_its_name(world: World) -> None:
    none = PrintDesk(world.ledger, None, world.new_id)
    assert none.print(REQUEST).cause == "absent"
    assert not none.is_ready()


def test_papers_of_two_kinds_for_one_folio_are_counted_apart(world: World) -> None:
    notice = PrintRequest(PaperKind.VERIFICACION, FOLIO, paper)
    desk(world).print(notice)
    assert desk(world).print(REQUEST).copy == 0
    assert world.ledger.types() == ["receipt.printed"]


def test_the_persons_word_is_kept_as_theirs(world: World) -> None:
    world.printer.verdict = PrintVerdict.UNKNOWN
    outcome = desk(world).print(REQUEST)
    assert desk(world).confirm_whole(REQUEST, outcome.job_id) is None
    assert world.ledger.jobs[outcome.job_id].verdict is PrintVerdict.PRINTED
    assert [f.data["confirmed_by"] for f in world.ledger.facts] == ["", "person"]


def test_a_roll_near_its_end_still_prints(world: World) -> None:
    world.printer.state, world.printer.cause = DeviceState.ATTENTION, "paper_near_end"
    assert desk(world).is_ready()
    world.printer.cause = "cover_open"
    assert desk(world).cause() == "cover_open"
