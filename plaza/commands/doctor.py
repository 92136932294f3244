"""`plaza doctor`: what is wrong with this node and what to do: for people, the screen and the city."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from municipio.usecases.ports import NotRecorded
from plaza.doctor.collect import collect
from plaza.doctor.finding import Finding, State, worst
from plaza.doctor.report import as_document, as_note, as_text, fact_for_the_city, line_for_the_city
from plaza.doctor.table import examine
from plaza.doctor.words import ENGLISH, LANGUAGES, SPANISH, words
from plaza.options import existing_data_option, json_option
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.doctor_note import FILE_NAME, read_note, write_note
from sync.site_state import is_waiting
from sync.wiring import CannotStart, open_memory


@click.command()
@existing_data_option
@json_option
@click.option("--language", type=click.Choice(["es", "en"]), default="es", show_default=True)
@click.option(
    "--tell", is_flag=True, help="Leave it for the kiosk's screen, and tell the city if it is news."
)
def doctor(data: Path, as_json: bool, language: str, tell: bool) -> None:
    """Examine this node: each finding with what to do. Exit 1 when something is in trouble.

    Devices are asked through the kiosk while it runs, and opened where it does not.
    """
    place = DataDir(data)
    seen = collect(place)
    findings = examine(seen)
    _ = words(SPANISH if language == "es" else ENGLISH)
    if as_json:
        click.echo(json.dumps(as_document(seen.node, findings, _), ensure_ascii=False))
    else:
        click.echo(as_text(seen.node, findings, _))
    if tell:
        trouble = _tell(place, findings)
        if trouble:
            raise click.ClickException(trouble)
    if worst(findings) is State.TROUBLE and not tell:
        sys.exit(1)


def _tell(place: DataDir, findings: Sequence[Finding]) -> str:
    """For the screen at once; for the city when it is news. Why it could not be, empty when it was."""
    file = place.run / FILE_NAME
    before = read_note(file)
    told = before.told if before is not None else ""
    draft = fact_for_the_city(findings, told)
    trouble = ""
    if draft is not None and not is_waiting(place):  # who has no name yet has nobody to tell
        memory = open_memory(place, salvaging=False)
        if isinstance(memory, CannotStart):
            trouble = memory.detail
        else:
            recorded = memory.ledger.record(draft)
            memory.close()
            if isinstance(recorded, NotRecorded):
                trouble = f"the city was not told: {recorded.cause.value}"
            else:
                told = " ".join(line_for_the_city(findings)).strip()
    languages = {code: words(code) for code in LANGUAGES}
    try:
        place.run.mkdir(exist_ok=True)
        write_note(file, as_note(findings, SystemClock().now(), languages, told))
    except OSError as e:
        trouble = trouble or f"{file}: {e.strerror}"
    return trouble
