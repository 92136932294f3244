"""`plaza bench`: a whole installation in software, driven by a scenario; headless, it is judged."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

import click

from hardware.bench.scenario import Scenario, ScenarioProblem, patient
from plaza.demo.plan import Plan, Ports, default_home
from plaza.demo.stage import explain, free_of_old_runs, has_display


@click.command()
@click.argument("scenario", required=False)
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation.")
@click.option("--headless", is_flag=True, help="Play without a page, judge every step, and end.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where a headless play leaves its proof."
)
@click.option("--speed", type=float, help="Seconds of the scenario in a real second (1: as told).")
@click.option(
    "--patience", default=1.0, help="Headless: wait so many times longer than the scenario says."
)
@click.option("--watch", is_flag=True, help="Only look: do what a technician in training would do.")
@click.option("--window", is_flag=True, help="Also open the kiosk's window.")
@click.option("--list", "listing", is_flag=True, help="List the scenarios that ship, and end.")
@click.option("--check", is_flag=True, help="Read the scenario, say what is wrong in it, and end.")
def bench(
    scenario: str | None,
    home: Path | None,
    headless: bool,
    out: Path | None,
    speed: float | None,
    patience: float,
    watch: bool,
    window: bool,
    listing: bool,
    check: bool,
) -> None:
    """Play SCENARIO (a name or a .yaml file) on a whole installation; without one, free practice."""
    if listing:
        _list()
        return
    if (speed is not None and speed <= 0) or patience <= 0:
        raise click.UsageError("--speed and --patience must be more than 0")
    if scenario is None and (headless or check):
        raise click.UsageError("--headless and --check need a scenario")
    chosen = _read(scenario)
    if check:
        click.echo(f"{scenario}: {len(chosen.steps)} pasos, sin errores")
        return
    if headless:
        chosen = patient(chosen, patience)
        sys.exit(_headless(chosen, home, out or Path("out") / "bench" / chosen.name, speed))
    signal.signal(signal.SIGTERM, _interrupt)
    _serve(chosen, home, speed or 1.0, window and has_display(), practice=not watch)


def _read(wanted: str | None) -> Scenario:
    from hardware.bench.shelf import find
    from plaza.demo.show import FREE_PLAY, possible

    if wanted is None:
        return possible(FREE_PLAY)
    found = find(wanted)
    if isinstance(found, ScenarioProblem):
        click.echo(f"plaza bench: {found}", err=True)
        sys.exit(1)
    return found


def _list() -> None:
    from hardware.bench.shelf import find, shipped

    for name in shipped():
        found = find(name)
        title = str(found) if isinstance(found, ScenarioProblem) else found.title
        click.echo(f"{name:<28} {title}")


def _headless(scenario: Scenario, home: Path | None, out: Path, speed: float | None) -> int:
    from plaza.demo.show import play_headless

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="plaza-bench-") as folder:
        plan = Plan(home or Path(folder), Ports.free())
        click.echo(scenario.title)
        try:
            outcome = play_headless(
                scenario, plan, out, speed=speed or scenario.pace, say=click.echo
            )
        except Exception as trouble:
            click.echo(f"plaza bench: {explain(trouble)}", err=True)
            return 1
    verdict = "todo se cumplió" if outcome.ok else f"NO se cumplió {outcome.trouble}".strip()
    click.echo(f"{len(outcome.steps)} de {outcome.planned} pasos: {verdict}. Resultados: {out}")
    return 0 if outcome.ok else 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(
    scenario: Scenario, home: Path | None, speed: float, window: bool, *, practice: bool
) -> None:
    from waitress import create_server  # type: ignore[import-untyped]

    from plaza.demo.bench_app import create_bench
    from plaza.demo.show import Show

    plan = Plan(home or default_home().with_name("banco"), Ports())
    show = Show(plan, window=window, speed=speed, practice=practice)
    try:
        free_of_old_runs(plan)
        click.echo("Montando la instalación simulada…")
        show.open(scenario)
        app = create_bench(show.stage, show)
        server = create_server(app, host="127.0.0.1", port=plan.ports.bench, threads=8)
        threading.Thread(target=server.run, daemon=True, name="bench").start()
        click.echo(f"{scenario.title}\n\n  Banco   {plan.bench_url}/\n\nCtrl+C para terminar.")
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("\nDesmontando…")
    except Exception as trouble:
        click.echo(f"plaza bench: {explain(trouble)}", err=True)
        sys.exit(1)
    finally:
        show.close()
