"""`plaza sync export|import|stick`: facts by USB stick, by hand or when an enrolled stick is put in."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from municipio.stick_words import StickState
from municipio.wire import carrier as names
from plaza.image import IMAGE_FILE, ImageInfo, read_image
from sync.carrier import NodeSide, export_to, import_from
from sync.datadir import DataDir
from sync.leds import Light, Pattern
from sync.stick import StickNote, is_citys_stick, serve_stick, write_note
from sync.stick_wiring import build_node_side
from sync.wiring import CannotStart, Memory, open_memory

LIGHT_S = 15.0
"""How long the light says how it ended, before it does what it did before."""

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_PATTERN = {
    StickState.WORKING: Pattern.WORKING,
    StickState.DONE: Pattern.DONE,
    StickState.FULL: Pattern.FULL,
}


def commands(options: Callable[[Any], Any]) -> list[click.Command]:
    """The three commands, with the options that all of `plaza sync` have."""

    @click.command("export")
    @click.argument("stick", metavar="DIR", type=_FOLDER)
    @options
    def export(stick: Path, data: Path, as_json: bool) -> None:
        """Write every fact and file that the city does not have to the stick at DIR."""
        with _node(data) as (_, here):
            done = export_to(stick, here)
        document = {
            "facts": done.facts,
            "batches": done.batches,
            "attachments": done.attachments,
            "is_full": done.is_full,
            "trouble": done.trouble,
        }
        _say(document, f"wrote {done.facts} facts and {done.attachments} files", as_json)
        if done.trouble:
            _fail(f"not everything is on the stick: {done.trouble}; nothing is lost")

    @click.command("import")
    @click.argument("stick", metavar="DIR", type=_FOLDER)
    @options
    def import_(stick: Path, data: Path, as_json: bool) -> None:
        """Apply the city's answers for this node from the stick at DIR."""
        with _node(data) as (_, here):
            done = import_from(stick, here)
        document = {
            "facts": done.facts,
            "attachments": done.attachments,
            "content": done.content,
            "refused": done.refused,
        }
        _say(document, f"the city has {done.facts} facts and {done.attachments} files", as_json)
        for refused in done.refused:
            click.echo(f"refused: {refused}", err=True)
        if done.refused and not (done.facts or done.attachments or done.content):
            sys.exit(1)

    @click.command("stick")
    @click.argument("stick", metavar="DIR", type=_FOLDER)
    @click.option("--image", type=click.Path(path_type=Path), default=IMAGE_FILE, hidden=True)
    @options
    def stick_(stick: Path, image: Path, data: Path, as_json: bool) -> None:
        """Serve a stick of the city that was put in: answers in, facts out, progress to the screens."""
        place, light = DataDir(data), Light()
        with _node(data) as (memory, here):
            if is_citys_stick(stick, here):
                _take_repository(
                    place, stick, read_image(image), memory, partial(_tell, place, light)
                )
            note = serve_stick(stick, here, memory.clock, partial(_tell, place, light))
        _say({"state": note.state.value, "step": note.step}, note.state.value, as_json)
        time.sleep(LIGHT_S if light.is_there else 0)
        light.restore()
        if note.state is not StickState.DONE:
            _fail(f"{note.state.value}: {note.step}")

    return [export, import_, stick_]


def _take_repository(
    place: DataDir, stick: Path, image: ImageInfo | None, memory: Memory,
    tell: Callable[[StickNote], None],
) -> None:  # fmt: skip
    """What the city publishes, from its mirror on the stick: content, settings, a new version.

    Before the facts, so that the light says "done" when everything is.
    """
    mirror = stick / names.ROOT / names.REPOSITORY
    if not (mirror / "metadata").is_dir():
        return
    from plaza.sync_pull import pull
    from plaza.updates.offers import bring_newest
    from plaza.updates.wiring import House

    now = memory.clock.now()
    tell(
        StickNote(
            state=StickState.WORKING, step="content", written_boot_ms=now.boot_ms, boot=now.boot
        )
    )
    try:
        click.echo(f"repository: {pull(place.path, mirror)}", err=True)
    except click.ClickException as e:  # facts go out all the same
        click.echo(f"repository: {e.message}", err=True)
    if image is not None:
        house = House(place, image)
        try:
            click.echo(f"software: {bring_newest(house, mirror)}", err=True)
        finally:
            house.close()


def _tell(place: DataDir, light: Light, note: StickNote) -> None:
    write_note(place.stick_file, note)
    light.show(_PATTERN.get(note.state, Pattern.REFUSED))


@contextmanager
def _node(data: Path) -> Iterator[tuple[Memory, NodeSide]]:
    memory = open_memory(DataDir(data), salvaging=False)
    if isinstance(memory, CannotStart):
        _fail(memory.detail)
    try:
        here = build_node_side(memory)
        if isinstance(here, CannotStart):
            _fail(here.detail)
        yield memory, here
    finally:
        memory.close()


def _say(document: dict[str, Any], text: str, as_json: bool) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
