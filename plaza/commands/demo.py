"""`plaza demo`: a whole node with simulators, for a person; with `--tour`, played by itself."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from plaza.demo.plan import Plan, Ports, default_home
from plaza.demo.stage import Props, Stage, explain, free_of_old_runs, has_display

if TYPE_CHECKING:
    from plaza.demo.tour import Step


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the demonstration.")
@click.option(
    "--tour",
    type=click.Choice(["day", "ejido"]),
    is_flag=False,
    flag_value="day",
    help="Play a story headless and judge it: a citizen's day, or nine days of an ejido on the sun.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the tour leaves its results.")
@click.option("--on", default="", help="The day for which the demo data are made (YYYY-MM-DD).")
@click.option("--no-window", is_flag=True, help="Draw the kiosk off screen even with a display.")
def demo(home: Path | None, tour: str | None, out: Path | None, on: str, no_window: bool) -> None:
    """Run a whole node: kiosk, portal, queue and city, with a simulated street."""
    if tour:
        name = "tour" if tour == "day" else f"tour-{tour}"
        sys.exit(_play_tour(tour, out or Path("out") / name, on))
    signal.signal(signal.SIGTERM, _interrupt)
    stage = Stage(
        Plan(home or default_home(), Ports()),
        window=has_display() and not no_window,
        on=on,
        props=_whole_street(),
    )
    try:
        _run(stage)
    except KeyboardInterrupt:
        click.echo("\nApagando la demostración…")
    except Exception as trouble:
        click.echo(f"plaza demo: {explain(trouble)}", err=True)
        sys.exit(1)
    finally:
        stage.stop()


def _whole_street() -> Props:
    """Every device that this machine can simulate."""
    from plaza.demo.show import FREE_PLAY, possible, props_of

    return props_of(possible(FREE_PLAY))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(stage: Stage) -> None:
    from waitress import create_server  # type: ignore[import-untyped]

    from plaza.demo.bench_app import create_bench

    plan = stage.plan
    free_of_old_runs(plan)
    click.echo("Preparando la ciudad y el nodo de demostración…")
    click.echo(stage.prepare())
    stage.start()
    server = create_server(create_bench(stage), host="127.0.0.1", port=plan.ports.bench, threads=8)
    threading.Thread(target=server.run, daemon=True, name="bench").start()
    look = "una ventana aquí" if stage.window else "fuera de pantalla; véala en el banco de pruebas"
    click.echo(
        f"""
Todo está en marcha. Es una demostración: lugares, personas y cobros son inventados.

  Banco de pruebas   {plan.bench_url}/      pantalla del kiosco, teléfono, recibos, interruptores
  Portal Wi-Fi       {plan.portal_url}/      puerta en memoria: un dispositivo es su dirección IP
  API de la ciudad   {plan.central_url}/?token={stage.staff_token}
  Pantalla           {look}
  Carpeta            {plan.home}

Ctrl+C para terminar."""
    )
    threading.Event().wait()


def _story(tour: str, plan: Plan, on: str) -> tuple[Stage, tuple[Step, ...]]:
    """The stage that a tour is played on, and its steps."""
    if tour == "ejido":
        from plaza.demo.ejido import EJIDO
        from plaza.demo.solar_stage import SolarStage

        return SolarStage(plan, say=click.echo), EJIDO
    from plaza.demo.tour_steps import DAY

    return Stage(plan, window=False, on=on, say=click.echo), DAY


def _play_tour(tour: str, out: Path, on: str) -> int:
    from plaza.demo.tour import Walk, play, write_summary
    from plaza.demo.tour_steps import collect

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="plaza-tour-") as folder:
        stage, steps = _story(tour, Plan(Path(folder), Ports.free()), on)
        walk = Walk(stage, out)
        try:
            results = play(walk, steps, click.echo)
        finally:
            collect(walk)
            stage.stop()
    ok = write_summary(out, results, len(steps), walk.notes)
    total_s = sum(r.ms for r in results) / 1000
    verdict = "todo se cumplió" if ok else "NO se cumplió todo"
    click.echo(
        f"\n{len(results)} de {len(steps)} pasos en {total_s:.1f} s: {verdict}. Resultados: {out}"
    )
    return 0 if ok else 1
