"""The acceptance sheet: what a node saw, as text, page and paper."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from hardware.printer.profiles import PROFILES
from municipio.acceptance import Sight, Snapshot, acceptance_steps, is_accepted
from municipio.receipts import Check, Pair, Text
from plaza.commands.site import site
from plaza.site.sheet import read_sheet
from sync.acceptance import SightBook
from sync.datadir import DataDir

ALL = Snapshot("good", False, frozenset(Sight), power_cuts=1)


def test_a_node_is_accepted_only_when_all_of_it_was_seen() -> None:
    assert is_accepted(acceptance_steps(ALL, str))
    for missing in set(Sight) - {Sight.ACCEPTED}:
        seen = Snapshot("good", False, frozenset(Sight) - {missing}, power_cuts=1)
        steps = acceptance_steps(seen, str)
        assert [s.id for s in steps if not s.is_done] == [missing.value]


def test_whoever_has_no_printer_need_not_print() -> None:
    seen = Snapshot("good", False, frozenset(Sight) - {Sight.RECEIPT}, False, 0, 1)

    assert is_accepted(acceptance_steps(seen, str))


def test_the_sheet_is_text_page_and_paper(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.create()
    data.settings_file.write_text('[node]\nsite = "Parque <1> (demostración)"\n')
    SightBook(data).note(Sight.PAGE)
    page = tmp_path / "hoja.html"

    told = CliRunner().invoke(site, ["sheet", "--data", str(data.path), "--html", str(page)])
    steps = json.loads(
        CliRunner().invoke(site, ["sheet", "--data", str(data.path), "--json"]).stdout
    )

    assert told.exit_code == 1, "much is missing"
    assert "[x] Página de bienvenida" in told.stdout
    assert "Parque &lt;1&gt;" in page.read_text()
    assert {s["id"]: s["mark"] for s in steps}["page"] == "done"


def test_the_paper_has_a_box_for_each_missing_thing_and_fits_the_printer(tmp_path: Path) -> None:
    from hardware.printer.escpos_lines import render_lines

    data = DataDir(tmp_path)
    data.create()
    SightBook(data).note(Sight.JOINED)
    paper = read_sheet(data).paper()

    assert Text("FALTA ALGO") in [Text(line.text) for line in paper.lines if isinstance(line, Text)]
    assert any(isinstance(line, Check) and "Corte de luz" in line.text for line in paper.lines)
    assert any(isinstance(line, Pair) and line.label == "Wi-Fi" for line in paper.lines)
    for profile in ("generic-80", "generic-58"):
        assert render_lines(paper, PROFILES[profile])


def test_the_doctor_tells_of_a_wrong_file(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from municipio.site_file.state import SiteStanding, SiteState
    from plaza.doctor.finding import State
    from plaza.site.doctor_check import check_site_file

    def told(site: SiteState | None) -> list[State]:
        return [f.state for f in check_site_file(SimpleNamespace(site=site))]  # type: ignore[arg-type]

    assert told(None) == []
    assert told(SiteState(SiteStanding.GOOD)) == [State.OK]
    assert told(SiteState(SiteStanding.KEPT, faults=("Línea 6",))) == [State.TROUBLE]
    assert told(SiteState(SiteStanding.WAITING, faults=("Línea 6",))) == [State.TROUBLE]
